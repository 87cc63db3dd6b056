"""From the lists to one row per child's episode."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.counting.records import RECEIVED, count_caseload
from features.errors import UnreadableExtract, WrongCouncilOrMonth
from features.months import Month

from .examples import OCTOBER, Sheets, by_child, changed, d, read, small, worker

import polars as pl  # isort: skip

CHILDREN = ["1", "2", "3", "4", "5", "6"]


def _one(sheets: Sheets, child: str) -> dict[str, Any]:
    return by_child(read(sheets), [child])[child]


def test_the_small_workbook_by_hand() -> None:
    rows = by_child(read(small()), CHILDREN)
    fields = ("case_status", "referral_date", "closed_date", "last_visit_date", "allocated_worker_ref", "file_row")
    assert {child: tuple(row[f] for f in fields) for child, row in rows.items()} == {
        "1": ("a", d(1, 5, 2025), None, d(10, 22), worker("cy elm"), 60_000_002),
        "2": ("b", d(8, 3), None, d(10, 27), worker("ben ash"), 60_000_003),
        "3": ("c", d(2, 2), None, d(10, 12), None, 60_000_004),
        "4": ("d", d(10, 2), None, d(10, 6), worker("ann oak"), 60_000_005),
        "5": ("e", d(9, 1), d(10, 9), d(10, 1), worker("ben ash"), 60_000_006),
        "6": ("e", d(10, 20), d(10, 20), None, worker("ann oak"), 30_000_004),
    }
    steps = ("assessment_start_date", "assessment_authorised_date", "section_47_start_date", "icpc_date",
             "cp_plan_start_date", "previous_cp_plans", "re_referral")  # fmt: skip
    assert {child: tuple(row[f] for f in steps) for child, row in rows.items()} == {
        "1": (None,) * 7,
        "2": (None, None, d(9, 28), d(10, 14), d(10, 14), 1, None),
        "3": (None,) * 7,
        "4": (d(10, 5), None, None, None, None, None, False),
        "5": (d(9, 2), d(10, 8), None, None, None, None, True),
        "6": (None, None, None, None, None, None, True),
    }


def test_the_small_workbook_counted_by_hand() -> None:
    received = pl.DataFrame([("370", date(2026, 11, 5), "")], schema=RECEIVED, orient="row")
    counts = count_caseload(read(small()).frame, OCTOBER, None, received).counts.row(0, named=True)
    wanted = {
        "open_cases": 4, "unallocated_cases": 1, "assessments_open": 1, "assessments_overdue": 0,
        "assessments_completed": 1, "assessments_in_time": 1, "section_47s": 0, "icpcs": 1, "icpcs_in_time": 1,
        "cp_plans_open": 1, "cp_plans_started": 1, "repeat_cp_plans": 1, "visits_due": 3, "visits_overdue": 0,
        "referrals": 2, "re_referrals": 1, "closures": 2,
    }  # fmt: skip
    assert {name: counts[name] for name in wanted} == wanted


def test_a_child_in_several_lists_has_one_row_and_the_strongest_status() -> None:
    sheets = changed(small(), "List 6", 3, "Case Status", "c) Child in need plan")
    sheets["List 8"].append([2, d(10, 25), d(10, 29), None, "Care", "Dee Fir"])
    extract = read(sheets)
    row = by_child(extract, ["2"])["2"]
    assert extract.frame.height == 6
    assert row["case_status"] == "a"
    assert row["allocated_worker_ref"] == worker("dee fir")
    assert row["last_visit_date"] == d(10, 29)
    assert row["cp_plan_start_date"] == d(10, 14)


def test_of_several_referrals_the_latest_counts() -> None:
    sheets = small()
    sheets["List 3"] += [[4, d(10, 15), "b) No", 1, "Duty", "Ann Oak"], [4, d(7, 1), "b) No", 0, "Duty", "Ann Oak"]]
    row = _one(sheets, "4")
    assert (row["referral_date"], row["re_referral"]) == (d(10, 15), True)
    assert any("5 rows of 3 children (of several, the latest counts)" in note for note in read(sheets).notes)


def test_a_status_missing_in_list_6_is_taken_from_lists_7_and_8() -> None:
    sheets = changed(changed(small(), "List 6", 2, "Case Status", None), "List 6", 3, "Case Status", None)
    rows = by_child(read(sheets), ["1", "2"])
    assert (rows["1"]["case_status"], rows["2"]["case_status"]) == ("a", "b")


def test_an_open_case_whose_status_nobody_gives_has_none() -> None:
    assert _one(changed(small(), "List 6", 4, "Case Status", None), "3")["case_status"] is None


def test_a_plan_that_ended_is_no_longer_there_unless_the_case_closed_with_it() -> None:
    ended = changed(small(), "List 7", 2, "Child Protection Plan End Date", d(10, 28))
    assert _one(changed(ended, "List 6", 3, "Case Status", "c"), "2")["cp_plan_start_date"] is None
    closed = changed(ended, "List 6", 3, "CIN Closure Date", d(10, 28))
    row = _one(closed, "2")
    assert (row["case_status"], row["closed_date"], row["cp_plan_start_date"]) == ("e", d(10, 28), d(10, 14))


def test_closed_in_list_6_and_on_a_plan_is_open_and_said() -> None:
    sheets = changed(small(), "List 6", 3, "CIN Closure Date", d(10, 28))
    row = _one(sheets, "2")
    assert (row["case_status"], row["closed_date"]) == ("b", None)
    assert "Closed in list 6 but in care or on a plan in lists 7 and 8: 1 child, taken as open." in read(sheets).notes


def test_a_new_referral_after_the_closing_is_another_episode() -> None:
    sheets = small()
    sheets["List 3"].append([5, d(10, 26), "b) No", 3, "Duty", "Ann Oak"])
    extract = read(sheets)
    row = by_child(extract, ["5"])["5"]
    assert (row["case_status"], row["referral_date"], row["closed_date"]) == ("d", d(10, 26), None)
    assert row["allocated_worker_ref"] == worker("ann oak")
    other = extract.frame.filter(pl.col("file_row") == 60_000_006).row(0, named=True)
    assert (other["case_status"], other["closed_date"]) == ("e", d(10, 9))
    assert other["case_ref"] != row["case_ref"]


def test_an_earlier_episode_that_closed_in_the_month_counts_as_closed() -> None:
    sheets = small()
    sheets["List 6"].append([3, d(1, 5), d(9, 30), d(10, 1), "e) Closed episode", "South", "Ann Oak"])
    extract = read(sheets)
    assert extract.frame.filter(pl.col("closed_date") == d(10, 1)).height == 1
    assert by_child(extract, ["3"])["3"]["closed_date"] is None


@pytest.mark.parametrize(
    ("referral", "nfa", "status", "closed"),
    [(d(10, 20), "b) No", "d", None), (d(10, 20), "a) Yes", "e", d(10, 20)), (d(10, 20), None, "d", None)],
)
def test_a_child_who_was_only_referred(referral: date, nfa: str | None, status: str, closed: date | None) -> None:
    sheets = changed(changed(small(), "List 3", 4, "Referral NFA?", nfa), "List 3", 4, "Date of referral", referral)
    row = _one(sheets, "6")
    assert (row["case_status"], row["closed_date"]) == (status, closed)


def test_a_child_only_referred_in_an_earlier_month_is_no_episode_of_this_one() -> None:
    sheets = changed(changed(small(), "List 3", 4, "Referral NFA?", "No"), "List 3", 4, "Date of referral", d(9, 20))
    assert by_child(read(sheets), ["6"]) == {}


def test_an_assessment_that_ended_with_the_child_in_no_other_list_is_counted_and_closed() -> None:
    sheets = small()
    sheets["List 4"].append([9, d(9, 1), d(10, 7), "North", "Ben Ash"])
    row = _one(sheets, "9")
    assert (row["case_status"], row["closed_date"], row["file_row"]) == ("e", d(10, 7), 40_000_004)
    assert any(note.startswith("In no list of open work") and "2 children" in note for note in read(sheets).notes)


def test_an_old_assessment_is_history_and_its_worker_is_not_the_case_s() -> None:
    sheets = small()
    sheets["List 4"].append([3, d(5, 1), d(6, 1), "North", "Ben Ash"])
    sheets["List 3"].append([3, d(8, 1), "b) No", 0, "Duty", "Ann Oak"])
    row = _one(sheets, "3")
    assert row["assessment_start_date"] is None
    assert row["allocated_worker_ref"] is None


def test_a_workbook_made_later_is_read_as_of_the_months_end() -> None:
    sheets = small()
    sheets["List 3"].append([8, d(11, 2), "b) No", 0, "Duty", "Ann Oak"])
    sheets["List 6"].append([8, d(11, 2), d(11, 3), None, "d) Open assessment", "Duty", "Ann Oak"])
    sheets = changed(changed(sheets, "List 6", 4, "CIN Closure Date", d(11, 3)), "List 6", 4, "Case Status", "e")
    sheets = changed(sheets, "List 4", 2, "Continuous Assessment Date of Authorisation", d(11, 4))
    extract = read(sheets)
    rows = by_child(extract, ["3", "4", "8"])
    assert set(rows) == {"3", "4"}
    assert (rows["3"]["closed_date"], rows["3"]["case_status"]) == (None, None)
    assert rows["4"]["assessment_authorised_date"] is None
    assert any("Left out, as begun after 2026-10-31: 1 of list 3, 1 of list 6 (rows)." in n for n in extract.notes)


def test_a_visit_after_the_months_end_does_not_hide_one_before_it() -> None:
    assert _one(changed(small(), "List 6", 3, "Date Child Was Last Seen", d(11, 3)), "2")["last_visit_date"] == d(
        10, 27
    )
    later = changed(small(), "List 6", 4, "Date Child Was Last Seen", d(11, 3))
    assert _one(later, "3")["last_visit_date"] == d(11, 3)


def test_another_months_workbook_is_refused() -> None:
    with pytest.raises(
        WrongCouncilOrMonth, match="no date of lists 3 to 8 lies in December 2026; the latest lies in Oct"
    ):
        read(small(), Month(2026, 12))


def test_lists_of_headers_only_are_refused() -> None:
    with pytest.raises(UnreadableExtract, match="hold no case that was open at the end of October 2026"):
        read({name: rows[:1] for name, rows in small().items()})


def test_every_join_is_one_to_one_and_says_so() -> None:
    notes = read(small()).notes
    assert (
        "Annex A list 7 (Child Protection): 1 row of 1 child, joined to list 6 by Child Unique ID, one to one: "
        in str(notes)
    )
    assert any(n.startswith("Annex A list 6 (Children in Need): 5 rows of 5 children") for n in notes)


def test_lists_with_other_identifiers_are_noticed() -> None:
    sheets = small()
    sheets["List 6"] += [[100 + i, d(9, 1), d(10, 1), None, "c", "North", "Ben Ash"] for i in range(20)]
    sheets["List 4"] = sheets["List 4"][:1] + [[500 + i, d(9, 1), d(10, 1), "North", "Ben Ash"] for i in range(20)]
    assert any("list 4" in n and "0 stand in it. Check that both lists use the same" in n for n in read(sheets).notes)
