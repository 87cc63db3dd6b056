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
from expectations.fates import Fate
from features.councils import Register
from features.months import Month, london_day
from flows.extracts.checking import CountedMonth, batch_of
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import LandedFile, Unrecognised, landing_snapshot, list_month
from flows.extracts.mapping import FOLDER as MAPPINGS
from flows.extracts.reading.table import Limits
from flows.extracts.receive import Received, receive_file
from flows.extracts.submissions import Submission
from flows.month.apart import fault_sentence
from flows.store import Store
from flows.store.editions import History
from flows.store.manifest import Manifest
from flows.store.progress import step

_INCOMPLETE = "-incomplete"


#: Tables of the month before, which a month is compared with; and the table of the month itself that its run reads.
_COMPARED_WITH, _READ_AGAIN = r"workforce|caseload|state-.+", "failures"


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
    pages_gone: bool = False
    """Whether its validation pages are gone and must be written again."""

    def by_council(self) -> list[list[LandedFile]]:
        """The files, as one list for each council, which is the unit that is read, shown and retried."""
        found: dict[str, list[LandedFile]] = {}
        for file in self.files:
            found.setdefault(file.council.la_code, []).append(file)
        return list(found.values())

    @property
    def needs_pages(self) -> bool:
        """Whether its pages must be written: its own files changed, and not only the month before; or they are gone."""
        return self.pages_gone or self.replaces is None or self.replaces.fingerprint != self.fingerprint


@dataclass(frozen=True, slots=True)
class Read:
    """The outcome of reading the newest submission of one council and kind."""

    file: LandedFile
    submission: Submission
    extract: IngestedExtract | None
    refusal: str | None
    earlier: tuple[Received, ...] = ()
    """Earlier submissions of the same extract, oldest first."""
    received: Received | None = None
    fault: bool = False
    """Reading failed through a fault of ours: the file is not recorded as received, and the next run tries again."""


def months_due(
    landing: Store,
    history: History,
    register: Register,
    months: Iterable[Month],
    cutoff: Callable[[Month], date],
    accepted: Sequence[Accepted] = (),
    pages_gone: Sequence[str] = (),
) -> list[Due]:
    """The months among these (oldest first) that have something new as of their cut-off day. Reads no content.

    The month after one that is new or restated is taken in again too, because its leavers and changed workers were
    found by comparison with the old data, or with none. Closed months (`holdfast retain`) are left alone. So is a month
    whose landing folder was emptied: tidying up restates nothing. A month with something damaged in the store is due
    again if its files are still in the landing folder; if not, reading it raises DamagedObject. So is a month of whose
    failures others are accepted now than when it was checked. So is the last month if some of its validation pages are
    gone.
    """
    due: list[Due] = []
    months = list(months)
    last = months[-1]
    news_before, needed = "", {0: _READ_AGAIN, 1: _COMPARED_WITH}
    kept_from = history.records_kept_from
    lying_there = landing_snapshot(landing)
    mappings = list(lying_there.list(f"{MAPPINGS}/"))
    for month in months:
        if kept_from is not None and month < kept_from:
            continue
        day = cutoff(month)
        landed = list_month(lying_there, month, register, [m for m in mappings if london_day(m.modified) <= day])
        files = tuple(f for f in landed.every_file if london_day(f.modified) <= day)
        strange = tuple(u for u in landed.unrecognised if london_day(u.modified) <= day)
        known = history.standing(month, day)
        mark = fingerprint(files, strange)
        lying = bool(files or strange)
        changed = lying and (known is None or known.fingerprint != mark)
        fault = history.fault(month, day, needed.get(last.minus(month), "")) if lying and not changed else ""
        if lying and not changed and not fault and accepted and known and _judged_anew(history, known, accepted):
            fault = "other failures are accepted now"
        pages = month == last and lying and known is not None and bool(pages_gone)
        if pages and not changed and not fault:
            fault = f"“{pages_gone[0]}” is gone from the store."
        if fault:
            step("%s is taken in again: %s", month, fault)
        outdated = known is not None and lying and _is_outdated(history, known, day, news_before)
        if changed or fault or outdated:
            due.append(Due(month, day, files, strange, mark, known, pages))
        news_before = mark if changed else ""
    return due


def _is_outdated(history: History, known: Manifest, day: date, news_before: str) -> bool:
    """Whether the month before has, or is about to get, another edition than the one that this was compared with.

    `news_before`: the fingerprint of its new files; empty if it has none. Its earlier edition may be lost.
    """
    if news_before:
        return known.after != news_before
    before = history.standing(known.month.plus(-1), day) if known.after else None
    return before is not None and before.fingerprint != known.after


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


def read_files(landing: Store, files: Sequence[LandedFile], *, key: bytes, limits: Limits) -> list[Read]:
    """Receive all submissions of one council and month. The newest of each kind is used; the others are kept.

    A faulty file is a result. Raises only StoreError and SettingsError, which concern the whole run.
    """
    reads: list[Read] = []
    for kind in dict.fromkeys(f.kind for f in files):
        received = [receive_file(landing, f, key=key, limits=limits) for f in files if f.kind is kind]
        newest = received[-1]
        reads.append(
            Read(
                file=newest.file,
                submission=newest.submission,
                extract=newest.extract,
                refusal=str(newest.error) if newest.error is not None else None,
                earlier=tuple(received[:-1]),
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
    """Import what checks a month. Call it while waiting for something else."""
    from expectations.passing import check  # noqa: F401


@dataclass(frozen=True, slots=True)
class Checked:
    """A month after validation. Files that a fault of ours kept from being checked count as unread."""

    due: Due
    reads: tuple[Read, ...]
    batch: Batch
    outcome: Outcome
    counted: CountedMonth | None = None
    """Its counts, if they were made for its check and nothing that they rest on has changed since."""

    @property
    def codes(self) -> list[str]:
        """The councils of which something could be read."""
        return list(dict.fromkeys(r.file.council.la_code for r in self.reads if r.extract is not None))

    def without(self, why: Mapping[str, str]) -> Checked:
        """The same month, where the councils in `why` count as unread through a fault of ours."""
        if not why:
            return self
        reads = tuple(unread_where(self.reads, why))
        batch = of_councils(self.batch, set(self.codes) - set(why))
        return Checked(to_be_tried_again(self.due, reads), reads, batch, without_councils(self.outcome, why))


def sentences(what: str, faults: Mapping[str, Exception], reads: Sequence[Read]) -> dict[str, str]:
    """What failed at each council, as a sentence."""
    councils = {r.file.council.la_code: r.file.council for r in reads}
    return {la_code: fault_sentence(councils[la_code], what, error) for la_code, error in faults.items()}


def unread_where(reads: Sequence[Read], why: Mapping[str, str]) -> list[Read]:
    """The reads, where those of the councils in `why` count as unread through a fault of ours."""
    kept: list[Read] = []
    for read in reads:
        sentence = why.get(read.file.council.la_code)
        kept += [read] if sentence is None else unread([read.file], sentence)
    return kept


def of_councils(batch: Batch, councils: Collection[str] | None) -> Batch:
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
