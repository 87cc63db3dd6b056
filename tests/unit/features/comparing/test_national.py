from __future__ import annotations

from datetime import date

import polars as pl

from features.comparing.national import latest_editions, with_percentile
from features.frames import NATIONAL


def national(*releases: tuple[date, date, list[float]]) -> pl.DataFrame:
    rows = [("caseload_fte", end, known, v) for known, end, values in releases for v in values]
    return pl.DataFrame(rows, schema=NATIONAL, orient="row")


OLD, NEW = date(2025, 2, 20), date(2026, 2, 19)
TWO_RELEASES = national(
    (OLD, date(2024, 9, 30), [10.0, 12.0, 14.0, 16.0]),
    (NEW, date(2024, 9, 30), [90.0]),
    (NEW, date(2025, 9, 30), [20.0, 22.0]),
)


def percentiles(*rows: tuple[float | None, date], measure: str = "caseload_fte") -> list[float | None]:
    frame = pl.DataFrame(
        [(measure, v, d) for v, d in rows],
        schema={"measure": pl.String, "value": pl.Float64, "known_on": pl.Date},
        orient="row",
    )
    return with_percentile(frame, TWO_RELEASES)["national_percentile"].to_list()


def test_share_of_councils_below_with_ties_counted_half() -> None:
    day = date(2025, 12, 1)
    assert percentiles((9.0, day), (12.0, day), (13.0, day), (99.0, day), (None, day)) == [0.0, 0.375, 0.5, 1.0, None]


def test_the_latest_release_known_on_the_day_is_read() -> None:
    rows = [(15.0, day) for day in (date(2025, 2, 19), OLD, date(2026, 2, 18), NEW)]
    assert percentiles(*rows) == [None, 0.75, 0.75, 0.0]


def test_what_is_not_published_has_no_percentile() -> None:
    assert percentiles((0.1, NEW), measure="visits_overdue_rate") == [None]


def test_a_release_speaks_with_its_newest_year() -> None:
    assert latest_editions(TWO_RELEASES).select("known_from", "period_end", "values", "mean").rows() == [
        (OLD, date(2024, 9, 30), 4, 13.0),
        (NEW, date(2025, 9, 30), 2, 21.0),
    ]
