"""The SSD tables and columns that are read; nothing else of them is.

Table and column names are those of the SSD data model (item references CINE, INVO, CINA, S47E, ICPC, CPPL, CPPR, CINP,
CLAE, CINV, CPPV, CLAV, PROF). Names, registration numbers, dates of birth and every other column of these tables are
not loaded; person ids join the tables and are not kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from features.errors import UnreadableExtract
from features.words import listed
from flows.extracts.reading.around import bare
from flows.extracts.reading.cells import no_reference
from flows.extracts.reading.dates import read_dates
from flows.extracts.reading.delimited import (
    decoded,
    delimiter_of,
    numbered_rows,
    plain_csv,
    refuse_ragged,
    split_separator_line,
    stands_alone,
)
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.nobody import nobody_and_unknown
from flows.extracts.reading.table import NULL_MARKERS, as_text, tidied
from flows.extracts.reading.where import Where, damage_as_sentence

EPISODES = "ssd_cin_episodes"
INVOLVEMENTS = "ssd_involvements"
ASSESSMENTS = "ssd_cin_assessments"
ENQUIRIES = "ssd_s47_enquiry"
CONFERENCES = "ssd_initial_cp_conference"
PLANS = "ssd_cp_plans"
REVIEWS = "ssd_cp_reviews"
CIN_PLANS = "ssd_cin_plans"
CLA_EPISODES = "ssd_cla_episodes"
CIN_VISITS = "ssd_cin_visits"
CP_VISITS = "ssd_cp_visits"
CLA_VISITS = "ssd_cla_visits"
PROFESSIONALS = "ssd_professionals"

#: What the SSD's own scripts write for a figure that is still to come, and systems for “no worker”.
PLACEHOLDERS = ("PLACEHOLDER_DATA", "SSD_PH", "-1")
#: What the notes say about a table that was not sent.
ABSENT = "is not in the folder"
#: If a date is empty in this many rows, it was lost in the export.
_MANY_ROWS = 5
#: No council has a table of more rows than this: six years of everybody's visits stay far below it.
MAX_ROWS = 5_000_000


@dataclass(frozen=True, slots=True)
class SsdTable:
    """The columns read of one table: `keys` as text, `dates` as dates, `codes` as text that may be absent."""

    name: str
    keys: tuple[str, ...]
    dates: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, in order."""
        return (*self.keys, *self.dates, *self.codes)


TABLES: tuple[SsdTable, ...] = (
    SsdTable(
        EPISODES,
        ("cine_referral_id", "cine_person_id"),
        ("cine_referral_date", "cine_close_date"),
        ("cine_referral_nfa",),
    ),
    SsdTable(
        INVOLVEMENTS,
        ("invo_referral_id", "invo_professional_id"),
        ("invo_involvement_start_date", "invo_involvement_end_date"),
        ("invo_professional_role_id", "invo_professional_team", "invo_worker_change_reason", "invo_person_id"),
    ),
    SsdTable(
        ASSESSMENTS,
        ("cina_referral_id",),
        ("cina_assessment_start_date", "cina_assessment_auth_date"),
        ("cina_person_id",),
    ),
    SsdTable(ENQUIRIES, ("s47e_referral_id", "s47e_s47_enquiry_id"), ("s47e_s47_start_date",), ("s47e_person_id",)),
    SsdTable(CONFERENCES, ("icpc_s47_enquiry_id",), ("icpc_icpc_date",)),
    SsdTable(
        PLANS,
        ("cppl_cp_plan_id", "cppl_referral_id", "cppl_person_id"),
        ("cppl_cp_plan_start_date", "cppl_cp_plan_end_date"),
        ("cppl_cp_plan_ola",),
    ),
    SsdTable(REVIEWS, ("cppr_cp_plan_id",), ("cppr_cp_review_due", "cppr_cp_review_date")),
    SsdTable(
        CIN_PLANS,
        ("cinp_referral_id",),
        ("cinp_cin_plan_start_date", "cinp_cin_plan_end_date"),
        ("cinp_person_id",),
    ),
    SsdTable(
        CLA_EPISODES,
        ("clae_referral_id", "clae_person_id"),
        ("clae_cla_episode_start_date", "clae_cla_episode_ceased_date"),
    ),
    SsdTable(CIN_VISITS, ("cinv_person_id",), ("cinv_cin_visit_date",), ("cinv_cin_visit_seen",)),
    SsdTable(CP_VISITS, ("cppv_person_id",), ("cppv_cp_visit_date",), ("cppv_cp_visit_seen",)),
    SsdTable(CLA_VISITS, ("clav_person_id",), ("clav_cla_visit_date",), ("clav_cla_visit_seen",)),
    SsdTable(PROFESSIONALS, ("prof_professional_id",), (), ("prof_full_time_equivalency",)),
)
BY_NAME = {t.name: t for t in TABLES}
#: A key with a column `x!` like a date's, as a blank or unknown one does not mean nobody.
UNSAID = ("invo_professional_id",)
#: Column that may have such a problem -> its table; no two tables have a column of one name.
TABLE_OF = {column: t.name for t in TABLES for column in (*t.dates, *t.keys)}

