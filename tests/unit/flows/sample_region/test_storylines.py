"""What is meant to happen to a council happens, and shows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from features.months import Month
from features.registry import Kind
from flows.sample_region import MonthFrames, Story, Storyline, generate, region

LAST = Month(2026, 10)
ONSET = Month(2025, 1)


def test_a_steady_council_is_in_no_stage() -> None:
    assert Story().stage(LAST) == 0
    assert not Story().intensities(ONSET, 12).any()


def test_stages_follow_each_other_at_the_councils_pace() -> None:
    story = Story(Storyline.DRIFTING, ONSET, months_per_stage=3)
    stages = [story.stage(ONSET.plus(i)) for i in range(-1, 14)]
    assert stages == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4]


def test_recovery_takes_two_years_after_the_judgement_and_not_less() -> None:
    story = Story(Storyline.RECOVERING, ONSET, 3, judged=ONSET.plus(12))
    assert story.stage(ONSET.plus(12)) == 4
    assert story.stage(ONSET.plus(18)) == 3
    assert story.stage(ONSET.plus(35)) == 1
    assert story.stage(ONSET.plus(36)) == 0
    felt = story.intensities(ONSET, 40)
    assert felt[15].min() == 1.0  # the post-inspection spiral: nothing better yet
    assert felt[37].max() == 0.0
    assert (np.diff(felt[17:37, 0]) < 0).all()


def test_difficulties_build_up_from_the_onset_and_never_before_it() -> None:
    felt = Story(Storyline.DRIFTING, ONSET, 6).intensities(ONSET.plus(-3), 30)
    assert not felt[:3].any()
    assert felt[3, 0] > 0
    assert felt[3, 1] == 0
    assert (np.diff(felt, axis=0) >= 0).all()
    assert felt.max() == 1.0


@pytest.fixture(scope="module")
def demonstration() -> list[MonthFrames]:
    return list(generate(region(12, 30, 1, LAST)))


def _unallocated(month: MonthFrames) -> dict[str, float]:
    still_open = month.frames[Kind.CASELOAD].filter(pl.col("closed_date").is_null())
    shares = still_open.group_by("la_code").agg(pl.col("allocated_worker_ref").is_null().mean().alias("share"))
    return dict(zip(shares["la_code"].cast(pl.String), shares["share"], strict=True))


def _leavers(months: list[MonthFrames], agency: bool = False) -> dict[str, int]:
    rows = pl.concat([m.frames[Kind.WORKFORCE] for m in months]).filter(
        pl.col("role_end_date").is_not_null(), pl.col("agency_worker") == int(agency)
    )
    counts = rows.group_by("la_code").len()
    return dict(zip(counts["la_code"].cast(pl.String), counts["len"], strict=True))


def test_drifting_councils_lose_sight_of_cases_and_steady_ones_do_not(demonstration: list[MonthFrames]) -> None:
    before, now = _unallocated(demonstration[6]), _unallocated(demonstration[-1])
    for code in ("Z02", "Z04"):
        assert now[code] > before[code] + 0.04
    assert now["Z05"] > before["Z05"] + 0.02
    for code in ("Z01", "Z03", "Z07 / Z08", "Z09", "Z10", "Z12"):
        assert now[code] < 0.05
    assert now["Z06"] < before["Z06"]  # on the mend


def test_bad_luck_is_a_quarter_of_leavers_and_nothing_else(demonstration: list[MonthFrames]) -> None:
    quarter, year_before = _leavers(demonstration[-4:-1]), _leavers(demonstration[-16:-4])
    assert quarter["Z09"] >= 2 * year_before["Z09"] * 3 / 12
    assert _unallocated(demonstration[-1])["Z09"] < 0.05


def test_in_the_last_stage_agency_cover_fails_while_posts_stand_empty(demonstration: list[MonthFrames]) -> None:
    def of(month: MonthFrames) -> tuple[float, float]:
        row = month.frames[Kind.ESTABLISHMENT].filter(pl.col("la_code").cast(pl.String) == "Z02")
        return float(row["agency_fte"].item()), float(row["vacancy_fte"].item())

    (agency_then, vacant_then), (agency_now, vacant_now) = of(demonstration[-9]), of(demonstration[-1])
    assert agency_now < agency_then
    assert vacant_now > vacant_then


def test_the_demonstration_is_small_enough_to_run_in_a_minute(demonstration: list[MonthFrames]) -> None:
    still_open = demonstration[-1].frames[Kind.CASELOAD]["closed_date"].null_count()
    assert 18_000 <= still_open <= 27_000
