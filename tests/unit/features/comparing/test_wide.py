from __future__ import annotations

from datetime import date

import polars as pl

from features.comparing.wide import latest_known, wide_columns, wide_latest
from features.frames import FEATURE_COLUMNS, FEATURES_SCHEMA, MEASURE_NAMES


def features(*rows: tuple[str, date, str, float | None, date]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "la_code": la,
                "month": m,
                "measure": name,
                "value": v,
                "known_from": known,
                "change_12m": 0.5,
                "shrunk": v,
            }
            for la, m, name, v, known in rows
        ],
        schema=FEATURES_SCHEMA,
    )


SEPTEMBER, MARCH = date(2025, 9, 30), date(2026, 3, 31)
FEBRUARY = date(2026, 2, 19)


def test_one_row_per_council_and_day_and_every_column_in_fixed_order() -> None:
    frame = features(
        ("202", MARCH, "caseload_fte", 16.0, MARCH),
        ("201", MARCH, "agency_rate_fte", 0.2, MARCH),
        ("201", SEPTEMBER, "agency_rate_fte", 0.1, SEPTEMBER),
    )
    found = wide_latest(frame, [MARCH, SEPTEMBER], 18)
    assert found.select("la_code", "as_of").rows() == [("201", SEPTEMBER), ("201", MARCH), ("202", MARCH)]
    assert tuple(found.columns) == ("la_code", "as_of", *wide_columns())
    assert found["agency_rate_fte"].to_list() == [0.1, 0.2, None]
    assert found["agency_rate_fte__change_12m"].to_list() == [0.5, 0.5, None]
    assert found["caseload_fte__shrunk"].to_list() == [None, None, 16.0]
    assert found["visits_overdue_rate__own_z"].null_count() == 3
    assert set(found.dtypes[2:]) == {pl.Float64()}


def test_there_is_a_column_for_every_measure_and_feature() -> None:
    found = wide_latest(features(("201", MARCH, "caseload_fte", 16.0, MARCH)), [MARCH], 18)
    assert found.width == 2 + len(MEASURE_NAMES) * (1 + len(FEATURE_COLUMNS))
    assert found.select("caseload_fte", "caseload_fte__change_12m", "caseload_fte__shrunk").row(0) == (16.0, 0.5, 16.0)
    assert found.null_count().sum_horizontal().item() == found.width - 5


def test_the_newest_value_known_by_the_day_and_not_too_old() -> None:
    frame = features(
        ("201", date(2024, 9, 30), "agency_rate_fte", 0.1, date(2025, 2, 20)),
        ("201", SEPTEMBER, "agency_rate_fte", 0.2, FEBRUARY),
        ("201", MARCH, "agency_rate_fte", None, FEBRUARY),
        ("201", MARCH, "re_referral_rate", 0.3, date(2026, 10, 29)),
        ("202", date(2024, 9, 30), "agency_rate_fte", 0.4, date(2025, 2, 20)),
    )
    by = {
        day: latest_known(frame, day, 18).select("la_code", "month", "value").rows()
        for day in (date(2026, 2, 18), FEBRUARY, date(2026, 4, 30))
    }
    old = date(2024, 9, 30)
    assert by[date(2026, 2, 18)] == [("201", old, 0.1), ("202", old, 0.4)]
    assert by[FEBRUARY] == [("201", SEPTEMBER, 0.2), ("202", old, 0.4)]
    assert latest_known(frame, MARCH, 18).filter(la_code="202")["month"].to_list() == [old], (
        "18 months are not too many"
    )
    assert by[date(2026, 4, 30)] == [("201", SEPTEMBER, 0.2)], "September 2024 is 19 months old"
    row = wide_latest(frame, [date(2026, 11, 1)], 18).row(0, named=True)
    assert (row["la_code"], row["as_of"]) == ("201", date(2026, 11, 1))
    assert (row["agency_rate_fte"], row["re_referral_rate"], row["caseload_fte"]) == (0.2, 0.3, None)
