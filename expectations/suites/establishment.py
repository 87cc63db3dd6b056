"""Static rules of the establishment extract: one row of the council's own totals."""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from expectations.suites.generated import generated
from expectations.suites.rules import Rule, row_rule
from features.registry import Kind

_KIND = Kind.ESTABLISHMENT

#: FTE are held in hundredths. A person cannot be more than one full-time equivalent, allowing for rounding.
_ROUNDING_HUNDREDTHS = 5
_TWO_POSTS = 200


def _given(name: str, remedy: str) -> Rule:
    return row_rule(
        _KIND,
        name,
        "missing",
        Severity.ERROR,
        pl.col(name).is_not_null(),
        f"{name} is empty",
        remedy,
        reads_empty=True,
    )


RULES: tuple[Rule, ...] = (
    *generated(_KIND),
    _given("vacancy_fte", "Give all vacant posts in the structure, those covered by agency staff too; 0 if none."),
    _given("agency_fte", "Give the FTE of agency social workers at month end; 0 if none."),
    _given("agency_headcount", "Give the number of agency social workers at month end; 0 if none."),
    row_rule(
        _KIND,
        ("agency_cover_fte", "agency_fte"),
        "above_agency",
        # A query, as in `returns.py`, because the published census has such rows.
        Severity.QUERY,
        pl.col("agency_cover_fte") <= pl.col("agency_fte"),
        "agency_cover_fte is more than agency_fte",
        "Cover is the part of the agency FTE that fills vacant posts; check both figures.",
    ),
    row_rule(
        _KIND,
        ("agency_cover_fte", "vacancy_fte"),
        "above_vacancies",
        # Of 1,045 published figures 14 exceed this limit; they would be queried with the council, not shown.
        Severity.ERROR,
        pl.col("agency_cover_fte") <= 1.1 * pl.col("vacancy_fte") + _TWO_POSTS,
        "agency_cover_fte is more than vacancy_fte",
        "Cover is the part of the agency FTE that fills vacant posts. Give both in FTE, and count "
        "covered posts as vacant. A percentage is not a number of posts.",
    ),
    row_rule(
        _KIND,
        ("agency_fte", "agency_headcount"),
        "above_headcount",
        Severity.QUERY,
        pl.col("agency_fte") <= 100 * pl.col("agency_headcount") + _ROUNDING_HUNDREDTHS,
        "agency_fte is more than agency_headcount",
        "One person is at most 1 FTE; check both figures.",
    ),
)
