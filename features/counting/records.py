"""Counts what happened in a month from its record extracts, council by council.

Every count is a plain sum of masks that are selected first; the month enters as literal dates. That is several times
faster than filtering inside an aggregation. Everything summed is a whole number (FTE in hundredths, days in tenths), so
the result is the same bit for bit whatever the order of rows or the division of work.

The canonical frames are those of `EXTRACTS[kind].schema`, with all councils of the month together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from itertools import pairwise
from operator import or_

import polars as pl

from features.counting.month_before import CASE_STATE, WORKER_STATE, CasesBefore, fte_held, state_of, worker_changes
from features.counting.tally import Rows, by_council, count_by
from features.errors import HoldfastError
from features.frames import REASONS, conform, counts_schema
from features.months import Month
from features.registry import (
    ASSESSMENT_LIMIT_WORKING_DAYS,
    EXTRACTS,
    ICPC_LIMIT_WORKING_DAYS,
    VISIT_LIMIT_WORKING_DAYS,
    Kind,
    Missing,
    counts_of,
)
from features.workdays import earliest_start_within

__all__ = [
    "CASE_STATE",
    "READ_COLUMNS",
    "RECEIVED",
    "WORKER_STATE",
    "Counted",
    "count",
    "count_caseload",
    "count_establishment",
    "count_side_by_side",
    "count_workforce",
    "withhold",
]

#: Which councils reported a month, when each extract became known, and the fingerprint of the file.
RECEIVED = pl.Schema({"la_code": pl.String(), "known_from": pl.Date(), "extract_sha256": pl.String()})

_NEEDED = {kind: {"la_code", *EXTRACTS[kind].key} | {f for c in counts_of(kind) for f in c.needs} for kind in EXTRACTS}

#: The columns of each extract that counting reads, in the extract's order; no others need to be loaded.
READ_COLUMNS: dict[Kind, tuple[str, ...]] = {
    kind: tuple(f.name for f in extract.fields if f.name in _NEEDED[kind]) for kind, extract in EXTRACTS.items()
}

#: Threads that stay from month to month: new ones would not use again the memory that earlier ones gave back.
_KINDS, _BESIDE = ThreadPoolExecutor(2), ThreadPoolExecutor(1)

_MANAGERS = ("1", "2", "3")
_SENIOR_MANAGERS = ("1", "2")
_FIRST_LINE_MANAGERS = ("3",)
_PRACTITIONERS = ("4", "5", "6")
_STATUSES_WITH_A_PLAN = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of counting one kind of extract for one month."""

    counts: pl.DataFrame
    """`counts_schema(kind)`: one row per council that was received, sorted by la_code."""
    reasons: pl.DataFrame
    """`REASONS` of the counts that could not be made although the file was there; `input` is the name of the count."""
    state: pl.DataFrame | None
    """What counting the next month needs (WORKER_STATE or CASE_STATE), sorted; None if it needs nothing."""


def count(
    kind: Kind, frame: pl.DataFrame, month: Month, before: pl.DataFrame | None, received: pl.DataFrame
) -> Counted:
    """Count one kind of record extract; see the function of that kind."""
    if kind is Kind.WORKFORCE:
        return count_workforce(frame, month, before, received)
    if kind is Kind.CASELOAD:
        return count_caseload(frame, month, before, received)
    if kind is Kind.ESTABLISHMENT:
        return count_establishment(frame, month, received)
    raise HoldfastError(
        f"{month}: a {kind} extract holds no records to count; read it with features.measuring.returns."
    )


def count_side_by_side(
    frames: Mapping[Kind, pl.DataFrame],
    month: Month,
    before: Mapping[Kind, pl.DataFrame | None],
    received: Mapping[Kind, pl.DataFrame],
) -> dict[Kind, Counted]:
    """Count every kind of record extract of a month, two at a time; see `count`.

    The kinds share nothing: while Polars and NumPy work on one, Python can go on with the other. The largest comes
    first, so that the small ones are done beside it. Raises whatever counting one of them raises.
    """
    largest_first = sorted(frames, key=lambda kind: frames[kind].height, reverse=True)
    begun = {k: _KINDS.submit(count, k, frames[k], month, before.get(k), received[k]) for k in largest_first}
    return {kind: begun[kind].result() for kind in frames}


