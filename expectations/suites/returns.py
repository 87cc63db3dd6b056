"""Static rules of the aggregate return. Published files round FTE to one decimal, and a council may do the same."""

from __future__ import annotations

import polars as pl

from expectations.batch import Severity
from expectations.suites.generated import generated
from expectations.suites.rules import Rule, row_rule
from features.registry import EXTRACTS, RETURN_INPUTS, Kind

_KIND = Kind.RETURN

#: Hundredths of FTE by which two figures rounded to one decimal may contradict each other: 0.05 each, and the sum of
#: three of them in the caseholders' rule.
ROUNDING_HUNDREDTHS = 20

#: (part, whole) in the same unit: the part cannot be larger than the whole.
PARTS: tuple[tuple[str, str], ...] = (
    ("unallocated_cases", "open_cases"),
    ("re_referrals_12m", "referrals_12m"),
    ("assessments_in_time_12m", "assessments_completed_12m"),
    ("icpcs_in_time_12m", "icpcs_12m"),
    ("cp_reviews_in_time", "cp_reviews_due"),
    ("repeat_cp_plans_12m", "cp_plans_started_12m"),
)

#: (FTE, people): there cannot be more FTE than people.
PEOPLE: tuple[tuple[str, str], ...] = (
    ("inpost_fte", "inpost_headcount"),
    ("starters_fte", "starters_headcount"),
    ("leavers_fte", "leavers_headcount"),
    ("agency_fte", "agency_headcount"),
)


def _part(part: str, whole: str) -> Rule:
    return row_rule(
        _KIND,
        (part, whole),
        f"above_{whole}",
        Severity.ERROR,
        pl.col(part) <= pl.col(whole),
        f"{part} is more than {whole}",
        f"{part} is a part of {whole}; correct whichever is wrong.",
    )


def _people(fte: str, headcount: str) -> Rule:
    return row_rule(
        _KIND,
        (fte, headcount),
        "above_headcount",
        Severity.QUERY,
        pl.col(fte) <= 100 * pl.col(headcount) + ROUNDING_HUNDREDTHS,
        f"{fte} is more than {headcount}",
        "One person is at most 1 FTE; check both figures.",
    )


RULES: tuple[Rule, ...] = (
    *generated(_KIND),
    *(
        row_rule(
            _KIND,
            name,
            "missing",
            Severity.INFORMATION,
            pl.col(name).is_not_null(),
            f"{name} is not given; the figures that need it are not worked out",
            "Give it if it is known.",
            reads_empty=True,
        )
        for name in RETURN_INPUTS
        if EXTRACTS[_KIND].field(name).required
    ),
    *(_part(*pair) for pair in PARTS),
    *(_people(*pair) for pair in PEOPLE),
    row_rule(
        _KIND,
        ("agency_cover_fte", "agency_fte"),
        "above_agency_fte",
        # DfE publishes five such rows of 1,053 (2017 to 2023), cover rates above 100% included, so it is no error.
        Severity.QUERY,
        pl.col("agency_cover_fte") <= pl.col("agency_fte") + ROUNDING_HUNDREDTHS,
        "agency_cover_fte is more than agency_fte",
        "Cover is the part of the agency FTE that fills vacant posts; check both figures.",
    ),
    row_rule(
        _KIND,
        ("leavers_fte", "inpost_fte"),
        "above_inpost_fte",
        Severity.QUERY,
        pl.col("leavers_fte") <= pl.col("inpost_fte") + ROUNDING_HUNDREDTHS,
        "more workers left in the year than are in post",
        "Check both figures: leavers are counted over 12 months, workers in post at month end.",
    ),
    row_rule(
        _KIND,
        ("case_holders_fte", "inpost_fte", "agency_fte"),
        "above_workforce",
        Severity.ERROR,
        pl.col("case_holders_fte") <= pl.col("inpost_fte") + pl.col("agency_fte") + ROUNDING_HUNDREDTHS,
        "case_holders_fte is more than inpost_fte and agency_fte together",
        "Case holders are workers in post or agency workers; correct whichever figure is wrong.",
    ),
    row_rule(
        _KIND,
        ("cases", "case_holders_fte"),
        "without_holders",
        Severity.ERROR,
        pl.when(pl.col("cases") > 0).then(pl.col("case_holders_fte") > 0),
        "cases are given but nobody holds them",
        "Give case_holders_fte, or 0 cases.",
    ),
)
