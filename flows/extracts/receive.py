"""Takes in one landed file: reads it, and says what became of it. Writes nothing (`flows.extracts.submissions`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from expectations.fates import Fate
from features.errors import ExtractError
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import LandedFile
from flows.extracts.mapping import load_mapping
from flows.extracts.reading.table import Limits
from flows.extracts.reading.tables import too_large
from flows.extracts.reading.where import Where
from flows.extracts.submissions import Submission, fingerprint_unread, rows_hash
from flows.store import Store


@dataclass(frozen=True, slots=True)
class Received:
    """A landed file, its record for the submission log, and the extract or the reason why there is none."""

    file: LandedFile
    submission: Submission
    """Not yet written: validation may still quarantine it (`dataclasses.replace` the outcome, then record it)."""
    extract: IngestedExtract | None
    error: ExtractError | None

    @property
    def table(self) -> pl.DataFrame | None:
        """What may be kept of it; nothing of a refused file."""
        return self.extract.frame if self.extract is not None else None


def receive_file(landing: Store, file: LandedFile, *, key: bytes, limits: Limits | None = None) -> Received:
    """Read one landed file.

    A faulty file is a result, not an exception, so the other files go on. A file larger than any extract is not even
    loaded. Raises StoreError and SettingsError, which concern the whole run.
    """
    limits = limits or Limits()
    where = Where(f"{file.council.name} ({file.council.la_code})", file.month, file.filename)
    if file.size > limits.max_bytes:
        mark = fingerprint_unread(file.name, file.size, file.modified)
        error: ExtractError = too_large(where, file.size, limits)
        return Received(file, _submission(file, mark, Fate.REFUSED, str(error), kept=False), None, error)
    content: Content = {p.rpartition("/")[2]: landing.read(p) for p in file.parts} or landing.read(file.name)
    mark = mark_of(content)
    try:
        mapping = load_mapping(landing, file.mapping.name, where) if file.mapping is not None else None
        extract = read_form(
            file.form,
            content,
            Asked(file.filename, file.kind, file.council, file.month, key, file.modified, limits, mapping),
        )
    except ExtractError as fault:
        return Received(file, _submission(file, mark, Fate.REFUSED, str(fault), kept=False), None, fault)
    submission = _submission(file, mark, Fate.ACCEPTED, None, kept=True)
    return Received(file, replace(submission, read_as=rows_hash(extract.frame)), extract, None)


def _submission(file: LandedFile, mark: str, outcome: Fate, reason: str | None, *, kept: bool) -> Submission:
    return Submission(
        month=file.month,
        la_code=file.council.la_code,
        kind=file.kind,
        sha256=mark,
        size=file.size,
        name=file.filename,
        received=file.modified,
        outcome=outcome,
        reason=reason,
        kept=kept,
    )
