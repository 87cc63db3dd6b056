"""Two made-up councils and what they sent, from which the tests of this room build every case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from expectations.batch import FAILURES, NOT_RUN, PROBLEMS, PROFILE, SET_ASIDE, Outcome, Statistics
from expectations.fates import Fate
from features.councils import Council, Register
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import Kind
from flows.extracts.ingest import IngestedExtract
from flows.extracts.landing import LandedFile
from flows.extracts.receive import Received
from flows.extracts.submissions import Submission
from flows.month.take_in import Checked, Due, Read, month_batch
from flows.store.manifest import ExtractRecord, Manifest
from tests.unit.expectations.examples import frame_of, sound_rows

OCTOBER = Month(2026, 10)
CUTOFF = date(2026, 11, 20)
BARNSLEY = Council("370", "Barnsley", Month(2020, 1), expects=(Kind.WORKFORCE, Kind.CASELOAD))
DONCASTER = Council("371", "Doncaster", Month(2020, 1), expects=(Kind.WORKFORCE,))
REGISTER = Register((BARNSLEY, DONCASTER))


def came(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def landed(council: Council, kind: Kind, day: int = 4, name: str = "") -> LandedFile:
    path = f"{OCTOBER}/{council.folder}/{name or f'{kind}.csv'}"
    return LandedFile(path, OCTOBER, council, kind, 90, came(day))


def submission(file: LandedFile, mark: str, outcome: Fate = Fate.ACCEPTED) -> Submission:
    return Submission(
        file.month, file.council.la_code, file.kind, mark, file.size, file.filename, file.modified, outcome
    )


def read(
    council: Council, kind: Kind, day: int = 4, *, rows: Sequence[Mapping[str, Any]] | None = None, mark: str = ""
) -> Read:
    """A file that could be read, with the sound council's rows."""
    file = landed(council, kind, day)
    frame = frame_of(kind, [dict(r) for r in (sound_rows()[kind] if rows is None else rows)], council.la_code)
    extract = IngestedExtract(
        kind,
        council.la_code,
        OCTOBER,
        file.filename,
        mark or f"{council.la_code}-{kind}",
        file.modified,
        frame,
        PROBLEMS.to_frame(),
        CELL_REASONS.to_frame(),
        (),
        {},
        (),
    )
    own = submission(file, extract.sha256)
    return Read(file, own, extract, None, received=Received(file, own, extract, None))


def due(reads: Sequence[Read] = (), *, replaces: Manifest | None = None, fingerprint: str = "mark") -> Due:
    return Due(OCTOBER, CUTOFF, tuple(r.file for r in reads), (), fingerprint, replaces)


def outcome(failures: pl.DataFrame | None = None, **given: Any) -> Outcome:
    """What a check found that found nothing, but for what is given."""
    found = FAILURES.to_frame() if failures is None else failures
    nothing = (SET_ASIDE.to_frame(), NOT_RUN.to_frame(), PROFILE.to_frame())
    empty: frozenset[Any] = frozenset()
    made: dict[str, Any] = {"withheld": empty, "quarantined": empty, **given}
    return Outcome(
        OCTOBER, found, made.pop("withheld"), made.pop("quarantined"), *nothing, Statistics(7, 3, 0.1), **made
    )


def checked(reads: Sequence[Read], *, replaces: Manifest | None = None, found: Outcome | None = None) -> Checked:
    return Checked(due(reads, replaces=replaces), tuple(reads), month_batch(OCTOBER, reads), found or outcome())


def failure(la_code: str, severity: str, *, effect: str = "", accepted: bool = False) -> dict[str, Any]:
    return {
        "check": "workforce.fte.changed",
        "severity": severity,
        "la_code": la_code,
        "month": OCTOBER.last_day,
        "extract": "workforce",
        "column": "fte",
        "message": "FTE rose to 37.",
        "effect": effect,
        "accepted": accepted,
    }


def failures(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{n: row.get(n) for n in FAILURES} for row in rows], schema=FAILURES)


def record(
    la_code: str, kind: Kind = Kind.WORKFORCE, fate: Fate = Fate.ACCEPTED, day: int | None = 4, **given: Any
) -> ExtractRecord:
    received = date(2026, 11, day) if day else None
    return ExtractRecord(la_code, kind, fate, date(2026, 11, 6), received, received, **given)


def manifest(
    *records: ExtractRecord, month: Month = OCTOBER, fingerprint: str = "mark", known_to: date = date(2026, 11, 4)
) -> Manifest:
    return Manifest(month, 1, fingerprint, known_to, records, {})
