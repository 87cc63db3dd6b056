"""Reads, checks, counts and stores one month's extracts, which makes a new edition of that month.

These are plain functions, which `flows.monthly` calls as Prefect tasks. A file that cannot be used concerns only
its council: it is recorded with the reason, and the others go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from expectations.accepted import Accepted, accepting
from expectations.batch import FAILURES, Batch, Outcome
from expectations.fates import Fate, file_as_checked
from expectations.passing.effects import usable
from features.councils import Council, Register
from features.measuring.inputs import UNREPORTED
from features.measuring.returns import CELL_REASONS
from features.months import Month, london_day, nth_working_day
from features.registry import Kind, Missing
from flows.extracts.checking import STATES, CountedMonth, batch_of, check_history, count_usable
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import LandedFile, Unrecognised, list_month
from flows.extracts.mapping import FOLDER as MAPPINGS
from flows.extracts.reading.table import Limits
from flows.extracts.receive import Received, receive_file
from flows.extracts.submissions import Submission, record_submission
from flows.month.apart import apart, fault_sentence
from flows.store import DamagedObject, Store
from flows.store.editions import History, records_kept_from
from flows.store.manifest import ExtractRecord, Manifest
from flows.store.progress import step

_INCOMPLETE = "-incomplete"


@dataclass(frozen=True, slots=True)
class Due:
    """A month that must be taken in, because its folder has something new or the month before was restated."""

    month: Month
    cutoff: date
    files: tuple[LandedFile, ...]
    """Every submission received by the cut-off, oldest first within council and kind."""
    unrecognised: tuple[Unrecognised, ...]
    fingerprint: str
    replaces: Manifest | None
    """The month's latest edition, if there is one."""

    def by_council(self) -> list[list[LandedFile]]:
        """The files, as one list for each council, which is the unit that is read, shown and retried."""
        found: dict[str, list[LandedFile]] = {}
        for file in self.files:
            found.setdefault(file.council.la_code, []).append(file)
        return list(found.values())

    @property
    def has_news(self) -> bool:
        """Whether its own files changed. If not, only the month before it changed."""
        return self.replaces is None or self.replaces.fingerprint != self.fingerprint


@dataclass(frozen=True, slots=True)
class Read:
    """The outcome of reading the newest submission of one council and kind."""

    file: LandedFile
    submission: Submission
    extract: IngestedExtract | None
    refusal: str | None
    earlier: tuple[Submission, ...] = ()
    """Earlier submissions of the same extract, oldest first."""
    received: Received | None = None
    fault: bool = False
    """Reading failed through a fault of ours: the file is not recorded as received, and the next run tries again."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A month that has been ingested and validated."""

    manifest: Manifest
    outcome: Outcome
    replaces: Manifest | None
    faults: tuple[str, ...] = ()
    """Faults of ours at single councils, as sentences."""


def months_due(
    landing: Store,
    history: History,
    register: Register,
    months: Iterable[Month],
    cutoff: Callable[[Month], date],
    accepted: Sequence[Accepted] = (),
) -> list[Due]:
    """The months among these (oldest first) that have something new as of their cut-off day. Reads no content.

    The month after a restated one is taken in again too, because its leavers and changed workers were found by
    comparison with the old data. Closed months (`holdfast retain`) are left alone. So is a month whose landing folder
    was emptied: tidying up restates nothing. A month with something damaged in the store is due again if its files
    are still in the landing folder; if not, reading it raises DamagedObject. So is a month of whose failures others are
    accepted now than when it was checked.
    """
    due: list[Due] = []
    months = list(months)
    last = months[-1]
    previous_restated = False
    kept_from = records_kept_from(history.store)
    mappings = list(landing.list(f"{MAPPINGS}/"))
    for month in months:
        if kept_from is not None and month < kept_from:
            continue
        day = cutoff(month)
        landed = list_month(landing, month, register, [m for m in mappings if london_day(m.modified) <= day])
        files = tuple(f for f in landed.every_file if london_day(f.modified) <= day)
        strange = tuple(u for u in landed.unrecognised if london_day(u.modified) <= day)
        known = history.standing(month, day)
        mark = fingerprint(files, strange)
        lying = bool(files or strange)
        changed = lying and (known is None or known.fingerprint != mark)
        fault = history.fault(month, day, whole=last.minus(month) <= 1) if lying and not changed else ""
        if lying and not changed and not fault and accepted and known and _judged_anew(history, known, accepted):
            fault = "other failures are accepted now"
        if fault:
            step("%s is taken in again: %s", month, fault)
        if changed or fault or previous_restated and known is not None and lying:
            due.append(Due(month, day, files, strange, mark, known))
        previous_restated = changed and known is not None
    return due


