"""The same counts in DuckDB SQL and in pandas, each in its quickest form: month by month.

Both read the same files and columns as `features.counting.records`, and must agree with it in every count of every
council and month. Unlike our checks, they assume clean data (no worker twice).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from features.counting.records import READ_COLUMNS
from features.months import Month
from features.registry import (
    ASSESSMENT_LIMIT_WORKING_DAYS,
    EXTRACTS,
    ICPC_LIMIT_WORKING_DAYS,
    VISIT_LIMIT_WORKING_DAYS,
    Kind,
    counts_of,
)
from features.workdays import earliest_start_within

Tables = Iterator[tuple[Kind, Month, pl.DataFrame]]


def path_of(folder: Path, kind: Kind, month: Month) -> Path:
    """The path of a month's canonical extract in the benchmark."""
    return folder / f"{kind}-{month}.parquet"


def duckdb_counts(folder: Path, months: Sequence[Month], threads: int) -> Tables:
    """All counts of all months by DuckDB."""
    import duckdb

    with duckdb.connect(config={"threads": threads}) as db:
        db.execute("CREATE TABLE day (ended DATE, assessed_from DATE, conferred_from DATE)")
        for month in months:
            db.execute("DELETE FROM day")
            db.executemany("INSERT INTO day VALUES (?, ?, ?)", _limits(month))
            for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD):
                before = path_of(folder, kind, month.plus(-1))
                sql = _SQL[kind].format(
                    now=path_of(folder, kind, month),
                    before=before if before.exists() else path_of(folder, kind, month),
                    known="true" if before.exists() else "false",
                    first=month.first_day,
                    last=month.last_day,
                    last_before=month.plus(-1).last_day,
                    year_before=month.plus(-12).last_day,
                    visited=earliest_start_within(VISIT_LIMIT_WORKING_DAYS, month.last_day),
                    overdue=earliest_start_within(ASSESSMENT_LIMIT_WORKING_DAYS, month.last_day),
                )
                yield kind, month, _tidy(db.sql(sql).pl(), kind)


def _limits(month: Month) -> list[tuple[object, object, object]]:
    days = [month.first_day + timedelta(days=d) for d in range(month.last_day.day)]
    return [
        (
            d,
            earliest_start_within(ASSESSMENT_LIMIT_WORKING_DAYS, d),
            earliest_start_within(ICPC_LIMIT_WORKING_DAYS, d),
        )
        for d in days
    ]


