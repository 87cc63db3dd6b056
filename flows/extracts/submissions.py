"""The submission log: what was received from whom, when, and what became of it.

    submissions/2026-10/log-0001.json                one record per file content that a run took in, or judged anew
    received/2026-10/workforce-0c1f3a9be210.rows.parquet    the contract's columns of these files, references hashed

Each taking in of a month appends one numbered object, whatever the number of councils, as a bucket is asked for each
object. Of two records of one content the later counts. A file's own bytes are never kept, because they may hold data
that nobody has checked. For a refused file the log has size, fingerprint and reason; nothing else is kept.

Until 0.2.0 each record was an object, and so was each table (`submissions/2026-10/370/workforce-0c1f3a9be210.json`);
they are read as before. Version 0.1.0 also kept the bytes of our own extracts; `holdfast retain` deletes those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from typing import Any

import polars as pl

from expectations.fates import Fate
from features.councils import folder_name
from features.frames import in_order
from features.months import Month, london_day
from features.registry import EXTRACTS, FieldType, Kind
from flows.store import AlreadyThere, DamagedObject, Store
from flows.store.names import TABLE_ENDING
from flows.store.progress import step
from flows.store.reading import digest, read_kept, sealed, to_parquet, unsealed

#: Council's folder, kind and hash of the content: what makes two records the same submission.
SubmissionKey = tuple[str, Kind, str]

#: Columns whose values depend on the pseudonym key.
_KEYED = {f.name for e in EXTRACTS.values() for f in e.fields if f.type in (FieldType.REFERENCE, FieldType.TEXT)}
_READERS = 16
_LOG = re.compile(r"submissions/[^/]+/log-(\d{4,})\.json")


@dataclass(frozen=True, slots=True)
class Submission:
    """One file content received for one council, month and kind."""

    month: Month
    la_code: str
    kind: Kind
    sha256: str
    """The hash of the content; of name, size and time for a file too large to read (`kept` is then False)."""
    size: int
    name: str
    """The file's own name, as its sender knows it."""
    received: datetime
    """Timezone-aware; kept in UTC. The first time, if the same content arrived again."""
    outcome: Fate
    reason: str | None = None
    """Why it was quarantined or refused, as a sentence."""
    supersedes: str | None = None
    """Fingerprint of the submission before it, if its content differs."""
    kept: bool = True
    """Whether its table is kept; nothing is kept of a refused file."""
    table: str = ""
    """The object that holds its table, beside those of other councils; empty if nothing is kept."""
    read_as: str = ""
    """Short hash of that table. With another saved mapping the same file gives another table."""

    @property
    def key(self) -> SubmissionKey:
        """What makes two records the same submission."""
        return (folder_name(self.la_code), self.kind, self.sha256)

    @property
    def day(self) -> date:
        """The day of receipt as councils know it: in London."""
        return london_day(self.received)


