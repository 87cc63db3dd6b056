"""Counts what may be used of a checked month, records what became of every file, and stores the month's edition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from expectations.batch import FAILURES, Outcome
from expectations.fates import Fate, file_as_checked
from expectations.passing.effects import usable
from features.councils import Register
from features.measuring.inputs import UNREPORTED
from features.measuring.returns import CELL_REASONS
from features.months import london_day, nth_working_day
from features.registry import Kind, Missing
from flows.extracts.checking import STATES, CountedMonth, count_usable
from flows.extracts.submissions import Submission, SubmissionKey, record_submissions
from flows.month.apart import run_by_council
from flows.month.take_in import Checked, Read, extracts_of, of_councils, sentences
from flows.store import Store
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest

#: The month's entries of the submission log.
Logged = dict[SubmissionKey, Submission]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A month that has been ingested and validated."""

    manifest: Manifest
    outcome: Outcome
    replaces: Manifest | None
    faults: tuple[str, ...] = ()
    """Faults of ours at single councils, as sentences."""


def store_edition(
    history: History,
    register: Register,
    checked: Checked,
    *,
    due_working_day: int,
    tell: Callable[[Manifest], object] | None = None,
) -> TakenIn:
    """Count what may be used, withhold what may not, record every submission's fate, store the edition.

    `tell` writes the month's reports. It is called before the edition is stored, so that every edition has its
    reports, wherever a run was killed.
    """
    before = history.as_of(checked.due.month.plus(-1), checked.due.cutoff)
    counted, logged, checked, faults = _counted(history, before, checked)
    due, outcome = checked.due, checked.outcome
    known = [london_day(f.modified) for f in due.files] + ([before.known_to] if before else [])
    known += [london_day(f.mapping.modified) for f in due.files if f.mapping is not None]
    manifest = Manifest(
        month=due.month,
        edition=history.next_number(due.month),
        fingerprint=due.fingerprint,
        after=before.fingerprint if before else "",
        known_to=max(known, default=due.month.last_day),
        extracts=records_of(register, checked, logged, nth_working_day(due.month.plus(1), due_working_day)),
        unrecognised=tuple(u.reason for u in due.unrecognised),
        checks={
            "rows": float(outcome.statistics.rows),
            "checks": float(outcome.statistics.checks_run),
            "errors": float(outcome.errors),
            "failures": float(outcome.failures.height),
        },
    )
    if tell is not None:
        tell(manifest)
    return TakenIn(history.write(manifest, _tables(checked, counted)), outcome, due.replaces, faults)


def _counted(
    history: History, before: Manifest | None, checked: Checked
) -> tuple[CountedMonth, Logged, Checked, tuple[str, ...]]:
    """The counts and the log, the month without the councils at which counting failed, and why, as sentences."""
    states = {k: history.table(before, f"state-{k}", schema) for k, schema in STATES.items()} if before else {}

    def count(councils: Sequence[str]) -> CountedMonth:
        only = None if len(councils) == len(checked.codes) else set(councils)
        return count_usable(of_councils(checked.batch, only), checked.outcome, extracts_of(checked.reads), states)

    done = run_by_council(checked.codes, count)
    logged = _log(history.store, checked, done.faults)
    why = sentences("counting", done.faults, checked.reads)
    return done.result, logged, checked.without(why), tuple(why.values())


def _log(store: Store, checked: Checked, left_out: Collection[str]) -> Logged:
    """Record every submission of the month, and keep the tables of those that could be read."""
    given: list[tuple[Submission, pl.DataFrame | None]] = []
    for read in checked.reads:
        la_code = read.file.council.la_code
        if read.fault or la_code in left_out:
            continue
        of = file_as_checked(checked.batch, checked.outcome, la_code, read.file.kind)
        given += [(r.submission, r.table) for r in read.earlier]
        judged = replace(read.submission, outcome=of.fate, reason=of.reason or None)
        given.append((judged, read.received.table if read.received is not None else None))
    return {s.key: s for s in record_submissions(store, checked.due.month, given)}