def count_workforce(frame: pl.DataFrame, month: Month, before: pl.DataFrame | None, received: pl.DataFrame) -> Counted:
    """Count workers: who is in post at month end, who came, who left, who manages, who is absent.

    In post means no end date, or one after month end. Someone whose last day is the last day of the month has left, as
    in DfE's census. As in DfE's figures, headcounts take each worker_ref once, except for agency workers, and FTE are
    not de-duplicated. A leaver's FTE is the one given. Where the file gives 0, as the census does, it is the FTE held
    the month before (`before`, WORKER_STATE).
    """
    first, last = month.first_day, month.last_day
    rows = Rows.of(frame)
    agency = pl.col("agency_worker")
    direct = agency.not_()
    ended, started = pl.col("role_end_date"), pl.col("role_start_date")
    in_post = ended.is_null() | (ended > last)
    left = ended.is_between(first, last)
    employed, leaver, starter = direct & in_post, direct & left, direct & started.is_between(first, last)
    manager, senior = _one_of("org_role", _MANAGERS), _one_of("org_role", _SENIOR_MANAGERS)
    has_fte = (pl.col("fte") > 0).fill_null(False)
    holds_cases = in_post & has_fte & (pl.col("cases") > 0)
    fte = pl.col("fte").fill_null(0)
    people = {
        "inpost_headcount": employed,
        "starters_headcount": starter,
        "leavers_headcount": leaver,
        "moved_within_headcount": leaver & (pl.col("reason_leave") == "7"),
        "absent_headcount": employed & pl.col("absent_at_reference_date"),
        "new_in_post_headcount": employed & (started > month.plus(-12).last_day),
        "managers_headcount": in_post & manager,
        "managers_agency_headcount": in_post & manager & agency,
        "managers_leavers_headcount": left & manager,
        "senior_managers_headcount": in_post & senior,
        "senior_managers_leavers_headcount": left & senior,
        "first_line_managers_headcount": in_post & _one_of("org_role", _FIRST_LINE_MANAGERS),
        "practitioners_headcount": in_post & _one_of("org_role", _PRACTITIONERS),
    }
    amounts = {
        "inpost_fte": fte * employed,
        "starters_fte": fte * starter,
        "leavers_fte": fte * leaver,
        "agency_worker_fte": fte * (agency & in_post),
        "case_holders_fte": fte * holds_cases,
        "cases": pl.col("cases") * holds_cases,
        "working_days_lost": pl.col("working_days_lost") * direct,
    }
    counted = _each_once(rows.frame, people) | {"agency_worker_headcount": agency & in_post}
    marks = rows.marks(counted | {"in_post": in_post, "without_fte": leaver & has_fte.not_()}, amounts)
    unsaid = rows.where(marks["without_fte"], "la_code", "worker_ref").frame
    held, unknown = fte_held(unsaid, state_of(before, WORKER_STATE, month), rows.frame)
    councils = rows.councils.to_list()
    known = pl.Series([code not in unknown for code in councils], dtype=pl.Boolean)
    held_before = pl.Series([held.get(code, 0) for code in councils], dtype=pl.Int64)
    sums = rows.sums(marks[[*counted, *amounts]]).with_columns(
        leavers_fte=pl.when(known).then(pl.col("leavers_fte") + held_before)
    )
    state = rows.where(marks["in_post"], "la_code", "worker_ref", "fte").frame.select(
        pl.lit(last).alias("month"), "la_code", "worker_ref", pl.col("fte").cast(pl.Int64)
    )
    return Counted(
        _rows(sums, Kind.WORKFORCE, month, received),
        _no_month_before(unknown, ("leavers_fte",), month),
        conform(state, WORKER_STATE, "state of the workers"),
    )


def count_establishment(frame: pl.DataFrame, month: Month, received: pl.DataFrame) -> Counted:
    """Take the council's own figures as they are. If there are two rows, neither can be trusted, so none is taken."""
    names = [c.name for c in counts_of(Kind.ESTABLISHMENT)]
    sums = frame.group_by("la_code").agg(
        pl.len().alias("rows"), *(pl.when(pl.len() == 1).then(pl.col(n).first()).alias(n) for n in names)
    )
    absent = sums.unpivot(names, index=["la_code", "rows"], variable_name="input").filter(pl.col("value").is_null())
    why = pl.when(pl.col("rows") > 1).then(pl.lit(str(Missing.WITHHELD))).otherwise(pl.lit(str(Missing.NOT_REPORTED)))
    reasons = absent.select("la_code", pl.lit(month.last_day).alias("month"), "input", why.alias("reason"))
    rows = _rows(sums.drop("rows"), Kind.ESTABLISHMENT, month, received)
    return Counted(rows, reasons.sort("la_code", "input"), None)


