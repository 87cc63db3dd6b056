"""Disclosure control for everything that people read: withholds small counts and marks rates of few people.

E-mails, alert objects and pages all use the same three numbers, so that nobody can compare two of them to work out
what one withholds.
"""

from __future__ import annotations

from features.registry import Direction, Measure, Unit

#: Counts from 1 up to this are not shown. DfE and most councils withhold 1 to 5.
SUPPRESSED_UP_TO = 5

#: Larger counts are rounded to a multiple of this, so that a small count cannot be found as a difference of two.
ROUNDED_TO = 5

#: A median of fewer neighbours than this is not shown, because it could be one council's figure.
NEIGHBOURS_NEEDED = 4

#: Units in which a measure is a share of people or cases, so that a small numerator could identify people.
_SHARES = (Unit.FRACTION, Unit.PER_10K)


def shown_count(count: float) -> str:
    """A count of people or cases as it may be shown: “5 or fewer”, or rounded to five. Zero is shown.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("a count of people or cases cannot be negative")
    if count == 0:
        return "0"
    if count < SUPPRESSED_UP_TO + 1:
        return f"{SUPPRESSED_UP_TO} or fewer"
    return f"{int(ROUNDED_TO * ((count + ROUNDED_TO / 2) // ROUNDED_TO)):,}"


def is_small(numerator: float | None, denominator: float | None, bounded: bool) -> bool:
    """Whether a rate is based on a count that must not be shown, or whose complement is small."""
    if numerator is None:
        return False
    if 0 < numerator < SUPPRESSED_UP_TO + 1:
        return True
    return bounded and denominator is not None and 0 < denominator - numerator < SUPPRESSED_UP_TO + 1


def may_show_rate_to_region(measure: Measure, numerator: float | None, denominator: float | None) -> bool:
    """Whether anyone besides the council itself may see the exact rate.

    DfE publishes the official workforce rates of every council. Rates that it does not publish and that are based
    on a small count (mostly of cases) are shown to the council only.
    """
    if measure.official or measure.unit not in _SHARES or measure.direction is Direction.NONE:
        return True
    return not is_small(numerator, denominator, measure.bounded)


def may_show_neighbours(reported: int | None) -> bool:
    """Whether this many neighbours reported, so that their median reveals nothing about any one of them."""
    return reported is not None and reported >= NEIGHBOURS_NEEDED


def base_mark(small_base: bool) -> str:
    """The words to put after a rate of few people; else empty."""
    return "small numbers" if small_base else ""
