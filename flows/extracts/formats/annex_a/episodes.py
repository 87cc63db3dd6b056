"""From the lists of Annex A to one row per child's episode, as it stood at the end of the month.

The lists are joined by the Child Unique ID. First one row per child is chosen from each list, so that
every join is 1:1. Anything that began after the month's end is left out, and an end after it has not
happened yet: the workbook may have been made some days after the month it is sent for.

The strongest status counts: looked after (list 8), child protection plan (7), child in need (6), open
assessment (4), closed. A child who is in no list of open work, but had an event in the month, is also an
episode of the month. It is open if the last event leads on to work (a referral, a section 47 enquiry),
else closed on the day of that event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from expectations.batch import ROWS_PER_LIST
from features.months import Month
from flows.extracts.formats.annex_a.joined import cardinality, contradictions, joined, only_events
from flows.extracts.formats.annex_a.lists import PROBLEM
from flows.extracts.formats.annex_a.origins import problems_of, with_origins

#: The order in which lists give an episode its row number: the first list that has the child.
ROW_ORDER = (6, 8, 7, 4, 5, 3)

_null = pl.lit(None)


@dataclass(frozen=True, slots=True)
class AnnexEpisodes:
    """The caseload extract's fields that Annex A carries, one row per episode."""

    frame: pl.DataFrame
    """`file_row, case_ref` and the fields, typed; sorted by file_row. A row number carries its list."""
    problems: pl.DataFrame
    """`file_row, field, problem`, and the place of the fault, `list, column, at`: cells that are null in `frame`."""
    notes: tuple[str, ...]
    only_referred: int
    """Open cases that are only a referral of the month: open, because nothing says that they ended."""
    holders: frozenset[int]
    """Lists that say who holds an open case that is not in list 6."""


def episodes(lists: Mapping[int, pl.DataFrame], month: Month) -> AnnexEpisodes:
    """The episodes open at the month's end, closed in it, or in which something happened in it.

    `lists` has a frame of `ListRead.frame`'s columns for each of lists 3 to 8, empty for one that is not there.
    """
    last = month.last_day
    notes: list[str] = []
    cut = {number: with_origins(number, _as_of(number, frame, month)) for number, frame in lists.items()}
    later = {n: lists[n].height - cut[n].height for n in cut}
    if any(later.values()):
        said = ", ".join(f"{count:,} of list {n}" for n, count in sorted(later.items()) if count)
        notes.append(f"Left out, as begun after {last}: {said} (rows). The workbook was made after the month's end.")
    chosen = {n: _one_per_child(n, frame) for n, frame in cut.items()}
    children = joined(chosen)
    notes += cardinality(cut, chosen, children)
    current = _current(children, month)
    notes += contradictions(current)
    rows = _fields(current.filter("emitted"), month)
    earlier = _earlier_closings(cut[6], current, month)
    frame = pl.concat([rows, earlier], how="diagonal").sort("file_row")
    notes += only_events(current)
    return AnnexEpisodes(
        frame.select(FIELDS),
        problems_of(frame),
        tuple(notes),
        current.filter("only_events", "open", pl.col("3.referred") == pl.col("event_on")).height,
        _holders(current),
    )


#: The date on which a list's row began, and the dates that end something.
_BEGAN = {
    3: ("referred",),
    4: ("started",),
    5: ("strategy", "conference"),
    6: ("began",),
    7: ("plan",),
    8: ("entered",),
}
_ENDED = {3: (), 4: ("authorised",), 5: ("conference",), 6: ("closed",), 7: ("ended",), 8: ("left",)}


