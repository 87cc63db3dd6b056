from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features.frames import MEASURES_SCHEMA
from features.measuring.sight import EXTRACT_LOG, compute_sight
from features.months import Month

OCTOBER = Month(2026, 10)
DUE, CUTOFF = date(2026, 11, 6), date(2026, 11, 10)


def log(*rows: tuple[str, Month, str, date, date | None, str, date | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(la, m.last_day, e, due, got, out, again) for la, m, e, due, got, out, again in rows],
        schema=EXTRACT_LOG,
        orient="row",
    )


def rates(frame: pl.DataFrame, month: Month = OCTOBER, cutoff: date = CUTOFF) -> dict[str, float]:
    return dict(compute_sight(frame, {month: cutoff}).select("measure", "value").rows())


def test_each_thing_that_can_happen_to_an_extract() -> None:
    frame = log(
        ("201", OCTOBER, "workforce", DUE, date(2026, 11, 6), "accepted", None),
        ("201", OCTOBER, "establishment", DUE, date(2026, 11, 9), "accepted", date(2026, 11, 10)),
        ("201", OCTOBER, "caseload", DUE, date(2026, 11, 2), "quarantined", None),
        ("201", OCTOBER, "return", DUE, None, "missing", None),
    )
    assert rates(frame) == {
        "extracts_missing_rate": 0.25,
        "extracts_late_rate": 0.25,
        "extracts_failed_rate": 0.25,
        "extracts_restated_rate": 0.25,
    }


def test_what_came_after_the_cut_off_had_not_come() -> None:
    after = date(2026, 11, 20)
    frame = log(
        ("201", OCTOBER, "workforce", DUE, after, "refused", None),
        ("201", OCTOBER, "caseload", DUE, date(2026, 11, 2), "accepted", after),
        ("201", OCTOBER.plus(1), "caseload", date(2026, 12, 4), date(2026, 12, 1), "accepted", None),
        ("201", OCTOBER.plus(1), "workforce", date(2026, 12, 4), date(2026, 12, 1), "accepted", None),
    )
    assert rates(frame) == {
        "extracts_missing_rate": 0.5,
        "extracts_late_rate": 0.0,
        "extracts_failed_rate": 0.0,
        "extracts_restated_rate": 0.0,
    }
    assert rates(frame, OCTOBER.plus(1), date(2026, 12, 8)) == {
        "extracts_missing_rate": 0.0,
        "extracts_late_rate": 0.25,
        "extracts_failed_rate": 0.25,
        "extracts_restated_rate": 0.25,
    }


def test_the_window_is_twelve_months_and_councils_that_left_are_gone() -> None:
    def came(la: str, month: Month, outcome: str) -> tuple[str, Month, str, date, date, str, None]:
        return (la, month, "workforce", month.plus(1).last_day, month.plus(1).first_day, outcome, None)

    frame = log(
        came("201", OCTOBER.plus(-12), "refused"),
        came("201", OCTOBER.plus(-11), "refused"),
        came("201", OCTOBER, "accepted"),
        came("202", OCTOBER.plus(-1), "accepted"),
    )
    found = compute_sight(frame, {OCTOBER: CUTOFF})
    assert found.schema == MEASURES_SCHEMA
    assert found["la_code"].unique().to_list() == ["201"]
    row = found.filter(pl.col("measure") == "extracts_failed_rate").row(0, named=True)
    assert (row["numerator"], row["denominator"]) == (1.0, 2.0)
    assert row["value"] == pytest.approx(0.5)
    assert row["known_from"] == CUTOFF
