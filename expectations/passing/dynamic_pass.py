"""The dynamic half of a pass: compares every file with its own past, and a council's files with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from expectations.accepted import Accepted, accepting
from expectations.batch import NOT_RUN, PROFILE, Batch, CheckHistory, Effect, Severity, SuiteResult
from expectations.findings import Finding
from expectations.passing import engine
from expectations.passing.doubt import find_doubt
from expectations.passing.received import gone_message
from expectations.suites import between, continuity, contradictions, plausible
from expectations.suites.profile import profile
from expectations.suites.rows import Prepared
from expectations.suites.rules import Asserts
from features.months import Month
from features.registry import Kind

_TOO_FEW_MONTHS = (
    f"fewer than {plausible.MONTHS_NEEDED} earlier months are known, so see yourself that the numbers of rows are "
    "those of your system"
)
_OTHER_FILE = "the other file of the comparison is not there"

#: Family -> its description, in the order in which families are listed.
COMPARED_FAMILIES = {
    **plausible.FAMILIES,
    between.FAMILY: between.DESCRIPTION,
    **continuity.FAMILIES,
    **contradictions.FAMILIES,
}
#: Families in which an error means that the whole file is not used.
_WHOLE_FILE = frozenset({plausible.SIZE, plausible.REPEAT, continuity.STALE})


@dataclass(frozen=True)
class DynamicPass:
    """The results of the comparisons."""

    findings: tuple[Finding, ...]
    not_used: frozenset[tuple[date, str, Kind]]
    """(month, la_code, kind) of files that cannot be an extract of their month."""
    withheld: frozenset[tuple[date, str, Kind, str]]
    """(month, la_code, kind, field) of figures that cannot be right."""
    reissued: frozenset[tuple[date, str, Kind]]
    """(month, la_code, kind) of files whose references differ from those of the month before."""
    not_run: pl.DataFrame
    profiles: pl.DataFrame
    suite: SuiteResult | None
    checks: pl.DataFrame
    """`month, checks`: the number of comparisons made."""


#: The result before any comparison has been made.
NO_DYNAMIC = DynamicPass(
    (),
    frozenset(),
    frozenset(),
    frozenset(),
    NOT_RUN.to_frame(),
    PROFILE.to_frame(),
    None,
    pl.DataFrame(schema={"month": pl.Date(), "checks": pl.UInt32()}),
)


def run_dynamic(
    batches: Sequence[Batch],
    prepared: Mapping[Kind, Prepared],
    history: CheckHistory,
    accepted: Sequence[Accepted],
    gone: frozenset[tuple[date, str, Kind]] = frozenset(),
) -> DynamicPass:
    """Compare every file of these batches with its past and with the council's other files.

    `gone`: (month, la_code, kind) of files that are not used anyway.
    """
    months = [b.month for b in batches]
    absent = frozenset((b.month.last_day, *column) for b in batches for column in b.absent_columns - b.lost_columns)
    profiles = pl.concat([PROFILE.to_frame(), *(profile(p) for p in prepared.values())])
    table = pl.concat(
        [
            plausible.comparisons([m.last_day for m in months], profiles, history),
            between.comparisons(prepared, between.first_months(profiles, history)),
            continuity.comparisons(prepared, history.records),
            contradictions.comparisons(profiles.select("la_code", "month", "extract").unique(), history),
        ]
    )
    made = table.filter(pl.col("excess").is_not_null())
    not_run = _not_run(table)
    counted = made.group_by("month").agg(pl.len().alias("checks")).sort("month")
    if made.is_empty():
        return replace(NO_DYNAMIC, not_run=not_run, profiles=profiles, checks=counted)
    families = [family for family in COMPARED_FAMILIES if family in made["family"].unique()]
    checks = [
        engine.Check(
            f"dynamic.{family}",
            family,
            Asserts.BETWEEN,
            {"max_value": 1.0},
            Severity.ERROR if family in _WHOLE_FILE else Severity.QUERY,
            COMPARED_FAMILIES[family],
        )
        for family in families
    ]
    columns = made.select(pl.when(pl.col("family") == f).then(pl.col("excess")).alias(f) for f in families)
    ran = engine.run("all extracts, dynamic", min(months), max(months), columns, checks)
    failed = [made[ran.failing[name]] for f in families if (name := f"dynamic.{f}") in ran.failing]
    rows = [row for frame in failed for row in frame.iter_rows(named=True)]
    findings = [_finding(row, accepted, absent) for row in rows]
    standing = [not f.accepted for f in findings]
    not_used = frozenset((f.month, f.la_code, f.extract) for f in findings if f.effect is Effect.QUARANTINED)
    # Nobody need answer for the figures of a file that is not used anyway.
    findings = [
        replace(f, effect=Effect.NONE)
        if f.effect is Effect.HELD and (f.month, f.la_code, f.extract) in not_used | gone
        else f
        for f in findings
    ]
    weighed = pl.concat([made.clear(), *failed]).filter(pl.Series(standing, dtype=pl.Boolean))
    in_doubt = [_accepted(f, accepted) for f in find_doubt(weighed, not_used | gone)]
    return DynamicPass(
        findings=(*findings, *in_doubt),
        not_used=not_used,
        withheld=frozenset(
            (f.month, f.la_code, f.extract, name)
            for f, row in zip(findings, rows, strict=True)
            if f.effect is Effect.WITHHELD
            for name in contradictions.WITHHOLDS.get(row["family"], (row["column"],))
        ),
        reissued=frozenset((f.month, f.la_code, f.extract) for f in findings if f.effect is Effect.BROKEN_OFF),
        not_run=not_run,
        profiles=profiles,
        suite=ran.suite,
        checks=counted,
    )


def _message(row: dict[str, Any]) -> str:
    family = str(row["family"])
    if family == between.FAMILY:
        return between.message(row)
    if family in continuity.FAMILIES:
        return continuity.message(family, row)
    if family in contradictions.FAMILIES:
        return contradictions.message(family, row)
    return plausible.message(family, row)


def _effect(family: str, severity: Severity, excess: float) -> Effect:
    if family in _WHOLE_FILE:
        return Effect.QUARANTINED
    if severity is Severity.ERROR:
        return Effect.WITHHELD
    if family == continuity.GONE or family == between.FAMILY and excess >= between.CONTRADICTS:
        return Effect.HELD
    return Effect.BROKEN_OFF if family == continuity.IDENTITY else Effect.NONE


def is_emptied(finding: Finding) -> bool:
    """Whether a comparison found that a column was filled before."""
    return finding.check == f"{finding.extract}.{finding.column}.empty_jump"


def _finding(
    row: dict[str, Any], accepted: Sequence[Accepted], absent: frozenset[tuple[date, str, Kind, str]]
) -> Finding:
    severity = Severity(row["severity"])
    kind, column = Kind(row["extract"]), row["column"]
    is_gone = row["family"] == plausible.EMPTY and (row["month"], row["la_code"], kind, column) in absent
    finding = Finding(
        row["check"],
        severity,
        row["la_code"],
        row["month"],
        kind,
        column,
        gone_message(kind, column, row["expected"]) if is_gone else _message(row),
        row["rows"],
        effect=_effect(row["family"], severity, row["excess"]),
    )
    return _accepted(finding, accepted)


def _accepted(finding: Finding, accepted: Sequence[Accepted]) -> Finding:
    by = accepting(accepted, finding.check, finding.la_code, finding.extract, finding.column, Month.of(finding.month))
    if by is None:
        return finding
    note = f"{finding.message} Accepted by {by.accepted_by} until {by.expires.in_words}: {by.reason}"
    # New references stay new when somebody confirms them.
    effect = Effect.BROKEN_OFF if finding.effect is Effect.BROKEN_OFF else Effect.NONE
    return replace(finding, message=note, effect=effect, accepted=True)


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
