"""DfE's own published returns pass the checks, but for what is known of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from expectations.batch import Batch
from expectations.passing.check import check_batches
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.dfe.workforce_file import read_published


def test_the_published_returns_have_no_errors_and_few_queries(public_data: Path) -> None:
    """1,053 council years: what is missing there is suppressed, and a handful of rows contradict themselves."""
    name = "csww_indicators_2017_to_2023.csv"
    returns = read_published((public_data / name).read_bytes(), filename=name).returns
    batches = [
        Batch(Month.of(rows["reference_date"][0]), {Kind.RETURN: rows})
        for rows in returns.sort("reference_date").partition_by("reference_date", maintain_order=True)
    ]
    outcomes = check_batches(batches)
    failures = pl.concat([o.failures for o in outcomes])
    assert failures.filter(pl.col("severity") == "error").height == 0
    assert not any(o.withheld or o.quarantined for o in outcomes)
    queries = failures.filter(pl.col("severity") == "query").group_by("check").len().sort("check").rows()
    assert queries == [
        ("return.agency_cover_fte.above_agency_fte", 5),
        ("return.inpost_fte.above_headcount", 3),
        ("return.leavers_fte.above_headcount", 3),
        ("return.starters_fte.above_headcount", 1),
    ]
