"""Finds the tables of a council's mapping in what was sent, and makes one of them.

Staff on one sheet and agency staff on another, or in the supplier's list, are one extract. A table that is not found
refuses the file: agency staff whose list did not come are not nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from features.errors import ExtractError, UnreadableExtract
from features.registry import EXTRACTS
from flows.extracts.formats.asked import Asked
from flows.extracts.formats.own.mapped import apply_mapping
from flows.extracts.mapping import HeaderMapping
from flows.extracts.personal.refuse import refuse_personal_data
from flows.extracts.reading.headers import meanings, normalised, undated
from flows.extracts.reading.table import NoRows, RawTable
from flows.extracts.reading.tables import read_table
from flows.extracts.reading.where import damage_as_sentence

#: A file is a mapping's table if it has at least this share of its headers.
_ENOUGH = 0.5
#: The rows of a further table are numbered from a multiple of this on.
_THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class _Found:
    """A table as read from one of the files, and how well it fits a mapping."""

    filename: str
    table: RawTable | None
    fit: float
    same_name: bool
    """Whether the file is called as when it was mapped, but for numbers and months."""
    fault: ExtractError | None = None
    """Why it could not be read; `NoRows` if it has the table's header."""

    @property
    def order(self) -> tuple[float, bool]:
        return (self.fit, self.same_name)


def united(parts: Mapping[str, bytes], mapping: HeaderMapping, asked: Asked) -> RawTable:
    """One table under our headers from those that the mapping names. Raises an ExtractError.

    A further table may be without rows, if its header is there. Its rows are numbered on from the next thousand, so
    that each row of the extract has its own number; a note says so.
    """
    taken: set[tuple[str, str]] = set()
    tables: list[RawTable] = []
    notes: list[str] = []
    for one in mapping.tables:
        found = _find(parts, one, asked, taken)
        taken.add((found.filename, one.sheet))
        if found.table is None:
            if one is mapping:
                assert found.fault is not None
                raise found.fault
            notes.append(f"No rows this month: {_described(one)}.")
            continue
        where = replace(asked, filename=found.filename).where
        read = {normalised(h) for h in one.headers().values()}
        content = parts[found.filename]
        with damage_as_sentence(where):
            refuse_personal_data(content, found.table, contract=meanings(asked.kind), read=read, where=where)
        tables.append(apply_mapping(found.table, one, where, asked.council))
    not_read = sorted(set(parts) - {name for name, _ in taken})
    table = _one_below_the_other(tables, mapping)
    if not_read:
        notes.append(f"Not read, because the mapping names no such table: {len(not_read)} file(s).")
    return replace(table, notes=(*table.notes, *notes))


def _find(
    parts: Mapping[str, bytes],
    one: HeaderMapping,
    asked: Asked,
    taken: Collection[tuple[str, str]],
) -> _Found:
    """The file that has this table."""
    looked = [_look(name, content, one, asked) for name, content in parts.items() if (name, one.sheet) not in taken]
    if len(looked) == 1 and looked[0].fault is not None and not looked[0].fit:
        raise looked[0].fault
    only = len(parts) == 1 and asked.mapping is not None and not asked.mapping.more
    fitting = sorted((f for f in looked if only or f.fit >= _ENOUGH), key=lambda f: f.order, reverse=True)
    if not fitting:
        raise UnreadableExtract(
            f"{asked.where}: {_described(one)} was not found. Put {one.file or 'it'} with the others (with its header "
            "alone, if it has no rows this month), or map the files again with `holdfast map`."
        )
    if len(fitting) > 1 and fitting[0].order == fitting[1].order:
        raise UnreadableExtract(
            f"{asked.where}: two files could be {_described(one)}, so which one is meant would be a guess. Take one "
            f"out, or name it {one.file or 'as when it was mapped'}."
        )
    return fitting[0]


def _look(name: str, content: bytes, one: HeaderMapping, asked: Asked) -> _Found:
    """Read a file as if it were this table."""
    wanted = {normalised(h) for h in one.headers().values()}
    same_name = undated(name.rpartition(".")[0]) == undated(one.file.rpartition(".")[0]) != ""

    def fit(headers: Iterable[str]) -> float:
        return len(wanted & {normalised(h) for h in headers}) / max(1, len(wanted))

    try:
        table = read_table(
            content,
            kind=asked.kind,
            where=replace(asked, filename=name).where,
            limits=asked.limits,
            headers=tuple(one.headers().values()),
            sheet=one.sheet,
            header_rows=one.header_rows,
        )
    except NoRows as fault:
        return _Found(name, None, fit(fault.headers), same_name, fault)
    except ExtractError as fault:
        return _Found(name, None, 0.0, same_name, fault)
    return _Found(name, table, fit(table.headers), same_name)


def _described(one: HeaderMapping) -> str:
    named = " ".join(n for n in (f"sheet “{one.sheet}”" if one.sheet else "", one.file) if n)
    return f"the table with “{'”, “'.join(list(one.headers().values())[:3])}”{f' ({named})' if named else ''}"


def _one_below_the_other(tables: Sequence[RawTable], mapping: HeaderMapping) -> RawTable:
    """The rows of all tables under the fields that any of them has."""
    if len(tables) == 1:
        return tables[0]
    known = meanings(mapping.kind)
    fields = [f.name for f in EXTRACTS[mapping.kind].fields]
    frames, problems, notes, above = [], [], [], 0
    for number, table in enumerate(tables, start=1):
        at = {known.get(normalised(h), h): i for i, h in enumerate(table.headers)}
        there = [name for name in fields if name in at]
        rows = pl.col("file_row") + above
        frames.append(table.cells.select(*(pl.col(str(at[n])).alias(n) for n in there), rows.cast(pl.UInt32)))
        to = {at[name]: fields.index(name) for name in there}
        problems.append(
            table.problems.filter(pl.col("position").is_in(list(to))).with_columns(
                rows.cast(pl.UInt32), pl.col("position").replace_strict(to, default=0, return_dtype=pl.UInt32())
            )
        )
        notes += [note for note in table.notes if note not in notes]
        if above and table.cells.height:
            notes.append(f"Row {above + 1:,} and those after it are row 1 and those after it of table {number}.")
        last = frames[-1]["file_row"].max()
        above = -(-int(last if isinstance(last, int) else above) // _THOUSAND) * _THOUSAND
    whole = pl.concat(frames, how="diagonal")
    kept = [name for name in fields if name in whole.columns]
    cells = whole.select(*(pl.col(n).alias(str(i)) for i, n in enumerate(kept)), "file_row")
    moved = {fields.index(name): i for i, name in enumerate(kept)}
    found = pl.concat(problems).with_columns(
        pl.col("position").replace_strict(moved, default=0, return_dtype=pl.UInt32())
    )
    return RawTable(tuple(kept), cells, found, notes=tuple(notes))
