"""The types used to declare fields, counts and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl


class FieldType(StrEnum):
    """How a cell of an extract is read. Codes stay text; a symbol never becomes a number."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLAG = "flag"
    REFERENCE = "reference"
    """A council's own pseudonym of a worker or a case; replaced by a keyed hash on ingest."""


class Unit(StrEnum):
    NONE = ""
    HEADCOUNT = "headcount"
    FTE = "full-time equivalents"
    DAYS = "working days"
    CASES = "cases"
    CHILDREN = "children"
    FRACTION = "fraction"
    PER_10K = "per 10,000 children"
    CASES_PER_FTE = "cases per full-time equivalent"
    DATE = "date"


class Privacy(StrEnum):
    PUBLIC = "public"
    """Council level; DfE publishes the same once a year."""
    PSEUDONYM = "pseudonym"
    """Identifies a person; hashed with our key on ingest and never shown."""
    PERSONAL = "about one person"
    """A fact about one worker or child that does not identify them; kept only in the canonical extract."""


class Direction(StrEnum):
    """The direction in which a measure moves when a service is in difficulty."""

    HIGH = "a high value is a concern"
    LOW = "a low value is a concern"
    NONE = "neither way is a concern by itself"


class Group(StrEnum):
    """The five groups of measures of DESIGN section 2, and context, which is never presented as the council's doing."""

    WORKFORCE = "workforce stability"
    FLOW = "flow"
    DEMAND = "demand"
    LEADERSHIP = "leadership"
    SIGHT = "sight"
    CONTEXT = "context"


class Kind(StrEnum):
    """The extracts a council may send. The value is the file's name in the landing folder."""

    WORKFORCE = "workforce"
    ESTABLISHMENT = "establishment"
    CASELOAD = "caseload"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an extract."""

    name: str
    type: FieldType
    description: str
    source: str
    unit: Unit = Unit.NONE
    required: bool = True
    """The column must be in the file. If an optional column is absent, every count that needs it is withheld."""
    nullable: bool = True
    """A cell may be empty."""
    codes: Mapping[str, str] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    decimals: int = 0
    """Stored as an integer with this many decimals (FTE 0.8 is 80), so that sums are exact in any order."""
    privacy: Privacy = Privacy.PERSONAL
    synonyms: tuple[str, ...] = ()
    """Other headers that mean this column; compared without case, spaces and punctuation."""

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of this column in a canonical extract.

        DECIMAL is an Int64 of `10 ** decimals` parts; REFERENCE is the UInt64 of the keyed hash;
        FLAG is Boolean; CODE and TEXT stay String.
        """
        return _DTYPES[self.type]


_DTYPES: dict[FieldType, pl.DataType] = {
    FieldType.TEXT: pl.String(),
    FieldType.CODE: pl.String(),
    FieldType.DATE: pl.Date(),
    FieldType.INTEGER: pl.Int64(),
    FieldType.DECIMAL: pl.Int64(),
    FieldType.FLAG: pl.Boolean(),
    FieldType.REFERENCE: pl.UInt64(),
}


@dataclass(frozen=True, slots=True)
class Extract:
    """One kind of file: what a row stands for, its columns and its key."""

    kind: Kind
    title: str
    row_is: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    max_rows: int
    """A file with more rows than this is not a council's extract."""

    def field(self, name: str) -> Field:
        """The field of that name; raises KeyError."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    @property
    def schema(self) -> pl.Schema:
        """The canonical frame: every field in its type, then where the row came from.

        `file_row` is the row number as a person sees it in the file (the header is row 1).
        """
        columns: dict[str, pl.DataType] = {f.name: f.dtype for f in self.fields}
        return pl.Schema({**columns, "file_row": pl.UInt32()})


class Accrual(StrEnum):
    STOCK = "at month end"
    FLOW = "during the month"


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number counted per council and month from one extract. Measures are made of counts."""

    name: str
    extract: Kind
    accrual: Accrual
    unit: Unit
    description: str
    needs: tuple[str, ...]
    """The fields it reads: if one of them has an error or is absent, the count is withheld."""
    parts: int = 1
    """How many parts make one unit: FTE are counted in hundredths, days in tenths."""


