"""Annex A as the caseload extract of its month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from expectations.batch import ORIGINS, ROWS_PER_LIST
from features.errors import UnreadableExtract, WrongCouncilOrMonth
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.formats.annex_a.episodes import FIELDS, AnnexEpisodes, episodes
from flows.extracts.formats.annex_a.layout import BY_NUMBER, ColumnContent
from flows.extracts.formats.annex_a.lists import ListRead, empty_frame, read_list
from flows.extracts.formats.annex_a.needs import ESSENTIAL, MissingFields, Sources, missing_fields
from flows.extracts.formats.annex_a.sheets import FoundList, SheetContents, find_lists
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.ingest import IngestedExtract, ingest_table
from flows.extracts.reading.excel import Book
from flows.extracts.reading.table import CELL_PROBLEMS, RawTable, renamed
from flows.extracts.reading.tables import refuse_unopened, too_many_rows
from flows.extracts.reading.where import Where, damage_as_sentence

READ = (3, 4, 5, 6, 7, 8)
#: A list with this many rows and not one date in the month is from an earlier month. A list without rows, in a
#: workbook with this many children in need, was not filled in. Each list covers six months of work.
SURELY = 50


def said(content: Content) -> tuple[str | None, Month | None]:
    """Annex A names neither its council nor its month: both come from the landing folder."""
    return None, None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """The caseload extract of a workbook; its council and month are those of its folder.

    Names, birth dates, gender and ethnicity are never read. Raises an ExtractError: UnreadableExtract,
    HeaderMismatch where sheets or headers are ambiguous, WrongCouncilOrMonth if it is for another month.
    """
    assert isinstance(content, bytes)
    where = asked.where
    refuse_unopened(content, where, asked.limits)
    with damage_as_sentence(where):
        book = Book(content, where, asked.limits)
        contents = find_lists(book, where, asked.limits)
        reads = {n: read_list(found, book, where) for n, found in sorted(contents.lists.items())}
        _check_days(book, contents, where)
    usable, why, notes = _usable(reads, contents, asked.month, where)
    made = episodes({n: usable[n].frame if n in usable else empty_frame(BY_NUMBER[n]) for n in READ}, asked.month)
    if made.frame.is_empty():
        raise UnreadableExtract(
            f"{where}: lists 3 to 8 hold no case that was open at the end of {asked.month.in_words} and nothing that "
            "happened in it. Check that the workbook was filled for this month."
        )
    if made.frame.height > EXTRACTS[Kind.CASELOAD].max_rows:
        raise too_many_rows(where, Kind.CASELOAD)
    gaps = missing_fields(
        Sources(
            present={n: one.present - set(one.unusable) for n, one in usable.items()},
            why=why,
            unusable={(n, name): cells for n, one in usable.items() for name, cells in one.unusable.items()},
            statuses=_open_statuses(usable),
            only_referred=made.only_referred,
            holders=made.holders,
        )
    )
    read_from = [_mapping_note(one) for _, one in sorted(contents.lists.items())]
    extract = ingest_table(_table(made, gaps, asked), asked, mark=mark_of(content), may_lack=tuple(gaps.because))
    return replace(
        extract,
        headers=_mapping(contents),
        notes=(*read_from, *gaps.notes, *contents.notes, *notes, *made.notes, *extract.notes),
        absent_because=dict(gaps.because),
        workers_by_name=True,
        lost_columns=gaps.lost,
        origins=_origins(made.problems, contents, asked),
    )


def _origins(faults: pl.DataFrame, contents: SheetContents, asked: Asked) -> pl.DataFrame:
    """ORIGINS of the problems: list, sheet, column and row, as the workbook has them."""
    words = {
        (number, name): f"“{found.headers[name]}” of {found.annex}, {found.place},"
        for number, found in contents.lists.items()
        for name in found.headers
    }
    where = [words[key] for key in faults.select("list", "column").iter_rows()]
    return faults.select(
        pl.lit(asked.council.la_code).alias("la_code"),
        pl.lit(str(asked.kind)).alias("extract"),
        pl.col("file_row"),
        pl.col("field").alias("column"),
        (pl.col("at") + pl.col("list") * ROWS_PER_LIST).alias("at"),
        pl.Series("of", where, dtype=pl.String()),
    ).cast(dict(ORIGINS))  # type: ignore[arg-type]


def _check_days(book: Book, contents: SheetContents, where: Where) -> None:
    """Refuse bare day numbers in a workbook that counts from 1904: they would read as four years early."""
    if not book.counts_days_from_1904:
        return
    for found in contents.lists.values():
        dates = [name for name in found.cells if found.annex.column(name).holds is ColumnContent.DATE]
        if any(isinstance(cell, float) for name in dates for cell in found.cells[name]):
            raise UnreadableExtract(
                f"{where}: the workbook counts days from 1904 and {found.annex} gives dates as bare numbers, so they "
                "cannot be told. Format them as dates, or save the workbook without “Use 1904 date system”."
            )


def _usable(
    reads: Mapping[int, ListRead], contents: SheetContents, month: Month, where: Where
) -> tuple[dict[int, ListRead], dict[int, str], list[str]]:
    """The reliable lists, why the others are not reliable, and the findings of reading them."""
    why = {
        n: f"{BY_NUMBER[n]}, {place}, has no header that could be recognised"
        for n, place in contents.without_header.items()
    }
    latest = {n: _latest(one, month) for n, one in reads.items()}
    if any(day for day, _ in latest.values()) and not any(here for _, here in latest.values()):
        newest = max(day for day, _ in latest.values() if day is not None)
        raise WrongCouncilOrMonth(
            f"{where}: no date of lists 3 to 8 lies in {month.in_words}; the latest lies in {newest.in_words}. "
            "Put the workbook into the folder of the month it was made for."
        )
    children = reads[6].frame["child"].n_unique() if 6 in reads else 0
    usable: dict[int, ListRead] = {}
    for number, one in reads.items():
        day, here = latest[number]
        if one.frame.is_empty() and children >= SURELY:
            why[number] = f"{one.annex} has a header and no rows, beside {children:,} children in list 6"
        elif one.frame.height >= SURELY and day is not None and not here:
            why[number] = f"No date of {one.annex} lies in {month.in_words}; the latest lies in {day.in_words}"
        elif gone := [c for c in ESSENTIAL.get(number, ()) if c not in one.present - set(one.unusable)]:
            why[number] = f"{one.annex} has no usable column “{one.annex.column(gone[0]).header}”"
        else:
            usable[number] = one
    return usable, why, [note for one in reads.values() for note in one.notes]


def _latest(one: ListRead, month: Month) -> tuple[Month | None, bool]:
    """The month of a list's latest date, and whether any date is in the month."""
    dates = [one.frame.get_column(c.name) for c in one.annex.columns if c.holds is ColumnContent.DATE]
    newest = max((day for d in dates if (day := d.max()) is not None), default=None)
    here = any(d.is_between(month.first_day, month.last_day).any() for d in dates)
    return Month.of(newest) if newest is not None else None, here  # type: ignore[arg-type]