def count_caseload(frame: pl.DataFrame, month: Month, before: pl.DataFrame | None, received: pl.DataFrame) -> Counted:
    """Count cases: open, without a worker, overdue, referred, closed, and those whose worker changed within the month.

    Open means no closing date, or one after month end. Working days leave out weekends and the bank holidays of England
    (`features.workdays`). An assessment or conference without a known start cannot be timed and is not counted. A child
    with a plan and no visit on record counts as not visited. Changes of worker need the month before (`before`,
    CASE_STATE).
    """
    first, last = month.first_day, month.last_day
    rows = Rows.of(frame)
    closed, started, authorised = (
        pl.col("closed_date"),
        pl.col("assessment_start_date"),
        pl.col("assessment_authorised_date"),
    )
    is_open = closed.is_null() | (closed > last)
    allocated = pl.col("allocated_worker_ref").is_not_null()
    in_assessment = is_open & (started <= last) & (authorised.is_null() | (authorised > last))
    on_plan = is_open & (pl.col("cp_plan_start_date") <= last)
    plan_began = pl.col("cp_plan_start_date").is_between(first, last)
    referred = pl.col("referral_date").is_between(first, last)
    to_visit = is_open & _one_of("case_status", _STATUSES_WITH_A_PLAN)
    visited = pl.col("last_visit_date") >= earliest_start_within(VISIT_LIMIT_WORKING_DAYS, last)
    told_changes = is_open & pl.col("worker_changes_12m").is_not_null()
    counted = {
        "open_cases": is_open,
        "unallocated_cases": is_open & allocated.not_(),
        "assessments_open": in_assessment,
        "assessments_overdue": in_assessment & (started < earliest_start_within(ASSESSMENT_LIMIT_WORKING_DAYS, last)),
        "section_47s": pl.col("section_47_start_date").is_between(first, last),
        "cp_plans_open": on_plan,
        "cp_reviews_due": on_plan & pl.col("cp_review_due_date").is_not_null(),
        "cp_reviews_in_time": on_plan & (pl.col("cp_review_due_date") >= last),
        "cp_plans_started": plan_began,
        "repeat_cp_plans": plan_began & (pl.col("previous_cp_plans") > 0),
        "visits_due": to_visit,
        "visits_overdue": to_visit & visited.fill_null(False).not_(),
        "referrals": referred,
        "re_referrals": referred & pl.col("re_referral"),
        "closures": closed.is_between(first, last),
        "cases_with_history": told_changes,
        "cases_three_workers": told_changes & (pl.col("worker_changes_12m") >= 2),
    }
    assessed, conferred = authorised.is_between(first, last), pl.col("icpc_date").is_between(first, last)
    in_question = {
        "assessed": assessed & started.is_not_null(),
        "conferred": conferred & pl.col("section_47_start_date").is_not_null(),
        "in_hand": is_open & allocated,
    }
    # Two months' cases are put in order and matched beside the counting.
    cases_before = _BESIDE.submit(CasesBefore.of, before, month)
    marks = rows.marks(counted | in_question)
    in_hand = rows.where(marks["in_hand"], "la_code", "case_ref", "allocated_worker_ref")
    changed = _BESIDE.submit(worker_changes, in_hand, cases_before.result())
    assessments = rows.where(marks["assessed"], "assessment_start_date", "assessment_authorised_date")
    conferences = rows.where(marks["conferred"], "section_47_start_date", "icpc_date")
    sums = rows.sums(marks[list(counted)]).with_columns(
        assessments_completed=assessments.lengths,
        assessments_in_time=_in_time(assessments, month, ASSESSMENT_LIMIT_WORKING_DAYS),
        icpcs=conferences.lengths,
        icpcs_in_time=_in_time(conferences, month, ICPC_LIMIT_WORKING_DAYS),
    )
    changes, unknown = changed.result()
    sums = sums.hstack(by_council(changes, rows.councils.to_list()))
    return Counted(
        _rows(sums, Kind.CASELOAD, month, received),
        _no_month_before(unknown, ("cases_seen_twice", "cases_worker_changed"), month),
        in_hand.frame.with_columns(pl.lit(last).alias("month"))[list(CASE_STATE)],
    )