def _as_of(number: int, frame: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The rows begun by the month's end, with later ends removed; a closed status is then unknown."""
    last = month.last_day
    began = pl.coalesce(_BEGAN[number])
    begun = frame.lazy().filter(~(began > last).fill_null(False))
    if number == 6:
        reopened = (pl.col("closed") > last).fill_null(False)
        begun = begun.with_columns(pl.when(~reopened | (pl.col("status") != "e").fill_null(True)).then("status"))
    ended = begun.with_columns(pl.when(pl.col(c) <= last).then(c).alias(c) for c in _ENDED[number])
    return ended.collect(engine="in-memory")


def _one_per_child(number: int, frame: pl.DataFrame) -> pl.DataFrame:
    """One row per child: open rows come before ended ones, and later rows before earlier ones.

    A row with an unreadable date comes before all others, because nobody then knows which row is the latest.
    """
    if frame["child"].n_unique() == frame.height:
        return frame
    began = pl.coalesce(_BEGAN[number])
    unread = pl.any_horizontal(pl.col(c + PROBLEM).is_not_null() for c in _BEGAN[number])
    goes_on = pl.col(_ENDED[number][0]).is_null() if number in (6, 7, 8) else pl.lit(False)
    return (
        frame.lazy()
        .sort(unread, goes_on, began, "row", descending=[True, True, True, False], nulls_last=True)
        .unique("child", keep="first", maintain_order=True)
        .collect(engine="in-memory")
    )


def _current(children: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The state of each child's episode: `new, in_care, on_plan, in_assessment, open, closed_on, emitted`."""
    for step in _steps(month):
        children = children.with_columns(**step)
    return children


@cache
def _steps(month: Month) -> tuple[Mapping[str, pl.Expr], ...]:
    """What is worked out, step by step; made once for a month's workbooks."""
    first, last = month.first_day, month.last_day

    def in_month(name: str) -> pl.Expr:
        return pl.col(name).is_between(first, last).fill_null(False)

    closed = pl.col("6.closed")
    in_care = pl.col("8.row").is_not_null() & pl.col("8.left").is_null()
    on_plan = pl.col("7.row").is_not_null() & pl.col("7.ended").is_null()
    since = [pl.col(c) > closed for c in ("3.referred", "4.started", "5.strategy")]
    new = closed.is_not_null() & pl.any_horizontal(since).fill_null(False)
    listed = pl.col("6.row").is_not_null() & ~pl.col("new")
    in_assessment = (
        pl.col("4.row").is_not_null()
        & pl.col("4.authorised").is_null()
        & (~pl.col("new") | (pl.col("4.started") > closed).fill_null(False))
    )
    nfa = pl.col("3.no_further_action").fill_null(False)
    # Ends in the month, for a child in no list of open work; a referral without further action ends at once.
    ends = pl.max_horizontal(
        *(pl.when(in_month(c)).then(c) for c in ("7.ended", "8.left", "4.authorised", "5.conference")),
        pl.when(in_month("3.referred") & nfa).then("3.referred"),
    )
    leads_on = pl.max_horizontal(
        pl.when(in_month("3.referred") & ~nfa).then("3.referred"),
        pl.when(in_month("5.strategy") & pl.col("5.conference").is_null()).then("5.strategy"),
    )
    by_events = leads_on.is_not_null() & (leads_on >= ends).fill_null(True)
    is_open = (
        pl.col("in_care")
        | pl.col("on_plan")
        | pl.when("listed").then(closed.is_null()).otherwise(pl.col("in_assessment") | by_events)
    )
    only_events = pl.col("emitted") & ~pl.col("listed") & ~pl.col("in_care") & ~pl.col("on_plan")
    return (
        {"in_care": in_care, "on_plan": on_plan, "new": new},
        {"listed": listed, "in_assessment": in_assessment},
        {"open": is_open},
        {
            "closed_on": pl.when(~pl.col("open")).then(pl.when("listed").then(closed).otherwise(ends)),
            "event_on": pl.when("open").then(leads_on).otherwise(ends),
        },
        {"emitted": pl.col("open") | in_month("closed_on")},
        {"only_events": only_events},
    )


def _fields(state: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The extract's fields of each child's current episode, and their problems where a list has any."""
    before, fields = _expressions(month)
    told = {c for c in state.columns if c.endswith(PROBLEM) and state.get_column(c).null_count() < state.height}
    wanted = (*FIELDS, *(f + PROBLEM for f in WITH_PROBLEMS)) if told else FIELDS
    for step in before:
        state = state.with_columns(**step)
    return state.select(**{name: fields[name] for name in wanted})


@cache
def _expressions(month: Month) -> tuple[tuple[Mapping[str, pl.Expr], ...], Mapping[str, pl.Expr]]:
    """What is worked out first, and then the fields and their problems; made once for a month's workbooks."""
    first, last = month.first_day, month.last_day
    listed, is_open = pl.col("listed"), pl.col("open")
    said = pl.when(listed).then("6.status")
    status = (
        pl.when(~is_open).then(pl.lit("e"))
        .when(pl.col("in_care") | (said == "a")).then(pl.lit("a"))
        .when(pl.col("on_plan") | (said == "b")).then(pl.lit("b"))
        .when(said.is_in(["c", "d", "e"])).then(said)
        .when(~listed).then(pl.lit("d"))
    )  # fmt: skip
    began = pl.when(listed).then("6.began")
    # If no referral is known, the episode began with the first known event, if that was before the month.
    by_then = pl.min_horizontal("8.entered", "7.plan", "4.started", "5.strategy")
    referral_unread = pl.col("3.referred?").is_not_null()
    referral = (
        pl.when(referral_unread).then(_null)
        .otherwise(pl.coalesce("3.referred", began, pl.when(by_then < first).then(by_then)))
    )  # fmt: skip
    # A plan that has ended no longer counts, unless the episode ended with it.
    ended_with_it = ~is_open & (pl.col("7.ended") >= first)
    planned = pl.col("on_plan") | ended_with_it.fill_null(False)
    visits = ["8.visit", "7.visit", "6.seen"]
    by_last = pl.max_horizontal(pl.when(pl.col(v) <= last).then(v) for v in visits)
    visit_problem = pl.coalesce(v + PROBLEM for v in visits)
    # If the end of a plan or of a period of care could not be read, the present status of the case is unknown.
    doubt = pl.coalesce(pl.when("in_care").then("8.left?"), pl.when("on_plan").then("7.ended?"))
    assessment = (
        pl.col("4.authorised").is_null()
        | (pl.col("4.authorised") >= first)
        | (pl.col("4.started") >= pl.col("referral_date")).fill_null(True)
    )
    fields = {
        "file_row": pl.coalesce(
            pl.when(listed if n == 6 else pl.lit(True)).then(pl.col(f"{n}.row") + n * ROWS_PER_LIST) for n in ROW_ORDER
        ),
        "case_ref": pl.col("child"),
        "case_status": pl.when(doubt.is_null()).then(status),
        "referral_date": pl.col("referral_date"),
        "re_referral": pl.when(~referral_unread).then(pl.col("3.earlier") > 0),
        "last_visit_date": pl.when(visit_problem.is_null()).then(pl.coalesce(by_last, pl.min_horizontal(visits))),
        "closed_date": pl.col("closed_on"),
        "allocated_worker_ref": _held("worker"),
        "team": _held("team"),
        f"allocated_worker_ref{PROBLEM}": pl.when(_held("worker").is_null()).then(_held("worker?")),
        f"case_status{PROBLEM}": pl.coalesce(doubt, pl.when(is_open & status.is_null()).then("6.status?")),
        f"referral_date{PROBLEM}": pl.coalesce(
            "3.referred?", pl.when(pl.col("3.row").is_null() & listed).then("6.began?")
        ),
        f"re_referral{PROBLEM}": pl.col("3.earlier?"),
        f"last_visit_date{PROBLEM}": visit_problem,
        f"closed_date{PROBLEM}": pl.when(~pl.col("in_care") & ~pl.col("on_plan")).then(
            pl.coalesce(
                pl.when("listed").then("6.closed?"),
                pl.when(pl.col("3.referred") == pl.col("event_on")).then("3.no_further_action?"),
            )
        ),
    }
    carried = {
        "assessment_start_date": ("4.started", "assessment"),
        "assessment_authorised_date": ("4.authorised", "assessment"),
        "section_47_start_date": ("5.strategy", None),
        "icpc_date": ("5.conference", None),
        "cp_plan_start_date": ("7.plan", "planned"),
        "last_cp_review_date": ("7.review", "planned"),
        "previous_cp_plans": ("7.previous", "planned"),
    }
    fields |= {
        name + suffix: pl.when(pl.col(where) if where else pl.lit(True)).then(source + suffix)
        for name, (source, where) in carried.items()
        for suffix in ("", PROBLEM)
    }
    ended = pl.when("on_plan").then("7.ended?")
    fields["cp_plan_start_date"] = pl.when(ended.is_null()).then(fields["cp_plan_start_date"])
    fields["cp_plan_start_date?"] = pl.coalesce(fields["cp_plan_start_date?"], ended)
    return ({"referral_date": referral}, {"assessment": assessment, "planned": planned}), fields


def _held(column: str) -> pl.Expr:
    """Who holds the case: first by the list that gives the status, then by the others, never by an old assessment."""
    happened = (
        ("4", "authorised"),
        ("5", "conference"),
        ("5", "strategy"),
        ("3", "referred"),
        ("7", "ended"),
        ("8", "left"),
    )
    return pl.coalesce(
        pl.when("in_care").then(f"8.{column}"),
        pl.when("on_plan").then(f"7.{column}"),
        pl.when("listed").then(f"6.{column}"),
        pl.when("in_assessment").then(f"4.{column}"),
        *(
            pl.when(pl.col("only_events") & (pl.col(f"{n}.{event}") == pl.col("event_on"))).then(f"{n}.{column}")
            for n, event in happened
        ),
    )


def _holders(current: pl.DataFrame) -> frozenset[int]:
    decides = (
        pl.when("in_care").then(8)
        .when("on_plan").then(7)
        .when("in_assessment").then(4)
        .when(pl.col("3.referred") == pl.col("event_on")).then(3)
        .otherwise(5)
    )  # fmt: skip
    unlisted = current.filter("open", ~pl.col("listed"))
    return frozenset(unlisted.select(decides.alias("list")).to_series().unique().to_list())


def _earlier_closings(six: pl.DataFrame, current: pl.DataFrame, month: Month) -> pl.DataFrame:
    """Episodes that closed in the month although the child now has another row: they count as closed.

    Their reference is the child's plus the day of closing, so that it differs from that of the present episode.
    """
    shown = current.filter("emitted", "listed").get_column("6.row")
    closed = pl.col("closed").is_between(month.first_day, month.last_day)
    others = six.filter(closed & ~pl.col("row").is_in(shown.implode()))
    return others.select(
        file_row=pl.col("row") + 6 * ROWS_PER_LIST,
        case_ref=pl.col("child") + " closed " + pl.col("closed").dt.to_string("%Y-%m-%d"),
        case_status=pl.lit("e"),
        referral_date=pl.col("began"),
        closed_date=pl.col("closed"),
        allocated_worker_ref=pl.col("worker"),
        team=pl.col("team"),
    ).unique("case_ref", keep="first", maintain_order=True)


#: The extract's fields that Annex A carries.
FIELDS = (
    "file_row",
    "case_ref",
    "allocated_worker_ref",
    "team",
    "case_status",
    "referral_date",
    "re_referral",
    "assessment_start_date",
    "assessment_authorised_date",
    "section_47_start_date",
    "icpc_date",
    "cp_plan_start_date",
    "last_cp_review_date",
    "last_visit_date",
    "closed_date",
    "previous_cp_plans",
)
WITH_PROBLEMS = tuple(f for f in FIELDS if f not in ("file_row", "case_ref", "team"))
