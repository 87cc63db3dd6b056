"""The submission log: what was received from whom, when, and what became of it.

    submissions/2026-10/370/workforce-0c1f3a9be210.json    one record per file content
    received/2026-10/370/workforce-0c1f3a9be210.rows.parquet    the contract's columns of it, references hashed

Names come from the content's fingerprint, so recording the same file again changes nothing, and a resubmission with
other content lies beside the first. A file's own bytes are never kept, because they may hold data that nobody has
checked. For a refused file the log has size, fingerprint and reason; nothing else is kept.

Until 0.2.0 the bytes of our own extracts were kept (`received/…-0c1f3a9be210.csv`); `holdfast retain` deletes those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256

import polars as pl

from expectations.fates import Fate
from features.councils import Council, Register, folder_name
from features.months import Month, london_day, nth_working_day
from features.registry import Kind
from flows.store import AlreadyThere, Store
from flows.store.editions import to_parquet
from flows.store.names import TABLE_ENDING
from flows.store.reading import read_kept

_READERS = 16


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

    @property
    def object_name(self) -> str:
        """The record's name in the store."""
        return f"submissions/{self.month}/{folder_name(self.la_code)}/{self.kind}-{self.sha256[:12]}.json"

    @property
    def table_name(self) -> str:
        """Where its table is kept."""
        return f"received/{self.month}/{folder_name(self.la_code)}/{self.kind}-{self.sha256[:12]}{TABLE_ENDING}"

    @property
    def day(self) -> date:
        """The day of receipt as councils know it: in London."""
        return london_day(self.received)


#: The log as a frame: one row per submission, in order of month, council, extract and time.
SUBMISSIONS = pl.Schema(
    {
        "month": pl.Date(),
        "la_code": pl.String(),
        "extract": pl.String(),
        "sha256": pl.String(),
        "size": pl.Int64(),
        "name": pl.String(),
        "received": pl.Datetime("us", "UTC"),
        "day": pl.Date(),
        "outcome": pl.String(),
        "reason": pl.String(),
        "supersedes": pl.String(),
        "kept": pl.Boolean(),
    }
)

#: What was expected for a month, and whether it arrived: one row per council and expected extract. `first_day` is the
#: day on which something first arrived, which decides lateness; the rest describes the latest submission.
EXPECTED = pl.Schema(
    {
        "month": pl.Date(),
        "la_code": pl.String(),
        "extract": pl.String(),
        "due": pl.Date(),
        "first_day": pl.Date(),
        "outcome": pl.String(),
        "submissions": pl.UInt32(),
        "missing": pl.Boolean(),
        "late": pl.Boolean(),
        "restated": pl.Boolean(),
    }
)


def due_day(month: Month, working_day: int) -> date:
    """The day by which a month's extracts are due: the n-th working day of the next month."""
    return nth_working_day(month.plus(1), working_day)


def fingerprint_unread(name: str, size: int, modified: datetime) -> str:
    """Stands for the content of a file too large to be loaded, so that it can be recorded."""
    return sha256(f"{name}\n{size}\n{modified.astimezone(UTC).isoformat()}".encode()).hexdigest()


def keep_table(store: Store, submission: Submission, table: pl.DataFrame) -> None:
    """Keep a submission's table once; it is overwritten if the same file is later read in another way.

    `table` is a canonical extract: columns of the contract alone, references hashed.
    """
    content = to_parquet(table)
    try:
        store.create(submission.table_name, content)
    except AlreadyThere:
        if store.read(submission.table_name) != content:
            store.replace(submission.table_name, content)


