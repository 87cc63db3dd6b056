"""Literal frames in the canonical schemas: only what a test is about is written out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from features.counting.records import RECEIVED
from features.months import Month
from features.registry import EXTRACTS, Kind

Rows = Callable[..., pl.DataFrame]

_IN_POST: dict[str, Any] = {
    "la_code": "201",
    "agency_worker": False,
    "org_role": "5",
    "fte": 100,
    "role_start_date": date(2020, 1, 6),
    "cases": 0,
    "working_days_lost": 0,
    "absent_at_reference_date": False,
}
_OPEN_CASE: dict[str, Any] = {"la_code": "201", "referral_date": date(2026, 1, 5), "case_status": "c"}
_ESTABLISHMENT: dict[str, Any] = {"la_code": "201"}


def _frame(kind: Kind, defaults: dict[str, Any], rows: tuple[dict[str, Any], ...]) -> pl.DataFrame:
    key = EXTRACTS[kind].key[0]
    schema = EXTRACTS[kind].schema
    numbered = [
        {
            "reference_date": date(2026, 10, 31),
            **({} if key == "la_code" else {key: i}),
            **defaults,
            **row,
            "file_row": i,
        }
        for i, row in enumerate(rows, start=2)
    ]
    assert all(name in schema for row in numbered for name in row), "a column the extract does not have"
    return pl.DataFrame(numbered, schema=schema).sort(["la_code", *EXTRACTS[kind].key])


@pytest.fixture
def workers() -> Rows:
    """Workers in post since 2020, full time, directly paid, unless a row says otherwise."""
    return lambda *rows: _frame(Kind.WORKFORCE, _IN_POST, rows)


@pytest.fixture
def cases() -> Rows:
    """Open cases on a child in need plan, referred in January 2026, unless a row says otherwise."""
    return lambda *rows: _frame(Kind.CASELOAD, _OPEN_CASE, rows)


@pytest.fixture
def establishment() -> Rows:
    return lambda *rows: _frame(Kind.ESTABLISHMENT, _ESTABLISHMENT, rows)


@pytest.fixture
def october() -> Month:
    return Month(2026, 10)


@pytest.fixture
def received() -> Callable[..., pl.DataFrame]:
    """All these councils were received on 5 November 2026."""

    def of(*la_codes: str) -> pl.DataFrame:
        return pl.DataFrame(
            [(la, date(2026, 11, 5), f"sha-{la}") for la in la_codes or ("201",)], schema=RECEIVED, orient="row"
        )

    return of
