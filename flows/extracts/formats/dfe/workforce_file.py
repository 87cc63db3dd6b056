"""DfE's published workforce file (CSWW) as a set of returns: one per council per September.

Two generations of headers are known: releases up to 2022, and those since 2023. A file is recognised by its columns. A
changed layout is refused by name, so that no column is ever mistaken for another. DfE's symbols become reasons and
never numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import polars as pl

from features.errors import ReferenceDataError
from features.frames import conform
from features.measuring.reconcile import PUBLISHED
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import BY_NAME, DFE_SYMBOLS, MEASURES, RETURN, FieldType, Unit
from flows.extracts.reading.delimited import delimiter_of, wide_encoding
from flows.extracts.reading.numbers import read_decimals, read_integers

#: The collection describes the year to 30 September.
SEPTEMBER = 9

#: A published rate that is not a number, and why.
PUBLISHED_REASONS = pl.Schema(
    {"la_code": pl.String(), "month": pl.Date(), "measure": pl.String(), "reason": pl.String()}
)

#: The councils of the file: one row per code with the years it reports for.
PUBLISHED_COUNCILS = pl.Schema(
    {
        "la_code": pl.String(),
        "name": pl.String(),
        "region": pl.String(),
        "first": pl.Date(),
        "last": pl.Date(),
    }
)

#: The header stands in one of so many lines; somebody may have put titles above it.
_TITLES = 10
_PLACE = ("time_period", "geographic_level", "region_name", "old_la_code", "la_name")
#: Rates are published to one decimal, in per cent except caseload.
_HALF_WIDTH = 0.05


@dataclass(frozen=True, slots=True)
class _Layout:
    """One generation of headers: our name -> the file's column. `optional` ones may be absent together."""

    release: str
    mark: str
    """A column only this generation has."""
    counts: Mapping[str, str]
    rates: Mapping[str, str]


_OFFICIAL = tuple(m.name for m in MEASURES if m.official)
_COUNTS = (
    "inpost_fte",
    "inpost_headcount",
    "starters_fte",
    "starters_headcount",
    "leavers_fte",
    "leavers_headcount",
    "agency_fte",
    "agency_headcount",
    "agency_cover_fte",
    "vacancy_fte",
    "case_holders_fte",
    "cases",
    "working_days_lost_fte",
)
_RENAMED = {
    "inpost_fte": "social_worker_fte",
    "inpost_headcount": "social_worker_headcount",
    "leavers_fte": "leaver_fte",
    "leavers_headcount": "leaver_headcount",
}
_LAYOUTS = (
    _Layout("since 2023", "inpost_fte", {c: c for c in _COUNTS}, {m: BY_NAME[m].dfe_column or m for m in _OFFICIAL}),
    _Layout(
        "to 2022",
        "social_worker_fte",
        {c: _RENAMED.get(c, c) for c in _COUNTS if not c.startswith("starters_")},
        {m: m if m == "caseload_fte" else f"{m.replace('agency_rate', 'agency_worker_rate')}_%" for m in _OFFICIAL},
    ),
)


@dataclass(frozen=True, slots=True)
class PublishedWorkforce:
    """Everything the file says about councils. Months are 30 Septembers."""

    filename: str
    sha256: str
    release: str
    """Which generation of headers it has."""
    returns: pl.DataFrame
    """`RETURN.schema`, all councils and years, sorted by council and date."""
    reasons: pl.DataFrame
    """CELL_REASONS of `features.measuring.returns`: why a cell of a return is null, where a symbol says so."""
    published: pl.DataFrame
    """PUBLISHED of `features.measuring.reconcile`: DfE's own rates, as fractions (caseload as a ratio)."""
    published_reasons: pl.DataFrame
    """PUBLISHED_REASONS: rates that DfE does not give."""
    councils: pl.DataFrame
    """PUBLISHED_COUNCILS."""

    @property
    def months(self) -> tuple[Month, ...]:
        """The Septembers in the file, oldest first."""
        return tuple(Month.of(d) for d in self.returns["reference_date"].unique().sort().to_list())

    def of(self, month: Month) -> PublishedWorkforce:
        """The same file cut to one September; raises ReferenceDataError if it has none."""
        if month not in self.months:
            raise ReferenceDataError(
                f"{self.filename} has no figures for {month.in_words}. It describes 30 September of "
                f"{', '.join(str(m.year) for m in self.months)}: ask for one of those months, as {self.months[-1]}."
            )
        last = month.last_day
        return PublishedWorkforce(
            self.filename,
            self.sha256,
            self.release,
            self.returns.filter(pl.col("reference_date") == last),
            self.reasons.filter(pl.col("reference_date") == last),
            self.published.filter(pl.col("month") == last),
            self.published_reasons.filter(pl.col("month") == last),
            self.councils.filter(pl.col("first") <= last, pl.col("last") >= last),
        )


