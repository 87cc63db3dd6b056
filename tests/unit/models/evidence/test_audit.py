"""For which councils a forecast works: thirds, regions and types, with what was flagged in vain."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.evidence.audit import _thirds, audit

#: Ten inspections: the riskiest fifth are the first two.
P = np.array([0.9, 0.8, 0.5, 0.5, 0.4, 0.4, 0.3, 0.2, 0.1, 0.1])
Y = np.array([True, False, True, False, False, True, False, False, False, False])
ROWS = pl.DataFrame(
    {
        "imd_score": [None] * 10,
        "population_0_17": [90, 80, 70, 60, 50, 40, 30, 20, 10, None],
        "region": ["North"] * 4 + ["South"] * 5 + [None],
        "council_type": ["County"] * 10,
    },
    schema_overrides={"imd_score": pl.Float64},
)


def test_each_slice_counts_its_own_inspections() -> None:
    found = {(s.by, s.level): s for s in audit(ROWS, Y, P)}
    assert list(found) == sorted(found)
    assert {level for by, level in found if by == "region"} == {"North", "South"}, "an unknown region is none"
    assert not [by for by, _ in found if by == "deprivation"], "nothing is known of it"
    north = found["region", "North"]
    assert (north.n, north.observed, north.flagged, north.flagged_good) == (4, 2, 2, 1)
    assert north.expected == pytest.approx(2.7)
    assert north.standard_error == pytest.approx((0.09 + 0.16 + 0.25 + 0.25) ** 0.5)
    assert north.auc == pytest.approx(0.625)  # 0.9 above both, 0.5 below one and level with the other
    south = found["region", "South"]
    assert (south.n, south.observed, south.flagged, south.flagged_good) == (5, 1, 0, 0)
    assert found["type", "County"].n == 10 and found["type", "County"].flagged == 2


def test_all_that_tie_with_the_last_of_the_riskiest_fifth_are_flagged() -> None:
    tied = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    (whole,) = [s for s in audit(ROWS, Y, tied) if s.by == "type"]
    assert whole.flagged == 4
    (few,) = [s for s in audit(ROWS[:2], Y[:2], tied[:2]) if s.by == "type"]
    assert few.flagged == 1, "one at the least"


def test_thirds_are_of_those_that_are_known() -> None:
    names = ("low", "middle", "high")
    assert _thirds(pl.Series([3, 1, 2, 6, 5, 4]), names) == ["middle", "low", "low", "high", "high", "middle"]
    assert _thirds(pl.Series([1, None, 9]), names) == ["low", None, "high"]
    assert _thirds(pl.Series([None, None], dtype=pl.Int64), names) == [None, None]
    assert _thirds(pl.Series([7]), names) == ["middle"]
