"""What a check is given and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import polars as pl

from features.errors import ExtractError, HoldfastError
from features.frames import counts_schema
from features.months import Month
from features.registry import Kind

#: A workbook with several lists numbers its rows like this: row 12 of list 6 is row 6 × this + 12.
#: No table of any format has so many rows.
ROWS_PER_LIST = 10_000_000


class Severity(StrEnum):
    """How much a failure matters, heaviest first."""

    ERROR = "error"
    """Wrong: everything that depends on it is withheld."""
    QUERY = "query"
    """Unlikely, or wrong in too few rows to matter: somebody should look at it; nothing is withheld."""
    INFORMATION = "information"
    """Worth knowing; nothing to do before the file can be used."""


class Effect(StrEnum):
    """What a failure does to the figures."""

    NONE = ""
    SET_ASIDE = "the cells or rows are left out"
    WITHHELD = "the figures that need the column are withheld"
    QUARANTINED = "the whole file is not used"
    BROKEN_OFF = "what needs the month before is withheld"
    HELD = "the message to the director waits for an answer"


#: One row for each check, council and file that failed. `row_numbers` are rows as a person sees them in the file (the
#: header is row 1): the first 20 of `rows`. `column` is null when the whole file is meant.
FAILURES = pl.Schema(
    {
        "check": pl.String(),
        "severity": pl.String(),
        "la_code": pl.String(),
        "month": pl.Date(),
        "extract": pl.String(),
        "file": pl.String(),
        "column": pl.String(),
        "rows": pl.UInt32(),
        "row_numbers": pl.List(pl.UInt32()),
        "message": pl.String(),
        "effect": pl.String(),
        "accepted": pl.Boolean(),
    }
)

#: Cells (or, where `column` is null, whole rows) that are wrong but too few to withhold a figure: they are left out one
#: by one.
SET_ASIDE = pl.Schema({"la_code": pl.String(), "extract": pl.String(), "file_row": pl.UInt32(), "column": pl.String()})

#: Checks that could not be made, and why.
NOT_RUN = pl.Schema(
    {"check": pl.String(), "la_code": pl.String(), "month": pl.Date(), "extract": pl.String(), "reason": pl.String()}
)

#: What is kept of a file to compare later months with: its number of rows, filled cells per column, and a digest of the
#: rows. The digest leaves out the reference date, so that last month's file under a new date is recognised.
PROFILE = pl.Schema(
    {
        "la_code": pl.String(),
        "month": pl.Date(),
        "extract": pl.String(),
        "column": pl.String(),
        "rows": pl.UInt32(),
        "filled": pl.UInt32(),
        "content": pl.UInt64(),
    }
)

#: The cells that ingest could not read: null in the frame, with a short code in `problem`.
PROBLEMS = pl.Schema(
    {
        "la_code": pl.String(),
        "extract": pl.String(),
        "file_row": pl.UInt32(),
        "column": pl.String(),
        "problem": pl.String(),
    }
)

#: The source of a cell in PROBLEMS that was worked out from others: the row (`at`) and the column, in words (`of`), in
#: which the fault is. `at` is null where no single row is meant.
ORIGINS = pl.Schema(
    {
        "la_code": pl.String(),
        "extract": pl.String(),
        "file_row": pl.UInt32(),
        "column": pl.String(),
        "at": pl.UInt32(),
        "of": pl.String(),
    }
)


@dataclass(frozen=True)
class Batch:
    """One month's extracts of all councils that sent any, as ingest made them."""

    month: Month
    frames: Mapping[Kind, pl.DataFrame]
    """By kind, the canonical frames of all councils, concatenated."""
    problems: pl.DataFrame = field(default_factory=PROBLEMS.to_frame)
    absent_columns: frozenset[tuple[str, Kind, str]] = frozenset()
    """(la_code, kind, column): optional columns that a file does not have."""
    files: Mapping[tuple[str, Kind], str] = field(default_factory=dict)
    """(la_code, kind) -> the file's name as the council knows it; includes files without rows."""
    refused: Mapping[tuple[str, Kind], ExtractError] = field(default_factory=dict)
    """Files that ingest could not use at all."""
    problem_texts: Mapping[str, str] = field(default_factory=dict)
    """By problem code, what it says of a cell, as the end of “the cell …”."""
    notes: Mapping[tuple[str, Kind], tuple[str, ...]] = field(default_factory=dict)
    """(la_code, kind) -> how the file was read, as sentences without values."""
    absent_because: Mapping[tuple[str, Kind, str], str] = field(default_factory=dict)
    """Why a column is absent, as a sentence, where there is more to say than that it is absent."""
    workers_by_name: frozenset[str] = frozenset()
    """Councils whose cases give their workers by name, so that the workers cannot be found in the workforce extract."""
    lost_columns: frozenset[tuple[str, Kind, str]] = frozenset()
    """Those of `absent_columns` that the file does have, but with nothing usable in them: a fault of the file."""
    origins: pl.DataFrame = field(default_factory=ORIGINS.to_frame)

    def file(self, la_code: str, kind: Kind) -> str:
        """The file's name as shown to people."""
        return self.files.get((la_code, kind), f"{kind}.csv")

    def of_councils(self, councils: Set[str], *, without: bool = False) -> Batch:
        """What these councils sent, or what all others did."""
        rows = pl.col("la_code").is_in(sorted(councils)) ^ without

        def own(key: tuple[str, *tuple[object, ...]]) -> bool:
            return (key[0] in councils) is not without

        return replace(
            self,
            frames={kind: frame.filter(rows) for kind, frame in self.frames.items()},
            problems=self.problems.filter(rows),
            absent_columns=frozenset(filter(own, self.absent_columns)),
            files={key: name for key, name in self.files.items() if own(key)},
            refused={key: error for key, error in self.refused.items() if own(key)},
            notes={key: notes for key, notes in self.notes.items() if own(key)},
            absent_because={key: why for key, why in self.absent_because.items() if own(key)},
            workers_by_name=self.workers_by_name - councils if without else self.workers_by_name & councils,
            lost_columns=frozenset(filter(own, self.lost_columns)),
            origins=self.origins.filter(rows),
        )


