"""Checks and counts months without storing them, which can be done for some councils apart from all others.

No check and no count looks at another council. What is made of groups of councils adds up to what is made of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import FAILURES, Batch, Outcome
from expectations.passing.effects import usable
from features.measuring.returns import CELL_REASONS
from features.months import Month, month_range
from features.registry import Kind
from flows.extracts.checking import CHECK_MONTHS, STATES, CountedMonth, check_history, count_usable
from flows.extracts.submissions import Packed
from flows.month.apart import run_by_council
from flows.month.take_in import (
    Checked,
    Due,
    Read,
    extracts_of,
    month_batch,
    of_councils,
    sentences,
    to_be_tried_again,
    unread_where,
)
from flows.store.editions import History
from flows.store.manifest import Manifest


@dataclass(frozen=True)
class ReadyMonth:
    """A month that is checked and counted, and not stored yet."""

    checked: Checked
    counted: CountedMonth
    failed: Mapping[str, str] = field(default_factory=dict)
    """la_code -> what failed at a council that is left out through a fault of ours, as a sentence."""
    packed: Packed | None = None
    """What there is to record of its submissions, if that is worked out already."""

    @cached_property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        outcome = self.checked.outcome
        frames = usable(self.checked.batch, outcome)
        if Kind.RETURN in frames:
            # A return is not counted but read as stored, so its withheld fields must not be stored.
            frames[Kind.RETURN] = without_withheld(frames[Kind.RETURN], Kind.RETURN, outcome)
        reads = extracts_of(self.checked.reads)
        return {
            **{str(kind): frame for kind, frame in frames.items()},
            **{f"counts-{kind}": frame for kind, frame in self.counted.counts.items()},
            **{f"state-{kind}": frame for kind, frame in self.counted.states.items()},
            "reasons": self.counted.reasons,
            "cell-reasons": pl.concat([CELL_REASONS.to_frame(), *(e.reasons for e in reads)]),
            "failures": outcome.failures.select(list(FAILURES)),
            "profile": outcome.profile,
        }

    def without_batch(self) -> ReadyMonth:
        """The same without its batch and its tables, which `as_one` makes again from what was read."""
        checked = replace(self.checked, batch=Batch(self.checked.due.month, {}))
        return ReadyMonth(checked, self.counted, self.failed)


class Ahead(History):
    """A history that also knows months which are counted and not stored yet, each by what later months need of it."""

    def __init__(self, history: History, ready: Mapping[Month, Mapping[str, pl.DataFrame]] | None = None) -> None:
        self.__dict__.update(history.__dict__)
        self._frames = dict(self._frames)
        self.ready = dict(ready or {})
        """By month, its tables: of the last one all, of earlier ones those that are looked back on for a year."""

    def hold(self, month: ReadyMonth) -> None:
        """Remember a month; of the months before it, what a dynamic check needs."""
        first = month.checked.due.month.plus(1 - CHECK_MONTHS)
        self.ready = {
            earlier: {n: t for n, t in tables.items() if n == "profile" or n.startswith("counts-")}
            for earlier, tables in self.ready.items()
            if earlier >= first
        }
        self.ready[month.checked.due.month] = month.tables

    def as_of(self, month: Month, cutoff: date) -> Manifest | None:
        if month in self.ready:
            return Manifest(month, _NOT_STORED, "", cutoff, (), {})
        return super().as_of(month, cutoff)

    def table(
        self, manifest: Manifest, name: str, schema: pl.Schema, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        if manifest.edition != _NOT_STORED:
            return super().table(manifest, name, schema, columns)
        tables = self.ready[manifest.month]
        return tables[name] if name in tables else schema.to_frame()


#: The number of an edition that there is not yet.
_NOT_STORED = 0


def months_counted(
    ahead: Ahead,
    due: Sequence[Due],
    reads: Sequence[Sequence[Read]],
    accepted: Sequence[Accepted],
    *,
    all_may_fail: bool = False,
) -> list[ReadyMonth]:
    """Validate the months together, oldest first, then count each from the state of the month before.

    `all_may_fail`: these are not all councils, so a step that fails at each of them may still be these councils' fault.
    """
    ready: list[ReadyMonth] = []
    for months in _looking_alike(ahead, due):
        of = {one.month for one in months}
        own = [read for one, read in zip(due, reads, strict=True) if one.month in of]
        checked, failed = check_months(ahead, months, own, accepted, all_may_fail=all_may_fail)
        for one in checked:
            ready.append(count_month(ahead, one, failed, all_may_fail=all_may_fail))
            ahead.hold(ready[-1])
            failed = {}
    return ready


def _looking_alike(ahead: Ahead, due: Sequence[Due]) -> Iterator[list[Due]]:
    """The months, in lists that see the same editions of the months before, each by its own cut-off."""
    own = {one.month for one in due}
    months: list[Due] = []
    seen: dict[Month, int] = {}
    for one in due:
        window = month_range(one.month.plus(-CHECK_MONTHS), one.month.plus(-1))
        sees = {m: e.edition if (e := ahead.as_of(m, one.cutoff)) else 0 for m in window if m not in own}
        if any(seen.get(month, edition) != edition for month, edition in sees.items()):
            yield months
            months, seen = [], {}
        months.append(one)
        seen |= sees
    if months:
        yield months


def check_months(
    history: History,
    due: Sequence[Due],
    reads: Sequence[Sequence[Read]],
    accepted: Sequence[Accepted],
    *,
    all_may_fail: bool = False,
) -> tuple[list[Checked], dict[str, str]]:
    """Validate the months in one pass, each against the 12 months before it.

    A month is counted between the two halves of a pass, so that everything that counting relies on has been checked
    first. A council at which Holdfast itself fails is left out, with a sentence, and the next run tries it again.
    Returns the months and these sentences, by la_code.
    """
    # A run with nothing new to check does not need it.
    from expectations.passing.check import check_batches

    known = check_history(history, [(d.month, d.cutoff) for d in due])
    codes = list(dict.fromkeys(r.file.council.la_code for month in reads for r in month))
    cutoffs = {d.month: d.cutoff for d in due}
    counted: dict[Month, _CountedSoFar] = {}

    def check(councils: Sequence[str]) -> tuple[tuple[Batch, ...], tuple[Outcome, ...]]:
        chosen = [[r for r in month if r.file.council.la_code in set(councils)] for month in reads]
        batches = tuple(month_batch(d.month, r) for d, r in zip(due, chosen, strict=True))
        every_read = {d.month: r for d, r in zip(due, chosen, strict=True)}
        counted.clear()

        def count(batch: Batch, outcome: Outcome) -> Mapping[Kind, pl.DataFrame]:
            month, before = batch.month, counted.get(batch.month.plus(-1))
            states = before.counts.states if before else states_before(history, month, cutoffs[month])
            made = count_usable(batch, outcome, extracts_of(every_read[month]), states)
            counted[month] = _CountedSoFar(batch, outcome, made, before)
            return made.counts

        return batches, check_batches(batches, known, accepted, count)

    done = run_by_council(codes, check, all_may_fail=all_may_fail)
    why = sentences("checking", done.faults, [r for month in reads for r in month])
    left = [unread_where(month, why) for month in reads]
    months = [
        Checked(to_be_tried_again(d, r), tuple(r), batch, outcome, counted[d.month].still(batch, outcome))
        for d, r, batch, outcome in zip(due, left, *done.result, strict=True)
    ]
    return months, why


@dataclass
class _CountedSoFar:
    """A month's counts by what the static rules found, made to compare the month with earlier ones."""

    batch: Batch
    outcome: Outcome
    counts: CountedMonth
    before: _CountedSoFar | None
    """The month before, if its state comes from the same pass."""
    stand: bool = False
    """Whether the comparisons changed nothing that the counts rest on."""

    def still(self, batch: Batch, outcome: Outcome) -> CountedMonth | None:
        """The counts, if they are those of the month as it is after all checks. Asked of the oldest month first."""
        same = all(getattr(self.outcome, name) == getattr(outcome, name) for name in ("withheld", "quarantined"))
        self.stand = self.batch is batch and same and not outcome.reissued and (not self.before or self.before.stand)
        return self.counts if self.stand else None