_NOT_A_TABLE_NAME = re.compile(r"^.*?(ssd_[a-z0-9_]+?)(?:_v)?$")


@dataclass(frozen=True, slots=True)
class Tables:
    """The contents of a folder. Dates are dates; a date column `x` has a column `x!` with the problem of each cell, or
    null."""

    frames: Mapping[str, pl.DataFrame]
    """With `row`, the number of the row as a person sees it."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Table -> why it is missing, as the end of “the table …”."""
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.frames[name]

    def has(self, *names: str) -> bool:
        """Whether all these tables can be used."""
        return all(n in self.frames for n in names)


def table_name(filename: str) -> str:
    """`ssd_involvements` for `dbo.ssd_involvements.csv`; any other name comes back unchanged."""
    stem = filename.rpartition("/")[2].rpartition(".")[0].lower()
    found = _NOT_A_TABLE_NAME.match(stem)
    return found[1] if found else stem


def read_ssd_tables(content: Mapping[str, bytes], names: Sequence[str], where: Where) -> Tables:
    """Read the needed columns of the named tables; anything else in the folder is left alone.

    Raises UnreadableExtract, naming the table, for a file that is not such a table; a table that is missing or lacks
    columns is in `lacking`.
    """
    files: dict[str, list[str]] = {}
    for filename in sorted(content):
        files.setdefault(table_name(filename), []).append(filename)
    frames: dict[str, pl.DataFrame] = {}
    lacking: dict[str, str] = {}
    notes: list[str] = []
    for name in names:
        found = files.get(name, [])
        if len(found) > 1:
            raise UnreadableExtract(
                f"{where}: the table {name} is there {len(found)} times ({', '.join(found)}), and which one is meant "
                "would be a guess. Keep one."
            )
        if not found:
            lacking[name] = ABSENT
            continue
        here = Where(where.council, where.month, f"{where.filename}/{found[0]}")
        text, absent, said = _read(content[found[0]], BY_NAME[name], here)
        notes += [f"{found[0]}: {note}" for note in said]
        if text is None:
            lacking[name] = f"has no column {' and no column '.join(absent)}"
            continue
        if empty := [c for c in BY_NAME[name].dates if _says_nothing(text[c])]:
            lacking[name] = f"has no value in {' and none in '.join(empty)}"
            continue
        frames[name] = _typed(text, BY_NAME[name])
    return Tables(frames, lacking, tuple(notes))


def _says_nothing(cells: pl.Series) -> bool:
    """Whether a date that every row should have at some time is in none of many rows; open rows may lack an end."""
    goes_on = cells.name.endswith(("_end_date", "_ceased_date", "_close_date"))
    return not goes_on and cells.len() >= _MANY_ROWS and cells.null_count() == cells.len()


def _read(content: bytes, table: SsdTable, where: Where) -> tuple[pl.DataFrame | None, list[str], list[str]]:
    """The table's columns as trimmed text, or the required columns that it lacks; and the notes."""
    if not content.strip():
        raise UnreadableExtract(f"{where}: the table is empty. Export it again and send it again.")
    with damage_as_sentence(where):
        try:
            return _read_content(content, table, where)
        except csv.Error:
            raise UnreadableExtract(
                f"{where}: a quotation mark is opened and not closed, or stands inside a value. Export the table again."
            ) from None


def _read_content(content: bytes, table: SsdTable, where: Where) -> tuple[pl.DataFrame | None, list[str], list[str]]:
    if not content.startswith(b"PAR1"):
        text, notes = decoded(content, where)
        made, absent, said = _read_text(text, table, where)
        return made, absent, [*notes, *said]
    columns = list(pl.read_parquet_schema(io.BytesIO(content)))
    wanted, absent = _wanted(columns, table, where)
    if absent:
        return None, absent, []
    frame = pl.read_parquet(io.BytesIO(content), columns=[columns[i] for i in wanted.values()])
    read = frame.select(as_text(frame[columns[i]]).alias(name) for name, i in wanted.items())
    return _clean(read, pl.int_range(2, frame.height + 2, eager=True), table), [], _without(wanted, table)


