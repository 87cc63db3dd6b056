"""Lead times and false alarms counted by hand on a few councils; kinds of council add up."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from models.evidence.audit import audit, levels
from models.evidence.leadtime import lead_time, timing
from models.judgements.labels import INSPECTIONS

QUARTERS = [date(2021, m, 1) for m in (1, 4, 7, 10)] + [date(2022, 1, 1)]


def _scores(**risk: list[float]) -> pl.DataFrame:
    rows = [
        (code.removeprefix("c"), day, p, 3.0 + i / 4)
        for code, series in risk.items()
        for i, (day, p) in enumerate(zip(QUARTERS, series, strict=True))
    ]
    schema = {"la_code": pl.String(), "as_of": pl.Date(), "p": pl.Float64(), "years_since": pl.Float64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _inspections(*rows: tuple[str, date, date, bool, date | None]) -> pl.DataFrame:
    found = [
        dict.fromkeys(INSPECTIONS)
        | {
            "la_code": code,
            "framework": "ILACS",
            "started": started,
            "published": published,
            "below_good": poor,
            "previous_published": before,
        }
        for code, started, published, poor, before in rows
    ]
    return pl.DataFrame(found, schema=INSPECTIONS, orient="row")


# One of four councils is flagged each quarter.
SCORES = _scores(
    c1=[0.9, 0.9, 0.9, 0.1, 0.1],
    c2=[0.1, 0.2, 0.1, 0.9, 0.9],
    c3=[0.2, 0.1, 0.2, 0.2, 0.2],
    c4=[0.15, 0.15, 0.15, 0.15, 0.15],
)
JUDGED = _inspections(
    ("1", date(2021, 8, 1), date(2021, 10, 1), True, date(2018, 1, 1)),
    ("2", date(2022, 2, 1), date(2022, 4, 1), False, date(2018, 1, 1)),
    ("3", date(2022, 2, 1), date(2022, 4, 1), True, None),
)


def test_lead_time_runs_from_the_first_flag_to_publication() -> None:
    lead = lead_time(SCORES, JUDGED, 0.25)
    assert (lead.poor_judgements, lead.flagged_before, lead.flagged_at_start) == (2, 1, 1)
    assert lead.months == (9.0,)
    assert lead.median_months == pytest.approx(8.97, abs=0.01)


def test_a_flag_before_a_good_judgement_is_a_false_alarm() -> None:
    lead = lead_time(SCORES, JUDGED, 0.25)
    # Known next judgements: council 1 for three quarters, councils 2 and 3 for five: 13 quarters.
    assert lead.council_years == pytest.approx(13 / 4)
    assert lead.false_alarms_per_council_year == pytest.approx(1 / (13 / 4))
    assert lead.false_share == pytest.approx(2 / 5)
    assert lead.unresolved_flags == 0


def test_a_flag_before_the_judgement_before_does_not_count() -> None:
    judged = _inspections(("1", date(2021, 12, 1), date(2022, 2, 1), True, date(2021, 8, 1)))
    lead = lead_time(SCORES, judged, 0.25)
    assert (lead.flagged_before, lead.flagged_at_start, lead.median_months) == (0, 0, None)


def test_timing_is_judged_apart() -> None:
    found = timing(SCORES, JUDGED, date(2022, 6, 1))
    assert found.council_years == 4
    assert found.inspected_within_12_months == 1
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


def test_levels_are_by_the_year_in_which_inspections_began() -> None:
    rows = pl.DataFrame({"started": [date(2021, 5, 1), date(2021, 6, 1), date(2022, 1, 5)]})
    y, p = np.array([True, False, True]), np.array([0.5, 0.5, 0.2])
    found = list(levels(rows, y, p, p / 2))
    assert [(x.year, x.n, x.observed, x.expected, x.expected_followed) for x in found] == [
        (2021, 2, 1, 1.0, 0.5),
        (2022, 1, 1, 0.2, 0.1),
    ]
    assert found[0].standard_error == pytest.approx(np.sqrt(0.5))
