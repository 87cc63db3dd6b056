"""Reads the files by a new mapping as a run would, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl

from features.councils import Council
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.formats.asked import Asked
from flows.extracts.formats.own.reader import read
from flows.extracts.ingest import IngestedExtract
from flows.extracts.mapping import HeaderMapping
from flows.extracts.reading.cells import PROBLEM_TEXTS
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import rows_in_words

#: For trying out only; no hash made with it is kept.
_DESK_KEY = sha256(b"holdfast map").digest()


def read_with(paths: Sequence[Path], mapping: HeaderMapping, council: Council, month: Month) -> str:
    """What a run would read, in figures that a person can compare, and every cell that it could not read.

    Raises an ExtractError.
    """
    received = datetime(month.year, month.number, 1, tzinfo=UTC)
    asked = Asked(paths[0].name, mapping.kind, council, month, _DESK_KEY, received, Limits(), mapping)
    content = {p.name: p.read_bytes() for p in paths} if len(paths) > 1 else paths[0].read_bytes()
    extract = read(content, asked)
    lines = [f"Tried out: {extract.frame.height:,} rows.", *_figures(extract), *(f"  {note}" for note in extract.notes)]
    return "\n".join([*lines, *_unread(extract, mapping)])


def _figures(extract: IngestedExtract) -> list[str]:
    """A few sums that whoever made the file knows too."""
    frame = extract.frame
    key = frame[EXTRACTS[extract.kind].key[0]].drop_nulls()
    if extract.kind is not Kind.ESTABLISHMENT and (twice := key.len() - key.n_unique()):
        return [
            f"  {twice:,} rows repeat another row's {key.name}. Are they in two tables?",
            *_sums(frame, extract.kind),
        ]
    return _sums(frame, extract.kind)


def _sums(frame: pl.DataFrame, kind: Kind) -> list[str]:
    if kind is Kind.WORKFORCE:
        agency = pl.col("agency_worker").fill_null(False)
        sums = [
            f"  {who}: {part.height:,}, FTE {(part['fte'].sum() or 0) / 100:,.2f}, {part['cases'].sum() or 0:,} cases, "
            f"{part['role_end_date'].count():,} with an end date"
            for who, part in (
                ("the council's own staff", frame.filter(~agency)),
                ("agency workers", frame.filter(agency)),
            )
        ]
        unknown = frame["agency_worker"].null_count()
        return [*sums, *([f"  of the first, {unknown:,} without a known contract"] if unknown else [])]
    if kind is Kind.CASELOAD:
        statuses = frame.group_by("case_status").len().sort("case_status", nulls_last=True)
        codes = EXTRACTS[Kind.CASELOAD].field("case_status").codes
        counted = ", ".join(f"{codes.get(s, 'no status')} {n:,}" for s, n in statuses.iter_rows())
        return [f"  {counted}", f"  {frame['allocated_worker_ref'].null_count():,} without a worker"]
    return []


def _unread(extract: IngestedExtract, mapping: HeaderMapping) -> list[str]:
    """Column, reason and rows of every cell that could not be read; never its value."""
    if extract.problems.is_empty():
        return ["Every cell could be read."]
    headers = {name: header for one in reversed(mapping.tables) for name, header in one.headers().items()}
    found = extract.problems.group_by("column", "problem", maintain_order=True).agg("file_row")
    return [
        f"{extract.problems.height:,} cells could not be read:",
        *(
            f"  “{headers.get(column, column)}” ({column}), {rows_in_words(sorted(rows))}: the cell "
            f"{PROBLEM_TEXTS[problem]}"
            for column, problem, rows in found.iter_rows()
        ),
    ]