def withhold(
    counts: pl.DataFrame,
    kind: Kind,
    withheld: Collection[tuple[str, Kind, str]],
    absent: Collection[tuple[str, Kind, str]] = (),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set to null every count that reads a field which cannot be trusted or was not sent, and give the reason.

    `withheld` and `absent` are `(la_code, kind, field)`: fields with an error in the validation, and optional columns
    the file does not have. Returns the counts and REASONS rows (`input` is the count's name).
    """
    rows: list[tuple[str, str, str]] = []
    expressions: list[pl.Expr] = []
    for counted in counts_of(kind):
        gone = {la for la, k, f in absent if k is kind and f in counted.needs}
        faulty = {la for la, k, f in withheld if k is kind and f in counted.needs} - gone
        rows += [(la, counted.name, str(Missing.COLUMN_ABSENT)) for la in gone]
        rows += [(la, counted.name, str(Missing.WITHHELD)) for la in faulty]
        if either := sorted(gone | faulty):
            expressions.append(pl.when(pl.col("la_code").is_in(either).not_()).then(pl.col(counted.name)))
    reasons = pl.DataFrame(
        rows, schema={"la_code": pl.String(), "input": pl.String(), "reason": pl.String()}, orient="row"
    )
    known = counts.select("la_code", "month").unique("la_code")
    reasons = reasons.join(known, on="la_code", how="inner", validate="m:1")
    return counts.with_columns(expressions), reasons.select(list(REASONS)).sort("la_code", "month", "input")


def _one_of(column: str, codes: Sequence[str]) -> pl.Expr:
    """Whether a code is one of a few. Plain comparisons take a third of the time of `is_in`."""
    return reduce(or_, (pl.col(column) == code for code in codes))


def _each_once(frame: pl.DataFrame, people: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Masks that take each worker_ref once per council; does the extra work only if a reference really occurs twice."""
    new_council = pl.col("la_code") != pl.col("la_code").shift(1)
    in_order = new_council | (pl.col("worker_ref") > pl.col("worker_ref").shift(1))
    if frame.select(in_order.fill_null(True).all()).item():
        return people
    if frame.select("la_code", "worker_ref").is_duplicated().any():
        return {n: m & (m.cast(pl.UInt32).cum_sum().over("la_code", "worker_ref") == 1) for n, m in people.items()}
    return people


def _in_time(steps: Rows, month: Month, limit: int) -> pl.Series:
    """Per council, how many of these steps (the columns are start and end; all ended in the month) were within a limit.

    The limit is in working days. The earliest start that is in time is looked up for each day of the month, so the
    calendar is consulted some thirty times rather than once per row.
    """
    start, end = steps.frame.get_columns()
    days = [month.first_day + timedelta(days=d) for d in range(month.last_day.day)]
    earliest = pl.Series([earliest_start_within(limit, day) for day in days], dtype=pl.Date)
    return pl.Series(count_by([start >= earliest.gather((end - month.first_day).dt.total_days())], steps.ends)[0])


def _no_month_before(councils: Collection[str], names: Sequence[str], month: Month) -> pl.DataFrame:
    rows = [
        (la_code, month.last_day, name, Missing.WINDOW_INCOMPLETE)
        for la_code in sorted(councils)
        for name in sorted(names)
    ]
    return pl.DataFrame(rows, schema=REASONS, orient="row")


def _rows(sums: pl.DataFrame, kind: Kind, month: Month, received: pl.DataFrame) -> pl.DataFrame:
    """One row per council received, in the schema of that kind's counts."""
    log = received[list(RECEIVED)].sort("la_code")
    councils = log.get_column("la_code").to_list()
    if strangers := sorted({*sums.get_column("la_code").to_list()} - {*councils}):
        raise HoldfastError(
            f"{month}: the {kind} rows of {', '.join(strangers)} are in the month's table, "
            "but no such file is in the submission log. Run the month again."
        )
    if twice := [code for code, following in pairwise(councils) if code == following]:
        raise HoldfastError(
            f"{month}: the submission log has two {kind} files of {', '.join(twice)}. Run the month again."
        )
    counts = log.with_columns(pl.lit(month.last_day).alias("month")).hstack(by_council(sums, councils))
    return counts[list(counts_schema(kind))]
