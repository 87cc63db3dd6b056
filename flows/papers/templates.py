"""Extract templates: an empty file with its columns, a dictionary of them, and an example that passes the checks.

Everything is generated from the field registry, so a template cannot ask for anything that ingest does not read.
The example is made up by code and contains no real council.
"""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from features.counting.records import RECEIVED, count
from features.errors import HoldfastError
from features.measuring.inputs import build_inputs
from features.months import Month
from features.private_files import write_private
from features.registry import EXTRACTS, RETURN, RETURN_INPUTS, Extract, Field, FieldType, Kind
from flows.extracts.reading.dates import EARLIEST, LATEST
from flows.sample_region import as_canonical, as_sent, generate, region

EXAMPLE_MONTH = Month(2026, 10)
DICTIONARY = "Data dictionary"
_DICTIONARY_HEADER = ("Column", "Needed", "Form", "Codes or range", "What it is", "Taken from", "Also read as")
_WRITTEN = datetime(2020, 1, 1, tzinfo=UTC)
#: The most characters that Excel allows in the message of a cell and in its title.
_MOST_CHARACTERS, _MOST_TITLE = 250, 32

_FORMS = {
    FieldType.TEXT: "text",
    FieldType.CODE: "code, as text",
    FieldType.DATE: "date",
    FieldType.INTEGER: "whole number",
    FieldType.DECIMAL: "number",
    FieldType.FLAG: "1 or 0",
    FieldType.REFERENCE: "your own pseudonym, as text",
}


def write_template(kind: Kind, to: Path, *, as_csv: bool = False) -> tuple[Path, Path]:
    """Write the empty template and, beside it, the filled example; returns both paths.

    Raises HoldfastError instead of overwriting an existing file, because somebody may have filled it in.
    """
    example = to.with_name(f"{to.stem}-example{to.suffix}")
    for path in (to, example):
        if path.exists():
            raise HoldfastError(f"{path} is already there and may have been filled. Move it, or give another name.")
        if not path.parent.is_dir():
            raise HoldfastError(f"There is no folder {path.parent}. Make it, or give another name.")
    filled = example_rows(kind)
    empty = filled.clear()
    for path, rows in ((to, empty), (example, filled)):
        content = rows.write_csv().encode() if as_csv else workbook(kind, rows)
        write_private(path, content)
    return to, example


def workbook(kind: Kind, rows: pl.DataFrame) -> bytes:
    """An Excel workbook: a sheet with these rows, named after the extract, and the data dictionary."""
    extract = EXTRACTS[kind]
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": extract.title, "created": _WRITTEN.replace(tzinfo=None)})
    needed = book.add_format({"bold": True, "bg_color": "#1d3557", "font_color": "#ffffff", "text_wrap": True})
    optional = book.add_format({"bold": True, "bg_color": "#dce6f2", "text_wrap": True})
    formats = {
        FieldType.DATE: book.add_format({"num_format": "dd/mm/yyyy"}),
        FieldType.REFERENCE: book.add_format({"num_format": "@"}),
        FieldType.CODE: book.add_format({"num_format": "@"}),
        FieldType.TEXT: book.add_format({"num_format": "@"}),
        FieldType.DECIMAL: book.add_format({"num_format": "0.00"}),
    }
    sheet = book.add_worksheet(str(kind))
    sheet.freeze_panes(1, 0)
    for position, field in enumerate(extract.fields):
        cell_format = formats.get(field.type)
        sheet.set_column(position, position, max(12, len(field.name) + 2), cell_format)
        sheet.write_string(0, position, field.name, needed if field.required else optional)
        sheet.data_validation(1, position, extract.max_rows, position, _validation(field))
        for row, value in enumerate(rows[field.name].to_list(), start=1):
            _write(sheet, row, position, value, cell_format)
    _dictionary(book.add_worksheet(DICTIONARY), extract, needed, book.add_format({"text_wrap": True, "valign": "top"}))
    book.close()
    return out.getvalue()


def _write(sheet: Worksheet, row: int, column: int, value: Any, cell_format: Format | None) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, cell_format)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, cell_format)
    elif value is not None:
        sheet.write_number(row, column, value, cell_format)


def _validation(field: Field) -> dict[str, Any]:
    """Excel's data validation for a column: what its cells accept, and the message they show."""
    says = {
        "input_title": field.name[:_MOST_TITLE],
        "input_message": _shortened(f"{field.description} {_allowed(field)}".strip()),
        "error_title": field.name[:_MOST_TITLE],
        "error_message": _shortened(f"{_FORMS[field.type]}; {_allowed(field)}"),
        "ignore_blank": True,
    }
    match field.type:
        case FieldType.CODE if field.codes:
            return {**says, "validate": "list", "source": list(field.codes)}
        case FieldType.FLAG:
            return {**says, "validate": "list", "source": ["0", "1"]}
        case FieldType.DATE:
            return {**says, "validate": "date", "criteria": "between", "minimum": EARLIEST, "maximum": LATEST}
        case FieldType.INTEGER | FieldType.DECIMAL:
            validate = "integer" if field.type is FieldType.INTEGER else "decimal"
            low, high = field.minimum or 0, field.maximum if field.maximum is not None else 1e9
            return {**says, "validate": validate, "criteria": "between", "minimum": low, "maximum": high}
        case _:
            return {**says, "validate": "any"}


