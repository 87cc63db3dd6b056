"""One validation pass over all councils' extracts of a month, or of many months at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import NOT_RUN, SET_ASIDE, Batch, CheckHistory, Effect, Outcome, Severity, Statistics
from expectations.findings import Finding, failures_frame
from expectations.passing.dynamic_pass import NO_DYNAMIC, DynamicPass, is_emptied, run_dynamic
from expectations.passing.effects import usable
from expectations.passing.received import not_counted, refusal_check, refusal_message
from expectations.passing.static_pass import RULES, KindPass, run_static
from expectations.passing.together import outcomes_together, suites_together
from expectations.suites.rules import NEEDED
from features.registry import EXTRACTS, Kind

Counting = Callable[[Batch, Outcome], Mapping[Kind, pl.DataFrame]]
"""The caller's function that makes a month's counts by kind from its batch and the findings of the static rules."""


def check_batches(
    batches: Sequence[Batch],
    history: CheckHistory | None = None,
    accepted: Sequence[Accepted] = (),
    count: Counting | None = None,
) -> tuple[Outcome, ...]:
    """Check several months, oldest first, in one pass; outcomes are in the order of the batches.

    Raises CheckBroken if a check itself fails, and HoldfastError for a frame of another shape. Without `history` the
    first month's dynamic checks are listed as not run.

    Each month is compared with `history` and with the earlier months of this call, as far as these may be used. So it
    is found the same however many months are checked together. `count` is called between the two halves of a pass, so
    what it counts no longer has the rows, cells and files that the static rules set aside.
    """
    known = history or CheckHistory()
    outcomes, unsound = _in_one_pass(batches, known, accepted, count)
    if not unsound:
        return outcomes
    # Later months were compared with what is not used after all, so these councils are checked month after month.
    others, _ = _in_one_pass([b.of_councils(unsound, without=True) for b in batches], known, accepted, count)
    alone: list[Outcome] = []
    for batch in (b.of_councils(unsound) for b in batches):
        alone += _in_one_pass([batch], known, accepted, count)[0]
        known = _with_month(known, batch, alone[-1], count)
    suites = suites_together(suite for one in (others[0], *alone) for suite in one.suites)
    return tuple(replace(outcomes_together(both), suites=suites) for both in zip(others, alone, strict=True))


def _in_one_pass(
    batches: Sequence[Batch], known: CheckHistory, accepted: Sequence[Accepted], count: Counting | None
) -> tuple[tuple[Outcome, ...], frozenset[str]]:
    """The outcomes, and the councils of which a comparison took something away before the last month."""
    started = time.perf_counter()
    static = run_static(batches, accepted)
    by_rules = [_outcome(batch, static, NO_DYNAMIC, 0.0) for batch in batches]
    if count is not None:
        known = known.with_counts([count(*month) for month in zip(batches, by_rules, strict=True)])
    for batch, outcome in zip(batches[:-1], by_rules, strict=False):
        known = known.with_records(usable(batch, outcome))
    gone = frozenset((*file, kind) for kind, one in static.items() for file in one.not_used)
    prepared = {kind: one.prepared for kind, one in static.items()}
    dynamic = run_dynamic(batches, prepared, known, accepted, gone)
    seconds = time.perf_counter() - started
    lost = {(month, la_code) for month, la_code, _ in dynamic.not_used}
    lost |= {(month, la_code) for month, la_code, _, _ in dynamic.withheld}
    unsound = frozenset(la_code for month, la_code in lost if month != batches[-1].month.last_day)
    return tuple(_outcome(batch, static, dynamic, seconds) for batch in batches), unsound


def _with_month(known: CheckHistory, batch: Batch, outcome: Outcome, count: Counting | None) -> CheckHistory:
    known = replace(known, profiles=pl.concat([known.profiles, outcome.profile]))
    known = known.with_records(usable(batch, outcome))
    return known if count is None else known.with_counts([count(batch, outcome)])


def _outcome(batch: Batch, static: Mapping[Kind, KindPass], dynamic: DynamicPass, seconds: float) -> Outcome:
    day = batch.month.last_day
    checked = {
        (la_code, kind): rows
        for kind, one in static.items()
        for _, month, la_code, rows in one.prepared.files.iter_rows()
        if month == day
    }
    findings = [f for one in static.values() for f in one.findings if f.month == day]
    compared = [f for f in dynamic.findings if f.month == day]
    without_rows = _without_rows(batch, checked)
    gone = {(f.la_code, f.extract, f.column) for f in compared if is_emptied(f)}
    findings += [*_not_said_twice(compared, batch), *_refused(batch), *without_rows, *_absent(batch, gone)]
    quarantined = {(la_code, kind) for kind, one in static.items() for month, la_code in one.not_used if month == day}
    quarantined |= {(la_code, kind) for month, la_code, kind in dynamic.not_used if month == day}
    quarantined |= {(f.la_code, f.extract) for f in without_rows} | set(batch.refused)
    comparisons = dynamic.checks.filter(pl.col("month") == day)["checks"].sum()
    suites = [one.suite for one in static.values()] + ([dynamic.suite] if dynamic.suite else [])
    return Outcome(
        month=batch.month,
        failures=failures_frame(findings, batch),
        withheld=frozenset(
            [*(w for kind, one in static.items() for w in _withheld(kind, one, batch))]
            + [(la_code, kind, name) for month, la_code, kind, name in dynamic.withheld if month == day]
            + [lost for lost in batch.lost_columns if lost[2] in NEEDED[lost[1]]]
        ),
        quarantined=frozenset(quarantined),
        set_aside=_set_aside(static, batch, quarantined),
        not_run=_not_run(batch, static, dynamic, checked),
        profile=dynamic.profiles.filter(pl.col("month") == day),
        statistics=Statistics(
            rows=sum(checked.values()),
            checks_run=sum(len(RULES[kind]) for _, kind in checked) + int(comparisons),
            seconds=seconds,
        ),
        checked=checked,
        reissued=frozenset((la_code, kind) for month, la_code, kind in dynamic.reissued if month == day),
        suites=tuple(suites),
    )


def _withheld(kind: Kind, one: KindPass, batch: Batch) -> Iterator[tuple[str, Kind, str]]:
    for file_no, month, la_code, _ in one.prepared.files.iter_rows():
        if month == batch.month.last_day:
            for column, files in one.effects.withheld.items():
                if files[file_no]:
                    yield la_code, kind, column


def _set_aside(static: Mapping[Kind, KindPass], batch: Batch, quarantined: set[tuple[str, Kind]]) -> pl.DataFrame:
    parts = [SET_ASIDE.to_frame()]
    for kind, one in static.items():
        gone = [la_code for la_code, k in quarantined if k is kind]
        parts.append(
            one.effects.set_aside.join(one.prepared.files, on="file_no", how="left", validate="m:1")
            .filter(pl.col("month") == batch.month.last_day, pl.col("la_code").is_in(gone).not_())
            .with_columns(pl.lit(str(kind)).alias("extract"))
            .select(list(SET_ASIDE))
        )
    return pl.concat(parts).sort("la_code", "extract", "file_row", "column")


def _refused(batch: Batch) -> Iterator[Finding]:
    for (la_code, kind), error in sorted(batch.refused.items()):
        yield Finding(
            refusal_check(kind, error),
            Severity.ERROR,
            la_code,
            batch.month.last_day,
            kind,
            None,
            refusal_message(kind, batch.file(la_code, kind), batch.month, error),
            effect=Effect.QUARANTINED,
        )


def _without_rows(batch: Batch, checked: Mapping[tuple[str, Kind], int]) -> list[Finding]:
    """Files that are known by name and have no rows: they count as an empty extract, not an absent one."""
    return [
        Finding(
            f"{kind}.file.no_rows",
            Severity.ERROR,
            la_code,
            batch.month.last_day,
            kind,
            None,
            "The file has a header and no rows. Send the extract with its rows.",
            effect=Effect.QUARANTINED,
        )
        for la_code, kind in sorted(batch.files)
        if (la_code, kind) not in checked and (la_code, kind) not in batch.refused
    ]


def _not_said_twice(compared: Iterable[Finding], batch: Batch) -> list[Finding]:
    """Without those of columns that were lost in the file, which have a finding of their own."""
    return [f for f in compared if not (is_emptied(f) and (f.la_code, f.extract, f.column) in batch.lost_columns)]


def _absent(batch: Batch, gone: Set[tuple[str, Kind, str | None]]) -> Iterator[Finding]:
    """Columns that the file does not have. Of those that are `gone` since last month a comparison has told already."""
    for la_code, kind, column in sorted(batch.absent_columns):
        if (la_code, kind, column) in gone - batch.lost_columns:
            continue
        because = batch.absent_because.get((la_code, kind, column), f"The file has no column {column}.")
        lost = (la_code, kind, column) in batch.lost_columns
        needed = column in NEEDED[kind]
        yield Finding(
            f"{kind}.{column}.{'lost' if lost else 'absent'}",
            (Severity.ERROR if needed else Severity.QUERY) if lost else Severity.INFORMATION,
            la_code,
            batch.month.last_day,
            kind,
            column,
            f"{because}{not_counted(kind, column)} {EXTRACTS[kind].field(column).description}",
            effect=Effect.WITHHELD if lost and needed else Effect.NONE,
        )


def _not_run(
    batch: Batch, static: Mapping[Kind, KindPass], dynamic: DynamicPass, checked: Mapping[tuple[str, Kind], int]
) -> pl.DataFrame:
    rows = [
        (rule.code, la_code, batch.month.last_day, str(kind), f"the council's {needed} extract is not there")
        for la_code, kind in sorted(checked)
        for rule in RULES[kind]
        for needed in rule.needs
        if (la_code, needed) not in checked
    ]
    rows += [
        (rule.code, la_code, batch.month.last_day, str(kind), "the file names workers and gives no references")
        for la_code, kind in sorted(checked)
        for rule in RULES[kind]
        if kind is Kind.CASELOAD and rule.needs and la_code in batch.workers_by_name
    ]
    rows += [
        (rule.code, la_code, batch.month.last_day, str(kind), f"the file has no column {column}")
        for la_code, kind, column in sorted(batch.absent_columns)
        for rule in RULES[kind]
        if column in rule.fields
    ]
    own = pl.DataFrame(rows, schema=NOT_RUN, orient="row")
    there = dynamic.not_run.filter(pl.col("month") == batch.month.last_day)
    return pl.concat([own, there]).unique(maintain_order=True).sort("la_code", "extract", "check", "reason")
