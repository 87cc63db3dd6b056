"""A made-up region of four councils for the Prefect UI: one loses grip, one drifts, one has sent a broken file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from features.months import Month
from flows.sample_region import DEMO_COUNCILS, generate, region, write_landing

LAST = Month(2026, 10)
MONTHS, SEED = 14, 7
#: Steady, losing grip, the work of nine months' drift, and a file that cannot be read.
CODES = ("Z01", "Z02", "Z05", "Z11")
#: Whose director is written to: in a group's first months everybody's, later of whom there is something to say.
FIRST_TOLD = ("Sorrelmere (Z01)", "Quarrendale (Z02)", "Thesselmarch (Z05)", "Eddarkwold (Z11)")
TOLD = ("Quarrendale (Z02)", "Eddarkwold (Z11)")


def make(landing: Path, months: int = MONTHS) -> None:
    """Write the region's extracts and its register. Nobody is scored in few months; every director is told so."""
    whole = region(DEMO_COUNCILS, months, SEED, LAST)
    councils = tuple(
        replace(one, council=replace(one.council, neighbours=tuple(c for c in CODES if c != one.la_code)))
        for one in whole.councils
        if one.la_code in CODES
    )
    made = replace(whole, councils=councils)
    write_landing(landing, made, generate(made))
