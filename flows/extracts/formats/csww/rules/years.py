"""Which rules hold for which year's return: a base year, and what later years changed.

DfE changes the collection from year to year. A year's rules are those of the year before plus the differences declared
here. No source that we could obtain gives any difference, so there are none yet. Every return is checked by the rules
of 2022, and the report on a return of another year says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from features.errors import HoldfastError
from flows.extracts.formats.csww.elements import VACANCIES, WORKER
from flows.extracts.formats.csww.rules import header, whole, workers
from flows.extracts.formats.csww.rules.kinds import ReturnRule
from flows.extracts.formats.csww.rules.made import of_vacancies, of_workers

BASE_YEAR = 2022

BASE: tuple[ReturnRule, ...] = (
    *header.RULES,
    *of_vacancies(VACANCIES),
    *of_workers(WORKER),
    *workers.RULES,
    *whole.RULES,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one year's collection changed against the year before."""

    year: int
    source: str
    """Where the change is documented."""
    adds: tuple[ReturnRule, ...] = ()
    drops: tuple[str, ...] = ()
    """Codes of rules that no longer hold."""
    replaces: tuple[ReturnRule, ...] = ()
    """Rules that hold in another form under the same code."""


#: Oldest first.
DIFFERENCES: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that a return is checked against."""

    year: int
    """The collection they were written for."""
    asked: int
    """The collection that the return belongs to."""
    rules: tuple[ReturnRule, ...]

    @property
    def note(self) -> str | None:
        """What the reader must know if the two years differ."""
        if self.year == self.asked:
            return None
        return (
            f"The return is of {self.asked}. It is checked by the rules of the {self.year} collection, the nearest "
            f"known; what DfE changed {'since' if self.asked > self.year else 'after the return'} is not checked."
        )


def rules_for(
    reference_date: date, base: Sequence[ReturnRule] = BASE, differences: Sequence[Difference] = DIFFERENCES
) -> RuleSet:
    """The rules of the return's year: the base year's, changed by every difference up to it.

    A return from before the base year is checked against the base year's rules. Raises HoldfastError if a difference
    adds an existing code, or drops or replaces one that does not exist.
    """
    rules = {rule.code: rule for rule in base}
    year = BASE_YEAR
    for change in sorted(differences, key=lambda d: d.year):
        if change.year > reference_date.year:
            break
        year = change.year
        gone = [c for c in (*change.drops, *(r.code for r in change.replaces)) if c not in rules]
        again = [r.code for r in change.adds if r.code in rules]
        if gone or again:
            raise HoldfastError(
                f"The differences of {change.year} do not fit the rules before: {', '.join((*gone, *again))}."
            )
        for code in change.drops:
            del rules[code]
        rules |= {rule.code: rule for rule in (*change.replaces, *change.adds)}
    return RuleSet(year, reference_date.year, tuple(rules.values()))
