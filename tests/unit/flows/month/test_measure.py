"""Which of a month's extracts count as an aggregate return, and from when each is known."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import polars as pl

from expectations.fates import Fate
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.month.measure import _returned
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest

OCTOBER = Month(2026, 10)


def record(la_code: str, kind: Kind, received: date | None) -> ExtractRecord:
    fate = Fate.ACCEPTED if received else Fate.MISSING
    return ExtractRecord(la_code, kind, fate, date(2026, 11, 6), received, sha256="x" if received else None)


class Stored:
    """A history that has been asked for tables."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Month], str]] = []

    def tables(self, manifests: list[Manifest], name: str, schema: pl.Schema) -> pl.DataFrame:
        self.asked.append(([m.month for m in manifests], name))
        return schema.to_frame()


def test_only_returns_that_came_are_known_and_from_the_day_they_came() -> None:
    came = date(2026, 11, 4)
    with_return = Manifest(
        OCTOBER,
        1,
        "x",
        came,
        (
            record("301", Kind.RETURN, came),
            record("302", Kind.RETURN, None),
            record("303", Kind.WORKFORCE, came),
        ),
        {},
    )
    without = Manifest(OCTOBER.plus(-1), 1, "x", came, (record("303", Kind.WORKFORCE, came),), {})
    stored: Any = Stored()
    found = _returned(cast(History, stored), [without, with_return])
    assert found is not None
    rows, known, reasons = found
    assert known.rows() == [("301", OCTOBER.last_day, came)]
    assert (rows.schema, reasons.schema) == (EXTRACTS[Kind.RETURN].schema, CELL_REASONS)
    assert stored.asked == [([OCTOBER], "return"), ([OCTOBER], "cell-reasons")]
    assert _returned(cast(History, stored), [without]) is None