@dataclass(frozen=True, slots=True)
class Term:
    """A signed input of a formula. The name of a flow includes its window: `leavers_fte_12m`."""

    input: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Measure:
    """A rate of one council in one month: weighted inputs over weighted inputs, times a constant."""

    name: str
    label: str
    group: Group
    unit: Unit
    direction: Direction
    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]
    formula: str
    source: str
    multiplier: float = 1.0
    leap_year_multiplier: float | None = None
    """The constant where the trailing 12 months contain a 29 February, if it differs."""
    official: bool = False
    """DfE publishes a measure of this name and formula, so the two may be compared."""
    plausible: tuple[float, float] | None = None
    """1st and 99th percentile of the published council figures, where there are any."""
    bounded: bool = False
    """The numerator is part of the denominator, so the value lies in [0, 1]."""
    small_base: int = 0
    """A rate with a denominator below this is marked: a rate of few people says little."""
    dfe_column: str | None = None
    """The published column, where its name differs from ours or the value is published in per cent."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input the formula reads, numerator first, each once."""
        return tuple(dict.fromkeys(t.input for t in (*self.numerator, *self.denominator)))


class Missing(StrEnum):
    """Why a value is missing. The reason stands beside the value and never replaces it as a number."""

    NOT_REPORTED = "not reported"
    LATE = "not received in time"
    QUARANTINED = "the file could not be used"
    UNREAD = "not read yet, through a fault of ours"
    WITHHELD = "withheld: an error in a field it needs"
    COLUMN_ABSENT = "the extract has no such column"
    NOT_COUNTED = "not counted yet when the month was stored"
    CONFIDENTIAL = "c: confidential in the published file"
    LOW_RELIABILITY = "u: low reliability in the published file"
    NOT_AVAILABLE = "x: not available in the published file"
    NOT_APPLICABLE = "z: not applicable in the published file"
    ROUNDS_TO_ZERO = "low: rounds to zero in the published file"
    WINDOW_INCOMPLETE = "a month of the window is missing"
    ZERO_DENOMINATOR = "nothing to divide by"
    REISSUED = "references were issued anew"
    NEW_REFERENCES = "references were issued anew, as the council confirms"
    NO_POPULATION = "the register gives no child population"
    CONTRADICTION = "its parts contradict each other: the part is larger than the whole"

    @classmethod
    def in_words(cls, reason: str) -> str:
        """The reason as a person who does not make the files would say it."""
        return _MISSING_WORDS.get(reason, reason)


_MISSING_WORDS: dict[str, str] = {
    Missing.WITHHELD: "an error in your file has to be put right first",
    Missing.COLUMN_ABSENT: "your file has no such column",
    Missing.NOT_COUNTED: "we did not count it yet in that month",
    Missing.WINDOW_INCOMPLETE: "more months in a row are needed than we have",
    Missing.ZERO_DENOMINATOR: "there was nothing of the kind to count",
    Missing.REISSUED: "your system gave new reference numbers, so nobody can be followed across the change",
    Missing.NO_POPULATION: "we do not hold the number of children in the area",
}


#: DfE's symbols in published files, current and older, and what they mean. Source: DfE statistics
#: conventions as used in the CSWW release ("k" and ":" in older files of the family).
DFE_SYMBOLS: dict[str, Missing] = {
    "c": Missing.CONFIDENTIAL,
    "u": Missing.LOW_RELIABILITY,
    "x": Missing.NOT_AVAILABLE,
    "z": Missing.NOT_APPLICABLE,
    "low": Missing.ROUNDS_TO_ZERO,
    "k": Missing.ROUNDS_TO_ZERO,
    ":": Missing.NOT_AVAILABLE,
    "..": Missing.NOT_AVAILABLE,
    ".": Missing.NOT_APPLICABLE,
}