def _tidy(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    return frame.select("la_code", *(pl.col(c.name).cast(pl.Int64) for c in counts_of(kind))).sort("la_code")


_SQL: dict[Kind, str] = {
    Kind.WORKFORCE: """
        WITH w AS (
            SELECT *, NOT agency_worker AS direct, agency_worker AS agency,
                   (role_end_date IS NULL OR role_end_date > DATE '{last}') AS in_post,
                   coalesce(role_end_date BETWEEN DATE '{first}' AND DATE '{last}', false) AS gone,
                   coalesce(role_start_date BETWEEN DATE '{first}' AND DATE '{last}', false) AS began,
                   org_role IN ('1', '2', '3') AS manager, org_role IN ('1', '2') AS senior
            FROM read_parquet('{now}')
        ), held AS (
            SELECT w.la_code, sum(b.fte) AS fte
            FROM w JOIN read_parquet('{before}') b USING (la_code, worker_ref)
            WHERE {known} AND w.direct AND w.gone AND NOT coalesce(w.fte > 0, false)
              AND (b.role_end_date IS NULL OR b.role_end_date > DATE '{last_before}')
            GROUP BY w.la_code
        ), s AS (
            SELECT la_code,
                sum(fte) FILTER (direct AND in_post) AS inpost_fte,
                count(*) FILTER (direct AND in_post) AS inpost_headcount,
                sum(fte) FILTER (direct AND began) AS starters_fte,
                count(*) FILTER (direct AND began) AS starters_headcount,
                sum(fte) FILTER (direct AND gone) AS leavers_given,
                count(*) FILTER (direct AND gone AND NOT coalesce(fte > 0, false)) AS leavers_unsaid,
                count(*) FILTER (direct AND gone) AS leavers_headcount,
                count(*) FILTER (direct AND gone AND reason_leave = '7') AS moved_within_headcount,
                sum(fte) FILTER (agency AND in_post) AS agency_worker_fte,
                count(*) FILTER (agency AND in_post) AS agency_worker_headcount,
                sum(fte) FILTER (in_post AND fte > 0 AND cases > 0) AS case_holders_fte,
                sum(cases) FILTER (in_post AND fte > 0 AND cases > 0) AS cases,
                sum(working_days_lost) FILTER (direct) AS working_days_lost,
                count(*) FILTER (direct AND in_post AND absent_at_reference_date) AS absent_headcount,
                count(*) FILTER (direct AND in_post AND role_start_date > DATE '{year_before}')
                    AS new_in_post_headcount,
                count(*) FILTER (in_post AND manager) AS managers_headcount,
                count(*) FILTER (in_post AND manager AND agency) AS managers_agency_headcount,
                count(*) FILTER (gone AND manager) AS managers_leavers_headcount,
                count(*) FILTER (in_post AND senior) AS senior_managers_headcount,
                count(*) FILTER (gone AND senior) AS senior_managers_leavers_headcount,
                count(*) FILTER (in_post AND org_role = '3') AS first_line_managers_headcount,
                count(*) FILTER (in_post AND org_role IN ('4', '5', '6')) AS practitioners_headcount
            FROM w GROUP BY la_code
        )
        SELECT s.la_code, coalesce(COLUMNS(s.* EXCLUDE (la_code, leavers_given, leavers_unsaid)), 0),
            CASE WHEN {known} OR leavers_unsaid = 0
                 THEN coalesce(leavers_given, 0) + coalesce(held.fte, 0) END AS leavers_fte
        FROM s LEFT JOIN held ON held.la_code = s.la_code""",
    Kind.ESTABLISHMENT: """
        SELECT la_code, vacancy_fte, agency_fte, agency_headcount, agency_cover_fte FROM read_parquet('{now}')""",
    Kind.CASELOAD: """
        WITH c AS (
            SELECT c.*, (closed_date IS NULL OR closed_date > DATE '{last}') AS is_open,
                   a.assessed_from, i.conferred_from
            FROM read_parquet('{now}') c
            LEFT JOIN day a ON a.ended = c.assessment_authorised_date
            LEFT JOIN day i ON i.ended = c.icpc_date
        ), s AS (
            SELECT la_code,
                count(*) FILTER (is_open) AS open_cases,
                count(*) FILTER (is_open AND allocated_worker_ref IS NULL) AS unallocated_cases,
                count(*) FILTER (is_open AND assessment_start_date <= DATE '{last}' AND
                    (assessment_authorised_date IS NULL OR assessment_authorised_date > DATE '{last}'))
                    AS assessments_open,
                count(*) FILTER (is_open AND assessment_start_date < DATE '{overdue}' AND
                    (assessment_authorised_date IS NULL OR assessment_authorised_date > DATE '{last}'))
                    AS assessments_overdue,
                count(*) FILTER (assessed_from IS NOT NULL AND assessment_start_date IS NOT NULL)
                    AS assessments_completed,
                count(*) FILTER (assessment_start_date >= assessed_from) AS assessments_in_time,
                count(*) FILTER (section_47_start_date BETWEEN DATE '{first}' AND DATE '{last}') AS section_47s,
                count(*) FILTER (conferred_from IS NOT NULL AND section_47_start_date IS NOT NULL) AS icpcs,
                count(*) FILTER (section_47_start_date >= conferred_from) AS icpcs_in_time,
                count(*) FILTER (is_open AND cp_plan_start_date <= DATE '{last}') AS cp_plans_open,
                count(*) FILTER (is_open AND cp_plan_start_date <= DATE '{last}'
                    AND cp_review_due_date IS NOT NULL) AS cp_reviews_due,
                count(*) FILTER (is_open AND cp_plan_start_date <= DATE '{last}'
                    AND cp_review_due_date >= DATE '{last}') AS cp_reviews_in_time,
                count(*) FILTER (cp_plan_start_date BETWEEN DATE '{first}' AND DATE '{last}') AS cp_plans_started,
                count(*) FILTER (cp_plan_start_date BETWEEN DATE '{first}' AND DATE '{last}'
                    AND previous_cp_plans > 0) AS repeat_cp_plans,
                count(*) FILTER (is_open AND case_status IN ('a', 'b', 'c')) AS visits_due,
                count(*) FILTER (is_open AND case_status IN ('a', 'b', 'c')
                    AND NOT coalesce(last_visit_date >= DATE '{visited}', false)) AS visits_overdue,
                count(*) FILTER (referral_date BETWEEN DATE '{first}' AND DATE '{last}') AS referrals,
                count(*) FILTER (referral_date BETWEEN DATE '{first}' AND DATE '{last}' AND re_referral)
                    AS re_referrals,
                count(*) FILTER (closed_date BETWEEN DATE '{first}' AND DATE '{last}') AS closures,
                count(*) FILTER (is_open AND worker_changes_12m IS NOT NULL) AS cases_with_history,
                count(*) FILTER (is_open AND worker_changes_12m >= 2) AS cases_three_workers
            FROM c GROUP BY la_code
        ), seen AS (
            SELECT c.la_code, count(*) AS twice,
                   count(*) FILTER (c.allocated_worker_ref <> b.allocated_worker_ref) AS changed
            FROM c JOIN read_parquet('{before}') b USING (case_ref)
            WHERE {known} AND c.is_open AND c.allocated_worker_ref IS NOT NULL
              AND (b.closed_date IS NULL OR b.closed_date > DATE '{last_before}')
              AND b.allocated_worker_ref IS NOT NULL
            GROUP BY c.la_code
        )
        SELECT s.*, CASE WHEN {known} THEN coalesce(twice, 0) END AS cases_seen_twice,
               CASE WHEN {known} THEN coalesce(changed, 0) END AS cases_worker_changed
        FROM s LEFT JOIN seen ON seen.la_code = s.la_code""",
}


def pandas_counts(folder: Path, months: Sequence[Month]) -> Tables:
    """All counts of all months by pandas, on NumPy columns."""
    import pandas as pd

    held: dict[Kind, pd.DataFrame] = {}
    for month in months:
        first, last = pd.Timestamp(month.first_day), pd.Timestamp(month.last_day)
        for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD):
            frame = pd.read_parquet(path_of(folder, kind, month), columns=list(READ_COLUMNS[kind]))
            for name in frame.columns:
                if EXTRACTS[kind].schema[name] == pl.Date:
                    frame[name] = pd.to_datetime(frame[name])
            if kind is Kind.ESTABLISHMENT:
                sums = frame.set_index("la_code")
            elif kind is Kind.WORKFORCE:
                sums, held[kind] = _pandas_workforce(frame, held.get(kind), month, first, last)
            else:
                sums, held[kind] = _pandas_caseload(frame, held.get(kind), month, first, last)
            yield kind, month, _tidy(pl.from_pandas(sums.reset_index()), kind)


