"""Reads what a published file contains: recognises it by its headers, counts it, and refuses implausible counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import polars as pl
from pydantic import BaseModel, ConfigDict

from features.errors import ReferenceDataError
from features.frameworks import TO_DECIDE
from flows.extracts.formats.dfe.workforce_file import read_published
from flows.published.form import check_rows, kind_of_file
from flows.settings.published_sources import Holds
from models.record import layouts
from models.record.cells import number, unknown_symbols
from models.record.figures import LAIT_MEASURES
from models.record.judgements import ReportRow, report_rows
from models.record.places import plain_name
from models.record.tables import Layout, RecordTable, claim, nearest, tables_of

#: For each kind of file, the layouts of which it must have at least one.
LAYOUTS: Mapping[Holds, tuple[Layout, ...]] = {
    Holds.WORKFORCE: layouts.WORKFORCE,
    Holds.REFERRALS: (layouts.REFERRALS,),
    Holds.SECTION_47: (layouts.SECTION_47,),
    Holds.CHILDREN_IN_NEED: (layouts.CHILDREN_IN_NEED,),
    Holds.REPEAT_PLANS: (layouts.REPEAT_PLANS,),
    Holds.POPULATION: (layouts.POPULATION,),
    Holds.LAIT: (layouts.LAIT,),
    Holds.DEPRIVATION: (layouts.DEPRIVATION,),
    Holds.NEIGHBOURS: (layouts.NEIGHBOURS,),
    Holds.COUNCILS: (layouts.LOOKUP,),
    Holds.JUDGEMENTS: (
        layouts.INSPECTIONS,
        layouts.IN_YEAR,
        layouts.AS_AT_2023,
        *layouts.WIDE_SIF,
        *layouts.WIDE_ILACS,
    ),
    Holds.REPORTS: (layouts.REPORTS,),
}
#: Files of judgements. They are compared by judgement, other files by year and council.
JUDGED = frozenset({Holds.JUDGEMENTS, Holds.REPORTS})

#: The fewest councils in a year. England has 153 with children's services; some share a return, some send none.
LEAST_COUNCILS = 120
#: A column has lost its figures if less than this share of councils has a number in the newest year.
_LEAST_NUMBERS = 0.5
#: The sum of a count for England does not halve or double in a year, unless its unit has changed.
_LARGEST_STEP = 2.0

#: Unreadable grades count as a new wording if a year has at least this many judgements, and this share of them.
_ENOUGH_ROWS = 5
_LEAST_READABLE = 0.5
_YEAR_DAYS = 365

#: A council's code in LAIT. England and its regions have the codes from 970 on.
_COUNCIL = r"^(?:[2-8]\d\d|9[0-6]\d)$"

_PLACE = frozenset({"time_period", "geographic_level", "old_la_code", "new_la_code", "la_name", "region_name"})
_YEARLY = (*layouts.WORKFORCE, *layouts.CHILDREN, layouts.POPULATION)


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TableContents(_Record):
    """One recognised table."""

    layout: str
    sheet: str | None
    headers: tuple[str, ...]
    rows: int


class Contents(_Record):
    """The contents of a file, as far as they are needed to compare two versions."""

    holds: Holds
    suffix: str
    tables: tuple[TableContents, ...]
    periods: Mapping[str, int] = {}
    """Number of councils with figures by year (`2023`), or in LAIT by item and year (`RevCP 2023`)."""
    judgements: tuple[str, ...] = ()
    """Day of publication and council of each judgement: `2023-07-04 darlington`."""
    undeclared: tuple[str, ...] = ()
    """Reports whose framework nobody had declared when the file was stored."""
    councils: int = 0
    notes: tuple[str, ...] = ()

    @property
    def headers(self) -> frozenset[str]:
        """All headers of the recognised tables."""
        return frozenset(h for t in self.tables for h in t.headers)

    @property
    def rows(self) -> int:
        """The number of rows in all recognised tables."""
        return sum(t.rows for t in self.tables)

    @property
    def last_judgement(self) -> str:
        """The day of the newest judgement; empty if there is none."""
        return max(self.judgements)[:10] if self.judgements else ""


def read_contents(content: bytes, holds: Holds, name: str, *, whole: bool = True) -> Contents:
    """Recognise and count a file that should contain `holds`. `name` is its name in sentences.

    `whole` is False if the server did not say how long the file is; its last line must then be complete. Raises
    ReferenceDataError, which names the file, the column and what is missing, if it is another file, if its layout
    has changed, if it is cut off, or if its counts are implausible.
    """
    suffix = kind_of_file(content, name)
    file = f"{name}{suffix}"
    if suffix == ".csv":
        check_rows(content, file, whole=whole)
    tables = tables_of(file, content)
    claimed = [
        (layout, table, frame)
        for layout in LAYOUTS[holds]
        for table in tables
        if (frame := claim(layout, table)) is not None
    ]
    if not claimed:
        raise ReferenceDataError(_not_recognised(file, holds, tables))
    if holds is Holds.WORKFORCE:
        read_published(content, filename=file)  # a run on published figures reads it just as strictly
    periods: dict[str, int] = {}
    notes: list[str] = []
    judgements: set[str] = set()
    undeclared: list[str] = []
    councils = 0
    for layout, table, frame in claimed:
        if layout in _YEARLY or layout is layouts.LAIT:
            counted, said = _years(layout, table, frame)
            periods |= counted
            notes += said
        elif holds in JUDGED:
            for row in _judged(layout, table, frame):
                if row.undeclared:
                    undeclared.append(row.note(table.where))
                elif row.published is not None:
                    judgements.add(_judgement(row))
        else:
            councils = max(councils, _places(layout, table, frame))
    if holds in JUDGED and not (judgements or undeclared):
        raise ReferenceDataError(f"{file}: no row has both a judgement and its publication date. The old file stays.")
    return Contents(
        holds=holds,
        suffix=suffix,
        tables=tuple(
            TableContents(layout=layout.name, sheet=table.sheet, headers=table.headers, rows=frame.height)
            for layout, table, frame in claimed
        ),
        periods=dict(sorted(periods.items())),
        judgements=tuple(sorted(judgements)),
        councils=councils or len({j[11:] for j in judgements}) or max(periods.values(), default=0),
        undeclared=tuple(undeclared),
        notes=tuple(notes),
    )


def _not_recognised(file: str, holds: Holds, tables: list[RecordTable]) -> str:
    wanted = LAYOUTS[holds]
    others = [
        layout.name
        for layout in layouts.EVERY
        if layout not in wanted and any(all(_has(m, t.headers) for m in layout.marks) for t in tables)
    ]
    if others:
        return f"{file} should hold {wanted[0].name} and holds {others[0]}. Correct the address or `holds`."
    return (
        f"{file} is not recognised as {wanted[0].publisher}’s {wanted[0].name}: its layout has changed, or it is "
        f"another file.{nearest(wanted[0], tables)}"
    )


def _has(pattern: str, headers: Iterable[str]) -> bool:
    return any(re.fullmatch(pattern, h) for h in headers)


def _years(layout: Layout, table: RecordTable, frame: pl.DataFrame) -> tuple[dict[str, int], list[str]]:
    """Number of councils by period, and notes. Raises ReferenceDataError if the newest period is implausible."""
    if layout is layouts.LAIT:
        keyed = frame.filter(pl.col("item").is_in(list(LAIT_MEASURES)), pl.col("old_la_code").str.contains(_COUNCIL))
        keyed = keyed.with_columns(period=pl.concat_str("item", pl.lit(" "), "year"))
        values = ["value"]
    else:
        keyed = frame.filter(pl.col("geographic_level").str.to_lowercase() == "local authority")
        if layout is layouts.POPULATION:
            keyed = keyed.filter(pl.col("age_group").str.to_lowercase().str.contains("0 to 17"))
        keyed = keyed.with_columns(period=pl.col("time_period"))
        values = [n for n in layout.needs if n not in _PLACE | {"age_group"}]
    keyed = keyed.drop_nulls(["period", "old_la_code"])
    if keyed.is_empty():
        raise ReferenceDataError(f"{table.where}: no row of a council was found.")
    _each_once(table, keyed)
    notes = [f"{table.where}: unknown symbol “{s}” reads as missing." for s in unknown_symbols(keyed, values)]
    if layout is layouts.LAIT:
        keyed = keyed.filter(number("value").is_not_null())  # LAIT lists every council in every year
    counted = dict(keyed.group_by("period").len().iter_rows())
    for newest, before in _newest(sorted(counted), lait=layout is layouts.LAIT):
        _check_newest(table, keyed, values, newest, before, counted[newest])
    return counted, notes


def _each_once(table: RecordTable, keyed: pl.DataFrame) -> None:
    doubled = keyed.filter(pl.struct("old_la_code", "period").is_duplicated())
    if doubled.height:
        code, period = doubled.select("old_la_code", "period").sort("period", "old_la_code").row(0)
        raise ReferenceDataError(
            f"{table.where}: council {code} stands more than once in {period}, so the file carries a breakdown that "
            "earlier releases do not. It is not used; the old file stays."
        )


def _newest(periods: list[str], *, lait: bool) -> Iterator[tuple[str, str | None]]:
    """The newest period and the one before it; in LAIT, for each item."""
    groups: dict[str, list[str]] = {}
    for period in periods:
        groups.setdefault(period.rpartition(" ")[0] if lait else "", []).append(period)
    for own in groups.values():
        yield own[-1], own[-2] if len(own) > 1 else None


def _check_newest(
    table: RecordTable, keyed: pl.DataFrame, values: list[str], newest: str, before: str | None, councils: int
) -> None:
    if councils < LEAST_COUNCILS:
        raise ReferenceDataError(
            f"{table.where}: {newest} has {councils} councils, and England about 150: the file is incomplete. "
            "It is not used; the old file stays."
        )
    for column in values:
        now = keyed.filter(pl.col("period") == newest).select(number(column)).to_series()
        share = 1 - now.null_count() / now.len()
        if share < _LEAST_NUMBERS:
            raise ReferenceDataError(
                f"{table.where}, column {column}: {share:.0%} of councils have a number in {newest}. The column has "
                "changed its form, or is not filled yet. It is not used; the old file stays."
            )
        if before is None:
            continue
        past = keyed.filter(pl.col("period") == before).select(number(column)).to_series()
        one, other = _average(now), _average(past)
        if min(one, other) >= 1 and not 1 / _LARGEST_STEP <= one / other <= _LARGEST_STEP:
            raise ReferenceDataError(
                f"{table.where}, column {column}: the average of {newest} is {one / other:.1f} times that of {before}. "
                "A unit or a definition has changed. It is not used; the old file stays."
            )


def _average(values: pl.Series) -> float:
    mean = values.mean()
    return float(mean) if isinstance(mean, float) else 0.0


def _judged(layout: Layout, table: RecordTable, frame: pl.DataFrame) -> list[ReportRow]:
    """The rows of a list of reports that say how a council was judged, whether or not their framework is declared.

    Raises ReferenceDataError if dates, or the grades of the newest year, are in an unknown form: otherwise new
    judgements would be missing without notice.
    """
    rows = [r for r in report_rows(layout, frame) if r.written]
    undated = sum(r.cells["dated"] and r.published is None for r in rows)
    if undated:
        raise ReferenceDataError(
            f"{table.where}: {undated} judgement{'s have' if undated > 1 else ' has'} a publication date that cannot "
            "be read. The file is not used; the old one stays."
        )
    dated = [(r.published, r) for r in rows if r.published is not None]
    last = max((day for day, _ in dated), default=date.min)
    newest = [r for day, r in dated if r.framework is not None and (last - day).days < _YEAR_DAYS]
    unread = sum(r.undeclared for r in newest)
    if len(newest) >= _ENOUGH_ROWS and unread > len(newest) * (1 - _LEAST_READABLE):
        raise ReferenceDataError(
            f"{table.where}: the grades of {unread} of the {len(newest)} judgements of the newest year are written "
            "in words that are not known. The file is not used; the old one stays. If they are of a new framework, "
            f"decide in features/frameworks.py: {TO_DECIDE}."
        )
    return rows


def _judgement(row: ReportRow) -> str:
    council = next((str(v) for n in ("la_name", "new_la_code", "old_la_code", "urn") if (v := row.cells[n])), "")
    return f"{row.published} {plain_name(council) or council}"


def _places(layout: Layout, table: RecordTable, frame: pl.DataFrame) -> int:
    column = "new_la_code" if layout is layouts.DEPRIVATION else "old_la_code"
    councils = frame[column].drop_nulls().n_unique()
    if councils < LEAST_COUNCILS:
        raise ReferenceDataError(
            f"{table.where}: {councils} councils, and England has about 150: the file is incomplete. "
            "It is not used; the old file stays."
        )
    return councils
