"""Turns one council's file for one month into a canonical extract, or a refusal that says why."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from expectations.batch import ORIGINS, PROBLEMS
from features.councils import Council
from features.errors import UnreadableExtract, WrongCouncilOrMonth
from features.frames import conform
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import EXTRACTS, Field, FieldType, Kind
from features.words import count_words
from flows.extracts.formats.asked import Asked
from flows.extracts.personal.headers import named_column
from flows.extracts.pseudonyms import pseudonyms, team_codes
from flows.extracts.reading.cells import PROBLEM_TEXTS, Cells, read_columns
from flows.extracts.reading.headers import HeaderMatch, match_headers, normalised
from flows.extracts.reading.table import RawTable, is_total, renamed, says_total
from flows.extracts.reading.where import Where, rows_in_words

# Made once: most files have nothing of these.
_NO_PROBLEMS, _NO_ORIGINS, _NO_REASONS = PROBLEMS.to_frame(), ORIGINS.to_frame(), CELL_REASONS.to_frame()
_BETWEEN = re.compile(r"[\s/,;&+\-]+|\band\b")


@dataclass(frozen=True, slots=True)
class IngestedExtract:
    """A file that could be read. Its contents are not checked yet; the expectations do that."""

    kind: Kind
    la_code: str
    month: Month
    filename: str
    sha256: str
    received: datetime
    frame: pl.DataFrame
    """`EXTRACTS[kind].schema`, sorted by key and row; la_code is the register's, references are hashed."""
    problems: pl.DataFrame
    """PROBLEMS of `expectations.batch`: cells that could not be read and are null in `frame`."""
    reasons: pl.DataFrame
    """CELL_REASONS of `features.measuring.returns`: why a council-level figure is missing, if a symbol says so."""
    absent_columns: tuple[str, ...]
    headers: Mapping[str, str]
    """Field -> the header the file gives it."""
    notes: tuple[str, ...]
    """How cells were read, where somebody should know, as sentences without values."""
    absent_because: Mapping[str, str] = field(default_factory=dict)
    """Absent column -> why, as a sentence, if there is more to say than that the file has no such column."""
    workers_by_name: bool = False
    """Its workers are hashes of names, so they match no reference in the workforce extract."""
    lost_columns: tuple[str, ...] = ()
    """Columns that are absent because nothing of them in the file could be used."""
    origins: pl.DataFrame = field(default_factory=lambda: _NO_ORIGINS)
    """ORIGINS of `expectations.batch`: where the fault is, for cells derived from others."""


def ingest_table(table: RawTable, asked: Asked, *, mark: str, may_lack: Collection[str] = ()) -> IngestedExtract:
    """The canonical extract from a table as text; `mark` is the SHA-256 of the received bytes.

    `may_lack` names required fields that this format does not have. They are absent, which withholds whatever depends
    on them but does not refuse the file. Raises UnreadableExtract, HeaderMismatch or WrongCouncilOrMonth.
    """
    kind, council, month, where = asked.kind, asked.council, asked.month, asked.where
    match = match_headers(table.headers, kind=kind, where=where, may_lack=may_lack, places=table.places)
    rows, notes = _without_totals(table, match, kind, where)
    read = read_columns(rows, _present(kind, match))
    columns = {name: cells.values for name, cells in read.items()}
    file_rows = rows["file_row"]
    blank_codes = _check_council(columns["la_code"], file_rows, council, where)
    columns["reference_date"], moved = _check_month(read["reference_date"], file_rows, month, where)
    columns["la_code"] = pl.Series("la_code", [council.la_code], dtype=pl.String()).new_from_index(0, rows.height)
    for present in _present(kind, match):
        if present.type is FieldType.REFERENCE:
            columns[present.name] = pseudonyms(columns[present.name], la_code=council.la_code, key=asked.key)
        elif present.type is FieldType.TEXT:
            columns[present.name] = team_codes(columns[present.name], la_code=council.la_code, key=asked.key)
    extract, schema = EXTRACTS[kind], EXTRACTS[kind].schema
    absent = [
        pl.Series(name, [None], dtype=extract.field(name).dtype).new_from_index(0, rows.height) for name in match.absent
    ]
    columns |= {series.name: series for series in absent}
    frame = pl.DataFrame([columns[name] for name in schema if name in columns] + [file_rows])
    on_times = [f"{name}: {cells.note}" for name, cells in read.items() if cells.note is not None]
    return IngestedExtract(
        kind=kind,
        la_code=council.la_code,
        month=month,
        filename=where.filename,
        sha256=mark,
        received=asked.received,
        frame=_by_key(conform(frame, schema, f"{kind} extract"), extract.key),
        problems=_problems(kind, council, read, file_rows, blank_codes, table, match),
        reasons=_reasons(council, month, read),
        absent_columns=match.absent,
        headers=match.headers,
        notes=(*table.notes, *notes, *moved, *on_times, *_note_unknown(table, match)),
    )


