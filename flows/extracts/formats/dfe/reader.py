"""Reads DfE's published file as a landed return: the council's own row, for that September."""

from __future__ import annotations

from typing import cast

import polars as pl

from expectations.batch import PROBLEMS
from features.errors import ReferenceDataError, UnreadableExtract, WrongCouncilOrMonth
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.formats.asked import Asked, Content
from flows.extracts.formats.dfe.workforce_file import columns_of, is_published, read_published
from flows.extracts.ingest import IngestedExtract, codes_in
from flows.extracts.reading.tables import too_large

_HEADER_BYTES = 4_000


def begins_like(content: Content) -> bool:
    """Whether a file landed as a return is DfE's file for all councils."""
    return isinstance(content, bytes) and is_published(content[:_HEADER_BYTES])


def said(content: Content) -> tuple[str | None, Month | None]:
    """The file has every council and several Septembers; the landing folder says which is meant."""
    del content
    return None, None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """A council's own row. Raises UnreadableExtract and WrongCouncilOrMonth."""
    source = cast(bytes, content)
    where = asked.where
    if len(source) > asked.limits.max_bytes:
        raise too_large(where, len(source), asked.limits)
    try:
        published = read_published(source, filename=where.filename)
    except ReferenceDataError as error:
        raise UnreadableExtract(f"{where}: {error}") from None
    la_code = asked.council.la_code
    own, month = set(codes_in(la_code)), asked.month
    of_month = published.returns.filter(pl.col("reference_date") == month.last_day)
    theirs = [code for code in of_month["la_code"] if own and own == set(codes_in(code))]
    if not theirs:
        raise WrongCouncilOrMonth(
            f"{where}: DfE's file has no row of council {la_code} for {month.in_words}. It describes "
            f"30 September of {', '.join(str(m.year) for m in published.months)}: put it into the folder of such "
            "a month."
        )
    said_there = (pl.col("la_code") == theirs[0]) & (pl.col("reference_date") == month.last_day)
    renamed = pl.lit(la_code).alias("la_code")
    columns = columns_of(published.release)
    return IngestedExtract(
        kind=Kind.RETURN,
        la_code=la_code,
        month=month,
        filename=where.filename,
        sha256=published.sha256,
        received=asked.received,
        frame=published.returns.filter(said_there).with_columns(renamed),
        problems=PROBLEMS.to_frame(),
        reasons=published.reasons.filter(said_there).with_columns(renamed),
        absent_columns=tuple(f.name for f in EXTRACTS[Kind.RETURN].fields[2:] if f.name not in columns),
        headers=columns,
        notes=(f"The council's row of DfE's published file, releases {published.release}.",),
    )