def fingerprint_unread(name: str, size: int, modified: datetime) -> str:
    """Stands for the content of a file too large to be loaded, so that it can be recorded."""
    return sha256(f"{name}\n{size}\n{modified.astimezone(UTC).isoformat()}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Packed:
    """A month's submissions, as the log will have them, and the objects that will hold their tables."""

    month: Month
    known: Mapping[SubmissionKey, Submission]
    """Those that are in the log already."""
    found: tuple[Submission, ...]
    tables: Mapping[str, bytes]
    """By name, what is not in the store yet."""

    def record(self, store: Store, judged: Sequence[Submission]) -> None:
        """Keep the tables, then append to the log what is new. `judged`: `found`, with what became of each."""
        for name, content in self.tables.items():
            try:
                store.create(name, content)
            except AlreadyThere:  # a run that died had kept them, or the same files are read in another way now
                if store.read(name) != content:
                    store.replace(name, content)
        changed = [s for s in judged if self.known.get(s.key) != s]
        if changed:
            _append(store, self.month, changed)


def record_submissions(
    store: Store, month: Month, submissions: Sequence[tuple[Submission, pl.DataFrame | None]]
) -> list[Submission]:
    """Keep the tables and append the records of a month's submissions; returns the records as they are in the log."""
    packed = pack_submissions(store, month, submissions)
    packed.record(store, packed.found)
    return list(packed.found)


def pack_submissions(
    store: Store, month: Month, submissions: Sequence[tuple[Submission, pl.DataFrame | None]]
) -> Packed:
    """What there is to record of a month's submissions. Writes nothing.

    Recording the same content again keeps the first time of receipt; another outcome (after validation, or after a
    failure was accepted) replaces the earlier one. `supersedes` is found here: the latest submission of the same
    council, month and kind that came before. A table is a canonical extract: columns of the contract alone,
    references hashed. What is known already is not written again.
    """
    known = {s.key: s for s in _readable(store, month)}
    given = [
        (
            replace(
                s, received=s.received.astimezone(UTC), read_as=s.read_as or (rows_hash(t) if t is not None else "")
            ),
            t,
        )
        for s, t in submissions
    ]
    every: dict[tuple[str, Kind], dict[SubmissionKey, Submission]] = {}
    for key, one in {**{s.key: s for s, _ in given}, **known}.items():
        every.setdefault(key[:2], {})[key] = one
    found: list[Submission] = []
    for one, _ in given:
        there = known.get(one.key)
        if there is not None and there.received <= one.received:
            one = replace(one, received=there.received, name=there.name, supersedes=there.supersedes)
        else:
            others = every[one.key[:2]].items()
            before = [s for key, s in others if key != one.key and s.received < one.received]
            one = replace(one, supersedes=max(before, key=_time).sha256 if before else None)
        if there is not None and (not one.read_as or there.read_as == one.read_as):
            one = replace(one, table=there.table, read_as=there.read_as)
        found.append(one)
    new = [(s, t) for s, (_, t) in zip(found, given, strict=True) if t is not None and not s.table]
    objects = {kind: _tables_of(month, kind, new) for kind in dict.fromkeys(s.kind for s, _ in new)}
    named = {s.key: objects[s.kind][0] for s, _ in new}
    found = [replace(s, table=named[s.key]) if s.key in named else s for s in found]
    return Packed(month, known, tuple(found), dict(objects.values()))


def _tables_of(month: Month, kind: Kind, new: Sequence[tuple[Submission, pl.DataFrame | None]]) -> tuple[str, bytes]:
    """The tables of one kind as one object, with a column that says whose each row is: its name and content."""
    own = {(s.la_code, s.sha256): (s, t) for s, t in new if s.kind is kind and t is not None}
    ordered = [own[key] for key in sorted(own)]
    mark = digest("".join(f"{s.la_code} {s.sha256}\n" for s, _ in ordered).encode())[:12]
    return f"received/{month}/{kind}-{mark}{TABLE_ENDING}", _rows_together(ordered)


def _rows_together(ordered: Sequence[tuple[Submission, pl.DataFrame]]) -> bytes:
    """The rows of these tables as one, sorted, each with the mark of its submission."""
    marked = [table.with_columns(submission=pl.lit(one.sha256[:12])) for one, table in ordered]
    rows = pl.concat(marked, how="diagonal_relaxed")
    order = [c for c in ("la_code", "worker_ref", "case_ref", "file_row") if c in rows.columns]
    return to_parquet(in_order(rows, order))


def rows_hash(table: pl.DataFrame) -> str:
    """Short hash of a table's rows; of references and codes only how many, as another key changes them.

    If another version of Polars hashes otherwise, the table is recorded once more.
    """
    columns = table.get_columns()
    counts = [(c.name, c.null_count(), c.n_unique()) for c in columns if c.name in _KEYED]
    rows = pl.DataFrame([c for c in columns if c.name not in _KEYED]).hash_rows().to_numpy().tobytes()
    return digest(rows + repr(counts).encode())[:12]


def _append(store: Store, month: Month, records: Sequence[Submission]) -> None:
    names = [o.name for o in store.list(f"submissions/{month}/log-")]
    number = max((int(m[1]) for n in names if (m := _LOG.fullmatch(n))), default=0) + 1
    document = {"records": [_document(s) for s in records]}
    while True:
        name = f"submissions/{month}/log-{number:04d}.json"
        try:
            store.create(name, sealed(name, document), content_type="application/json")
        except AlreadyThere:
            number += 1
        else:
            return


def read_submissions(store: Store, month: Month) -> list[Submission]:
    """A month's submissions, in order of council, kind and time."""
    found = _records(store, month, lambda name: read_kept(store, name, partial(submissions_of, name)))
    latest = {s.key: s for s in found}
    return sorted(latest.values(), key=lambda s: (s.la_code, s.kind, *_time(s)))


def _readable(store: Store, month: Month) -> list[Submission]:
    """The records that can be read, oldest first. What a damaged object said is recorded anew; the doctor names it."""

    def read(name: str) -> list[Submission]:
        try:
            return read_kept(store, name, partial(submissions_of, name))
        except DamagedObject as error:
            step("%s", error)
            return []

    return _records(store, month, read)


def _records(store: Store, month: Month, read: Callable[[str], list[Submission]]) -> list[Submission]:
    names = [o.name for o in store.list(f"submissions/{month}/") if o.name.endswith(".json")]
    if not names:
        return []
    with ThreadPoolExecutor(min(_READERS, len(names))) as pool:
        return [s for each in pool.map(read, sorted(names, key=_age)) for s in each]


def _time(submission: Submission) -> tuple[datetime, str]:
    return (submission.received, submission.sha256)


def _age(name: str) -> tuple[int, str]:
    """Single records, as written until 0.2.0, are older than the numbered objects."""
    match = _LOG.fullmatch(name)
    return (int(match[1]) if match else 0, name)


def _document(submission: Submission) -> dict[str, object]:
    return {
        "month": str(submission.month),
        "la_code": submission.la_code,
        "extract": str(submission.kind),
        "sha256": submission.sha256,
        "size": submission.size,
        "name": submission.name,
        "received": submission.received.astimezone(UTC).isoformat(),
        "outcome": str(submission.outcome),
        "reason": submission.reason,
        "supersedes": submission.supersedes,
        "kept": submission.kept,
        "table": submission.table,
        "read_as": submission.read_as,
    }


def submissions_of(name: str, content: bytes) -> list[Submission]:
    """Records stored under a name; bytes of another shape raise any error, so only `flows.store.reading` calls this."""
    found = unsealed(content, name)
    return [_submission(d) for d in found.get("records", [found])]


def _submission(d: Mapping[str, Any]) -> Submission:
    return Submission(
        month=Month.parse(d["month"]),
        la_code=d["la_code"],
        kind=Kind(d["extract"]),
        sha256=d["sha256"],
        size=d["size"],
        name=d["name"],
        received=datetime.fromisoformat(d["received"]),
        outcome=Fate(d["outcome"]),
        reason=d["reason"],
        supersedes=d["supersedes"],
        kept=d["kept"],
        table=d.get("table", ""),
        read_as=d.get("read_as", ""),
    )
