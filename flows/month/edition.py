"""Records what became of every file of a month that is counted, and stores the month's edition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

import polars as pl

from expectations.batch import Outcome
from expectations.fates import Fate, file_as_checked
from features.councils import Register
from features.measuring.inputs import UNREPORTED
from features.months import Month, london_day, nth_working_day
from features.registry import Missing
from flows.extracts.submissions import Packed, Submission, SubmissionKey, pack_submissions
from flows.month.count import ReadyMonth
from flows.month.take_in import Checked, Read
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
    ready: ReadyMonth,
    *,
    due_working_day: int,
    tell: Callable[[Manifest], object] | None = None,
) -> TakenIn:
    """Record every submission's fate, and store the edition.

    `tell` writes the month's reports. It is called before the edition is stored, so that every edition has its
    reports, wherever a run was killed.
    """
    checked = ready.checked
    due, outcome = checked.due, checked.outcome
    before = history.as_of(due.month.plus(-1), due.cutoff)
    logged = _log(history.store, checked, ready.packed or pack_received(history.store, due.month, checked.reads))
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
    return TakenIn(history.write(manifest, ready.tables), outcome, due.replaces, tuple(ready.failed.values()))


def pack_received(store: Store, month: Month, reads: Sequence[Read]) -> Packed:
    """What there is to record of all submissions of a month that could be read."""
    given: list[tuple[Submission, pl.DataFrame | None]] = []
    for read in (r for r in reads if not r.fault):
        given += [(r.submission, r.table) for r in read.earlier]
        given.append((read.submission, read.received.table if read.received is not None else None))
    return pack_submissions(store, month, given)


def _log(store: Store, checked: Checked, packed: Packed) -> Logged:
    """Record every submission of the month, and what became of the newest of each council and kind."""
    found = iter(packed.found)
    judged: list[Submission] = []
    for read in (r for r in checked.reads if not r.fault):
        judged += islice(found, len(read.earlier))
        of = file_as_checked(checked.batch, checked.outcome, read.file.council.la_code, read.file.kind)
        judged.append(replace(next(found), outcome=of.fate, reason=of.reason or None))
    packed.record(store, judged)
    return {s.key: s for s in judged}


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
