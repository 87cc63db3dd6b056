"""Our own extracts: one CSV, Parquet or Excel table per kind."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from features.months import Month
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.ingest import IngestedExtract, ingest_table
from flows.extracts.mapping import HeaderMapping, apply_mapping
from flows.extracts.personal.refuse import refuse_personal_data
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.tables import read_table
from flows.extracts.reading.where import damage_as_sentence


def said(content: Content) -> tuple[str | None, Month | None]:
    """Nothing: the content alone does not show the kind of extract. The landing folder gives council and month."""
    del content
    return None, None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """Read one file; the bytes are not changed. Raises an ExtractError:

    UnreadableExtract, HeaderMismatch, PersonalDataRefused, or WrongCouncilOrMonth.
    """
    where = asked.where
    theirs = asked.mapping.columns.values() if asked.mapping is not None else ()
    table = read_table(cast(bytes, content), kind=asked.kind, where=where, limits=asked.limits, headers=tuple(theirs))
    near = {normalised(h) for h in theirs}
    with damage_as_sentence(where):
        refuse_personal_data(cast(bytes, content), table, contract=meanings(asked.kind), read=near, where=where)
    if asked.mapping is not None:
        table = apply_mapping(table, asked.mapping, where, asked.council)
    extract = ingest_table(table, asked, mark=mark_of(content))
    return extract if asked.mapping is None else _with_lost(extract, asked.mapping)


def _with_lost(extract: IngestedExtract, mapping: HeaderMapping) -> IngestedExtract:
    """The extract, with the columns that the mapping names and the file no longer has recorded as lost."""
    lost = [name for name in extract.absent_columns if name in mapping.columns]
    why = {n: f"The mapping reads {n} from “{mapping.columns[n]}”, and the file has no such header." for n in lost}
    return replace(extract, lost_columns=tuple(lost), absent_because=why)