def _allowed(field: Field) -> str:
    if field.codes:
        return "; ".join(f"{code} {label}" for code, label in field.codes.items())
    if field.minimum is not None and field.maximum is not None:
        return f"{field.minimum:g} to {field.maximum:g} {field.unit}".strip()
    return ""


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 2].rstrip() + " …"


def dictionary_rows(kind: Kind) -> list[tuple[str, ...]]:
    """The data dictionary of an extract: the header, then one row for each column."""
    extract = EXTRACTS[kind]
    rows: list[tuple[str, ...]] = [_DICTIONARY_HEADER]
    for field in extract.fields:
        filled = "" if field.nullable else ", filled in every row"
        rows.append(
            (
                field.name,
                f"{'yes' if field.required else 'if you have it'}{filled}",
                _FORMS[field.type],
                _allowed(field),
                field.description,
                field.source,
                ", ".join(field.synonyms),
            )
        )
    return rows


def _dictionary(sheet: Worksheet, extract: Extract, head: Format, body: Format) -> None:
    sheet.freeze_panes(1, 1)
    for column, width in enumerate((28, 20, 16, 44, 60, 40, 44)):
        sheet.set_column(column, column, width)
    for row, cells in enumerate(dictionary_rows(extract.kind)):
        for column, text in enumerate(cells):
            sheet.write_string(row, column, text, head if row == 0 else body)
    after = len(extract.fields) + 2
    for offset, text in enumerate(
        (
            f"One row is {extract.row_is}.",
            f"Fill the sheet “{extract.kind}”; row 1 stays as it is, and columns you do not have may be deleted if "
            "they are not needed ones.",
            "No names, dates of birth, ethnicity, addresses or national numbers: a file with such a column is refused.",
            "An empty cell means that there is nothing to say. Check the file with: holdfast check FILE",
        )
    ):
        sheet.write_string(after + offset, 0, text)


def example_rows(kind: Kind) -> pl.DataFrame:
    """A small filled extract of a made-up council, in the order of the registry's columns."""
    extract = EXTRACTS[kind]
    if kind is Kind.RETURN:
        return _example_return()
    return _records()[kind].select([f.name for f in extract.fields])


@cache
def _records() -> dict[Kind, pl.DataFrame]:
    """Some workers of a made-up council, some of their cases, and posts that fit them, so that the files agree."""
    (made,) = generate(region(1, 1, 7, EXAMPLE_MONTH))
    sent = {k: as_sent(rows, k).with_columns(pl.col("la_code").cast(pl.String)) for k, rows in made.frames.items()}
    left = pl.col("role_end_date").is_not_null()
    workers, every = sent[Kind.WORKFORCE], sent[Kind.WORKFORCE].height
    # Workers in post, some of them agency workers, and leavers.
    workers = pl.concat([workers.filter(~left).gather_every(12), workers.filter(left).head(3)])
    holder = pl.col("allocated_worker_ref")
    closed, planned = pl.col("closed_date").is_not_null(), pl.col("cp_plan_start_date").is_not_null()
    cases = sent[Kind.CASELOAD].filter(holder.is_null() | holder.is_in(workers.filter(~left)["worker_ref"].to_list()))
    others = cases.filter(~closed, ~planned).gather_every(6)
    cases = pl.concat([others, cases.filter(~closed, planned).head(8), cases.filter(closed).head(4)])
    held = cases.filter(~closed).group_by(holder.alias("worker_ref")).agg(pl.len().alias("held"))
    workers = workers.join(held, on="worker_ref", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("cases").is_not_null()).then(pl.col("held").fill_null(0)).cast(pl.Int64).alias("cases")
    )
    agency = workers.filter(~left, pl.col("agency_worker") == 1)
    fte = agency["fte"].sum()
    posts = sent[Kind.ESTABLISHMENT].with_columns(
        (pl.col("vacancy_fte") * workers.height / every).round(1).alias("vacancy_fte"),
        pl.lit(fte).alias("agency_fte"),
        pl.lit(agency.height, pl.Int64).alias("agency_headcount"),
    )
    posts = posts.with_columns(pl.min_horizontal("vacancy_fte", "agency_fte").alias("agency_cover_fte"))
    return {Kind.WORKFORCE: workers, Kind.CASELOAD: cases, Kind.ESTABLISHMENT: posts}


@cache
def _example_return() -> pl.DataFrame:
    """A return, counted from a year of the made-up council's records."""
    made = region(1, 12, 7, EXAMPLE_MONTH)
    (council,) = made.councils
    counts: dict[Kind, list[pl.DataFrame]] = {}
    states: dict[Kind, pl.DataFrame | None] = {}
    for frames in generate(made):
        known = pl.DataFrame([(council.la_code, frames.month.last_day, "")], schema=RECEIVED, orient="row")
        for kind, frame in frames.frames.items():
            counted = count(kind, as_canonical(frame, kind), frames.month, states.get(kind), known)
            counts.setdefault(kind, []).append(counted.counts)
            states[kind] = counted.state
    inputs, _ = build_inputs(
        {k: pl.concat(parts) for k, parts in counts.items()}, made.register, made.first, EXAMPLE_MONTH
    )
    last = inputs.filter(pl.col("month") == EXAMPLE_MONTH.last_day)
    columns = {"la_code": pl.lit(council.la_code), "reference_date": pl.lit(EXAMPLE_MONTH.last_day)} | {
        f.name: pl.col(RETURN_INPUTS[f.name]) / 10**f.decimals if f.decimals else pl.col(RETURN_INPUTS[f.name])
        for f in RETURN.fields[2:]
    }
    return last.select(value.alias(name) for name, value in columns.items())