def _judged_anew(history: History, known: Manifest, accepted: Sequence[Accepted]) -> bool:
    """Whether any failure of the edition would be accepted now and was not, or was and would not be."""
    stored = history.table(known, "failures", FAILURES, ["check", "la_code", "extract", "column", "accepted"])
    return any(
        (accepting(accepted, check, la_code, extract, column, known.month) is not None) != was
        for check, la_code, extract, column, was in stored.unique().iter_rows()
    )


def fingerprint(files: Sequence[LandedFile], strange: Sequence[Unrecognised] = ()) -> str:
    """A hash of what would be taken in. If it equals the edition's fingerprint, there is nothing new to do."""
    digest = hashlib.sha256()
    lying = [(f.name, f.size, f.modified) for f in files] + [(u.name, u.size, u.modified) for u in strange]
    lying += sorted({(f.mapping.name, f.mapping.size, f.mapping.modified) for f in files if f.mapping is not None})
    for name, size, modified in sorted(lying):
        digest.update(f"{name} {size} {modified.isoformat()}\n".encode())
    return digest.hexdigest()[:16]


def read_files(landing: Store, store: Store, files: Sequence[LandedFile], *, key: bytes, limits: Limits) -> list[Read]:
    """Receive all submissions of one council and month. The newest of each kind is used; the others are kept.

    A faulty file is a result. Raises only StoreError and SettingsError, which concern the whole run.
    """
    reads: list[Read] = []
    for kind in dict.fromkeys(f.kind for f in files):
        received = [receive_file(landing, store, f, key=key, limits=limits) for f in files if f.kind is kind]
        earlier = tuple(record_submission(store, r.submission) for r in received[:-1])
        newest = received[-1]
        reads.append(
            Read(
                file=newest.file,
                submission=newest.submission,
                extract=newest.extract,
                refusal=str(newest.error) if newest.error is not None else None,
                earlier=earlier,
                received=newest,
            )
        )
    return reads


def unread(files: Sequence[LandedFile], why: str) -> list[Read]:
    """The results for a council's files that could not be read through a fault of ours."""
    newest = {f.kind: f for f in files}
    return [
        Read(
            file=file,
            submission=Submission(
                month=file.month,
                la_code=file.council.la_code,
                kind=kind,
                sha256="",
                size=file.size,
                name=file.filename,
                received=file.modified,
                outcome=Fate.REFUSED,
                reason=why,
                kept=False,
            ),
            extract=None,
            refusal=why,
            fault=True,
        )
        for kind, file in newest.items()
    ]


def to_be_tried_again(due: Due, reads: Sequence[Read]) -> Due:
    """The month, with a changed fingerprint if anything could not be read, so that the next run takes it in again."""
    if not any(read.fault for read in reads) or due.fingerprint.endswith(_INCOMPLETE):
        return due
    return replace(due, fingerprint=f"{due.fingerprint}{_INCOMPLETE}")


def month_batch(month: Month, reads: Sequence[Read]) -> Batch:
    """The readable extracts of all councils for the month, as one batch."""
    return batch_of(
        month,
        extracts_of(reads),
        files={(r.file.council.la_code, r.file.kind): r.file.name for r in reads if not r.fault},
        refused={
            (r.file.council.la_code, r.file.kind): r.received.error
            for r in reads
            if r.received is not None and r.received.error is not None
        },
    )


def extracts_of(reads: Sequence[Read]) -> list[IngestedExtract]:
    """The extracts that could be read."""
    return [r.extract for r in reads if r.extract is not None]


def load_checks() -> None:
    """Import Great Expectations, which takes seconds. Call it while waiting for something else."""
    from expectations.passing import check, engine  # noqa: F401

    engine.load_great_expectations()


@dataclass(frozen=True, slots=True)
class Checked:
    """Months after validation. Files that a fault of ours kept from being checked count as unread."""

    due: tuple[Due, ...]
    reads: tuple[tuple[Read, ...], ...]
    batches: tuple[Batch, ...]
    outcomes: tuple[Outcome, ...]
    faults: tuple[str, ...]
    """Faults of ours at single councils, as sentences."""