@dataclass(frozen=True)
class CheckHistory:
    """What is known of earlier months, for the dynamic checks. If it is empty, those checks are listed as not run."""

    counts: Mapping[Kind, pl.DataFrame] = field(default_factory=dict)
    """By kind, `counts_schema(kind)`: the 12 months before and the month itself."""
    profiles: pl.DataFrame = field(default_factory=PROFILE.to_frame)
    """`Outcome.profile` of earlier months."""
    records: Mapping[Kind, pl.DataFrame] = field(default_factory=dict)
    """By kind, canonical rows as they were used, of the month directly before each that is checked."""

    def with_counts(self, months: Sequence[Mapping[Kind, pl.DataFrame]]) -> CheckHistory:
        """The same history with the counts of further months."""
        kinds = dict.fromkeys([*self.counts, *(kind for counts in months for kind in counts)])
        known = {k: [c[k] for c in (self.counts, *months) if k in c] for k in kinds}
        return replace(self, counts={kind: pl.concat(frames) for kind, frames in known.items()})

    def with_records(self, frames: Mapping[Kind, pl.DataFrame]) -> CheckHistory:
        """The same history with the rows of one more month, as they may be used."""
        kinds = [kind for kind in (Kind.WORKFORCE, Kind.CASELOAD) if kind in frames]
        more = {k: pl.concat([self.records[k], frames[k]]) if k in self.records else frames[k] for k in kinds}
        return replace(self, records={**self.records, **more})

    def counts_of(self, kind: Kind) -> pl.DataFrame:
        """The counts of one kind; if a month was submitted several times, the last known submission."""
        frame = self.counts.get(kind)
        if frame is None:
            return counts_schema(kind).to_frame()
        return frame.sort("la_code", "month", "known_from").unique(
            subset=["la_code", "month"], keep="last", maintain_order=True
        )


@dataclass(frozen=True)
class Statistics:
    """How much was checked, and how long it took."""

    rows: int
    checks_run: int
    seconds: float


@dataclass(frozen=True)
class SuiteResult:
    """What one suite found, in Great Expectations' own words: counts only, no values or rows."""

    name: str
    first: Month
    last: Month
    rows: int
    results: tuple[Mapping[str, Any], ...]
    """One result per check, as the document that Great Expectations writes."""


@dataclass(frozen=True)
class Outcome:
    """Everything a month's check found."""

    month: Month
    failures: pl.DataFrame
    """FAILURES, errors first."""
    withheld: frozenset[tuple[str, Kind, str]]
    """(la_code, kind, field): every count that needs this field is withheld."""
    quarantined: frozenset[tuple[str, Kind]]
    """(la_code, kind): nothing of this file is used; includes refused files."""
    set_aside: pl.DataFrame
    not_run: pl.DataFrame
    profile: pl.DataFrame
    statistics: Statistics
    checked: Mapping[tuple[str, Kind], int] = field(default_factory=dict)
    """(la_code, kind) -> number of rows checked."""
    reissued: frozenset[tuple[str, Kind]] = frozenset()
    """(la_code, kind): its references differ from those of the month before, so nobody can be followed."""
    suites: tuple[SuiteResult, ...] = ()
    """For the Data Docs. All outcomes of a pass over several months share it."""

    def of_council(self, la_code: str) -> pl.DataFrame:
        """The failures of one council."""
        return self.failures.filter(pl.col("la_code") == la_code)

    @property
    def errors(self) -> int:
        """Failures of severity error that nobody has accepted."""
        return self.failures.filter((pl.col("severity") == Severity.ERROR) & ~pl.col("accepted")).height


def doubted(failures: pl.DataFrame) -> dict[str, str]:
    """la_code -> why its figures are doubted as a whole, from a month's FAILURES; leaves out accepted ones."""
    held = failures.filter((pl.col("effect") == Effect.HELD) & ~pl.col("accepted"))
    said = held.group_by("la_code", maintain_order=True).agg(pl.col("message"))
    return {la_code: " ".join(messages) for la_code, messages in said.iter_rows()}


class CheckBroken(HoldfastError):
    """A check itself could not run: a fault of this program, never of a council's file."""