def read_published(content: bytes, *, filename: str) -> PublishedWorkforce:
    """Read DfE's published CSV of either generation.

    Raises ReferenceDataError, naming the file and the column, if the layout differs, a cell holds neither a number nor
    a known symbol, or a council occurs twice in a year.
    """
    table = _table(content, filename)
    layout = _recognise(table.columns, filename)
    rows = table.filter(pl.col("geographic_level").str.to_lowercase() == "local authority")
    if rows.is_empty():
        raise ReferenceDataError(f"{filename}: no row has the geographic_level “Local authority”.")
    rows = rows.with_columns(_month_end(rows["time_period"], filename))
    doubled = rows.filter(pl.struct("old_la_code", "month").is_duplicated())
    if doubled.height:
        raise ReferenceDataError(
            f"{filename}: council {doubled['old_la_code'][0]} stands twice in {doubled['time_period'][0]} "
            f"(rows {doubled['file_row'][0]} and {doubled['file_row'][1]})."
        )
    returns, reasons = _returns(rows, layout, filename)
    published, published_reasons = _rates(rows, layout, filename)
    return PublishedWorkforce(
        filename=filename,
        sha256=sha256(content).hexdigest(),
        release=layout.release,
        returns=returns,
        reasons=reasons,
        published=published,
        published_reasons=published_reasons,
        councils=_councils(rows),
    )


def is_published(start: bytes) -> bool:
    """Whether a file that starts like this is DfE's rather than a council's own return: it names place and level."""
    lines = _text(start, "replace").split("\n")[:_TITLES]
    return any(_is_header(line.split(delimiter_of(line))) for line in lines)


def _is_header(cells: Sequence[str]) -> bool:
    found = {c.strip(' "\r').lower() for c in cells}
    return {"time_period", "geographic_level", "old_la_code"} <= found and any(x.mark in found for x in _LAYOUTS)


def columns_of(release: str) -> dict[str, str]:
    """Field of a return -> the column it is read from in files of that generation."""
    return dict(next(layout for layout in _LAYOUTS if layout.release == release).counts)


def _text(content: bytes, errors: str = "strict") -> str:
    """The text, also if a spreadsheet has saved the file as Unicode text of 16 bits."""
    return content.decode(wide_encoding(content) or "utf-8-sig", errors)


def _table(content: bytes, filename: str) -> pl.DataFrame:
    """All columns as trimmed text, with the row number that a person sees."""
    try:
        text = _text(content)
        delimiters = [d for line in text.split("\n")[:_TITLES] if _is_header(line.split(d := delimiter_of(line)))]
        read = csv.reader(io.StringIO(text, newline=""), delimiter=(delimiters or [","])[0], strict=True)
        rows = [r for r in read if r]
    except (UnicodeError, csv.Error):
        raise ReferenceDataError(f"{filename} is no CSV in UTF-8. Download DfE's published file again.") from None
    rows = rows[next((i for i, row in enumerate(rows[:_TITLES]) if _is_header(row)), 0) :]
    if len(rows) < 2:
        raise ReferenceDataError(f"{filename} has no rows. Download DfE's published file again.")
    header, body = [h.strip() for h in rows[0]], rows[1:]
    ragged = [i for i, r in enumerate(body, start=2) if len(r) != len(header)]
    if ragged or len(set(header)) < len(header):
        what = f"row {ragged[0]} has another number of cells than the header" if ragged else "a column stands twice"
        raise ReferenceDataError(f"{filename}: {what}. Download DfE's published file again.")
    columns = {h: [r[i].strip() or None for r in body] for i, h in enumerate(header)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String()))
    return frame.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.UInt32()).alias("file_row"))


