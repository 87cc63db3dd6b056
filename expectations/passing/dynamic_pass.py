"""The dynamic half of a pass: every file against its own past, and a council's files against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from expectations.accepted import Accepted, accepting
from expectations.batch import NOT_RUN, PROFILE, CheckHistory, Effect, Severity, SuiteResult
from expectations.findings import Finding
from expectations.passing import engine
from expectations.suites import between, plausible
from expectations.suites.profile import profile
from expectations.suites.rows import Prepared
from expectations.suites.rules import Asserts
from features.months import Month
from features.registry import Kind

_TOO_FEW_MONTHS = f"fewer than {plausible.MONTHS_NEEDED} earlier months are known"
_OTHER_FILE = "the other file of the comparison is not there"

#: Family -> what a missing comparison is put down to.
_FAMILIES = {**plausible.FAMILIES, between.FAMILY: between.DESCRIPTION}


@dataclass(frozen=True)
class DynamicPass:
    """What the comparisons found."""

    findings: tuple[Finding, ...]
    not_used: frozenset[tuple[date, str, Kind]]
    """(month, la_code, kind) of files that are no extract of their month."""
    not_run: pl.DataFrame
    profiles: pl.DataFrame
    suite: SuiteResult | None
    passes: int
    checks: pl.DataFrame
    """`month, checks`: comparisons made."""


#: What is known before any comparison was made.
NO_DYNAMIC = DynamicPass(
    (),
    frozenset(),
    NOT_RUN.to_frame(),
    PROFILE.to_frame(),
    None,
    0,
    pl.DataFrame(schema={"month": pl.Date(), "checks": pl.UInt32()}),
)


def run_dynamic(
    months: Sequence[Month], prepared: Mapping[Kind, Prepared], history: CheckHistory, accepted: Sequence[Accepted]
) -> DynamicPass:
    """Compare every file of these months with its past and its siblings."""
    profiles = pl.concat([PROFILE.to_frame(), *(profile(p) for p in prepared.values())])
    table = pl.concat(
        [
            plausible.comparisons([m.last_day for m in months], profiles, history),
            between.comparisons(prepared),
        ]
    )
    made = table.filter(pl.col("excess").is_not_null())
    not_run = _not_run(table)
    counted = made.group_by("month").agg(pl.len().alias("checks")).sort("month")
    if made.height == 0:
        return DynamicPass((), frozenset(), not_run, profiles, None, 0, counted)
    families = [family for family in _FAMILIES if family in made["family"].unique()]
    checks = [
        engine.Check(
            f"dynamic.{family}",
            family,
            Asserts.BETWEEN,
            {"max_value": 1.0},
            Severity.ERROR if family in (plausible.SIZE, plausible.REPEAT) else Severity.QUERY,
            _FAMILIES[family],
        )
        for family in families
    ]
    columns = made.select(pl.when(pl.col("family") == f).then(pl.col("excess")).alias(f) for f in families)
    ran = engine.run("all extracts, dynamic", min(months), max(months), columns, checks)
    findings = [
        _finding(row, accepted)
        for family in families
        for row in made[ran.failing.get(f"dynamic.{family}", [])].iter_rows(named=True)
    ]
    not_used = frozenset((f.month, f.la_code, f.extract) for f in findings if f.effect is Effect.QUARANTINED)
    return DynamicPass(tuple(findings), not_used, not_run, profiles, ran.suite, ran.passes, counted)


def _finding(row: dict[str, Any], accepted: Sequence[Accepted]) -> Finding:
    family, severity = row["family"], Severity(row["severity"])
    text = between.message(row) if family == between.FAMILY else plausible.message(family, row)
    finding = Finding(
        row["check"],
        severity,
        row["la_code"],
        row["month"],
        Kind(row["extract"]),
        row["column"],
        text,
        row["rows"],
        effect=Effect.QUARANTINED if severity is Severity.ERROR else Effect.NONE,
    )
    by = accepting(accepted, finding.check, finding.la_code, finding.extract, finding.column, Month.of(finding.month))
    if by is None:
        return finding
    note = f"{text} Accepted by {by.accepted_by} until {by.expires.in_words}: {by.reason}"
    return replace(finding, message=note, effect=Effect.NONE, accepted=True)


def _not_run(table: pl.DataFrame) -> pl.DataFrame:
    """One row per file and family that could not be compared: `check` is `extract.*.family`."""
    agreement = pl.col("family") == between.FAMILY
    return (
        table.filter(pl.col("excess").is_null())
        .with_columns(
            pl.when(agreement)
            .then(pl.col("check"))
            .otherwise(pl.format("{}.*.{}", pl.col("extract"), pl.col("family")))
            .alias("check"),
            pl.when(agreement).then(pl.lit(_OTHER_FILE)).otherwise(pl.lit(_TOO_FEW_MONTHS)).alias("reason"),
        )
        .select(list(NOT_RUN))
        .unique(subset=["check", "la_code", "month"], keep="first", maintain_order=True)
    )
