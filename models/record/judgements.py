"""Combines the judgements of all sources, merges them, and lists where the sources disagree.

Ofsted's own history takes precedence over its yearly lists, and those over what others parsed from the reports. A
judgement is known from its publication.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.errors import ReferenceDataError
from features.frameworks import (
    LONGEST_TO_PUBLICATION,
    SIF_FRAMEWORK,
    USUAL_TO_PUBLICATION,
    Framework,
    framework_of,
    is_grade,
    undeclared_note,
)
from models.record import layouts
from models.record.cells import day
from models.record.places import Places
from models.record.tables import Layout, RecordTable, claim

#: No ILACS report was published before this day, and only a handful of first SIF reports after it.
ILACS_FROM = date(2018, 3, 1)

GRADE_FIELDS = ("overall", "leaders", "help", "care", "care_leavers")

#: Grades are what they count as, 1 outstanding to 4 inadequate; null where not given. `words` is the grade of leaders,
#: or else the overall grade, in the words of its framework. `started` is null where no source gives it (most single
#: inspections).
JUDGEMENTS = pl.Schema(
    {
        "la_code": pl.String(),
        "framework": pl.String(),
        "inspection_type": pl.String(),
        "started": pl.Date(),
        "published": pl.Date(),
        **{g: pl.Int8() for g in GRADE_FIELDS},
        "words": pl.String(),
        "sources": pl.String(),
    }
)

#: Where two sources differ on one judgement: `kept` is what the merged record holds.
DISAGREEMENTS = pl.Schema(
    {
        "la_code": pl.String(),
        "published": pl.Date(),
        "field": pl.String(),
        "kept": pl.String(),
        "kept_from": pl.String(),
        "other": pl.String(),
        "other_from": pl.String(),
    }
)

#: Two statements about one council are of the same inspection if published, or started, within this many days.
SAME_INSPECTION_DAYS = 100


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row of a published list of reports."""

    cells: dict[str, Any]
    """The council as the file names it, in the columns of `layouts`; and `dated`: whether a publication is given."""
    inspection_type: str | None
    started: date | None
    published: date | None
    framework: Framework | None
    """None if nobody declared it."""
    written: dict[str, str]
    """Its grades as written, in whatever words."""
    grades: dict[str, int]
    """What those count as that the framework gives and whose words are on its scale."""

    @property
    def undeclared(self) -> bool:
        """Whether it judges in a way that nobody has decided on: it can be neither used nor passed over."""
        if self.framework is None:
            return bool(self.written)
        return any(field in self.framework.judgements and field not in self.grades for field in self.written)

    def note(self, source: str) -> str:
        """The sentence on it, if it is undeclared."""
        council = self.cells["la_name"] or self.cells["old_la_code"] or self.cells["new_la_code"] or "a council"
        day = self.started or self.published
        return undeclared_note(f"{source}, {council}", day, self.inspection_type, list(self.written.values()))


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of one inspection."""

    rank: int
    source: str
    la_code: str
    report: ReportRow

    @property
    def started(self) -> date | None:
        return self.report.started

    @property
    def published(self) -> date | None:
        return self.report.published


@dataclass(frozen=True)
class ReadJudgements:
    """Every judgement in a folder, and what was left out."""

    judgements: pl.DataFrame
    """JUDGEMENTS, merged over sources."""
    disagreements: pl.DataFrame
    """DISAGREEMENTS: where sources differ, and what was kept."""
    notes: list[str]
    """Councils that nobody knows."""
    undeclared: list[str]
    """Reports of frameworks nobody has declared, each with what must be decided."""


def read_judgements(tables: list[RecordTable], places: Places) -> ReadJudgements:
    """Read every source in the folder. Raises ReferenceDataError when no file holds judgements."""
    statements, notes, undeclared = _statements(tables, places)
    if not any(s.published for s in statements):
        raise ReferenceDataError(
            "No file holds inspection judgements with publication dates: put Ofsted's inspection outcomes (ODS) or the "
            "parsed report history (CSV) into the folder."
        )
    merged: list[dict[str, Any]] = []
    disagreements: list[dict[str, Any]] = []
    for group in _same_inspections(statements):
        row, differs = _merge(group)
        if row is not None:
            merged.append(row)
            disagreements += differs
    frame = pl.DataFrame(merged, schema=JUDGEMENTS, orient="row").sort("la_code", "published")
    listed = pl.DataFrame(disagreements, schema=DISAGREEMENTS, orient="row").sort("la_code", "published", "field")
    return ReadJudgements(frame, listed, notes, undeclared)


def _statements(tables: list[RecordTable], places: Places) -> tuple[list[Statement], list[str], list[str]]:
    found: list[Statement] = []
    unknown: set[str] = set()
    undeclared: set[str] = set()
    for rank, layout in _BY_RANK:
        for table in tables:
            frame = claim(layout, table)
            for row in () if frame is None else report_rows(layout, frame):
                if row.undeclared:
                    undeclared.add(row.note(table.where))
                if row.undeclared or not row.grades:
                    continue
                code = places.find(
                    la_code=row.cells["old_la_code"],
                    area_code=row.cells["new_la_code"],
                    urn=row.cells["urn"],
                    name=row.cells["la_name"],
                    on=row.published or row.started,
                )
                if code is None:
                    unknown.add(f"{table.where}: no council “{row.cells['la_name']}”")
                    continue
                found.append(Statement(rank, table.where, code, row))
    return found, sorted(unknown), sorted(undeclared)


#: The layouts of judgements, most reliable first.
_BY_RANK: tuple[tuple[int, Layout], ...] = tuple(
    (rank, layout)
    for rank, alike in enumerate(
        (
            (layouts.INSPECTIONS,),
            (*layouts.WIDE_SIF, *layouts.WIDE_ILACS),
            (layouts.IN_YEAR, layouts.AS_AT_2023),
            (layouts.REPORTS,),
        )
    )
    for layout in alike
)


def report_rows(layout: Layout, frame: pl.DataFrame) -> Iterator[ReportRow]:
    """The rows of a list of reports that give a day, each with its framework and its grades."""
    places = ("old_la_code", "new_la_code", "urn", "la_name")
    texts = (*places, "inspection_type", *GRADE_FIELDS)
    absent = [n for n in (*texts, "started", "published") if n not in frame.columns]
    full = frame.with_columns(pl.lit(None, dtype=pl.String()).alias(n) for n in absent)
    dated = pl.col("published").is_not_null().alias("dated")
    for row in full.select(*texts, dated, day("started"), day("published")).iter_rows(named=True):
        if row["started"] is None and not row["dated"]:
            continue
        framework = _framework(layout, row["inspection_type"], row["started"], row["published"])
        written = {g: row[g] for g in GRADE_FIELDS if is_grade(row[g])}
        read = {} if framework is None else {g: framework.grade_of(w) for g, w in written.items()}
        yield ReportRow(
            cells={n: row[n] for n in (*places, "dated")},
            inspection_type=row["inspection_type"],
            started=row["started"],
            published=row["published"],
            framework=framework,
            written=written,
            grades={g: v for g, v in read.items() if v is not None and framework and g in framework.judgements},
        )


def _framework(
    layout: Layout, inspection_type: str | None, started: date | None, published: date | None
) -> Framework | None:
    """The framework of a report by the table of frameworks; None if nobody declared it.

    The layout of an Ofsted list tells whether it is of single inspections, and the day tells under which framework.
    Reports before ILACS name no type and no start; a few single inspections came out after the first ILACS reports.
    """
    begun = started or (None if published is None else published - USUAL_TO_PUBLICATION)
    if layout in layouts.WIDE_SIF:
        return SIF_FRAMEWORK
    of_reports = layout is layouts.REPORTS
    if of_reports and not inspection_type and not started and published is not None and published < ILACS_FROM:
        return SIF_FRAMEWORK
    return framework_of(inspection_type if of_reports else None, begun)


def _same_inspections(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    """Statements grouped by inspection, the most reliable source first within each."""
    groups: dict[str, list[list[Statement]]] = {}
    for statement in sorted(statements, key=lambda s: (s.la_code, s.rank, s.published or date.max, s.source)):
        mine = groups.setdefault(statement.la_code, [])
        near = [(gap, i) for i, g in enumerate(mine) if (gap := _gap(g, statement)) is not None]
        if near:
            mine[min(near)[1]].append(statement)
        else:
            mine.append([statement])
    for code in sorted(groups):
        yield from groups[code]


def _gap(group: list[Statement], other: Statement) -> int | None:
    """Days between a statement and a group if they may be of the same inspection, else None."""
    gaps: list[int] = []
    for one in group:
        for a, b in ((one.published, other.published), (one.started, other.started)):
            if a and b:
                gaps.append(abs((a - b).days))
    if gaps:
        return min(gaps) if min(gaps) <= SAME_INSPECTION_DAYS else None
    published = next((s.published for s in group if s.published), other.published)
    started = next((s.started for s in group if s.started), other.started)
    if published is None or started is None:
        return None
    lag = published - started
    return lag.days if timedelta(0) <= lag <= LONGEST_TO_PUBLICATION else None


def _merge(group: list[Statement]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    first = group[0]
    framework = first.report.framework
    published = next((s.published for s in group if s.published), None)
    if published is None or framework is None:
        return None, []
    row: dict[str, Any] = {
        "la_code": first.la_code,
        "framework": framework.name,
        "inspection_type": _plain_type(
            next((s.report.inspection_type for s in group if s.report.inspection_type), None)
        ),
        "words": next((w for s in group if (w := _leading_words(s.report, framework))), None),
        "started": next((s.started for s in group if s.started), None),
        "published": published,
        "sources": "; ".join(dict.fromkeys(s.source for s in group)),
    }
    differs: list[dict[str, Any]] = []
    for name in (*GRADE_FIELDS, "started", "published"):
        said = [(v, s.source) for s in group if (v := _value(s, name)) is not None]
        row[name] = said[0][0] if said else None
        for value, source in said[1:]:
            if value != said[0][0] and not any(d["field"] == name and d["other"] == str(value) for d in differs):
                differs.append(
                    {
                        "la_code": first.la_code,
                        "published": published,
                        "field": name,
                        "kept": str(said[0][0]),
                        "kept_from": said[0][1],
                        "other": str(value),
                        "other_from": source,
                    }
                )
    return row, differs


def _value(statement: Statement, name: str) -> int | date | None:
    if name == "started":
        return statement.started
    if name == "published":
        return statement.published
    return statement.report.grades.get(name)


def _leading_words(report: ReportRow, framework: Framework) -> str | None:
    """The grade of leaders, or else the overall grade, as the scale words it."""
    field = next((f for f in ("leaders", "overall") if f in report.grades), None)
    return None if field is None else framework.word_of(report.grades[field], report.written[field])


def _plain_type(text: str | None) -> str | None:
    """`short` or `standard`, however the source writes it."""
    if text is None:
        return None
    return "short" if "short" in text.lower() else "standard"
