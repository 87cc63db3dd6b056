"""Regions of any size: valid, unlike real councils, and with the levels of England."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sample_region import ANCHORS, beside_anchors, yearly_figures
from features.errors import HoldfastError
from features.months import Month, nth_working_day
from features.registry import EXTRACTS, Kind
from flows.sample_region import generate, region, sample_extracts
from flows.sample_region.councils import DRIFTING_SHARE
from flows.sample_region.working_days import Calendar, day_number

LAST = Month(2026, 10)


@given(councils=st.integers(1, 6), months=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_any_size_and_seed_gives_unique_keys_in_order(councils: int, months: int, seed: int) -> None:
    made = region(councils, months, seed, LAST)
    seen = 0
    for month in generate(made):
        seen += 1
        for kind, frame in month.frames.items():
            key = [k for k in EXTRACTS[kind].key if k != "la_code"]
            keys = frame.select(pl.col("la_code").to_physical(), *key)
            assert keys.n_unique() == frame.height
            assert keys.equals(keys.sort("la_code", *key))
            assert frame["la_code"].n_unique() == councils
            assert (frame["reference_date"] == month.month.last_day).all()
    assert seen == months


@pytest.mark.parametrize("seed", [0, 20261031])
def test_the_same_seed_gives_the_same_frames(seed: int) -> None:
    one, two = (list(generate(region(2, 1, seed, LAST))) for _ in range(2))
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD):
        assert one[0].frames[kind].equals(two[0].frames[kind])


@pytest.mark.parametrize(("councils", "months"), [(0, 1), (1, 0), (10_000, 1), (1, 1000)])
def test_sizes_out_of_reach_are_refused_with_a_sentence(councils: int, months: int) -> None:
    with pytest.raises(HoldfastError, match="made-up region has"):
        region(councils, months, 1, LAST)


def test_england_has_room_in_it_and_no_code_or_name_comes_twice() -> None:
    made = region(153, 24, 1, LAST)
    assert len({c.la_code for c in made.councils}) == len({c.council.name for c in made.councils}) == 153
    assert all(c.la_code[0].isalpha() for c in made.councils)
    drifting = sum(c.story.onset is not None and c.story.stage(LAST) > 0 for c in made.councils) / 153
    assert drifting < 2 * DRIFTING_SHARE


def test_a_large_region_is_written_as_parquet(tmp_path: Path) -> None:
    assert sample_extracts(tmp_path, 50, 1, 1, LAST).files == 50 * 3 + 2
    assert len(list(tmp_path.rglob("*.parquet"))) == 50 * 3


def test_no_made_up_council_has_the_name_or_code_of_a_real_one(public_data: Path) -> None:
    with (public_data / "local_authority_lookup.csv").open(encoding="utf-8-sig", newline="") as file:
        real = list(csv.DictReader(file))
    names = {r[c].strip().lower() for r in real for c in ("local_authority_ons_name", "utla23nm") if r[c]}
    codes = {r["la_code"].strip() for r in real}
    for made in (*region(153, 1, 1, LAST).councils, *region(12, 1, 1, LAST).councils):
        assert made.council.name.lower() not in names
        assert made.la_code not in codes


def test_levels_spread_and_persistence_are_those_of_england() -> None:
    found = beside_anchors(yearly_figures(generate(region(60, 24, 2, LAST))))
    rows = {row["figure"]: row for row in found.iter_rows(named=True)}
    within = {"vacancy": 4.0, "agency": 4.0, "turnover": 2.5, "caseload": 1.5, "absence": 0.7, "inpost_fte": 50.0}
    for figure, tolerance in within.items():
        assert abs(rows[figure]["median"] - ANCHORS[figure].median) < tolerance, figure
    assert 0.65 < rows["vacancy"]["correlation"] < 0.95
    assert 0.65 < rows["agency"]["correlation"] < 0.95
    assert 0.5 < rows["caseload"]["correlation"] < 0.9
    assert rows["turnover"]["correlation"] < 0.6
    assert rows["turnover"]["correlation"] < rows["absence"]["correlation"] + 0.3
    for figure in ("vacancy", "agency", "turnover", "absence"):
        assert rows[figure]["p5"] < 0.75 * rows[figure]["median"] < 0.75**2 * rows[figure]["p95"], figure


def test_working_days_leave_out_weekends_and_bank_holidays() -> None:
    calendar = Calendar(2026, 2026)
    friday = np.array([day_number(Month(2026, 4).first_day) + 1], dtype=np.int32)  # 2 April, before Easter
    assert calendar.add(friday, np.array([1]))[0] == friday[0] + 5  # Good Friday to Easter Monday are closed
    november = calendar.of(Month(2026, 11))
    assert november[4] == day_number(nth_working_day(Month(2026, 11), 5))
