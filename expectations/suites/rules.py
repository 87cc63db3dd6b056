"""The types for checks: a rule, and the few ways to write one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

import polars as pl

from expectations.batch import Severity
from features.registry import EXTRACTS, RETURN_INPUTS, Kind, counts_of


class Asserts(StrEnum):
    """The Great Expectations expectation that a rule becomes."""

    NOT_NULL = "expect_column_values_to_not_be_null"
    IN_SET = "expect_column_values_to_be_in_set"
    BETWEEN = "expect_column_values_to_be_between"
    UNIQUE = "expect_column_values_to_be_unique"


class Spare(Enum):
    """What is left out when a rule fails in too few rows to withhold a figure."""

    CELLS = "the cells of the rule's columns"
    ROWS = "the whole rows"
    REPEATS = "every row but the first of its key"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Rule:
    """One thing that must be true of every row of an extract.

    A rule either tests a column with one of `Asserts`, or has an expression `holds` over the prepared frame
    (`rows.py`): true where the row is right, null where the rule does not apply. The expression
    becomes a column, of which an expectation says that it is true.
    """

    code: str
    """Stable, `extract.column.what`; reviewed acceptances and tests refer to it."""
    extract: Kind
    fields: tuple[str, ...]
    """The columns it concerns, most relevant first; an error counts against all of them."""
    severity: Severity
    problem: str
    """What is wrong, as a clause: “fte is empty for someone in post”."""
    remedy: str
    """What to do, as a sentence."""
    asserts: Asserts = Asserts.IN_SET
    arguments: Mapping[str, Any] = field(default_factory=dict)
    holds: pl.Expr | None = None
    reads_empty: bool = False
    """The rule objects to empty cells. A cell that could not be read is reported as unreadable, not as empty too."""
    whole_file: bool = False
    """If it fails beyond the tolerance, nothing in the file can be trusted."""
    spare: Spare = Spare.CELLS
    needs: tuple[Kind, ...] = ()
    """Other extracts of the same council that it compares with."""

    @property
    def column(self) -> str:
        """The column of the table that is validated."""
        return self.fields[0] if self.holds is None else self.code.partition(".")[2]


def row_rule(
    kind: Kind,
    fields: tuple[str, ...] | str,
    what: str,
    severity: Severity,
    holds: pl.Expr,
    problem: str,
    remedy: str,
    *,
    reads_empty: bool = False,
    whole_file: bool = False,
    spare: Spare = Spare.CELLS,
    needs: tuple[Kind, ...] = (),
) -> Rule:
    """A rule written by hand; its code is `kind.first field.what`."""
    names = (fields,) if isinstance(fields, str) else fields
    return Rule(
        f"{kind}.{names[0]}.{what}",
        kind,
        names,
        severity,
        problem,
        remedy,
        arguments={"value_set": [1.0]},
        holds=holds,
        reads_empty=reads_empty,
        whole_file=whole_file,
        spare=spare,
        needs=needs,
    )


def only_where(condition: pl.Expr, holds: pl.Expr) -> pl.Expr:
    """`holds` where the condition is true; null (does not apply) elsewhere."""
    return pl.when(condition).then(holds)


def identifies(kind: Kind, name: str) -> bool:
    """Whether a row without this field belongs to nobody: it is left out, and too many of them invalidate the file."""
    return name in EXTRACTS[kind].key or name == "reference_date"


def _needed(kind: Kind) -> Counter[str]:
    """The number of an extract's counts that need each field."""
    return Counter(name for count in counts_of(kind) for name in count.needs)


#: By kind, the fields that some count needs; an error in another field withholds nothing.
NEEDED: dict[Kind, frozenset[str]] = {
    kind: frozenset(RETURN_INPUTS if kind is Kind.RETURN else _needed(kind)) for kind in EXTRACTS
}


def _core(kind: Kind) -> tuple[str, ...]:
    if kind not in (Kind.WORKFORCE, Kind.CASELOAD):
        return ()
    half = len(counts_of(kind)) / 2
    return tuple(name for name, counts in _needed(kind).items() if counts >= half)


#: By kind, the fields that at least half of its counts need; if one of them fails, so does the file.
CORE: dict[Kind, tuple[str, ...]] = {kind: _core(kind) for kind in EXTRACTS}
