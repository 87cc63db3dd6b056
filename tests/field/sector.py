"""The sector's formats as literal tables: SSD tables of forty children, an Annex A workbook, a workforce return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from flows.extracts.formats.csww.elements import NAMES
from tests.field.sent import Rows, as_csv, as_xlsx

Tables = dict[str, Rows]
CHILDREN = 40


def ssd() -> Tables:
    """Each child has one open case and a worker since May; every eighth has none; every fourth has a plan."""
    episodes = [["cine_referral_id", "cine_person_id", "cine_referral_date", "cine_close_date", "cine_referral_nfa"]]
    held = [
        ["invo_referral_id", "invo_professional_id", "invo_involvement_start_date", "invo_involvement_end_date",
         "invo_professional_role_id", "invo_professional_team", "invo_worker_change_reason", "invo_person_id"]
    ]  # fmt: skip
    assessed = [["cina_referral_id", "cina_assessment_start_date", "cina_assessment_auth_date", "cina_person_id"]]
    plans = [["cppl_cp_plan_id", "cppl_referral_id", "cppl_person_id", "cppl_cp_plan_start_date",
              "cppl_cp_plan_end_date"]]  # fmt: skip
    reviews = [["cppr_cp_plan_id", "cppr_cp_review_due", "cppr_cp_review_date"]]
    visits = [["cppv_person_id", "cppv_cp_visit_date", "cppv_cp_visit_seen"]]
    in_need = [["cinp_referral_id", "cinp_cin_plan_start_date", "cinp_cin_plan_end_date", "cinp_person_id"]]
    episodes.append(["R0", "P0", "2024-01-10", "2024-09-01", "N"])
    for i in range(1, CHILDREN + 1):
        ref, person, day = f"R{i}", f"P{i}", date(2025, 12, 10) + timedelta(days=8 * i)
        episodes.append([ref, person, str(day), "", "N"])
        assessed.append([ref, str(day + timedelta(days=1)), str(day + timedelta(days=20)), person])
        if i % 8:
            held.append([ref, f"W{i % 10}", str(day), "", "Allocated Case Worker", "T1", "", person])
        if i % 4 == 0:
            plans.append([f"L{i}", ref, person, str(day + timedelta(days=30)), ""])
            reviews.append([f"L{i}", "2026-12-01", ""])
            visits.append([person, "2026-10-14", "Y"])
        else:
            in_need.append([ref, str(day + timedelta(days=21)), "", person])
    reviews.append(["L4", "2026-06-01", "2026-05-28"])
    held.append(["R0", "W1", "2024-01-10", "2024-09-01", "Allocated Case Worker", "T1", "", "P0"])
    return {
        "ssd_cin_episodes": episodes,
        "ssd_involvements": held,
        "ssd_cin_assessments": assessed,
        "ssd_s47_enquiry": [["s47e_referral_id", "s47e_s47_enquiry_id", "s47e_s47_start_date", "s47e_person_id"]],
        "ssd_initial_cp_conference": [["icpc_s47_enquiry_id", "icpc_icpc_date"]],
        "ssd_cp_plans": plans,
        "ssd_cp_reviews": reviews,
        "ssd_cin_plans": in_need,
        "ssd_cla_episodes": [["clae_referral_id", "clae_person_id", "clae_cla_episode_start_date",
                              "clae_cla_episode_ceased_date"]],
        "ssd_cin_visits": [["cinv_person_id", "cinv_cin_visit_date", "cinv_cin_visit_seen"]],
        "ssd_cp_visits": visits,
        "ssd_cla_visits": [["clav_person_id", "clav_cla_visit_date", "clav_cla_visit_seen"]],
    }  # fmt: skip


def as_folder(tables: Tables, write: Callable[[Rows], bytes] = as_csv, ending: str = "csv") -> dict[str, bytes]:
    """The tables as files of a folder."""
    return {f"{name}.{ending}": write(rows) for name, rows in tables.items()}


def blank(rows: Rows, column: str, which: Callable[[int], bool]) -> Rows:
    """The rows with a column emptied where `which` says so of the row's number, from 1."""
    at = rows[0].index(column)
    return [rows[0], *([*r[:at], "" if which(i) else r[at], *r[at + 1 :]] for i, r in enumerate(rows[1:], start=1))]


def without(rows: Rows, *columns: str) -> Rows:
    """The rows without these columns."""
    kept = [i for i, h in enumerate(rows[0]) if h not in columns]
    return [[r[i] for i in kept] for r in rows]


