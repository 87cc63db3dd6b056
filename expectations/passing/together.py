"""Puts together what was found of some councils and of others: the same as if all had been checked at once.

Every check looks at one council alone, so outcomes add up. The order of rows is that of a check of all councils.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from expectations.batch import Outcome, Severity, Statistics, SuiteResult
from expectations.passing.dynamic_pass import COMPARED_FAMILIES
from expectations.passing.engine import added
from features.registry import Kind

#: The checks of the dynamic suite, which has those alone of which something could be compared.
_BY_FAMILY = [f"dynamic.{family}" for family in COMPARED_FAMILIES]


def outcomes_together(parts: Sequence[Outcome]) -> Outcome:
    """The outcomes of one month, each of other councils, as one."""

    def rows(name: str) -> pl.DataFrame:
        frames: list[pl.DataFrame] = [getattr(part, name) for part in parts]
        return pl.concat(frames)

    weight = pl.col("severity").cast(pl.Enum(Severity))
    return Outcome(
        month=parts[0].month,
        failures=rows("failures").sort(weight, "la_code", "extract", "check", "message", maintain_order=True),
        withheld=frozenset().union(*(part.withheld for part in parts)),
        quarantined=frozenset().union(*(part.quarantined for part in parts)),
        set_aside=rows("set_aside").sort("la_code", "extract", "file_row", "column"),
        not_run=rows("not_run").sort("la_code", "extract", "check", "reason"),
        profile=rows("profile").sort(pl.col("extract").cast(pl.Enum(Kind)), "la_code", "column"),
        statistics=Statistics(
            rows=sum(part.statistics.rows for part in parts),
            checks_run=sum(part.statistics.checks_run for part in parts),
            seconds=sum(part.statistics.seconds for part in parts),
        ),
        checked={key: height for part in parts for key, height in part.checked.items()},
        reissued=frozenset().union(*(part.reissued for part in parts)),
        suites=suites_together(suite for part in parts for suite in part.suites),
    )


def suites_together(suites: Iterable[SuiteResult]) -> tuple[SuiteResult, ...]:
    """The results of each suite on the rows of all parts, in the order of a check of all councils."""
    by_name: dict[str, list[SuiteResult]] = {}
    for suite in suites:
        by_name.setdefault(suite.name, []).append(suite)
    extracts = {f"{kind}, static": place for place, kind in enumerate(Kind)}
    ordered = sorted(by_name, key=lambda name: extracts.get(name, len(extracts)))
    return tuple(added(by_name[name], _BY_FAMILY) for name in ordered)
