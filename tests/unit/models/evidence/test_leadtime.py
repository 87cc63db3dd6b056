"""Flags counted by hand on a few councils; kinds of council add up."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.evidence.audit import audit
from models.evidence.leadtime import BY_CHANCE, Timing, flags, flags_grid, timing, timing_text
from models.judgements.labels import INSPECTIONS
from models.learning.fitting import Forecast

QUARTERS = [date(2021, m, 1) for m in (1, 4, 7, 10)]
#: One of four councils is flagged each quarter: 1 until July, then 2.
RISK = {"1": [0.9, 0.9, 0.9, 0.1], "2": [0.1, 0.2, 0.1, 0.9], "3": [0.2, 0.1, 0.2, 0.2], "4": [0.15] * 4}
#: Council 1 was judged badly after July, 2 well, 3 badly; nobody knows of 4.
NEXT = {"1": (date(2021, 8, 1), True), "2": (date(2022, 2, 1), False), "3": (date(2022, 2, 1), True), "4": None}


def _every() -> tuple[pl.DataFrame, Forecast]:
    rows = []
    for code, series in RISK.items():
        for day, p in zip(QUARTERS, series, strict=True):
            came = NEXT[code]
            after = came is not None and came[0] >= day
            rows.append(
                dict.fromkeys(INSPECTIONS)
                | {
                    "la_code": code,
                    "as_of": day,
                    "started": came[0] if came and after else None,
                    "published": date(2022, 4, 1) if after else None,
                    "below_good": came[1] if came and after else None,
                    "years_since_previous": 3.0,
                    "p": p,
                }
            )
    frame = pl.DataFrame(rows, schema={**INSPECTIONS, "p": pl.Float64()})
    p = frame["p"].to_numpy()
    return frame.drop("p"), Forecast(p, p)


def _judged() -> pl.DataFrame:
    rows = [
        dict.fromkeys(INSPECTIONS) | {"la_code": c, "started": n[0], "below_good": n[1]} for c, n in NEXT.items() if n
    ]
    return pl.DataFrame(rows, schema=INSPECTIONS)


def test_poor_judgements_flagged_before_beside_chance() -> None:
    every, p = _every()
    ours, chance = flags(every, {"ours": p}, _judged(), 0.25)
    # At the start council 1 was flagged in July; council 3 begins in February, more than 100 days after October.
    assert (ours.poor[0], ours.found[0]) == (1, 1.0)
    assert (ours.poor[6], ours.found[6]) == (2, 1.0)
    assert chance.forecast == BY_CHANCE and chance.found[6] == 0.5
    assert list(ours.poor) == list(chance.found) == [0, 6, 12] and ours.poor[12] == 1
    grid = flags_grid([ours, chance])
    assert grid.head[1:4] == (
        "poor judgements flagged at the start",
        "poor judgements flagged 6 months before",
        "poor judgements flagged 12 months before",
    )
    assert grid.rows == (
        ("ours, 25%", "1 of 1", "1 of 2", "0 of 1", "25%", "0.36"),
        ("flagged at random, 25%", "0 of 1", "0 of 2", "0 of 1", "36%", "–"),
    )
    least = flags(every, {"ours": p}, _judged(), 0.1)[0]
    assert (least.found, least.wrong_share) == (ours.found, ours.wrong_share), "one council at least is flagged"
    assert flags(every, {}, _judged(), 0.25) == []


def test_where_no_next_judgement_is_known_nothing_was_in_vain() -> None:
    every, p = _every()
    unknown = every.with_columns(below_good=pl.lit(None, pl.Boolean()))
    ours, chance = flags(unknown, {"ours": p}, _judged(), 0.25)
    assert (ours.wrong_share, ours.raised_per_council_year, chance.wrong_share) == (0.0, 0.0, 0.0)


def test_flags_in_vain_are_those_before_a_good_judgement() -> None:
    every, p = _every()
    ours, chance = flags(every, {"ours": p}, _judged(), 0.25)
    # Flags whose next judgement is known: 1 in three quarters, 2 in October; known quarters: 3 + 4 + 4.
    assert ours.wrong_share == pytest.approx(1 / 4)
    assert ours.raised_per_council_year == pytest.approx(1 / (11 / 4))
    assert chance.wrong_share == pytest.approx(4 / 11)


def test_timing_is_judged_apart() -> None:
    every, p = _every()
    found = timing(every, p.below_good)
    assert (found.council_years, found.inspected_within_12_months) == (4, 1)
    assert found.auc_score_for_timing == 1.0
    assert found.auc_time_alone == 0.5


@pytest.mark.parametrize(
    ("started", "until", "counted"),
    [
        (date(2022, 1, 1), date(2022, 1, 1), (2, 1)),
        (date(2022, 1, 2), date(2022, 1, 2), (2, 0)),
        (date(2022, 1, 1), date(2021, 12, 31), (0, 0)),
    ],
)
def test_a_year_is_counted_if_all_of_it_is_known(started: date, until: date, counted: tuple[int, int]) -> None:
    rows = [
        dict.fromkeys(INSPECTIONS) | {"la_code": code, "as_of": day, "years_since_previous": years, **came}
        for code, day, years, came in (
            ("1", date(2021, 1, 1), 3.0, {"started": started, "published": until, "below_good": True}),
            ("2", date(2021, 1, 1), 2.0, {}),
            ("3", date(2021, 4, 1), 2.0, {"started": date(2021, 5, 1), "published": until, "below_good": True}),
        )
    ]
    found = timing(pl.DataFrame(rows, schema=INSPECTIONS), np.array([0.1, 0.9, 0.5]))
    assert (found.council_years, found.inspected_within_12_months) == counted
    if counted == (2, 1):
        assert (found.auc_time_alone, found.auc_score_for_timing, found.auc_bad_within_12_months_by_time) == (1, 0, 1)
    assert found.auc_bad_given_inspection_by_time is None


def test_a_measure_that_is_not_known_is_a_dash() -> None:
    text = timing_text(Timing(4, 1, 0.5, None, 0.25, None))
    assert (
        "AUC 0.50, the score with – (1 of 4 council-years)" in text and "reaches 0.25; given an inspection, –." in text
    )


def test_kinds_of_council_add_up() -> None:
    rows = pl.DataFrame(
        {
            "imd_score": [10.0, 20.0, 30.0, None],
            "region": ["North East"] * 3 + ["London"],
            "population_0_17": [1.0, 2.0, 3.0, 4.0],
            "council_type": ["County"] * 4,
        }
    )
    y, p = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.3, 0.1])
    slices = {(s.by, s.level): s for s in audit(rows, y, p)}
    assert slices["type", "County"].n == 4
    assert slices["type", "County"].expected == pytest.approx(2.1)
    assert slices["type", "County"].auc == 0.75
    assert sum(s.n for s in slices.values() if s.by == "deprivation") == 3
    assert slices["region", "London"].observed == 0
    assert (slices["region", "North East"].flagged, slices["region", "North East"].flagged_good) == (1, 0)
