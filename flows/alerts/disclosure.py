"""Disclosure control for everything that people read: which rates rest on few people, and which medians may be seen.

E-mails, alert objects and pages all use the same numbers, so that nobody can compare two of them to work out
what one withholds.
"""

from __future__ import annotations

#: Counts from 1 up to this are not shown. DfE and most councils withhold 1 to 5.
SUPPRESSED_UP_TO = 5

#: A median of fewer neighbours than this is not shown, because it could be one council's figure.
NEIGHBOURS_NEEDED = 4


def is_small(numerator: float | None, denominator: float | None, bounded: bool) -> bool:
    """Whether a rate is based on a count that must not be shown, or whose complement is small."""
    if numerator is None:
        return False
    if 0 < numerator < SUPPRESSED_UP_TO + 1:
        return True
    return bounded and denominator is not None and 0 < denominator - numerator < SUPPRESSED_UP_TO + 1


def may_show_neighbours(reported: int | None) -> bool:
    """Whether this many neighbours reported, so that their median reveals nothing about any one of them."""
    return reported is not None and reported >= NEIGHBOURS_NEEDED
