"""Taking one landed file in: read it, decide whether its bytes may be kept, say what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from features.errors import ExtractError, PersonalDataRefused
from flows.extracts.ingest import IngestedExtract, ingest_file
from flows.extracts.landing import LandedFile
from flows.extracts.readers import too_large
from flows.extracts.submissions import Outcome, Submission, fingerprint_unread, keep_content
from flows.extracts.table import Limits
from flows.extracts.where import Where
from flows.storage import Store


@dataclass(frozen=True, slots=True)
class Received:
    """A landed file, its record for the submission log, and the extract or the reason why there is none."""

    file: LandedFile
    submission: Submission
    """Not yet written: validation may still quarantine it (`dataclasses.replace` the outcome, then record it)."""
    extract: IngestedExtract | None
    error: ExtractError | None


def receive_file(
    landing: Store, store: Store, file: LandedFile, *, key: bytes, limits: Limits | None = None
) -> Received:
    """Read one landed file and keep its bytes in `store`, unless they hold personal data.

    A file at fault is a result, not an exception: the others go on. A file larger than any extract is
    not even loaded. Raises StoreError and SettingsError, which concern the run.
    """
    limits = limits or Limits()
    where = Where(f"{file.council.name} ({file.council.la_code})", file.month, file.filename)
    if file.size > limits.max_bytes:
        mark = fingerprint_unread(file.name, file.size, file.modified)
        error: ExtractError = too_large(where, file.size, limits)
        return Received(file, _submission(file, mark, Outcome.REFUSED, str(error), kept=False), None, error)
    content = landing.read(file.name)
    mark = sha256(content).hexdigest()
    try:
        extract = ingest_file(
            content,
            filename=file.filename,
            kind=file.kind,
            council=file.council,
            month=file.month,
            key=key,
            received=file.modified,
            limits=limits,
        )
    except ExtractError as refusal:
        kept = not isinstance(refusal, PersonalDataRefused)
        submission = _submission(file, mark, Outcome.REFUSED, str(refusal), kept=kept)
        keep_content(store, submission, content)
        return Received(file, submission, None, refusal)
    submission = _submission(file, mark, Outcome.ACCEPTED, None, kept=True)
    keep_content(store, submission, content)
    return Received(file, submission, extract, None)


def _submission(file: LandedFile, mark: str, outcome: Outcome, reason: str | None, *, kept: bool) -> Submission:
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