def annex_a() -> Tables:
    """Lists 3, 4, 6, 7 and 8 of sixty children, referred from May to October, each with a worker."""
    three = [["Child Unique ID", "Date of referral", "Referral NFA?", "Number of Referrals in Last 12 Months",
              "Allocated Team", "Allocated Worker"]]  # fmt: skip
    four = [["Child Unique ID", "Continuous Assessment Start Date", "Continuous Assessment Date of Authorisation",
             "Allocated Team", "Allocated Worker"]]  # fmt: skip
    five = [["Child Unique ID", "Strategy discussion initiating Section 47 Enquiry Start Date",
             "Date of Initial Child Protection Conference", "Allocated Team", "Allocated Worker"]]  # fmt: skip
    six = [["Child Unique ID", "CIN Start Date", "Date Child Was Last Seen", "CIN Closure Date", "Case Status",
            "Allocated Team", "Allocated Worker"]]  # fmt: skip
    seven = [["Child Unique ID", "Child Protection Plan Start Date", "Date of the Last Statutory Visit",
              "Date of latest review conference", "Child Protection Plan End Date",
              "Number of Previous Child Protection Plans", "Allocated Team", "Allocated Worker"]]  # fmt: skip
    eight = [["Child Unique ID", "Date Started to be Looked After", "Date of Last Social Work Visit",
              "Date Ceased to be Looked After", "Allocated Team", "Allocated Worker"]]  # fmt: skip
    for i in range(1, 61):
        child, day, team, worker = (
            str(1000 + i),
            date(2026, 5, 2) + timedelta(days=3 * i - 2),
            "North",
            f"Ann Oak{i % 9}",
        )
        three.append([child, str(day), "b) No", str(i % 3), team, worker])
        four.append([child, str(day + timedelta(days=1)), str(min(day + timedelta(days=30), date(2026, 10, 31))), team,
                     worker])  # fmt: skip
        closed = "2026-10-20" if i % 10 == 0 else ""
        status = (
            "e) Closed episode" if closed else "b) Child Protection plan" if i % 6 == 0 else "c) Child in need plan"
        )
        six.append([child, str(day), "2026-10-12", closed, status, team, worker])
        if i % 15 == 1:
            eight.append([child, str(day + timedelta(days=3)), "2026-10-14", "", team, worker])
            five.append([child, str(day + timedelta(days=3)), "", team, worker])
        if i % 6 == 0 and not closed:
            seven.append([child, str(day + timedelta(days=2)), "2026-10-14", "", "", "0", team, worker])
    three.append(["1099", "2026-10-27", "a) Yes", "0", "North", "Ann Oak"])
    return {"List 3": three, "List 4": four, "List 5": five, "List 6": six, "List 7": seven, "List 8": eight}


def as_workbook(lists: Tables, **how: object) -> bytes:
    """The lists as sheets of a workbook."""
    (first, rows), *rest = lists.items()
    return as_xlsx(rows, first, more=dict(rest), **how)  # type: ignore[arg-type]


#: A directly paid case holder with whom nothing is wrong.
_WORKER: Mapping[str, str] = {
    "AgencyWorker": "0", "FTE": "0.8", "PersonBirthDate": "1985-03-04", "GenderCurrent": "2", "Ethnicity": "WBRI",
    "QualInst": "A university", "QualLevel": "1", "StepUpGrad": "0", "OrgRole": "5", "RoleStartDate": "2019-05-13",
    "StartOrigin": "1", "FTE30": "0.8", "WorkingDaysLost": "4.5", "FrontlineGrad": "0", "Absat30Sept": "0",
}  # fmt: skip


def csww(encoding: str = "utf-8", workers: int = 40) -> str:
    """A return of 30 September 2026 of council 370."""
    said = (
        "<Header><CollectionDetails><Collection>CSWW</Collection><Year>2026</Year>"
        "<ReferenceDate>2026-09-30</ReferenceDate></CollectionDetails><Source><SourceLevel>L</SourceLevel>"
        "<LEA>370</LEA><SoftwareCode>a system</SoftwareCode><DateTime>2026-11-01T09:00:00Z</DateTime></Source></Header>"
        "<LALevelVacancies><NumberOfVacancies>3.5</NumberOfVacancies><NoAgencyFTE>1</NoAgencyFTE>"
        "<NoAgencyHeadcount>1</NoAgencyHeadcount></LALevelVacancies>"
    )
    records = []
    for i in range(1, workers + 1):
        one = {**_WORKER, "SWENo": f"SW{1_000_000 + i}", "Cases30": str(i % 20)}
        inside = "".join(f"<{n}>{one[n]}</{n}>" for n in NAMES if n in one)
        records.append(f"<CSWWWorker>{inside}</CSWWWorker>\n")
    return f'<?xml version="1.0" encoding="{encoding}"?>\n<Message>{said}\n{"".join(records)}</Message>'


def dfe() -> str:
    """DfE's file of two councils and England, in the headers used since 2023."""
    header = (
        "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,"
        "new_la_code,la_name,inpost_fte,inpost_headcount,starters_fte,starters_headcount,leavers_fte,leavers_headcount,"
        "turnover_rate_fte,turnover_rate_headcount,agency_fte,agency_headcount,agency_rate_fte,agency_rate_headcount,"
        "agency_cover_fte,agency_cover_rate_fte,vacancy_fte,vacancy_rate_fte,vacancy_agency_cover_rate_fte,"
        "case_holders_fte,cases,caseload_fte,working_days_lost_fte,absence_rate_fte"
    )
    national = "2026,Reporting year,National,E92000001,England,,,,,," + ",".join(["1"] * 22)
    place = "2026,Reporting year,Local authority,E92000001,England,E12,Yorkshire"
    figures = "137.4,144,20,21,15.5,17,11.3,11.8,40,41,22.5,22.2,z,z,30.5,18.2,c,88.6,1481,16.7,1000.5,2.9"
    own = f"370,E08000016,Barnsley,{figures}"
    other = "420,E06000053,Isles of Scilly,low,0,u,x,:,0,x,x,1.8,2,100,100,0,0,0,0,z,2.8,9,3.2,0,x"
    return "\n".join([header, national, f"{place},{own}", f"{place},{other}", ""])