def _open_statuses(usable: Mapping[int, ListRead]) -> set[str]:
    if 6 not in usable:
        return set()
    six = usable[6].frame.filter(pl.col("closed").is_null())
    return set(six["status"].drop_nulls().unique().to_list())


def _table(made: AnnexEpisodes, gaps: MissingFields, asked: Asked) -> RawTable:
    """The episodes under our own headers, as `ingest_table` wants them: dates and numbers as they are."""
    present = [f for f in FIELDS if f != "file_row" and f not in gaps.because]
    names = ("la_code", "reference_date", *present)
    cells = made.frame.select(
        pl.lit(asked.council.la_code).alias("la_code"),
        pl.lit(asked.month.last_day).alias("reference_date"),
        *(pl.col(name).cast(pl.Int8) if made.frame.schema[name] == pl.Boolean() else name for name in present),
        "file_row",
    )
    position = {name: i for i, name in enumerate(names)}
    problems = made.problems.filter(pl.col("field").is_in(present)) if made.problems.height else made.problems
    return RawTable(
        headers=names,
        cells=renamed(cells, [*map(str, position.values()), "file_row"]),
        problems=problems.select(
            pl.col("file_row").cast(pl.UInt32),
            pl.col("field").replace_strict(position, return_dtype=pl.UInt32()).alias("position"),
            "problem",
        )
        if problems.height
        else CELL_PROBLEMS.to_frame(),
    )


def _mapping(contents: SheetContents) -> dict[str, str]:
    """`list 6 closed` -> the header the workbook gives it."""
    return {
        f"list {n} {name}": header for n, one in sorted(contents.lists.items()) for name, header in one.headers.items()
    }


def _mapping_note(one: FoundList) -> str:
    mapped = "; ".join(
        f"“{column.header}”" if one.headers[column.name] == column.header
        else f"“{column.header}” from “{one.headers[column.name]}”"
        for column in one.annex.columns
        if column.name in one.headers
    )  # fmt: skip
    return f"{one.annex} read from {one.place}, header in row {one.header_row}: {mapped}."