def _tables(checked: Checked, counted: CountedMonth) -> Mapping[str, pl.DataFrame]:
    outcome = checked.outcome
    frames = usable(checked.batch, outcome)
    if Kind.RETURN in frames:
        # A return is not counted but read as stored, so its withheld fields must not be stored.
        frames[Kind.RETURN] = without_withheld(frames[Kind.RETURN], Kind.RETURN, outcome)
    return {
        **{str(kind): frame for kind, frame in frames.items()},
        **{f"counts-{kind}": frame for kind, frame in counted.counts.items()},
        **{f"state-{kind}": frame for kind, frame in counted.states.items()},
        "reasons": counted.reasons,
        "cell-reasons": pl.concat([CELL_REASONS.to_frame(), *(e.reasons for e in extracts_of(checked.reads))]),
        "failures": outcome.failures.select(list(FAILURES)),
        "profile": outcome.profile,
    }


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


def records_of(register: Register, checked: Checked, logged: Logged, due_day: date) -> tuple[ExtractRecord, ...]:
    """One record for each extract expected or received, sorted by council and kind."""
    due, reads = checked.due, checked.reads
    by_key = {(r.file.council.la_code, r.file.kind): r for r in reads}
    expected = [(c.la_code, kind) for c in register.valid_in(due.month) for kind in c.expects]
    first_seen = {(e.la_code, e.kind): e.first_received for e in due.replaces.extracts} if due.replaces else {}
    found: list[ExtractRecord] = []
    for la_code, kind in dict.fromkeys([*expected, *by_key]):
        read = by_key.get((la_code, kind))
        if read is None:
            found.append(ExtractRecord(la_code, kind, Fate.MISSING, due=due_day))
            continue
        found.append(_record(checked, read, logged, due_day, first_seen.get((la_code, kind))))
    return tuple(sorted(found, key=lambda e: (e.la_code, e.kind)))


def _record(checked: Checked, read: Read, logged: Logged, due_day: date, first_seen: date | None) -> ExtractRecord:
    """The record of a received extract. A file that we did not read has no entry in the log."""
    la_code, kind = read.file.council.la_code, read.file.kind
    own = logged.get(read.submission.key)
    if read.fault or own is None:
        day = london_day(read.file.modified)
        record = ExtractRecord(la_code, kind, Fate.UNREAD, due_day, day, day, name=read.file.name)
        return replace(record, reason=read.refusal)
    of = file_as_checked(checked.batch, checked.outcome, la_code, kind)
    record = ExtractRecord(la_code, kind, of.fate, due_day, rows=of.rows, reason=of.reason or None)
    if read.extract is not None:
        record = replace(record, withheld=of.withheld, rows=read.extract.frame.height)
        record = replace(record, absent_columns=read.extract.absent_columns, notes=read.extract.notes)
    return replace(
        record,
        received=own.day,
        first_received=min(
            d for d in (first_seen, *(logged[r.submission.key].day for r in read.earlier), own.day) if d
        ),
        sha256=own.sha256,
        name=read.file.name,
        restates=own.supersedes,
    )


def unreported(manifests: Sequence[Manifest]) -> pl.DataFrame:
    """UNREPORTED: why whole extracts are missing, from the months' records."""
    reasons = {
        Fate.MISSING: str(Missing.NOT_REPORTED),
        Fate.REFUSED: str(Missing.QUARANTINED),
        Fate.PERSONAL: str(Missing.QUARANTINED),
        Fate.QUARANTINED: str(Missing.QUARANTINED),
        Fate.UNREAD: str(Missing.UNREAD),
    }
    rows = [
        (e.la_code, m.month.last_day, str(e.kind), reasons[e.outcome])
        for m in manifests
        for e in m.extracts
        if e.outcome in reasons
    ]
    return pl.DataFrame(rows, schema=UNREPORTED, orient="row")
