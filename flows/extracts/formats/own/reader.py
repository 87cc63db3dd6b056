"""Our own extracts: one CSV, Parquet or Excel table per kind."""

from __future__ import annotations

from dataclasses import replace

from features.errors import UnreadableExtract
from features.months import Month
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.formats.own.tables import united
from flows.extracts.ingest import IngestedExtract, ingest_table
from flows.extracts.mapping import HeaderMapping
from flows.extracts.personal.refuse import refuse_personal_data
from flows.extracts.reading.headers import meanings
from flows.extracts.reading.tables import read_table
from flows.extracts.reading.where import damage_as_sentence


def said(content: Content) -> tuple[str | None, Month | None]:
    """Nothing: the content alone does not show the kind of extract. The landing folder gives council and month."""
    del content
    return None, None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """Read one file, or the files of a folder that a mapping unites; the bytes are not changed. Raises an ExtractError:

    UnreadableExtract, HeaderMismatch, PersonalDataRefused, or WrongCouncilOrMonth.
    """
    mapping, where = asked.mapping, asked.where
    if mapping is None:
        if not isinstance(content, bytes):
            raise UnreadableExtract(
                f"{where}: several files are one extract only by a mapping. Make it: `holdfast map`."
            )
        table = read_table(content, kind=asked.kind, where=where, limits=asked.limits, typed=True)
        with damage_as_sentence(where):
            refuse_personal_data(content, table, contract=meanings(asked.kind), where=where)
        return ingest_table(table, asked, mark=mark_of(content))
    table = united({asked.filename: content} if isinstance(content, bytes) else content, mapping, asked)
    return _with_lost(ingest_table(table, asked, mark=mark_of(content), may_lack=mapping.lacks), mapping)


def _with_lost(extract: IngestedExtract, mapping: HeaderMapping) -> IngestedExtract:
    """The extract, with the columns that the mapping names and the file no longer has recorded as lost."""
    named = {name: header for one in reversed(mapping.tables) for name, header in one.headers().items()}
    lost = [name for name in extract.absent_columns if name in named]
    why = {n: f"The mapping reads {n} from “{named[n]}”, and the file has no such header." for n in lost}
    return replace(extract, lost_columns=tuple(lost), absent_because=why)
