"""Disclosure control for everything a person reads: small counts withheld, rates of few people marked.

The same three numbers hold for e-mails, alert objects and pages, so that no two of them can be laid
side by side to work out what one of them withholds.
"""

from __future__ import annotations

from features.registry import Direction, Measure, Unit

#: Counts from 1 to this are not shown. DfE and most councils withhold 1 to 5.
SUPPRESSED_UP_TO = 5

#: Counts above it are rounded to this, so that two rounded counts cannot be subtracted to a small one.
ROUNDED_TO = 5

#: A median of fewer neighbours than this could be one council's figure, and is not shown.
NEIGHBOURS_NEEDED = 4

#: Units in which a measure is a share of people or cases, and a small numerator points at persons.
_SHARES = (Unit.FRACTION, Unit.PER_10K)


def shown_count(count: float) -> str:
    """A count of people or cases as it may be read: “5 or fewer”, or rounded to five. Zero is shown.

    Raises ValueError for a negative count, which no count of people can be.
    """
    if count < 0:
        raise ValueError("a count of people or cases cannot be negative")
    if count == 0:
        return "0"
    if count < SUPPRESSED_UP_TO + 1:
        return f"{SUPPRESSED_UP_TO} or fewer"
    return f"{int(ROUNDED_TO * ((count + ROUNDED_TO / 2) // ROUNDED_TO)):,}"


def is_small(numerator: float | None, denominator: float | None, bounded: bool) -> bool:
    """Whether a rate rests on a count that must not be shown, or on its small complement."""
    if numerator is None:
        return False
    if 0 < numerator < SUPPRESSED_UP_TO + 1:
        return True
    return bounded and denominator is not None and 0 < denominator - numerator < SUPPRESSED_UP_TO + 1


def may_show_rate_to_region(measure: Measure, numerator: float | None, denominator: float | None) -> bool:
    """Whether others than the council itself may read the rate exactly.

    DfE publishes the official workforce rates of every council; what it does not publish and rests on a
    small count (cases above all) is shown to the council alone.
    """
    if measure.official or measure.unit not in _SHARES or measure.direction is Direction.NONE:
        return True
    return not is_small(numerator, denominator, measure.bounded)


def may_show_neighbours(reported: int | None) -> bool:
    """Whether a median of so many neighbours says nothing about any one of them."""
    return reported is not None and reported >= NEIGHBOURS_NEEDED


def base_mark(small_base: bool) -> str:
    """The words that follow a rate of few people, or nothing."""
    return "small numbers" if small_base else ""
