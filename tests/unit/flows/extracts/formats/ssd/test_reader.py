"""SSD tables as a month's extract: what is known at the month's end, and a sentence for everything else."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import polars as pl
import pytest

from features.errors import ExtractError, UnreadableExtract, WrongCouncilOrMonth
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.formats.ssd.tables import TABLES, table_name
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.table import Limits

from ...conftest import BARNSLEY, KEY, OCTOBER, RECEIVED

_ASKED = Asked("ssd", Kind.CASELOAD, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits())

#: Three children: R1 is on a plan with a worker, R2 closed in the month, R3 came in the month and came before (R0).
_TABLES: dict[str, list[dict[str, Any]]] = {
    "ssd_cin_episodes": [
        {
            "cine_referral_id": "R0",
            "cine_person_id": "P3",
            "cine_referral_date": "2025-10-01",
            "cine_close_date": "2025-12-01",
        },
        {"cine_referral_id": "R1", "cine_person_id": "P1", "cine_referral_date": "2026-02-03"},
        {
            "cine_referral_id": "R2",
            "cine_person_id": "P2",
            "cine_referral_date": "2026-06-01",
            "cine_close_date": "2026-10-09",
        },
        {"cine_referral_id": "R3", "cine_person_id": "P3", "cine_referral_date": "2026-10-01"},
    ],
    "ssd_involvements": [
        {"invo_referral_id": "R0", "invo_professional_id": "W9", "invo_involvement_start_date": "2025-10-02"},
        {
            "invo_referral_id": "R1",
            "invo_professional_id": "W1",
            "invo_involvement_start_date": "2026-02-03",
            "invo_involvement_end_date": "2026-05-01",
        },
        {"invo_referral_id": "R1", "invo_professional_id": "W2", "invo_involvement_start_date": "2026-05-01"},
    ],
    "ssd_cin_assessments": [
        {
            "cina_referral_id": "R1",
            "cina_assessment_start_date": "2026-02-04",
            "cina_assessment_auth_date": "2026-03-30",
        },
        {"cina_referral_id": "R3", "cina_assessment_start_date": "2026-10-02"},
    ],
    "ssd_s47_enquiry": [
        {"s47e_referral_id": "R1", "s47e_s47_enquiry_id": "S1", "s47e_s47_start_date": "2026-03-02"},
    ],
    "ssd_initial_cp_conference": [{"icpc_s47_enquiry_id": "S1", "icpc_icpc_date": "2026-03-20"}],
    "ssd_cp_plans": [
        {
            "cppl_cp_plan_id": "L0",
            "cppl_referral_id": "R-9",
            "cppl_person_id": "P1",
            "cppl_cp_plan_start_date": "2022-01-10",
            "cppl_cp_plan_end_date": "2022-09-10",
        },
        {
            "cppl_cp_plan_id": "L1",
            "cppl_referral_id": "R1",
            "cppl_person_id": "P1",
            "cppl_cp_plan_start_date": "2026-03-20",
        },
    ],
    "ssd_cp_reviews": [
        {"cppr_cp_plan_id": "L1", "cppr_cp_review_due": "2026-06-15", "cppr_cp_review_date": "2026-06-12"},
        {"cppr_cp_plan_id": "L1", "cppr_cp_review_due": "2026-12-10"},
    ],
    "ssd_cin_plans": [],
    "ssd_cla_episodes": [],
    "ssd_cin_visits": [{"cinv_person_id": "P3", "cinv_cin_visit_date": "2025-10-20"}],
    "ssd_cp_visits": [{"cppv_person_id": "P1", "cppv_cp_visit_date": "2026-10-12"}],
    "ssd_cla_visits": [],
}


@cache
def _right() -> IngestedExtract:
    """The tables as they are."""
    return _read(_content())


def _content(
    changed: dict[str, list[dict[str, Any]]] | None = None, *, without: tuple[str, ...] = ()
) -> dict[str, bytes]:
    rows = {**_TABLES, **(changed or {})}
    found = {}
    for table in TABLES:
        if table.name in rows and table.name not in without:
            frame = pl.DataFrame(rows[table.name], schema=dict.fromkeys(table.columns, pl.String()))
            found[f"{table.name}.csv"] = frame.write_csv().encode()
    return found


def tables_of_three_children() -> dict[str, bytes]:
    """The tables of this module as CSV, for other tests to mangle."""
    return _content()


def _more(table: str, *rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {table: [*_TABLES[table], *rows]}


def _read(content: dict[str, bytes], asked: Asked = _ASKED) -> IngestedExtract:
    return read_form(Form.SSD, content, asked)


def _row(extract: IngestedExtract, referral_date: date) -> dict[str, Any]:
    return extract.frame.filter(pl.col("referral_date") == referral_date).row(0, named=True)


_R1, _R2, _R3 = date(2026, 2, 3), date(2026, 6, 1), date(2026, 10, 1)


def test_the_month_of_three_children() -> None:
    extract = _right()
    assert extract.frame["referral_date"].sort().to_list() == [_R1, _R2, _R3]
    assert extract.absent_columns == ()
    assert extract.problems.is_empty()
    one = _row(extract, _R1)
    del one["case_ref"], one["allocated_worker_ref"]
    assert one == {
        "la_code": "370",
        "reference_date": date(2026, 10, 31),
        "team": None,
        "case_status": "b",
        "referral_date": _R1,
        "re_referral": False,
        "assessment_start_date": date(2026, 2, 4),
        "assessment_authorised_date": date(2026, 3, 30),
        "section_47_start_date": date(2026, 3, 2),
        "icpc_date": date(2026, 3, 20),
        "cp_plan_start_date": date(2026, 3, 20),
        "cp_review_due_date": date(2026, 12, 10),
        "last_cp_review_date": date(2026, 6, 12),
        "last_visit_date": date(2026, 10, 12),
        "closed_date": None,
        "worker_changes_12m": 1,
        "previous_cp_plans": 1,
        "file_row": 3,
    }
    assert (_row(extract, _R2)["case_status"], _row(extract, _R2)["closed_date"]) == ("e", date(2026, 10, 9))
    three = _row(extract, _R3)
    assert (three["case_status"], three["re_referral"], three["worker_changes_12m"]) == ("d", True, 0)
    assert three["allocated_worker_ref"] is None
    assert three["last_visit_date"] is None  # the visit belongs to the episode before


def test_parquet_and_csv_say_the_same_and_names_may_carry_a_schema() -> None:
    content = _content()
    parquet = {}
    for name, part in content.items():
        out = io.BytesIO()
        pl.read_csv(part, try_parse_dates=True).write_parquet(out)
        parquet[f"dbo.{name.removesuffix('.csv').upper()}.parquet"] = out.getvalue()
    assert _read(parquet).frame.equals(_read(content).frame)
    assert table_name("2026-10/370/ssd/ssd_cp_plans_v.csv") == "ssd_cp_plans"


def test_what_is_dated_after_the_month_is_not_known() -> None:
    """A snapshot taken weeks later gives the same month, whatever has happened since."""
    later = {
        **_more(
            "ssd_cin_episodes", {"cine_referral_id": "R4", "cine_person_id": "P1", "cine_referral_date": "2026-11-02"}
        ),
        **_more(
            "ssd_involvements",
            {"invo_referral_id": "R1", "invo_professional_id": "W3", "invo_involvement_start_date": "2026-11-03"},
            {"invo_referral_id": "R3", "invo_professional_id": "W3", "invo_involvement_start_date": "2026-11-04"},
        ),
        **_more(
            "ssd_cin_assessments",
            {"cina_referral_id": "R1", "cina_assessment_start_date": "2026-11-05"},
        ),
        **_more(
            "ssd_s47_enquiry",
            {"s47e_referral_id": "R3", "s47e_s47_enquiry_id": "S2", "s47e_s47_start_date": "2026-11-06"},
        ),
        **_more("ssd_initial_cp_conference", {"icpc_s47_enquiry_id": "S2", "icpc_icpc_date": "2026-11-20"}),
        **_more(
            "ssd_cp_plans",
            {
                "cppl_cp_plan_id": "L2",
                "cppl_referral_id": "R3",
                "cppl_person_id": "P3",
                "cppl_cp_plan_start_date": "2026-11-20",
            },
        ),
        **_more("ssd_cp_visits", {"cppv_person_id": "P1", "cppv_cp_visit_date": "2026-11-12"}),
        **_more("ssd_cin_plans", {"cinp_referral_id": "R3", "cinp_cin_plan_start_date": "2026-11-01"}),
        **_more("ssd_cla_episodes", {"clae_person_id": "P3", "clae_cla_episode_start_date": "2026-11-01"}),
    }
    closed_since = [dict(r) for r in later["ssd_cin_episodes"]]
    closed_since[1]["cine_close_date"] = "2026-11-15"
    ended_since = [dict(r) for r in later["ssd_involvements"]]
    ended_since[2]["invo_involvement_end_date"] = "2026-11-03"
    plans = [dict(r) for r in later["ssd_cp_plans"]]
    plans[1]["cppl_cp_plan_end_date"] = "2026-11-15"
    authorised = [dict(r) for r in later["ssd_cin_assessments"]]
    authorised[1]["cina_assessment_auth_date"] = "2026-11-09"
    reviews = [*_TABLES["ssd_cp_reviews"]]
    reviews[1] = {**reviews[1], "cppr_cp_review_date": "2026-11-10"}
    later |= {
        "ssd_cin_episodes": closed_since,
        "ssd_involvements": ended_since,
        "ssd_cp_plans": plans,
        "ssd_cin_assessments": authorised,
        "ssd_cp_reviews": reviews,
    }
    assert _read(_content(later)).frame.equals(_right().frame)


@pytest.mark.parametrize(
    ("missing", "withheld"),
    [
        ("ssd_involvements", {"allocated_worker_ref", "team", "worker_changes_12m"}),
        ("ssd_cin_assessments", {"assessment_start_date", "assessment_authorised_date", "case_status"}),
        ("ssd_s47_enquiry", {"section_47_start_date", "icpc_date"}),
        ("ssd_initial_cp_conference", {"icpc_date"}),
        (
            "ssd_cp_plans",
            {"cp_plan_start_date", "previous_cp_plans", "cp_review_due_date", "last_cp_review_date", "case_status"},
        ),
        ("ssd_cp_reviews", {"cp_review_due_date", "last_cp_review_date"}),
        ("ssd_cin_plans", {"case_status"}),
        ("ssd_cla_episodes", {"case_status"}),
        ("ssd_cin_visits", {"last_visit_date"}),
        ("ssd_cp_visits", {"last_visit_date"}),
        ("ssd_cla_visits", {"last_visit_date"}),
    ],
)
def test_a_missing_table_withholds_what_needs_it_and_nothing_else(missing: str, withheld: set[str]) -> None:
    whole, without = _right(), _read(_content(without=(missing,)))
    assert set(without.absent_columns) == withheld
    assert any(missing in note and "Not given" in note for note in without.notes)
    rest = [c for c in whole.frame.columns if c not in withheld]
    assert without.frame.select(rest).equals(whole.frame.select(rest))


def test_a_table_without_a_needed_column_counts_as_missing() -> None:
    content = _content()
    content["ssd_cp_reviews.csv"] = b"cppr_cp_plan_id,cppr_cp_review_date\nL1,2026-06-12\n"
    extract = _read(content)
    assert set(extract.absent_columns) == {"cp_review_due_date", "last_cp_review_date"}
    assert any("has no column cppr_cp_review_due" in note for note in extract.notes)


def test_a_column_that_may_be_missing_is_named_where_it_is() -> None:
    content = _content()
    assert not any("no column" in note for note in _read(content).notes)
    rows = pl.read_csv(content["ssd_involvements.csv"]).drop("invo_professional_team")
    extract = _read({**content, "ssd_involvements.csv": rows.write_csv().encode()})
    assert any("ssd_involvements.csv: it has no column invo_professional_team" in n for n in extract.notes)


def test_a_team_that_is_named_nowhere_is_said() -> None:
    said = "names no team of those who hold cases"
    assert any(said in note for note in _right().notes)
    rows = [{**row, "invo_professional_team": "North"} for row in _TABLES["ssd_involvements"]]
    assert not any(said in note for note in _read(_content({"ssd_involvements": rows})).notes)


def test_other_roles_do_not_hold_the_case() -> None:
    rows = [{**r, "invo_professional_role_id": "ALLOCATED CASE WORKER"} for r in _TABLES["ssd_involvements"]]
    other = {
        "invo_referral_id": "R3",
        "invo_professional_id": "W7",
        "invo_involvement_start_date": "2026-10-02",
        "invo_professional_role_id": "Personal Adviser",
    }
    assert _read(_content({"ssd_involvements": [*rows, other]})).frame.equals(_right().frame)
    generic = [{**r, "invo_professional_role_id": "Social Worker"} for r in _TABLES["ssd_involvements"]]
    assert _read(_content({"ssd_involvements": generic})).frame.equals(_right().frame)
    beside = {**other, "invo_professional_role_id": "Social Worker"}
    assert _read(_content({"ssd_involvements": [*rows, beside]})).frame.equals(_right().frame)
    unknown = [{**r, "invo_professional_role_id": "17"} for r in _TABLES["ssd_involvements"]]
    extract = _read(_content({"ssd_involvements": unknown}))
    assert {"allocated_worker_ref", "worker_changes_12m"} <= set(extract.absent_columns)
    assert any("invo_professional_role_id" in n for n in extract.notes)


def test_no_worker_is_no_worker_whatever_the_system_writes() -> None:
    rows = [
        {**r, "invo_professional_id": "-1"} if r["invo_professional_id"] == "W2" else r
        for r in _TABLES["ssd_involvements"]
    ]
    assert _row(_read(_content({"ssd_involvements": rows})), _R1)["allocated_worker_ref"] is None


def test_reasons_of_change_are_told_only_where_they_are_many() -> None:
    rows = [
        {
            "invo_referral_id": f"Q{n}",
            "invo_professional_id": "W5",
            "invo_involvement_start_date": "2026-01-05",
            "invo_involvement_end_date": "2026-03-05",
            "invo_worker_change_reason": "SWDIED" if n < 2 else "LEFTRL",
        }
        for n in range(12)
    ]
    extract = _read(_content(_more("ssd_involvements", *rows)))
    said = next(n for n in extract.notes if "stopped holding" in n)
    assert "left the role 10" in said
    assert "fewer than 6 each 2" in said
    assert "death" not in said


def test_history_that_is_too_short_is_not_taken_for_no_history() -> None:
    recent = [r for r in _TABLES["ssd_cin_episodes"] if r["cine_referral_id"] != "R0"]
    involved = [r for r in _TABLES["ssd_involvements"] if r["invo_referral_id"] != "R0"]
    extract = _read(_content({"ssd_cin_episodes": recent, "ssd_involvements": involved}))
    assert set(extract.absent_columns) == {"re_referral", "worker_changes_12m"}
    assert any("the referrals begin on 2026-02-03" in n for n in extract.notes)


def test_a_referral_without_further_action_is_not_an_open_case() -> None:
    more = _more(
        "ssd_cin_episodes",
        {
            "cine_referral_id": "R5",
            "cine_person_id": "P5",
            "cine_referral_date": "2026-10-20",
            "cine_referral_nfa": "Y",
        },
    )
    extract = _read(_content(more))
    assert _row(extract, date(2026, 10, 20))["closed_date"] == date(2026, 10, 20)
    assert any("without further action" in n for n in extract.notes)


def test_an_unreadable_date_is_a_problem_of_its_case_and_no_guess() -> None:
    broken = {
        "ssd_cin_episodes": [
            {**r, "cine_close_date": "soon"} if r["cine_referral_id"] == "R1" else r
            for r in _TABLES["ssd_cin_episodes"]
        ],
        **_more(
            "ssd_involvements",
            {"invo_referral_id": "R3", "invo_professional_id": "W4", "invo_involvement_start_date": "01/02/26"},
        ),
        "ssd_cp_reviews": [{**_TABLES["ssd_cp_reviews"][0], "cppr_cp_review_date": "??"}, _TABLES["ssd_cp_reviews"][1]],
        **_more("ssd_cp_visits", {"cppv_person_id": "P1", "cppv_cp_visit_date": "yesterday"}),
    }
    extract = _read(_content(broken))
    assert set(extract.problems.select("file_row", "column", "problem").rows()) == {
        (3, "closed_date", "not_a_date"),
        (5, "allocated_worker_ref", "two_digit_year"),
        (5, "worker_changes_12m", "two_digit_year"),
        (3, "cp_review_due_date", "not_a_date"),
        (3, "last_cp_review_date", "not_a_date"),
        (3, "last_visit_date", "not_a_date"),
    }
    assert _row(extract, _R1)["last_visit_date"] is None


#: A row of each table that is empty in `_TABLES`, and another referral of the month.
_BESIDE: dict[str, list[dict[str, Any]]] = {
    "ssd_cin_episodes": [
        *_TABLES["ssd_cin_episodes"],
        {"cine_referral_id": "R4", "cine_person_id": "P4", "cine_referral_date": "2026-10-02"},
    ],
    "ssd_cin_plans": [{"cinp_referral_id": "R3", "cinp_cin_plan_start_date": "2026-10-05"}],
    "ssd_cla_episodes": [{"clae_person_id": "P1", "clae_cla_episode_start_date": "2026-04-01"}],
    "ssd_cla_visits": [{"clav_person_id": "P1", "clav_cla_visit_date": "2026-10-01"}],
}


@pytest.mark.parametrize(("table", "column"), [(t.name, c) for t in TABLES for c in t.dates])
def test_a_fault_is_told_by_table_column_and_row(table: str, column: str) -> None:
    told, right = 0, _BESIDE.get(table, _TABLES[table])
    for number in sorted({0, len(right) - 1}):
        rows = [{**r, column: "soon"} if i == number else r for i, r in enumerate(right)]
        extract = _read(_content({table: rows}))
        cells = extract.problems.select("la_code", "extract", "file_row", "column")
        found = cells.join(extract.origins, on=cells.columns, how="left", validate="1:1")
        assert set(found.select("of", "at").rows()) <= {(f"“{column}” of {table}", number + 2)}
        told += found.height
    assert told


def test_a_key_that_stands_twice_a_missing_table_and_an_old_snapshot_are_refused() -> None:
    with pytest.raises(UnreadableExtract, match=r"more than once \(rows 3 and 6\)"):
        _read(_content(_more("ssd_cin_episodes", _TABLES["ssd_cin_episodes"][1])))
    with pytest.raises(UnreadableExtract, match="ssd_cin_episodes is not in the folder"):
        _read(_content(without=("ssd_cin_episodes",)))
    with pytest.raises(WrongCouncilOrMonth, match="newest referral in ssd_cin_episodes is of 2026-10-01"):
        _read(_content(), replace(_ASKED, month=OCTOBER.plus(1)))
    with pytest.raises(UnreadableExtract, match=r"ssd_cp_plans is there 2 times"):
        content = _content()
        _read({**content, "dbo.ssd_cp_plans.csv": content["ssd_cp_plans.csv"]})


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00\x01\x02",
        b"cina_referral_id,cina_assessment_start_date,cina_assessment_auth_date\nR1,2026-02-04\n",
        b'cina_referral_id,cina_assessment_start_date,cina_assessment_auth_date\nR1,"2026-02-04,2026-03-30\n',
        b"PAR1 and nothing else",
        b"cina_referral_id,cina_referral_id,cina_assessment_start_date,cina_assessment_auth_date\nR1,R1,2026-02-04,\n",
    ],
)
def test_a_damaged_table_is_a_sentence_that_names_it(damage: bytes) -> None:
    with pytest.raises(ExtractError, match=r"Barnsley \(370\), October 2026, ssd/ssd_cin_assessments.csv"):
        _read(_content() | {"ssd_cin_assessments.csv": damage})


def test_a_value_in_quotation_marks_may_hold_commas_and_lines() -> None:
    quoted = (
        b"cina_assessment_outcome_json,cina_referral_id,cina_assessment_start_date,cina_assessment_auth_date\r\n"
        b'"{""a"": ""x, y\r\nz""}",R1,2026-02-04,2026-03-30\r\n\r\n'
        b'"{}",R3,2026-10-02,\r\n'
    )
    assert _read(_content() | {"ssd_cin_assessments.csv": quoted}).frame.equals(_right().frame)


_STAFF = (
    b"prof_professional_id,prof_professional_name,prof_full_time_equivalency,prof_agency_worker_flag,"
    b"prof_professional_caseload\nW2,Planted-Marker,0.6,PLACEHOLDER_DATA,44\nW8,Planted-Marker,1,PLACEHOLDER_DATA,51\n"
)


def test_what_the_professionals_can_honestly_give() -> None:
    """FTE of the day and cases counted from the involvements; never the agency flag, never 30 September's caseload."""
    content = _content() | {"ssd_professionals.csv": _STAFF}
    extract = _read(content, replace(_ASKED, kind=Kind.WORKFORCE))
    assert extract.frame.select("fte", "cases", "role_end_date", "agency_worker").rows() == [(60, 1, None, None)]
    assert {"agency_worker", "org_role", "working_days_lost", "role_start_date"} <= set(extract.absent_columns)
    for kind in (Kind.WORKFORCE, Kind.CASELOAD):
        notes = " ".join(_read(content, replace(_ASKED, kind=kind)).notes)
        assert "prof_agency_worker_flag was not taken: in the SSD today it is placeholder data" in notes
        assert "prof_professional_caseload was not taken: it is the number of cases on the last 30 September" in notes


def test_fte_of_another_time_is_not_taken() -> None:
    content = _content() | {"ssd_professionals.csv": _STAFF}
    late = replace(_ASKED, kind=Kind.WORKFORCE, received=datetime(2026, 12, 1, tzinfo=UTC))
    extract = _read(content, late)
    assert "fte" in extract.absent_columns
    assert any("keeps no history" in n for n in extract.notes)
