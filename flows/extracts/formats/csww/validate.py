"""One pass over a return: applies every rule of its year and works out its rates, chunk by chunk in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

from expectations.batch import Severity
from expectations.findings import ROW_NUMBERS_KEPT
from features.errors import WrongCouncilOrMonth
from flows.extracts.formats.csww.rates import Rate, rates_of_return
from flows.extracts.formats.csww.rules.kinds import Collection, FileTest, Looks, ReturnRule, TotalsTest, WorkerTest
from flows.extracts.formats.csww.rules.past import CHANGES, REMEDY, PublishedFigures, unusual_change
from flows.extracts.formats.csww.rules.whole import POINTS_AT
from flows.extracts.formats.csww.rules.years import RuleSet, rules_for
from flows.extracts.formats.csww.stream import CHUNK_WORKERS, Outline, Stream
from flows.extracts.formats.csww.totals import Tally, Totals
from flows.extracts.formats.csww.typed import as_day, typed

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class ReturnFinding:
    """A rule that the return breaks, with where it breaks it."""

    code: str
    severity: Severity
    says: str
    remedy: str
    workers: int = 0
    """How many records break it; 0 if the rule is not about single records."""
    numbers: tuple[int, ...] = ()
    """The first of them, counted from 1 in the file …"""
    lines: tuple[int, ...] = ()
    """… and the lines on which they begin; empty if only the numbers are known."""

    @property
    def where(self) -> str:
        """`worker 5 (line 120)`, or a summary for many."""
        if not self.numbers:
            return ""
        pairs = zip(self.numbers, self.lines, strict=True) if self.lines else ((n, None) for n in self.numbers)
        shown = ", ".join(f"{n:,}" + (f" (line {line:,})" if line else "") for n, line in pairs)
        more = self.workers - len(self.numbers)
        return f"worker{'' if self.workers == 1 else 's'} {shown}" + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything one pass over a return found."""

    la_code: str | None
    """The header's value, or None if it is not usable."""
    reference_date: date
    rule_set: RuleSet
    totals: Totals
    rates: tuple[Rate, ...]
    findings: tuple[ReturnFinding, ...]
    """Errors first, then by code."""

    def of(self, severity: Severity) -> tuple[ReturnFinding, ...]:
        return tuple(f for f in self.findings if f.severity is severity)


@dataclass(slots=True)
class _Broken:
    """Records that break one rule."""

    workers: int = 0
    numbers: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def validate(
    source: bytes | Path,
    name: str,
    *,
    reference_date: date | None = None,
    published: PublishedFigures | None = None,
    chunk: int = CHUNK_WORKERS,
) -> Validation:
    """Check a return. `reference_date` is used only where the file gives none that can be read.

    `published`: the council's figures of an earlier year, to compare the rates with. Raises UnreadableExtract for a
    file that is not a return, and WrongCouncilOrMonth if nothing says which year it covers.
    """
    day = as_day(outline_of(source, name).header.one("ReferenceDate")) or reference_date
    if day is None:
        raise WrongCouncilOrMonth(
            f"{name}: the header gives no ReferenceDate that can be read, so the year of the return is not known. "
            "Write it as YYYY-MM-DD, or give --month."
        )
    rule_set, tally = rules_for(day), Tally(day)
    broken = {rule.code: _Broken() for rule in rule_set.rules if rule.looks is Looks.WORKER}
    stream = Stream(source, name, chunk)
    for rows in stream.chunks():
        records = typed(rows)
        _check_chunk(records, rule_set.rules, Collection(day), broken)
        tally.add(records)
    totals = tally.totals(stream.outline)
    made = rates_of_return(totals)
    found = [
        *_of_file(rule_set.rules, stream.outline),
        *_of_workers(rule_set.rules, broken),
        *_of_totals(rule_set.rules, totals),
        *_of_past(made, totals.reference_date, published),
    ]
    return Validation(
        la_code=stream.outline.header.one("LEA"),
        reference_date=totals.reference_date,
        rule_set=rule_set,
        totals=totals,
        rates=made,
        findings=tuple(sorted(found, key=lambda f: (_WEIGHT[f.severity], f.code))),
    )


def outline_of(source: bytes | Path, name: str) -> Outline:
    """The header, read no further than needed: to the end of the file only if it comes after the workers.

    Raises UnreadableExtract for a file that is not a return.
    """
    stream = Stream(source, name, chunk=1)
    for _ in stream.chunks():
        if stream.outline.header.count:
            break
    return stream.outline


def _check_chunk(
    records: pl.DataFrame, rules: Iterable[ReturnRule], collection: Collection, broken: dict[str, _Broken]
) -> None:
    """Count the records that break each rule; rows are looked up only for rules that some record breaks."""
    tests = {r.code: cast(WorkerTest, r.test)(collection).fill_null(False) for r in rules if r.looks is Looks.WORKER}
    masks = records.select(pl.col("worker", "line"), *(test.alias(code) for code, test in tests.items()))
    counts = masks.select(pl.col(list(tests)).sum()).row(0, named=True)
    for code, count in counts.items():
        if not count:
            continue
        one = broken[code]
        one.workers += count
        wanted = ROW_NUMBERS_KEPT - len(one.numbers)
        if wanted > 0:
            first = masks.filter(pl.col(code)).head(wanted)
            one.numbers += first["worker"].to_list()
            one.lines += first["line"].to_list()


def _of_file(rules: Iterable[ReturnRule], outline: Outline) -> list[ReturnFinding]:
    return [
        ReturnFinding(r.code, r.severity, r.says, r.remedy)
        for r in rules
        if r.looks in (Looks.FILE, Looks.VACANCIES) and cast(FileTest, r.test)(outline)
    ]


def _of_workers(rules: Iterable[ReturnRule], broken: dict[str, _Broken]) -> list[ReturnFinding]:
    return [
        ReturnFinding(r.code, r.severity, r.says, r.remedy, b.workers, tuple(b.numbers), tuple(b.lines))
        for r in rules
        if (b := broken.get(r.code)) is not None and b.workers
    ]


def _of_totals(rules: Iterable[ReturnRule], totals: Totals) -> list[ReturnFinding]:
    found = []
    for rule in rules:
        if rule.looks is not Looks.TOGETHER:
            continue
        says = cast(TotalsTest, rule.test)(totals)
        if says is not None:
            at: tuple[int, ...] = getattr(totals.repeats, POINTS_AT[rule.code]) if rule.code in POINTS_AT else ()
            found.append(ReturnFinding(rule.code, rule.severity, says, rule.remedy, len(at), at[:ROW_NUMBERS_KEPT]))
    return found


def _of_past(made: Iterable[Rate], day: date, published: PublishedFigures | None) -> list[ReturnFinding]:
    if published is None:
        return []
    values = {r.measure: r.value for r in made}
    found = []
    for change in CHANGES:
        says = unusual_change(change, values.get(change.measure), day, published)
        if says is not None:
            found.append(ReturnFinding(change.code, Severity.QUERY, says, REMEDY))
    return found