def _pandas_workforce(w: Any, before: Any, month: Month, first: Any, last: Any) -> tuple[Any, Any]:
    import pandas as pd

    direct, agency = ~w.agency_worker.astype(bool), w.agency_worker.astype(bool)
    in_post = w.role_end_date.isna() | (w.role_end_date > last)
    gone, began = w.role_end_date.between(first, last), w.role_start_date.between(first, last)
    manager, senior = w.org_role.isin(["1", "2", "3"]), w.org_role.isin(["1", "2"])
    fte, cases, lost = w.fte.fillna(0), w.cases.fillna(0), w.working_days_lost.fillna(0)
    holds = in_post & (fte > 0) & (cases > 0)
    absent = w.absent_at_reference_date.astype("boolean").fillna(False).astype(bool)
    masks = pd.DataFrame(
        {
            "inpost_fte": fte * (direct & in_post),
            "inpost_headcount": direct & in_post,
            "starters_fte": fte * (direct & began),
            "starters_headcount": direct & began,
            "leavers_fte": fte * (direct & gone),
            "leavers_headcount": direct & gone,
            "moved_within_headcount": direct & gone & (w.reason_leave == "7"),
            "agency_worker_fte": fte * (agency & in_post),
            "agency_worker_headcount": agency & in_post,
            "case_holders_fte": fte * holds,
            "cases": cases * holds,
            "working_days_lost": lost * direct,
            "absent_headcount": direct & in_post & absent,
            "new_in_post_headcount": direct & in_post & (w.role_start_date > pd.Timestamp(month.plus(-12).last_day)),
            "managers_headcount": in_post & manager,
            "managers_agency_headcount": in_post & manager & agency,
            "managers_leavers_headcount": gone & manager,
            "senior_managers_headcount": in_post & senior,
            "senior_managers_leavers_headcount": gone & senior,
            "first_line_managers_headcount": in_post & (w.org_role == "3"),
            "practitioners_headcount": in_post & w.org_role.isin(["4", "5", "6"]),
        }
    )
    sums = masks.groupby(w.la_code, sort=True).sum()
    unsaid = w.loc[direct & gone & ~(fte > 0), ["la_code", "worker_ref"]]
    if before is None:
        sums["leavers_fte"] = sums.leavers_fte.where(~sums.index.isin(unsaid.la_code.unique()))
    else:
        found = unsaid.merge(before, on=["la_code", "worker_ref"]).groupby("la_code").fte.sum()
        sums["leavers_fte"] = sums.leavers_fte.add(found, fill_value=0)
    return sums, w.loc[in_post, ["la_code", "worker_ref", "fte"]]