def check_months(
    history: History, due: Sequence[Due], reads: Sequence[Sequence[Read]], accepted: Sequence[Accepted]
) -> Checked:
    """Validate the months in as few passes as possible, each against the 12 months before it.

    A month is counted between the two halves of a pass, so that everything that counting relies on has been checked
    first. A council at which Holdfast itself fails is left out, with a sentence, and the next run tries it again.
    """
    # Great Expectations takes seconds to import, and a run with nothing new to check does not need it.
    from expectations.passing.check import check_batches

    if not due:
        return Checked((), (), (), (), ())
    known = check_history(history, [(d.month, d.cutoff) for d in due])
    codes = list(dict.fromkeys(r.file.council.la_code for month in reads for r in month))

    def check(councils: Sequence[str]) -> tuple[tuple[Batch, ...], tuple[Outcome, ...]]:
        chosen = [[r for r in month if r.file.council.la_code in set(councils)] for month in reads]
        batches = tuple(month_batch(d.month, r) for d, r in zip(due, chosen, strict=True))
        every_read = {d.month: r for d, r in zip(due, chosen, strict=True)}

        def count(batch: Batch, outcome: Outcome) -> Mapping[Kind, pl.DataFrame]:
            return count_usable(batch, outcome, extracts_of(every_read[batch.month]), {}).counts

        return batches, check_batches(batches, known, accepted, count)

    done = apart(codes, check)
    sentences = {
        la_code: fault_sentence(_council_of(la_code, reads), "checking", error)
        for la_code, error in done.faults.items()
    }
    left = [_unread_where(month, sentences) for month in reads]
    batches, outcomes = done.result
    return Checked(
        due=tuple(to_be_tried_again(d, r) for d, r in zip(due, left, strict=True)),
        reads=tuple(tuple(month) for month in left),
        batches=batches,
        outcomes=outcomes,
        faults=tuple(sentences.values()),
    )


def _council_of(la_code: str, reads: Sequence[Sequence[Read]]) -> Council:
    return next(r.file.council for month in reads for r in month if r.file.council.la_code == la_code)


def _unread_where(reads: Sequence[Read], why: Mapping[str, str]) -> list[Read]:
    """The reads, where those of the councils in `why` count as unread through a fault of ours."""
    kept: list[Read] = []
    for read in reads:
        sentence = why.get(read.file.council.la_code)
        kept += [read] if sentence is None else unread([read.file], sentence)
    return kept


def store_edition(
    store: Store,
    history: History,
    register: Register,
    due: Due,
    reads: Sequence[Read],
    batch: Batch,
    outcome: Outcome,
    *,
    due_working_day: int,
    tell: Callable[[Manifest], object] | None = None,
) -> TakenIn:
    """Count what may be used, withhold what may not, record every submission's fate, store the edition.

    `tell` writes the month's reports. It is called before the edition is stored, so that every edition has its
    reports, wherever a run was killed.
    """
    month = due.month
    before = history.as_of(month.plus(-1), due.cutoff)
    states = {k: history.table(before, f"state-{k}", schema) for k, schema in STATES.items()} if before else {}

    def count(councils: Sequence[str]) -> CountedMonth:
        only = None if len(councils) == len(codes) else set(councils)
        return count_usable(_of(batch, only), outcome, extracts_of(reads), states)

    codes = list(dict.fromkeys(r.file.council.la_code for r in reads if r.extract is not None))
    done = apart(codes, count)
    logged, unlogged = _log(store, [r for r in reads if r.file.council.la_code not in done.faults], batch, outcome)
    counted = count([c for c in codes if c not in {*done.faults, *unlogged}]) if unlogged else done.result
    why = {c: fault_sentence(_council_of(c, [reads]), "counting", error) for c, error in done.faults.items()}
    why |= {c: fault_sentence(_council_of(c, [reads]), "recording", error) for c, error in unlogged.items()}
    if why:
        reads = _unread_where(reads, why)
        due = to_be_tried_again(due, reads)
        batch = _of(batch, set(codes) - set(why))
        outcome = without_councils(outcome, why)
    frames = usable(batch, outcome)
    if Kind.RETURN in frames:
        # A return is not counted but read as stored, so its withheld fields must not be stored.
        frames[Kind.RETURN] = without_withheld(frames[Kind.RETURN], Kind.RETURN, outcome)
    known = [london_day(f.modified) for f in due.files] + ([before.known_to] if before else [])
    known += [london_day(f.mapping.modified) for f in due.files if f.mapping is not None]
    manifest = Manifest(
        month=month,
        edition=history.next_number(month),
        fingerprint=due.fingerprint,
        known_to=max(known, default=month.last_day),
        extracts=records_of(
            register, due, reads, logged, batch, outcome, due_day=nth_working_day(month.plus(1), due_working_day)
        ),
        unrecognised=tuple(u.reason for u in due.unrecognised),
        checks={
            "rows": float(outcome.statistics.rows),
            "checks": float(outcome.statistics.checks_run),
            "errors": float(outcome.errors),
            "failures": float(outcome.failures.height),
        },
    )
    cell_reasons = [CELL_REASONS.to_frame(), *(r.extract.reasons for r in reads if r.extract is not None)]
    if tell is not None:
        tell(manifest)
    stored = history.write(
        manifest,
        {
            **{str(kind): frame for kind, frame in frames.items()},
            **{f"counts-{kind}": frame for kind, frame in counted.counts.items()},
            **{f"state-{kind}": frame for kind, frame in counted.states.items()},
            "reasons": counted.reasons,
            "cell-reasons": pl.concat(cell_reasons),
            "failures": outcome.failures.select(list(FAILURES)),
            "profile": outcome.profile,
        },
    )
    return TakenIn(stored, outcome, due.replaces, tuple(why.values()))


