"""Reads one folder of published files into one public record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from features.errors import ReferenceDataError
from models.record import figures, layouts
from models.record.identity import SUCCESSIONS, lineage
from models.record.judgements import ReadJudgements, read_judgements
from models.record.places import deprivation, neighbours, places
from models.record.tables import RecordTable, SourceFile, claim, nearest, read_tables


@dataclass(frozen=True)
class PublicRecord:
    """Everything published: council codes in three digits, symbols as reasons, nothing derived yet."""

    counts: pl.DataFrame
    """figures.COUNTS: workforce and children-in-need counts, by the code DfE published them under."""
    rates: pl.DataFrame
    """figures.RATES: percentages published without counts."""
    population: pl.DataFrame
    """figures.COUNTS with `count` = population_0_17."""
    judgements: pl.DataFrame
    """judgements.JUDGEMENTS, merged over sources."""
    disagreements: pl.DataFrame
    """judgements.DISAGREEMENTS: where sources differ, and what was kept."""
    councils: pl.DataFrame
    """places.COUNCILS: every council that exists or ever did."""
    deprivation: pl.DataFrame
    """places.DEPRIVATION."""
    neighbours: pl.DataFrame
    """places.NEIGHBOURS."""
    lineage: pl.DataFrame
    """identity.LINEAGE: who inherits from whom, and how much."""
    files: tuple[SourceFile, ...]
    """Every file of the folder, with its fingerprint and the layouts found in it (none: not used)."""
    notes: tuple[str, ...]
    """What a reader should know: absent tables, unknown symbols, unknown councils, undeclared reports."""


def read_record(folder: Path) -> PublicRecord:
    """Read every published file of a folder by its layout; file names, years and selections do not matter.

    Later releases in the same layouts need no change. Old and new releases may be in one folder; the newest figure is
    used. A report under an undeclared framework is listed and left out.
    Raises ReferenceDataError, naming file, sheet and column, when a layout has changed or the workforce figures or the
    judgements are missing altogether.
    """
    tables, files = read_tables(folder)
    used = _layouts_by_file(tables)
    if not any(layout.name in names for layout in layouts.WORKFORCE for names in used.values()):
        raise ReferenceDataError(
            f"{folder}: no file holds DfE's workforce figures (column inpost_fte, or social_worker_fte to 2022)."
            + nearest(layouts.WORKFORCE_2023, tables)
        )
    where = places(tables)
    counts, notes = figures.counts(tables)
    population = figures.population(tables)
    judged = read_judgements(tables, where)
    deprived = deprivation(tables, where)
    near = neighbours(tables)
    absent = [
        f"No file holds {layout.name}; features that need it are left out."
        for layout in (*layouts.CHILDREN, layouts.POPULATION, layouts.LAIT, layouts.DEPRIVATION, layouts.NEIGHBOURS)
        if not any(layout.name in names for names in used.values())
    ]
    return PublicRecord(
        counts=counts,
        rates=figures.published_percentages(tables),
        population=population,
        judgements=judged.judgements,
        disagreements=judged.disagreements,
        councils=where.councils,
        deprivation=deprived,
        neighbours=near,
        lineage=lineage(_population_at_change(population, counts)),
        files=tuple(replace(f, layouts=used.get(f.name, ())) for f in files),
        notes=tuple(dict.fromkeys([*absent, *notes, *judged.notes, *judged.undeclared])),
    )


def read_reports(folder: Path) -> ReadJudgements:
    """Read only the judgements of a folder of published files, which must also name the councils.

    Raises ReferenceDataError.
    """
    tables, _ = read_tables(folder)
    return read_judgements(tables, places(tables))


def _layouts_by_file(tables: list[RecordTable]) -> dict[str, tuple[str, ...]]:
    used: dict[str, tuple[str, ...]] = {}
    for table in tables:
        names = tuple(layout.name for layout in layouts.EVERY if claim(layout, table) is not None)
        used[table.file] = tuple(dict.fromkeys((*used.get(table.file, ()), *names)))
    return used


def _population_at_change(population: pl.DataFrame, counts: pl.DataFrame) -> dict[str, float]:
    """Children per council: the last figure of councils that ended, the first of those that began.

    DfE gives no population for some councils that ended. Their part of the successors' children is then estimated in
    proportion to their open cases in their last year.
    """
    known = population.filter(pl.col("value").is_not_null()).sort("period_end")
    cases = counts.filter(pl.col("count") == "open_cases", pl.col("value").is_not_null()).sort("period_end")
    first = dict(known.unique("la_code", keep="first", maintain_order=True).select("la_code", "value").iter_rows())
    last = dict(known.unique("la_code", keep="last", maintain_order=True).select("la_code", "value").iter_rows())
    cased = cases.unique("la_code", keep="last", maintain_order=True)
    last_cases: dict[str, float] = dict(cased.select("la_code", "value").iter_rows())
    found: dict[str, float] = {}
    for change in SUCCESSIONS:
        new = {code: first[code] for code in change.successors if code in first}
        old = {code: last[code] for code in change.predecessors if code in last}
        lost = [code for code in change.predecessors if code not in old]
        if lost and len(new) == len(change.successors) and all(c in last_cases for c in change.predecessors):
            share = sum(new.values()) / sum(last_cases[c] for c in change.predecessors)
            old |= {code: last_cases[code] * share for code in lost}
        found |= new | old
    return found
