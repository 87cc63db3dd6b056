"""Whom a month scores, which extracts it takes for whole, and what it says of a council it could not score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from expectations.fates import Fate
from features.councils import Council, Register
from features.frames import FEATURES_SCHEMA, MEASURES_SCHEMA
from features.months import Month
from features.registry import Kind
from flows.month import score
from flows.month.measure import Measured
from flows.month.score import score_councils
from models.registry.shipped import shipped_model
from models.scoring.score_month import unscored
from tests.unit.flows.month.examples import BARNSLEY, CUTOFF, DONCASTER, OCTOBER, manifest, record

GONE = Council("372", "Rotherham", Month(2020, 1), Month(2026, 9))
REGISTER = Register((BARNSLEY, DONCASTER, GONE))
MODEL = shipped_model()


def measured(*records: Any, faults: dict[str, str] | None = None) -> Measured:
    other = manifest(record("371", Kind.WORKFORCE), month=OCTOBER.plus(-1))
    return Measured(
        OCTOBER, MEASURES_SCHEMA.to_frame(), FEATURES_SCHEMA.to_frame(), (other, manifest(*records)), faults or {}
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What scoring was asked; it fails at Doncaster."""
    calls: list[tuple[Any, ...]] = []

    def score_month(model: Any, features: pl.DataFrame, own: pl.DataFrame, *rest: Any) -> tuple[Any, ...]:
        codes = own["la_code"].to_list()
        calls.append((codes, *rest))
        if "371" in codes:
            raise ZeroDivisionError
        return tuple(unscored(code, OCTOBER, MODEL.ref, "scored") for code in codes)

    monkeypatch.setattr(score, "score_month", score_month)
    return calls


def test_every_council_of_the_month_gets_a_score_or_a_reason(asked: list[tuple[Any, ...]]) -> None:
    found = score_councils(MODEL, measured(), REGISTER, OCTOBER, CUTOFF)
    assert list(found) == ["370", "371"], "and none for a council that no longer reports"
    assert found["370"].not_scored == "scored"
    assert str(found["371"].not_scored).startswith("Doncaster (371): scoring failed: a fault in Holdfast")
    assert asked[0] == (["370", "371"], OCTOBER, CUTOFF, 0, {})


def test_a_council_that_could_not_be_measured_is_not_scored_and_says_why(asked: list[tuple[Any, ...]]) -> None:
    failed = {"371": "Doncaster (371): measuring failed.", "372": "Rotherham (372): measuring failed."}
    found = score_councils(MODEL, measured(faults=failed), REGISTER, OCTOBER, CUTOFF, max_age_months=12)
    assert {code: s.not_scored for code, s in found.items()} == {"370": "scored", "371": failed["371"]}
    assert asked == [(["370"], OCTOBER, CUTOFF, 12, {})]


def test_only_the_months_own_files_that_are_used_without_exception_are_whole(asked: list[tuple[Any, ...]]) -> None:
    whole = record("370", Kind.WORKFORCE)
    score_councils(
        MODEL,
        measured(
            whole,
            record("370", Kind.CASELOAD),
            replace(record("370", Kind.ESTABLISHMENT), withheld=("vacancy_fte",)),
            record("371", Kind.CASELOAD, Fate.QUARANTINED),
        ),
        REGISTER,
        OCTOBER,
        CUTOFF,
    )
    assert asked[0][-1] == {"370": ["workforce", "caseload"]}