def _recognise(columns: Iterable[str], filename: str) -> _Layout:
    found = set(columns)
    layout = next((layout for layout in _LAYOUTS if layout.mark in found), None)
    if layout is None:
        marks = " or ".join(f"{layout.mark} (releases {layout.release})" for layout in _LAYOUTS)
        raise ReferenceDataError(
            f"{filename} is not DfE's published workforce file in a known layout: it has no column {marks}."
        )
    missing = [c for c in (*_PLACE, *layout.counts.values(), *layout.rates.values()) if c not in found]
    if missing:
        raise ReferenceDataError(
            f"{filename}: the layout has changed; releases {layout.release} have the column"
            f"{'s' if len(missing) > 1 else ''} {', '.join(missing)}, this file does not. "
            "Use a release with the known layout, or have the new one added."
        )
    return layout


def _month_end(periods: pl.Series, filename: str) -> pl.Series:
    wrong = periods.filter(~periods.str.contains(r"^20[0-9]{2}$").fill_null(False))
    if wrong.len():
        raise ReferenceDataError(f"{filename}: the column time_period holds something other than years.")
    return pl.Series("month", [date(int(p), SEPTEMBER, 30) for p in periods.to_list()], dtype=pl.Date())


def _read(rows: pl.DataFrame, column: str, decimals: int, filename: str) -> tuple[pl.Series, pl.Series]:
    """Parts and reasons; anything but a number, a known symbol or a blank is an error that names the column."""
    text = rows[column]
    reasons = text.str.to_lowercase().replace_strict(
        {symbol: str(missing) for symbol, missing in DFE_SYMBOLS.items()}, default=None, return_dtype=pl.String()
    )
    plain = text.zip_with(reasons.is_null(), pl.Series([None], dtype=pl.String()))
    values, problems = read_decimals(plain, decimals) if decimals else read_integers(plain)
    if problems.null_count() < problems.len():
        at = rows["file_row"].filter(problems.is_not_null())[0]
        raise ReferenceDataError(
            f"{filename}, row {at}: the column {column} holds neither a number nor one of DfE's symbols "
            f"({', '.join(DFE_SYMBOLS)})."
        )
    return values, reasons


def _returns(rows: pl.DataFrame, layout: _Layout, filename: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    columns = [
        rows["old_la_code"].alias("la_code"),
        rows["month"].alias("reference_date"),
        rows["file_row"],
    ]
    said: list[pl.DataFrame] = []
    for field in RETURN.fields[2:]:
        if field.name not in layout.counts:
            columns.append(pl.Series(field.name, [None], dtype=field.dtype).new_from_index(0, rows.height))
            continue
        decimals = field.decimals if field.type is FieldType.DECIMAL else 0
        values, why = _read(rows, layout.counts[field.name], decimals, filename)
        columns.append(values.alias(field.name))
        said.append(pl.DataFrame([columns[0], columns[1], why.alias("reason")]).with_columns(field=pl.lit(field.name)))
    returns = conform(pl.DataFrame(columns), RETURN.schema, "published returns").sort("la_code", "reference_date")
    reasons = pl.concat(said).drop_nulls("reason").select(list(CELL_REASONS))
    return returns, reasons.sort("la_code", "reference_date", "field")


def _rates(rows: pl.DataFrame, layout: _Layout, filename: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    parts = []
    for measure, column in layout.rates.items():
        tenths, reasons = _read(rows, column, 1, filename)
        # Per cent becomes a fraction; caseload stays in cases per worker.
        scale = 100.0 if BY_NAME[measure].unit is Unit.FRACTION else 1.0
        parts.append(
            pl.DataFrame(
                [rows["old_la_code"].alias("la_code"), rows["month"], tenths.alias("tenths"), reasons.alias("reason")]
            ).with_columns(
                measure=pl.lit(measure),
                published=pl.col("tenths") / (10 * scale),
                half_width=pl.lit(_HALF_WIDTH / scale),
            )
        )
    both = pl.concat(parts).sort("la_code", "month", "measure")
    published = both.drop_nulls("published").select(list(PUBLISHED))
    return published, both.drop_nulls("reason").select(list(PUBLISHED_REASONS))


def _councils(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.sort("old_la_code", "month")
        .group_by("old_la_code", maintain_order=True)
        .agg(
            name=pl.col("la_name").last(),
            region=pl.col("region_name").last(),
            first=pl.col("month").first(),
            last=pl.col("month").last(),
        )
        .rename({"old_la_code": "la_code"})
        .select(list(PUBLISHED_COUNCILS))
    )
