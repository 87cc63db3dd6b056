"""What a rule is, and how to write one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum

import polars as pl

from expectations.batch import Severity
from flows.extracts.formats.csww.stream import Outline
from flows.extracts.formats.csww.totals import Totals
from flows.extracts.formats.csww.typed import year_before


class Looks(Enum):
    """What a rule looks at, in the order of the report and the documentation."""

    FILE = "the file's parts and its header"
    VACANCIES = "the council's vacancies and agency workers"
    WORKER = "each worker's record"
    TOGETHER = "records together, and the rates they make"


@dataclass(frozen=True, slots=True)
class Collection:
    """The year that the return covers."""

    reference_date: date

    @property
    def first_day(self) -> date:
        """First day of the 12 months that end with the reference date."""
        return year_before(self.reference_date)[0]


WorkerTest = Callable[[Collection], pl.Expr]
FileTest = Callable[[Outline], bool]
TotalsTest = Callable[[Totals], str | None]


@dataclass(frozen=True, slots=True)
class ReturnRule:
    """One thing that must not be true of a return.

    `test` says whether it is true. For WORKER it is an expression over typed records (`typed.py`), true where the
    record breaks the rule; for FILE and VACANCIES a bool; for TOGETHER the sentence to show, or None.
    """

    code: str
    looks: Looks
    severity: Severity
    says: str
    """What is wrong, as a clause without a value: “RoleStartDate is given but StartOrigin is missing”."""
    remedy: str
    why: str
    """Where the rule comes from."""
    test: WorkerTest | FileTest | TotalsTest


def _why(function: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(function) or "").split())


def worker_rule(code: str, severity: Severity, says: str, remedy: str) -> Callable[[WorkerTest], ReturnRule]:
    """A rule on each worker's record; the function's docstring is its source."""

    def made(function: WorkerTest) -> ReturnRule:
        return ReturnRule(code, Looks.WORKER, severity, says, remedy, _why(function), function)

    return made


def file_rule(
    code: str, severity: Severity, says: str, remedy: str, looks: Looks = Looks.FILE
) -> Callable[[FileTest], ReturnRule]:
    """A rule on the header, the vacancies or the order of the file."""

    def made(function: FileTest) -> ReturnRule:
        return ReturnRule(code, looks, severity, says, remedy, _why(function), function)

    return made


def totals_rule(code: str, severity: Severity, says: str, remedy: str) -> Callable[[TotalsTest], ReturnRule]:
    """A rule on what the records add up to; the function gives the sentence, with the council's figures."""

    def made(function: TotalsTest) -> ReturnRule:
        return ReturnRule(code, Looks.TOGETHER, severity, says, remedy, _why(function), function)

    return made