def _wanted(headers: Sequence[str], table: SsdTable, where: Where) -> tuple[dict[str, int], list[str]]:
    """Column -> its position in the file; and the required columns that are missing."""
    given = [normalised(h) for h in headers]
    positions: dict[str, int] = {}
    for name in table.columns:
        at = [i for i, h in enumerate(given) if h == normalised(name)]
        if len(at) > 1:
            raise UnreadableExtract(f"{where}: the column {name} stands twice. Keep the one that is meant.")
        if at:
            positions[name] = at[0]
    return positions, [n for n in (*table.keys, *table.dates) if n not in positions]


def _without(wanted: Collection[str], table: SsdTable) -> list[str]:
    """A note on the columns that may be missing and are; each table of the dataset has them."""
    absent = [c for c in table.codes if c not in wanted]
    return [f"it has no column {listed(absent)}, so nothing was taken from there."] if absent else []


def _read_text(text: str, table: SsdTable, where: Where) -> tuple[pl.DataFrame | None, list[str], list[str]]:
    if text.count("\n") > MAX_ROWS:
        raise _too_many(where)
    said, body = split_separator_line(text)
    known = frozenset(normalised(c) for c in table.columns)
    delimiter = said or delimiter_of(body, known)
    headers = next(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True))
    wanted, absent = _wanted(headers, table, where)
    quick = plain_csv(text, delimiter, len(headers), sorted(wanted.values())) if not (absent or said) else None
    if quick is not None:
        frame = quick.select(pl.col(str(i)).alias(name) for name, i in wanted.items())
        if stands_alone(list(wanted), frame, known):
            return _clean(frame, pl.int_range(2, frame.height + 2, eager=True), table), [], _without(wanted, table)
    rows = numbered_rows(body, delimiter, MAX_ROWS, _too_many(where), where, first=1 if said is None else 2)
    if not rows:
        raise UnreadableExtract(f"{where}: the table is empty. Export it again and send it again.")
    found = bare(rows, known, where, ends_open=not text.endswith(("\n", "\r")))
    wanted, absent = _wanted(found.headers, table, where)
    if absent:
        return None, absent, found.notes
    refuse_ragged(found.rows, len(found.headers), where)
    columns = {name: [row[i] for _, row in found.rows] for name, i in wanted.items()}
    numbers = pl.Series([n for n, _ in found.rows], dtype=pl.UInt32())
    read = pl.DataFrame(columns, schema=dict.fromkeys(wanted, pl.String()))
    return _clean(read, numbers, table), [], [*found.notes, *_without(wanted, table)]


def _too_many(where: Where) -> UnreadableExtract:
    return UnreadableExtract(f"{where}: the table has more than {MAX_ROWS:,} rows. Check that it is one council's.")


def _clean(read: pl.DataFrame, rows: pl.Series, table: SsdTable) -> pl.DataFrame:
    """Trimmed text; blanks, null markers and the SSD's placeholders are null; codes that are absent too."""
    absent = [c for c in table.codes if c not in read.columns]
    return (
        tidied(read.cast(pl.String), (*NULL_MARKERS, *PLACEHOLDERS))
        .with_columns(pl.lit(None, pl.String()).alias(c) for c in absent)
        .with_columns(rows.cast(pl.UInt32).alias("row"))
        .filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    )


def _typed(text: pl.DataFrame, table: SsdTable) -> pl.DataFrame:
    columns: list[pl.Series] = []
    for name in table.dates:
        values, problems = read_dates(text[name])
        columns += [values.alias(name), problems.alias(f"{name}!")]
    # A whole number from a spreadsheet and one from a database are the same key.
    names = [*table.keys, *(c for c in table.codes if c.endswith("_person_id"))]
    keys = [text[k].str.replace(r"^([0-9]+)\.0+$", "${1}").set(no_reference(text[k]), None) for k in names]
    said = [unsaid(text[k]).alias(f"{k}!") for k in names if k in UNSAID]
    return text.with_columns(*keys, *said, *columns)


def unsaid(references: pl.Series) -> pl.Series:
    """The problem of cells that do not say who is meant; null where somebody or nobody is named."""
    nobody, _ = nobody_and_unknown(references)
    lost = no_reference(references) & ~references.is_in(nobody).fill_null(False)
    empty = pl.when(pl.col(references.name).is_null()).then(pl.lit("empty"))
    return references.to_frame().select(empty.when(lost).then(pl.lit("unknown_reference"))).to_series()