def states_before(history: History, month: Month, cutoff: date) -> dict[Kind, pl.DataFrame]:
    """What counting a month needs of the month before, as known by the cut-off."""
    before = history.as_of(month.plus(-1), cutoff)
    return {k: history.table(before, f"state-{k}", schema) for k, schema in STATES.items()} if before else {}


def count_month(
    ahead: Ahead, checked: Checked, failed: Mapping[str, str] | None = None, *, all_may_fail: bool = False
) -> ReadyMonth:
    """The month with its counts, without the councils at which counting failed, besides those that `failed` before."""
    if checked.counted is not None:
        return ReadyMonth(checked, checked.counted, failed or {})
    states = states_before(ahead, checked.due.month, checked.due.cutoff)

    def count(councils: Sequence[str]) -> CountedMonth:
        only = None if len(councils) == len(checked.codes) else set(councils)
        return count_usable(of_councils(checked.batch, only), checked.outcome, extracts_of(checked.reads), states)

    done = run_by_council(checked.codes, count, all_may_fail=all_may_fail)
    why = sentences("counting", done.faults, checked.reads)
    return ReadyMonth(checked.without(why), done.result, {**(failed or {}), **why})


def without_withheld(frame: pl.DataFrame, kind: Kind, outcome: Outcome) -> pl.DataFrame:
    """The frame with null in every field that validation withholds, for each council."""
    by_field: dict[str, list[str]] = {}
    for la_code, of, name in sorted(outcome.withheld):
        if of is kind:
            by_field.setdefault(name, []).append(la_code)
    return frame.with_columns(
        pl.when(pl.col("la_code").is_in(councils).not_()).then(pl.col(name)).alias(name)
        for name, councils in by_field.items()
    )


def reads_of(due: Due, groups: Sequence[ReadyMonth]) -> tuple[Read, ...]:
    """What was read of a month, from every group, in the order of a month of all councils."""
    by_council: dict[str, list[Read]] = {}
    for read in (read for group in groups for read in group.checked.reads):
        by_council.setdefault(read.file.council.la_code, []).append(read)
    return tuple(read for files in due.by_council() for read in by_council[files[0].council.la_code])


def as_one(due: Due, groups: Sequence[ReadyMonth], packed: Packed | None = None) -> ReadyMonth:
    """A month of several groups of councils, from that of each, in order of la_code."""
    from expectations.passing.together import outcomes_together

    reads = reads_of(due, groups)
    return ReadyMonth(
        Checked(
            to_be_tried_again(due, reads),
            reads,
            month_batch(due.month, reads),
            outcomes_together([group.checked.outcome for group in groups]),
        ),
        CountedMonth.together([group.counted for group in groups]),
        {la_code: why for group in groups for la_code, why in group.failed.items()},
        packed,
    )
