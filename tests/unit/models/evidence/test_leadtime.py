"""Flags counted by hand on a few councils; kinds of council add up."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.evidence.audit import audit
from models.evidence.leadtime import BY_CHANCE, flags, flags_grid, timing
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
    assert len(flags_grid([ours, chance]).rows) == 2


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
