"""Combines the judgements of all sources, merges them, and lists where the sources disagree.

Ofsted's own history takes precedence over its yearly lists, and those over what others parsed from the reports. A
judgement is known from its publication.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.errors import ReferenceDataError
from models.record import layouts
from models.record.cells import GRADE_WORDS, day, grade
from models.record.frameworks import FRAMEWORKS, Framework, framework_of, grade_words, undeclared_note
from models.record.places import Places
from models.record.tables import Layout, RecordTable, claim

SIF = "SIF"
"""Single inspection framework, 2013 to 2017."""
ILACS = "ILACS"
"""Inspection of local authority children's services, since 2018."""

#: No ILACS report was published before this day, and only a handful of first SIF reports after it.
ILACS_FROM = date(2018, 3, 1)

GRADE_FIELDS = ("overall", "leaders", "help", "care", "care_leavers")

#: Grades are ordinals, 1 Outstanding to 4 Inadequate; null where not given. `started` is null where no
#: source gives it (most SIF inspections).
JUDGEMENTS = pl.Schema(
    {
        "la_code": pl.String(),
        "framework": pl.String(),
        "inspection_type": pl.String(),
        "started": pl.Date(),
        "published": pl.Date(),
        **{g: pl.Int8() for g in GRADE_FIELDS},
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
#: Days from start to publication, for a statement without a start; the median for ILACS reports is 52.
_USUAL_TO_PUBLICATION = 60
#: A statement that has only a start belongs to a judgement published at most this many days after it.
_LONGEST_TO_PUBLICATION = 220


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of one inspection."""

    rank: int
    source: str
    la_code: str
    framework: str | None
    inspection_type: str | None
    started: date | None
    published: date | None
    grades: dict[str, int | None]


def read_judgements(
    tables: list[RecordTable], places: Places, frameworks: Sequence[Framework] = FRAMEWORKS
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """JUDGEMENTS, DISAGREEMENTS and notes, from every source in the folder.

    Rows of an unknown council or an undeclared framework are left out and noted.
    Raises ReferenceDataError when no file holds judgements.
    """
    statements, notes = _statements(tables, places, frameworks)
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
    return frame, listed, notes


def _statements(
    tables: list[RecordTable], places: Places, frameworks: Sequence[Framework]
) -> tuple[list[Statement], list[str]]:
    found: list[Statement] = []
    unknown: dict[str, int] = {}
    words = grade_words(GRADE_WORDS, frameworks)
    for rank, framework, source, frame in _claimed(tables):
        for row in _parsed(frame, words).iter_rows(named=True):
            if row["started"] is None and row["published"] is None:
                continue
            code = places.find(
                la_code=row["old_la_code"],
                area_code=row["new_la_code"],
                urn=row["urn"],
                name=row["la_name"],
                on=row["published"] or row["started"],
            )
            grades = {g: row[g] for g in GRADE_FIELDS}
            graded = any(v is not None for v in grades.values())
            name = _framework(framework, row["inspection_type"], row["started"], row["published"], frameworks)
            # A report whose grades are all in unknown words may be under another framework; a visit has no grades.
            if name is None and (graded or framework is None):
                day = row["started"] or row["published"]
                unknown[undeclared_note(source, row["la_name"], row["inspection_type"], day)] = 1
            if name is None or not graded:
                continue
            if code is None:
                unknown[f"{source}: no council “{row['la_name']}”"] = 1
                continue
            found.append(
                Statement(
                    rank,
                    source,
                    code,
                    name,
                    row["inspection_type"],
                    row["started"],
                    row["published"],
                    grades,
                )
            )
    return found, sorted(unknown)


def _claimed(tables: list[RecordTable]) -> Iterator[tuple[int, str | None, str, pl.DataFrame]]:
    """(rank of the source, framework if the layout gives it, where, rows), most reliable source first."""
    ranked: tuple[tuple[int, str | None, tuple[Layout, ...]], ...] = (
        (0, ILACS, (layouts.INSPECTIONS,)),
        (1, SIF, layouts.WIDE_SIF),
        (1, ILACS, layouts.WIDE_ILACS),
        (2, ILACS, (layouts.IN_YEAR, layouts.AS_AT_2023)),
        (3, None, (layouts.REPORTS,)),
    )
    for rank, framework, group in ranked:
        for layout in group:
            for table in tables:
                frame = claim(layout, table)
                if frame is not None:
                    yield rank, framework, table.where, frame


def _parsed(frame: pl.DataFrame, words: Mapping[str, int]) -> pl.DataFrame:
    texts = ("old_la_code", "new_la_code", "urn", "la_name", "inspection_type")
    absent = [n for n in (*texts, "started", "published", *GRADE_FIELDS) if n not in frame.columns]
    full = frame.with_columns(pl.lit(None, dtype=pl.String()).alias(n) for n in absent)
    return full.select(*texts, day("started"), day("published"), *(grade(g, words) for g in GRADE_FIELDS))


def _framework(
    of_layout: str | None,
    inspection_type: str | None,
    started: date | None,
    published: date | None,
    frameworks: Sequence[Framework],
) -> str | None:
    """The framework of a statement by the table of frameworks; None if nobody declared it.

    The layout of an Ofsted list tells whether it is of ILACS, and the day tells under which framework. Reports before
    ILACS name no type and no start; a few single inspections came out after the first ILACS reports.
    """
    begun = started or (None if published is None else published - timedelta(days=_USUAL_TO_PUBLICATION))
    if of_layout == SIF:
        return SIF
    if of_layout is None and not inspection_type and not started:
        return ILACS if published is not None and published >= ILACS_FROM else SIF
    found = framework_of(None if of_layout else inspection_type, begun, frameworks)
    return None if found is None else found.name


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
    return lag.days if timedelta(0) <= lag <= timedelta(days=_LONGEST_TO_PUBLICATION) else None


def _merge(group: list[Statement]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    first = group[0]
    published = next((s.published for s in group if s.published), None)
    if published is None:
        return None, []
    row: dict[str, Any] = {
        "la_code": first.la_code,
        "framework": next((s.framework for s in group if s.framework), None),
        "inspection_type": _plain_type(next((s.inspection_type for s in group if s.inspection_type), None)),
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
    return statement.grades[name]


def _plain_type(text: str | None) -> str | None:
    """`short` or `standard`, however the source writes it."""
    if text is None:
        return None
    return "short" if "short" in text.lower() else "standard"