def _pandas_caseload(c: Any, before: Any, month: Month, first: Any, last: Any) -> tuple[Any, Any]:
    import pandas as pd

    is_open = c.closed_date.isna() | (c.closed_date > last)
    started, authorised = c.assessment_start_date, c.assessment_authorised_date
    in_assessment = is_open & (started <= last) & (authorised.isna() | (authorised > last))
    limits = (
        pd.DataFrame(_limits(month), columns=["day", "assessed", "conferred"]).apply(pd.to_datetime).set_index("day")
    )
    assessed_from, conferred_from = authorised.map(limits.assessed), c.icpc_date.map(limits.conferred)
    on_plan = is_open & (c.cp_plan_start_date <= last)
    plan_began, referred = c.cp_plan_start_date.between(first, last), c.referral_date.between(first, last)
    to_visit = is_open & c.case_status.isin(["a", "b", "c"])
    visited = c.last_visit_date >= pd.Timestamp(earliest_start_within(VISIT_LIMIT_WORKING_DAYS, month.last_day))
    overdue = pd.Timestamp(earliest_start_within(ASSESSMENT_LIMIT_WORKING_DAYS, month.last_day))
    again = c.re_referral.astype("boolean").fillna(False).astype(bool)
    allocated = c.allocated_worker_ref.notna()
    masks = pd.DataFrame(
        {
            "open_cases": is_open,
            "unallocated_cases": is_open & ~allocated,
            "assessments_open": in_assessment,
            "assessments_overdue": in_assessment & (started < overdue),
            "assessments_completed": assessed_from.notna() & started.notna(),
            "assessments_in_time": started >= assessed_from,
            "section_47s": c.section_47_start_date.between(first, last),
            "icpcs": conferred_from.notna() & c.section_47_start_date.notna(),
            "icpcs_in_time": c.section_47_start_date >= conferred_from,
            "cp_plans_open": on_plan,
            "cp_reviews_due": on_plan & c.cp_review_due_date.notna(),
            "cp_reviews_in_time": on_plan & (c.cp_review_due_date >= last),
            "cp_plans_started": plan_began,
            "repeat_cp_plans": plan_began & (c.previous_cp_plans > 0),
            "visits_due": to_visit,
            "visits_overdue": to_visit & ~visited,
            "referrals": referred,
            "re_referrals": referred & again,
            "closures": c.closed_date.between(first, last),
            "cases_with_history": is_open & c.worker_changes_12m.notna(),
            "cases_three_workers": is_open & (c.worker_changes_12m >= 2),
        }
    )
    sums = masks.groupby(c.la_code, sort=True).sum()
    state = c.loc[is_open & allocated, ["la_code", "case_ref", "allocated_worker_ref"]]
    if before is None:
        return sums.assign(cases_seen_twice=None, cases_worker_changed=None), state
    seen = state.merge(before[["case_ref", "allocated_worker_ref"]], on="case_ref", suffixes=("", "_before"))
    changed = (seen.allocated_worker_ref != seen.allocated_worker_ref_before).groupby(seen.la_code)
    sums["cases_seen_twice"] = changed.size().reindex(sums.index, fill_value=0)
    sums["cases_worker_changed"] = changed.sum().reindex(sums.index, fill_value=0)
    return sums, state