def record_submission(store: Store, submission: Submission) -> Submission:
    """Write the record and return it as stored.

    Recording the same content again keeps the first time of receipt; another outcome (after
    validation, or after a failure was accepted) replaces the earlier one. `supersedes` is found here:
    the latest submission of the same council, month and kind that came before.
    """
    before = [
        s
        for s in _of_prefix(store, submission.object_name.rpartition("-")[0] + "-")
        if s.kind is submission.kind and s.sha256 != submission.sha256 and s.received < submission.received
    ]
    found = replace(
        submission,
        received=submission.received.astimezone(UTC),
        supersedes=max(before, key=_time).sha256 if before else None,
    )
    try:
        store.create(found.object_name, _to_json(found), content_type="application/json")
    except AlreadyThere:
        there = read_kept(store, found.object_name, submission_of)
        if there.received <= found.received:
            found = replace(found, received=there.received, name=there.name, supersedes=there.supersedes)
        if found != there:
            store.replace(found.object_name, _to_json(found), content_type="application/json")
    return found


def read_submissions(store: Store, month: Month, council: Council | None = None) -> list[Submission]:
    """A month's submissions, of one council if given, in order of council, kind and time."""
    return _of_prefix(store, f"submissions/{month}/" + (f"{council.folder}/" if council else ""))


def read_log(store: Store, months: Iterable[Month], *, known_by: date | None = None) -> pl.DataFrame:
    """The log of these months as a frame of schema SUBMISSIONS; only what had been received by `known_by`."""
    rows = [
        (
            s.month.last_day,
            s.la_code,
            str(s.kind),
            s.sha256,
            s.size,
            s.name,
            s.received,
            s.day,
            str(s.outcome),
            s.reason,
            s.supersedes,
            s.kept,
        )
        for month in months
        for s in read_submissions(store, month)
        if known_by is None or s.day <= known_by
    ]
    return pl.DataFrame(rows, schema=SUBMISSIONS, orient="row").sort(
        "month", "la_code", "extract", "received", "sha256"
    )


def expected(log: pl.DataFrame, register: Register, month: Month, *, due: date) -> pl.DataFrame:
    """Compares what the register expects for a month with what arrived: schema EXPECTED, one row per council and
    extract.

    The first submission decides lateness, whether or not it was used: a council that sent a broken file in time and a
    corrected one later was in time. Before the due date a month also has missing extracts; the caller knows the day and
    decides whether that matters yet.
    """
    wanted = pl.DataFrame(
        [(month.last_day, c.la_code, str(kind)) for c in register.valid_in(month) for kind in c.expects],
        schema={"month": pl.Date(), "la_code": pl.String(), "extract": pl.String()},
        orient="row",
    )
    key = ["month", "la_code", "extract"]
    came = (
        log.sort(*key, "received", "sha256")
        .group_by(key, maintain_order=True)
        .agg(
            first_day=pl.col("day").first(),
            outcome=pl.col("outcome").last(),
            submissions=pl.len().cast(pl.UInt32),
        )
    )
    return (
        wanted.join(came, on=key, how="left", validate="1:1")
        .with_columns(
            due=pl.lit(due),
            submissions=pl.col("submissions").fill_null(0),
            missing=pl.col("submissions").is_null(),
            late=(pl.col("first_day") > due).fill_null(False),
            restated=(pl.col("submissions") > 1).fill_null(False),
        )
        .select(list(EXPECTED))
        .sort(key)
    )


def superseding_rows(log: pl.DataFrame) -> pl.DataFrame:
    """The rows of the log that replace an earlier submission of the same council, month and extract."""
    key = ["month", "la_code", "extract"]
    ordered = log.sort(*key, "received", "sha256")
    return ordered.filter(pl.int_range(pl.len()).over(key) > 0)


def _time(submission: Submission) -> tuple[datetime, str]:
    return (submission.received, submission.sha256)


def _of_prefix(store: Store, prefix: str) -> list[Submission]:
    names = [o.name for o in store.list(prefix) if o.name.endswith(".json")]
    if not names:
        return []
    with ThreadPoolExecutor(min(_READERS, len(names))) as pool:
        found = list(pool.map(lambda name: read_kept(store, name, submission_of), names))
    return sorted(found, key=lambda s: (s.la_code, s.kind, *_time(s)))


def _to_json(submission: Submission) -> bytes:
    document = {
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
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def submission_of(content: bytes) -> Submission:
    """A stored record; bytes of another shape raise any error, so only `flows.store.reading` should call this."""
    d = json.loads(content)
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
    )
