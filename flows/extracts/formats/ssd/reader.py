"""Reads a folder of SSD tables as the `caseload` extract, and what `ssd_professionals` can reliably give.

The tables are a council's whole case system at the moment of export; a month's extract is their state at that month's
end. They name neither council nor month, so their folder gives both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from expectations.batch import ORIGINS
from features.errors import UnreadableExtract, WrongCouncilOrMonth
from features.months import Month, london_day
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.formats.ssd import tables as ssd
from flows.extracts.formats.ssd.episodes import NEEDS, Found, episodes_of
from flows.extracts.formats.ssd.tables import Tables, read_ssd_tables
from flows.extracts.ingest import IngestedExtract, ingest_table
from flows.extracts.reading.table import CELL_PROBLEMS, RawTable
from flows.extracts.reading.tables import too_many_rows
from flows.extracts.reading.where import Where, rows_in_words

_REF = "cine_referral_id"
_CASELOAD_TABLES = tuple(t.name for t in ssd.TABLES if t.name != ssd.PROFESSIONALS)
_WORKFORCE_TABLES = (ssd.EPISODES, ssd.INVOLVEMENTS, ssd.PROFESSIONALS)

_HELD = ("allocated_worker_ref", "team", "worker_changes_12m")

#: Fields of the workforce extract that the SSD has; `role_end_date` is empty because anybody who holds a case is in
#: post.
WORKFORCE_FIELDS = ("worker_ref", "fte", "role_end_date", "cases")

#: What `ssd_professionals` has but Holdfast does not use, and why.
REFUSED_FIGURES = (
    "prof_agency_worker_flag was not taken: in the SSD today it is placeholder data, so who is agency cannot be read "
    "from it. Send it with the workforce extract or the workforce return.",
    "prof_professional_caseload was not taken: it is the number of cases on the last 30 September. The cases at the "
    "month's end were counted from the open involvements instead.",
)


def said(content: Content) -> tuple[str | None, Month | None]:
    """The tables name neither council nor month."""
    del content
    return None, None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """The caseload extract, or the workforce extract of those who hold cases.

    Raises an ExtractError: UnreadableExtract if the episodes are missing or a table is damaged or
    contradicts its key, WrongCouncilOrMonth if the tables were exported before the month.
    """
    where = asked.where
    if not isinstance(content, Mapping):
        raise UnreadableExtract(f"{where}: the SSD is a folder of tables, one file each. Put them into a folder “ssd”.")
    size = sum(len(part) for part in content.values())
    if size > asked.limits.max_bytes:
        raise UnreadableExtract(
            f"{where}: the tables have {size / 1e6:,.0f} MB, more than {asked.limits.max_bytes / 1e6:,.0f} MB. "
            "`holdfast pull-ssd` takes the needed columns alone; or raise max_file_mb."
        )
    of_workers = asked.kind is Kind.WORKFORCE
    tables = read_ssd_tables(content, _WORKFORCE_TABLES if of_workers else _CASELOAD_TABLES, where)
    _check_episodes(tables, asked.month, where)
    found = episodes_of(tables, asked.month, only=_HELD if of_workers else tuple(NEEDS))
    if found.rows.height > EXTRACTS[Kind.CASELOAD].max_rows:
        raise too_many_rows(where, Kind.CASELOAD)
    make = _workforce if of_workers else _caseload
    if not of_workers and ssd.PROFESSIONALS in {ssd.table_name(n) for n in content}:
        found.notes += REFUSED_FIGURES
    table, absent = make(tables, found, asked, where)
    extract = ingest_table(table, asked, mark=mark_of(content), may_lack=tuple(absent))
    # What every extract must have is an error if it is not there, in this format as in any other.
    needed = {f.name for f in EXTRACTS[asked.kind].fields if f.required}
    lost = tuple(name for name in absent if name in needed or name in found.lost)
    if of_workers:
        return replace(extract, absent_because=absent)
    return replace(extract, absent_because=absent, lost_columns=lost, origins=_origins(found, asked))


def _origins(found: Found, asked: Asked) -> pl.DataFrame:
    """ORIGINS of the problems: table, column and row, as the folder has them."""
    cells = found.faults.join(
        found.rows.select("case_ref", "row"), left_on=_REF, right_on="case_ref", how="inner", validate="m:1"
    )
    table = pl.col("column").replace_strict(ssd.TABLE_OF, return_dtype=pl.String())
    return cells.select(
        pl.lit(asked.council.la_code).alias("la_code"),
        pl.lit(str(asked.kind)).alias("extract"),
        pl.col("row").alias("file_row"),
        pl.col("field").alias("column"),
        "at",
        pl.format("“{}” of {}", "column", table).alias("of"),
    ).cast(dict(ORIGINS))  # type: ignore[arg-type]


def _check_episodes(tables: Tables, month: Month, where: Where) -> None:
    if not tables.has(ssd.EPISODES):
        raise UnreadableExtract(
            f"{where}: the table {ssd.EPISODES} {tables.lacking[ssd.EPISODES]}, and without it there are no cases. "
            "Export it and send the folder again."
        )
    episodes = tables[ssd.EPISODES]
    twice = episodes.filter(pl.col(_REF).is_not_null(), pl.col(_REF).is_duplicated())
    if twice.height:
        raise UnreadableExtract(
            f"{where}: {ssd.EPISODES} has {twice[_REF].n_unique():,} {_REF} more than once "
            f"({rows_in_words(twice['row'].sort().to_list())}), so other tables cannot be joined to it. "
            "One row per referral is the table's key; export it again."
        )
    newest: date | None = episodes["cine_referral_date"].max()  # type: ignore[assignment]
    if newest is None or newest < month.first_day:
        raise WrongCouncilOrMonth(
            f"{where}: the newest referral in {ssd.EPISODES} is of {newest}, so the tables were exported before "
            f"{month.in_words} or are another month's. Export them after the month's end."
        )


def _caseload(tables: Tables, found: Found, asked: Asked, where: Where) -> tuple[RawTable, dict[str, str]]:
    """The episodes as text under our headers, and the missing fields."""
    if found.rows.is_empty():
        raise UnreadableExtract(f"{where}: {ssd.EPISODES} has no case open or closed in {asked.month.in_words}.")
    by_reason: dict[str, list[str]] = {}
    for name, why in found.withheld.items():
        by_reason.setdefault(why, []).append(name)
    notes = [*found.notes, *(f"Not given: {', '.join(names)}; {why}." for why, names in by_reason.items())]
    absent = {name: f"It cannot be given from the SSD: {why}." for name, why in found.withheld.items()}
    del tables
    return _as_text(found.rows, Kind.CASELOAD, asked, notes, found.faults), absent


def _workforce(tables: Tables, found: Found, asked: Asked, where: Where) -> tuple[RawTable, dict[str, str]]:
    """One row for each professional who holds an open case at the month's end: cases counted, FTE as it is now."""
    lacking = [t for t in (ssd.INVOLVEMENTS, ssd.PROFESSIONALS) if not tables.has(t)]
    if lacking or "allocated_worker_ref" in found.withheld:
        why = " and ".join(f"the table {t} {tables.lacking[t]}" for t in lacking)
        raise UnreadableExtract(
            f"{where}: {why or found.withheld['allocated_worker_ref']}; so no workforce figure can be made of the SSD."
        )
    staff = tables[ssd.PROFESSIONALS].filter(pl.col("prof_professional_id").is_not_null())
    twice = staff.filter(pl.col("prof_professional_id").is_duplicated())
    if twice.height:
        raise UnreadableExtract(
            f"{where}: {ssd.PROFESSIONALS} has {twice['prof_professional_id'].n_unique():,} professionals more than "
            f"once ({rows_in_words(twice['row'].sort().to_list())}). One row per professional is the table's key."
        )
    held = (
        found.rows.filter(pl.col("closed_date").is_null(), pl.col("allocated_worker_ref").is_not_null())
        .group_by("allocated_worker_ref")
        .agg(pl.len().alias("cases"))
        .rename({"allocated_worker_ref": "worker_ref"})
    )
    rows = held.join(
        staff.select(
            pl.col("prof_professional_id").alias("worker_ref"), pl.col("prof_full_time_equivalency").alias("fte"), "row"
        ),
        on="worker_ref",
        how="left",
        validate="1:1",
    ).sort("worker_ref")
    if rows.is_empty():
        raise UnreadableExtract(f"{where}: nobody holds an open case at the end of {asked.month.in_words}.")
    notes = list(REFUSED_FIGURES)  # notes on the other tables belong to the caseload
    if unknown := rows["row"].null_count():
        notes.append(f"{unknown:,} workers who hold cases are not in {ssd.PROFESSIONALS}; their FTE is not known.")
    given = set(WORKFORCE_FIELDS)
    late = (
        f"{ssd.PROFESSIONALS} keeps no history, so its FTE is of the day of export, and the tables came after "
        f"{asked.month.plus(1).in_words}"
    )
    if london_day(asked.received) > asked.month.plus(1).last_day:
        given.discard("fte")
        notes.append(f"Not given: fte; {late}.")
    else:
        notes.append(f"fte is of the day of export: {ssd.PROFESSIONALS} keeps no history.")
    rows = rows.with_columns(pl.lit(None, pl.Date()).alias("role_end_date"), pl.col("row").fill_null(0))
    because = {"fte": f"It cannot be given from the SSD: {late}.", "agency_worker": REFUSED_FIGURES[0]}
    absent = {
        f.name: because.get(f.name, "The SSD does not carry it.")
        for f in EXTRACTS[Kind.WORKFORCE].fields[2:]
        if f.name not in given
    }
    notes.append("The extract holds those who hold cases and nobody else: the SSD does not say who is in post.")
    return _as_text(rows.drop([c for c in ("fte",) if c not in given]), Kind.WORKFORCE, asked, notes), absent


