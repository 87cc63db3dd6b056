"""Rules on all records together: the header's agency figures, people recorded twice, implausible rates."""

from __future__ import annotations

from expectations.batch import Severity
from expectations.suites.between import AGREES_WITHIN
from features.registry import BY_NAME, Unit
from features.words import count_words
from flows.extracts.formats.csww.rates import OFFICIAL, rates_of_return
from flows.extracts.formats.csww.rules.kinds import Looks, ReturnRule, TotalsTest, totals_rule
from flows.extracts.formats.csww.totals import Totals

_ERROR, _QUERY, _INFORMATION = Severity.ERROR, Severity.QUERY, Severity.INFORMATION
#: FTE of agency workers by which header and records may differ, as between a month's two extracts.
_AGENCY_FLOOR = 2
_MILLIONTHS, _HUNDREDTHS = 1_000_000, 100


@totals_rule(
    "CSWW-C01",
    _ERROR,
    "NoAgencyFTE differs from the total of the agency workers' records",
    "Both are of the reference date; check which is right. DfE's agency rate takes NoAgencyFTE.",
)
def agency_fte_differs(totals: Totals) -> str | None:
    """The header's figure is the sum of the agency workers' FTE. The tolerance, a tenth or 2 FTE, is that
    between a month's establishment and workforce extracts (`expectations/suites/between.py`)."""
    if totals.agency_fte is None:
        return None
    header, records = totals.agency_fte / _HUNDREDTHS, totals.sums.agency_fte / _MILLIONTHS
    if abs(header - records) <= max(AGREES_WITHIN * max(header, records), _AGENCY_FLOOR):
        return None
    return f"NoAgencyFTE is {header:,.2f}, and the agency workers in post come to {records:,.2f} FTE"


@totals_rule(
    "CSWW-C02",
    _QUERY,
    "NoAgencyHeadcount differs from the number of agency workers' records in post",
    "Send a record for each agency worker, and check the figure.",
)
def agency_headcount_differs(totals: Totals) -> str | None:
    """Each record of an agency worker is a person (DfE's methodology), so the two are one figure."""
    if totals.agency_headcount is None or totals.agency_headcount == totals.sums.agency_records:
        return None
    return (
        f"NoAgencyHeadcount is {totals.agency_headcount:,}, and there are {totals.sums.agency_records:,} records of "
        "agency workers in post"
    )


@totals_rule(
    "CSWW-D01",
    _INFORMATION,
    "second posts of people who are already counted",
    "Nothing to do if they hold two posts: DfE counts the person once, in the senior role, and the FTE of each post.",
)
def second_posts(totals: Totals) -> str | None:
    """DfE's methodology, “Headcount”: duplicates on council, number, date of birth, gender and ethnicity."""
    n = len(totals.repeats.second_posts)
    if not n:
        return None
    return f"{count_words(n, 'record is', 'records are')} a further post of somebody counted already"


@totals_rule(
    "CSWW-D02",
    _ERROR,
    "records that repeat an earlier one in every element",
    "Leave out records that were exported twice: DfE adds up the FTE of every record.",
)
def same_record_twice(totals: Totals) -> str | None:
    """DfE's methodology: FTE are not de-duplicated, so a record sent twice counts twice."""
    n = len(totals.repeats.same_record)
    if not n:
        return None
    return f"{count_words(n, 'record is', 'records are')} equal to an earlier one in every element"


@totals_rule(
    "CSWW-D03",
    _QUERY,
    "one registration number with two dates of birth, genders or ethnicities",
    "Correct whichever record is wrong: DfE counts these as different people.",
)
def same_number_other_person(totals: Totals) -> str | None:
    """A registration number belongs to one person; DfE's rule for duplicates needs all four to agree."""
    n = len(totals.repeats.same_number_other_person)
    if not n:
        return None
    return f"{n:,} records share a registration number and differ in date of birth, gender or ethnicity"


@totals_rule(
    "CSWW-D04",
    _QUERY,
    "one person's posts add up to more than 1 FTE",
    "Check the FTE of both posts.",
)
def more_than_full_time(totals: Totals) -> str | None:
    """FTE is 0 to 1 for a worker; DfE adds up the posts as they are given."""
    n = len(totals.repeats.over_full_time)
    if not n:
        return None
    return f"{count_words(n, 'further post brings', 'further posts bring')} the same person above 1 FTE"


def _out_of_range(measure: str, number: int) -> ReturnRule:
    declared = BY_NAME[measure]
    lowest, highest = declared.plausible or (float("-inf"), float("inf"))

    def shown(value: float) -> str:
        return f"{value * 100:.1f}%" if declared.unit is Unit.FRACTION else f"{value:.1f}"

    def test(totals: Totals) -> str | None:
        found = {r.measure: r.value for r in rates_of_return(totals)}[measure]
        if found is None or lowest <= found <= highest:
            return None
        return (
            f"{declared.label} comes to {shown(found)}; of a hundred published council figures 98 lie between "
            f"{shown(lowest)} and {shown(highest)}"
        )

    return _together(
        f"CSWW-R{number:02d}",
        f"{declared.label.lower()} outside the 1st to 99th percentile of published councils",
        "Check the figures the rate is made of; a very small council may be right.",
        "DfE's published file, 2017 to 2025, every council (`features/registry/measures.py`).",
        test,
    )


def _together(code: str, says: str, remedy: str, why: str, test: TotalsTest) -> ReturnRule:
    return ReturnRule(code, Looks.TOGETHER, _QUERY, says, remedy, why, test)


RULES = (
    agency_fte_differs,
    agency_headcount_differs,
    second_posts,
    same_record_twice,
    same_number_other_person,
    more_than_full_time,
    *(_out_of_range(m, n) for n, m in enumerate((m for m in OFFICIAL if m != "turnover_rate_fte"), start=1)),
)

#: Which records a rule points at.
POINTS_AT = {
    second_posts.code: "second_posts",
    same_record_twice.code: "same_record",
    same_number_other_person.code: "same_number_other_person",
    more_than_full_time.code: "over_full_time",
}
