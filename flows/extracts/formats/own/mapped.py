"""Puts a council's own table under our headers and codes, as its mapping says and never by a guess.

If the mapping no longer fits, the file is refused, or the rest is read and a note says what did not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from features.councils import Council
from features.errors import HeaderMismatch
from features.registry import EXTRACTS
from flows.extracts.mapping import ANY_OTHER, BLANK, UNREAD, HeaderMapping, divisor_of
from flows.extracts.personal.headers import named_column
from flows.extracts.reading.cells import read_cells
from flows.extracts.reading.dates import read_dates
from flows.extracts.reading.declared_dates import as_declared
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.numbers import read_decimals
from flows.extracts.reading.table import CELL_PROBLEMS, RawTable, says_total
from flows.extracts.reading.where import Where, rows_in_words

#: Places of decimals that a computed cell keeps; its field rounds it to its own.
_PLACES = 6


@dataclass(slots=True)
class _Column:
    """A column of the mapped table."""

    header: str
    cells: pl.Series
    position: int | None
    """Its position in the table as read; None if the table has no such column."""


def apply_mapping(table: RawTable, mapping: HeaderMapping, where: Where, council: Council) -> RawTable:
    """The table under our headers and codes.

    Raises HeaderMismatch, naming the header, if a needed one is gone or two now mean one field. Lost optional fields,
    words that the mapping does not know, and new headers become notes.
    """
    table = _without_totals(table, mapping)
    found, gone = _positions(table, mapping, where)
    _refuse_second_meaning(table, mapping, found, where)
    notes = [f"Read by the mapping {mapping.name} ({mapping.digest}).", *gone, *_new(table, mapping, found)]
    columns = [_Column(name, table.cells[str(at)], at) for name, at in found.items()]
    not_kept = {*found.values(), *_left_out(table, mapping)}
    columns += [
        _Column(h, table.cells[str(i)], i) for i, h in enumerate(table.headers) if i not in not_kept
    ]  # fmt: skip
    problems = [table.problems]
    for column in columns:
        column.cells, unread, said = _as_ours(column, table, mapping, where)
        problems.append(unread)
        notes += said
    columns += _constants(table, mapping, {c.header for c in columns}, where, council)
    mapped = replace(
        table,
        headers=tuple(c.header for c in columns),
        cells=pl.DataFrame(
            [*(c.cells.alias(str(i)) for i, c in enumerate(columns)), table.cells["file_row"]]
        ),
        problems=_moved(pl.concat(problems), columns),
        places=tuple(table.place(c.position) if c.position is not None else len(table.headers) for c in columns),
        notes=(*table.notes, *notes),
    )  # fmt: skip
    return _of_the_month(mapped, where) if mapping.in_post_only else mapped


def _positions(table: RawTable, mapping: HeaderMapping, where: Where) -> tuple[dict[str, int], list[str]]:
    """Field -> the position of its column, and notes on those that are gone."""
    given = [normalised(h) for h in table.headers]
    found, notes = {}, []
    for name, header in mapping.headers().items():
        at = [i for i, h in enumerate(given) if h == normalised(header)]
        if len(at) > 1:
            raise HeaderMismatch(
                f"{where}: the mapping reads {name} from “{header}”, and the file has that header {len(at)} times. "
                "Give each column its own header."
            )
        if at:
            found[name] = at[0]
        else:
            notes.append(_gone(table, mapping, name, header, where))
    return found, notes


def _gone(table: RawTable, mapping: HeaderMapping, name: str, header: str, where: Where) -> str:
    """The note of a mapped header that is no longer there; raises HeaderMismatch if the field is needed."""
    known = meanings(mapping.kind)
    if name not in mapping.computed and any(known.get(normalised(h)) == name for h in table.headers):
        return f"The mapping's header “{header}” is gone; {name} was read from its documented name."
    if EXTRACTS[mapping.kind].field(name).required:
        raise HeaderMismatch(
            f"{where}: the mapping {mapping.name} reads {name} from “{header}”, and the file has no such header. "
            "Put the header back, or map the file again with `holdfast map`."
        )
    return f"The mapping no longer fits: {name} was read from “{header}”, and the file has no such header."


def _left_out(table: RawTable, mapping: HeaderMapping) -> list[int]:
    left_out = {normalised(h) for h in mapping.left_out}
    return [i for i, h in enumerate(table.headers) if normalised(h) in left_out]


def _refuse_second_meaning(table: RawTable, mapping: HeaderMapping, found: Mapping[str, int], where: Where) -> None:
    """Refuse a header that means, by a documented name, a field that the mapping reads from another column."""
    known, passed = meanings(mapping.kind), {*found.values(), *_left_out(table, mapping)}
    for position, header in enumerate(table.headers):
        means = known.get(normalised(header))
        if position not in passed and means is not None and (means in found or means in mapping.always):
            theirs = f"from “{table.headers[found[means]]}”" if means in found else "the same in every row"
            raise HeaderMismatch(
                f"{where}: the mapping reads {means} {theirs}, and “{header}” means it too. Say which one is meant: "
                "take one out of the file, or map it again with `holdfast map`."
            )


def _new(table: RawTable, mapping: HeaderMapping, found: Mapping[str, int]) -> list[str]:
    known = {*meanings(mapping.kind), *map(normalised, mapping.left_out)}
    new = [
        named_column(h, table.place(i))
        for i, h in enumerate(table.headers)
        if i not in found.values() and normalised(h) and normalised(h) not in known
    ]
    return [f"Headers that the mapping does not know and that are not read: {', '.join(new)}."] if new else []


def _as_ours(
    column: _Column, table: RawTable, mapping: HeaderMapping, where: Where
) -> tuple[pl.Series, pl.DataFrame, list[str]]:
    """A column's cells in our notation, CELL_PROBLEMS of those in none, and notes."""
    name = meanings(mapping.kind).get(normalised(column.header), column.header)
    cells, none = column.cells, CELL_PROBLEMS.to_frame()
    if name in mapping.computed:
        return _computed(cells, divisor_of(mapping.computed[name])[1]), none, []
    if name in mapping.dates:
        read, strange = as_declared(cells, mapping.dates[name], where.month.year)
        if not strange.any():
            return read, none, []
        # A text that is no date in any notation keeps that reason.
        otherwise = read_dates(cells)[1].is_in(["not_a_date", "date_out_of_range"]).fill_null(False)
        reason = pl.when(otherwise).then(pl.lit("not_a_date")).otherwise(pl.lit("other_format"))
        unread = pl.DataFrame({"file_row": table.cells["file_row"]}).with_columns(
            position=pl.lit(column.position, dtype=pl.UInt32()), problem=reason
        )
        return read, unread.filter(strange).cast(CELL_PROBLEMS), []
    if name in mapping.codes:
        coded, said = _coded(column, name, mapping)
        return coded, none, said
    return cells, none, []