def _as_text(
    rows: pl.DataFrame, kind: Kind, asked: Asked, notes: list[str], faults: pl.DataFrame | None = None
) -> RawTable:
    """A table as a council would have sent it: our headers, text, and the unreadable cells."""
    fields = [f for f in EXTRACTS[kind].fields[2:] if f.name in rows.columns]
    named = {
        "la_code": pl.lit(asked.council.la_code),
        "reference_date": pl.lit(str(asked.month.last_day)),
        **{
            f.name: pl.col(f.name).cast(pl.UInt8).cast(pl.String)
            if f.type is FieldType.FLAG
            else pl.col(f.name).cast(pl.String)
            for f in fields
        },
    }
    headers = tuple(named)
    cells = rows.select(
        *(value.alias(str(i)) for i, value in enumerate(named.values())), pl.col("row").alias("file_row")
    )
    problems = CELL_PROBLEMS.to_frame()
    if faults is not None and faults.height:
        positions = {name: i for i, name in enumerate(headers)}
        problems = (
            faults.join(rows.select("case_ref", "row"), left_on=_REF, right_on="case_ref", validate="m:1")
            .filter(pl.col("field").is_in(list(positions)))
            .select(
                pl.col("row").alias("file_row"),
                pl.col("field").replace_strict(positions, return_dtype=pl.UInt32()).alias("position"),
                "problem",
            )
        )
    return RawTable(headers, cells, problems, notes=tuple(notes))