def _of(batch: Batch, councils: Collection[str] | None) -> Batch:
    """The rows of these councils only; all rows if None."""
    if councils is None:
        return batch
    chosen = pl.col("la_code").is_in(sorted(councils))
    return replace(batch, frames={kind: frame.filter(chosen) for kind, frame in batch.frames.items()})


def without_councils(outcome: Outcome, councils: Collection[str]) -> Outcome:
    """The outcome as if these councils had sent nothing: their files count as not checked."""
    kept = ~pl.col("la_code").is_in(sorted(councils))
    return replace(
        outcome,
        failures=outcome.failures.filter(kept),
        withheld=frozenset(w for w in outcome.withheld if w[0] not in councils),
        quarantined=frozenset(q for q in outcome.quarantined if q[0] not in councils),
        set_aside=outcome.set_aside.filter(kept),
        profile=outcome.profile.filter(kept),
        checked={key: rows for key, rows in outcome.checked.items() if key[0] not in councils},
    )


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


def _log(
    store: Store, reads: Sequence[Read], batch: Batch, outcome: Outcome
) -> tuple[dict[tuple[str, Kind], Submission], dict[str, DamagedObject]]:
    """Write the submission log. Also returns the councils, each with the reason, whose log in the store is damaged."""
    logged: dict[tuple[str, Kind], Submission] = {}
    damaged: dict[str, DamagedObject] = {}
    for read in reads:
        la_code, kind = read.file.council.la_code, read.file.kind
        if read.fault:
            continue
        checked = file_as_checked(batch, outcome, la_code, kind)
        submission = replace(read.submission, outcome=checked.fate, reason=checked.reason or None)
        try:
            logged[la_code, kind] = record_submission(store, submission)
        except DamagedObject as error:
            damaged[la_code] = error
    return logged, damaged


def records_of(
    register: Register,
    due: Due,
    reads: Sequence[Read],
    logged: Mapping[tuple[str, Kind], Submission],
    batch: Batch,
    outcome: Outcome,
    *,
    due_day: date,
) -> tuple[ExtractRecord, ...]:
    """One record for each extract expected or received, sorted by council and kind."""
    by_key = {(r.file.council.la_code, r.file.kind): r for r in reads}
    expected = [(c.la_code, kind) for c in register.valid_in(due.month) for kind in c.expects]
    first_seen = {(e.la_code, e.kind): e.first_received for e in due.replaces.extracts} if due.replaces else {}
    found: list[ExtractRecord] = []
    for la_code, kind in dict.fromkeys([*expected, *by_key]):
        read = by_key.get((la_code, kind))
        if read is None:
            found.append(ExtractRecord(la_code, kind, Fate.MISSING, due=due_day))
            continue
        if read.fault:
            day = london_day(read.file.modified)
            record = ExtractRecord(la_code, kind, Fate.UNREAD, due_day, day, day, name=read.file.name)
            found.append(replace(record, reason=read.refusal))
            continue
        checked = file_as_checked(batch, outcome, la_code, kind)
        record = ExtractRecord(la_code, kind, checked.fate, due_day, rows=checked.rows, reason=checked.reason or None)
        if read.extract is not None:
            record = replace(record, withheld=checked.withheld, rows=read.extract.frame.height)
            record = replace(record, absent_columns=read.extract.absent_columns, notes=read.extract.notes)
        own = logged[la_code, kind]
        found.append(
            replace(
                record,
                received=own.day,
                first_received=min(
                    d for d in (first_seen.get((la_code, kind)), *(s.day for s in read.earlier), own.day) if d
                ),
                sha256=own.sha256,
                name=read.file.name,
                restates=own.supersedes,
            )
        )
    return tuple(sorted(found, key=lambda e: (e.la_code, e.kind)))


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