def _computed(cells: pl.Series, divisor: float) -> pl.Series:
    """The numbers divided; what is no number stays, and is a problem of its cell later."""
    plain = cells.str.strip_suffix("%").str.strip_chars()
    units, problems = read_decimals(plain, _PLACES)
    number: pl.Series = (units / 10**_PLACES / divisor).round(_PLACES).cast(pl.String)
    return number.zip_with(problems.is_null() & units.is_not_null(), cells)


def _coded(column: _Column, name: str, mapping: HeaderMapping) -> tuple[pl.Series, list[str]]:
    """The cells with the council's words replaced by codes, and how many words the mapping does not know."""
    words = mapping.codes[name]
    by_word = {normalised(word): code for word, code in words.items() if word not in (BLANK, ANY_OTHER)}
    distinct = [t for t in column.cells.unique().to_list() if t is not None]
    found = {t: by_word.get(normalised(t), words.get(ANY_OTHER, UNREAD)) for t in distinct}
    found = {t: code for t, code in found.items() if code != UNREAD or normalised(t) in by_word}
    rest = pl.Series("rest", [t for t in distinct if t not in found], dtype=pl.String())
    problems = read_cells(rest, EXTRACTS[mapping.kind].field(name)).problems
    strange = rest.filter(problems.is_not_null()) if problems is not None else rest.clear()
    notes = []
    if strange.len():
        rows = column.cells.is_in(strange.implode()).sum()
        notes.append(
            f"The mapping no longer fits: “{mapping.headers().get(name, column.header)}” has {strange.len()} words for "
            f"{name} in {rows:,} rows that the mapping does not know. Add them to codes.{name} of {mapping.name}, or "
            "map the file again with `holdfast map`."
        )
    coded = column.cells.replace({t: code for t, code in found.items() if code != UNREAD})
    return coded.fill_null(words[BLANK]) if words.get(BLANK) else coded, notes