def _by_key(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Sorted by key and row. Rows mostly come in their order, and keeping it costs less than sorting by it too."""
    in_order = frame.get_column("file_row").is_sorted()
    return frame.sort(*key, *(() if in_order else ("file_row",)), nulls_last=True, maintain_order=True)


def _present(kind: Kind, match: HeaderMatch) -> list[Field]:
    return [f for f in EXTRACTS[kind].fields if f.name in match.positions]


def _without_totals(table: RawTable, match: HeaderMatch, kind: Kind, where: Where) -> tuple[pl.DataFrame, list[str]]:
    """The rows, with columns named as fields, without the totals that a report writer added.

    A total is recognised by the word in place of the council's code or the row's key, or, if one of these is blank, in
    any cell; or by any word in place of the code where key and month are blank (“England”, “All teams”).
    """
    names = {str(p): name for name, p in match.positions.items()}
    named = renamed(table.cells, [names.get(name, name) for name in table.cells.columns])
    flags = _totals(named, kind)
    if not flags.any():
        return named, []
    kept = named.filter(~flags)
    if kept.is_empty():
        raise UnreadableExtract(f"{where}: the file has totals and no other rows. Send it again with its rows.")
    return kept, [f"Left out as totals: {rows_in_words(named['file_row'].filter(flags).to_list())}."]


def _totals(named: pl.DataFrame, kind: Kind) -> pl.Series:
    identity = [n for n in dict.fromkeys(("la_code", EXTRACTS[kind].key[0])) if n in named.columns]
    flags = pl.Series("total", [False], dtype=pl.Boolean()).new_from_index(0, named.height)
    for name in identity:
        if not _one_council(named.get_column(name)):
            flags = flags | named.select(says_total(pl.col(name))).to_series()
    if len(identity) > 1 and named.get_column(identity[1]).null_count() and "reference_date" in named.columns:
        nobody = pl.col(identity[1]).is_null() & pl.col("reference_date").is_null()
        flags = flags | named.select(nobody & ~pl.col("la_code").str.contains("[0-9]").fill_null(True)).to_series()
    if any(named.get_column(n).null_count() for n in identity):
        nameless = pl.any_horizontal(pl.col(n).is_null() for n in identity)
        flags = flags | named.select(nameless & pl.any_horizontal(says_total(pl.col(pl.String)))).to_series()
    return flags


def _one_council(codes: pl.Series) -> bool:
    """Whether a column holds the same code throughout, so that its cells need not be checked one by one."""
    return codes.name == "la_code" and not codes.null_count() and codes.n_unique() == 1 and not is_total(codes[0])


def _check_council(codes: pl.Series, file_rows: pl.Series, council: Council, where: Where) -> pl.Series:
    """Rows whose code is blank; raises WrongCouncilOrMonth if a row carries another council's.

    A joint return may give either code or both, with any separator between them.
    """
    if codes.null_count() == 0 and codes.n_unique() == 1 and codes[0] == council.la_code:
        return file_rows.clear()
    own = set(codes_in(council.la_code))
    fits = {
        c: normalised(c) == normalised(council.name) or bool(codes_in(c)) and own.issuperset(codes_in(c))
        for c in codes.unique().to_list()
        if c is not None
    }
    others = [c for c, own_code in fits.items() if not own_code]
    wrong = file_rows.filter(codes.is_in(others).fill_null(False))
    if wrong.len() and not any(c[:3].isdigit() for c in others):
        raise WrongCouncilOrMonth(
            f"{where}: {wrong.len():,} of {codes.len():,} rows have something else than a council's code as la_code "
            f"({rows_in_words(wrong.to_list())}). Write {council.la_code} there, or take out rows that are nobody's."
        )
    if wrong.len():
        raise WrongCouncilOrMonth(
            f"{where}: {wrong.len():,} of {codes.len():,} rows carry another council's la_code "
            f"({rows_in_words(wrong.to_list())}). Send each council's rows in that council's own file; for this one "
            f"la_code is {council.la_code}."
        )
    return file_rows.filter(codes.is_null())


def codes_in(text: str) -> list[str]:
    """The codes in a cell: “314 / 318”, “314-318” and “314 and 318” are the same two, 314.0 is 314."""
    return [part for part in _BETWEEN.split(re.sub(r"\.0+$", "", text.casefold())) if part]


def _check_month(cells: Cells, file_rows: pl.Series, month: Month, where: Where) -> tuple[pl.Series, list[str]]:
    """The reference dates as the month's last day; raises WrongCouncilOrMonth for another month's."""
    dates = cells.values
    last = pl.Series(dates.name, [month.last_day], dtype=pl.Date())
    if dates.null_count() == 0 and dates.min() == dates.max() == month.last_day:
        return dates, []
    inside = dates.is_between(month.first_day, month.last_day)
    wrong = file_rows.filter(~inside.fill_null(True))
    if wrong.len():
        raise WrongCouncilOrMonth(
            f"{where}: {wrong.len():,} of {dates.len():,} rows have a reference_date outside {month.in_words} "
            f"({rows_in_words(wrong.to_list())}). Put the file into the folder of its own month, or correct the dates; "
            f"for this month reference_date is {month.last_day}."
        )
    if dates.null_count() == dates.len():
        why = "every cell is empty"
        if cells.problems is not None and (at := cells.problems.is_not_null().arg_max()) is not None:
            why = f"the cell in row {file_rows[at]} {PROBLEM_TEXTS[cells.problems[at]].partition(';')[0]}"
        raise WrongCouncilOrMonth(
            f"{where}: no row has a readable reference_date ({why}), so the month cannot be confirmed. "
            f"Write {month.last_day} in every row."
        )
    moved = file_rows.filter((dates != month.last_day).fill_null(False))
    notes = (
        [f"reference_date was taken as {month.last_day} in {rows_in_words(moved.to_list())}."] if moved.len() else []
    )
    return last.zip_with(dates.is_not_null(), pl.Series(dates.name, [None], dtype=pl.Date())), notes


def _problems(
    kind: Kind,
    council: Council,
    read: Mapping[str, Cells],
    file_rows: pl.Series,
    blank_codes: pl.Series,
    table: RawTable,
    match: HeaderMatch,
) -> pl.DataFrame:
    """PROBLEMS of the file: from the cells, from the workbook, and rows without a council's code."""
    found = [
        pl.DataFrame({"file_row": file_rows, "problem": cells.problems})
        .drop_nulls("problem")
        .with_columns(column=pl.lit(n))
        for n, cells in read.items()
        if cells.problems is not None
    ]
    if blank_codes.len():
        blank = pl.DataFrame({"file_row": blank_codes})
        found.append(blank.select("file_row", problem=pl.lit("empty"), column=pl.lit("la_code")))
    if table.problems.height:
        fields = {position: name for name, position in match.positions.items()}
        kept = pl.col("position").is_in(list(fields)) & pl.col("file_row").is_in(file_rows.implode())
        name = pl.col("position").replace_strict(fields, return_dtype=pl.String())
        found.append(table.problems.filter(kept).select("file_row", "problem", column=name))
    if not found:
        return _NO_PROBLEMS
    order = {f.name: i for i, f in enumerate(EXTRACTS[kind].fields)}
    return (
        pl.concat(found)
        .with_columns(pl.lit(council.la_code).alias("la_code"), pl.lit(str(kind)).alias("extract"))
        .unique(["file_row", "column"], keep="last", maintain_order=True)
        .sort("file_row", pl.col("column").replace_strict(order, return_dtype=pl.Int64()))
        .select(list(PROBLEMS))
        .cast(PROBLEMS)
    )


def _reasons(council: Council, month: Month, read: Mapping[str, Cells]) -> pl.DataFrame:
    said = [
        (council.la_code, month.last_day, name, reason)
        for name, cells in read.items()
        if cells.reasons is not None
        for reason in cells.reasons.drop_nulls().unique().sort().to_list()[:1]
    ]
    return pl.DataFrame(sorted(said), schema=CELL_REASONS, orient="row") if said else _NO_REASONS


_KEPT_NOTHING = "Nothing that was not read is kept. If it holds people's names, leave it out of the next file."


def _note_unknown(table: RawTable, match: HeaderMatch) -> list[str]:
    with_header = [p for p in match.unknown if normalised(table.headers[p])]
    nameless = len(match.unknown) - len(with_header)
    columns = ", ".join(named_column(table.headers[p], table.place(p)) for p in with_header)
    notes = [f"Columns that were not read, as no field has that name: {columns}."] if columns else []
    notes += [f"{count_words(nameless, 'column', 'columns')} without a header not read."] if nameless else []
    # A few words in no list cannot be told from the names of teams, so the officer is told what to see to.
    return [*notes, _KEPT_NOTHING] if notes else []