def _constants(
    table: RawTable, mapping: HeaderMapping, there: set[str], where: Where, council: Council
) -> list[_Column]:
    """Columns for what holds of every row, and for what the folder says unless the file also says it."""
    known = meanings(mapping.kind)
    named = {known.get(normalised(h), h) for h in there}
    folder = {"la_code": council.la_code, "reference_date": str(where.month.last_day)}
    values = {**mapping.always, **{name: folder[name] for name in mapping.by_folder if name not in named}}
    # A row of totals is not the council's, but would look like it if it had the folder's code.
    rows = table.cells.select(total=says_total(pl.coalesce(pl.exclude("file_row")))).to_series()
    return [
        _Column(name, pl.select(pl.when(~rows).then(pl.lit(value))).to_series(), None) for name, value in values.items()
    ]


def _moved(problems: pl.DataFrame, columns: list[_Column]) -> pl.DataFrame:
    """The problems at the columns' new positions."""
    at = pl.DataFrame(
        [(c.position, i) for i, c in enumerate(columns) if c.position is not None],
        schema={"position": pl.UInt32(), "new": pl.UInt32()},
        orient="row",
    )
    moved = problems.join(at, on="position", how="inner", maintain_order="left")
    return moved.select("file_row", pl.col("new").alias("position"), "problem").cast(CELL_PROBLEMS)


def _without_totals(table: RawTable, mapping: HeaderMapping) -> RawTable:
    """The table without its rows of totals by other words."""
    words = {normalised(word) for word in mapping.totals or ()}
    texts = table.cells.drop("file_row")
    distinct = {t for c in texts for t in c.unique().to_list() if t is not None} if words else set()
    said = [t for t in distinct if normalised(t) in words]
    if not said:
        return table
    out = texts.select(pl.any_horizontal(pl.all().is_in(said).fill_null(False))).to_series()
    rows = rows_in_words(table.cells["file_row"].filter(out).to_list())
    return _with_rows(table, table.cells.filter(~out), [f"Left out as totals: {rows}."])


def _of_the_month(table: RawTable, where: Where) -> RawTable:
    """The table without rows that ended before the month, and without those that begin after it."""
    none = pl.Series([None], dtype=pl.Date()).new_from_index(0, table.cells.height)
    started, ended = (
        read_dates(table.cells[str(table.headers.index(name))])[0] if name in table.headers else none
        for name in ("role_start_date", "role_end_date")
    )
    before = (ended < where.month.first_day).fill_null(False)
    to_come = (started > where.month.last_day).fill_null(False) & ~before
    notes = [
        f"Left out, because they {what}: {rows.sum():,} row(s)."
        for rows, what in ((before, "ended before the month"), (to_come, "begin after the month"))
        if rows.any()
    ]
    return _with_rows(table, table.cells.filter(~(before | to_come)), notes)


def _with_rows(table: RawTable, cells: pl.DataFrame, notes: list[str]) -> RawTable:
    problems = table.problems.filter(pl.col("file_row").is_in(cells["file_row"].implode()))
    return replace(table, cells=cells, problems=problems, notes=(*table.notes, *notes))
