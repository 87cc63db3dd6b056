"""Counts that need the month before: the FTE a leaver held, and which worker had a case a month ago.

The state is what one month passes to the next. It is small, keyed by the pseudonyms, and belongs to exactly one month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.counting.tally import Rows
from features.errors import HoldfastError
from features.months import Month

#: Workers in post at a month end and the FTE they held. Next month's leavers are looked up here.
WORKER_STATE = pl.Schema({"month": pl.Date(), "la_code": pl.String(), "worker_ref": pl.UInt64(), "fte": pl.Int64()})

#: Open, allocated cases at a month end. Next month's changes of worker are found by comparison with them.
CASE_STATE = pl.Schema(
    {"month": pl.Date(), "la_code": pl.String(), "case_ref": pl.UInt64(), "allocated_worker_ref": pl.UInt64()}
)

_WORKER = ["la_code", "worker_ref"]


def state_of(before: pl.DataFrame | None, schema: pl.Schema, month: Month) -> pl.DataFrame:
    """The state of the month before, empty if there is none. Raises HoldfastError if it belongs to another month."""
    if before is None or before.is_empty():
        return pl.DataFrame(schema=schema)
    expected = month.plus(-1).last_day
    if (before.get_column("month") != expected).any():
        held = before.get_column("month").unique().sort()
        raise HoldfastError(
            f"{month}: the stored state is of {', '.join(str(Month.of(d)) for d in held)}, "
            f"not of {Month.of(expected)}. Run the missing months first, oldest first."
        )
    return before[list(schema)]


def fte_held(unsaid: pl.DataFrame, before: pl.DataFrame, now: pl.DataFrame) -> tuple[dict[str, int], set[str]]:
    """The FTE parts these leavers (`la_code, worker_ref`) held, by council; and the councils without an answer.

    The second result has the councils with leavers that have no month before, or whose month before has none of
    this month's workers (`now`). The references are then of another kind (a workforce return after
    our own extract), and nobody can be looked up. A leaver who is merely absent from the month before (came
    and left within the month) has no known FTE and is left out, as DfE leaves out workers without FTE.
    """
    leavers, held = {*unsaid.iter_rows()}, dict[str, int]()
    same_reference = pl.col("worker_ref").is_in(unsaid.get_column("worker_ref").implode())
    for la_code, worker, fte in before.filter(same_reference).select(*_WORKER, "fte").iter_rows():
        if (la_code, worker) in leavers:
            held[la_code] = held.get(la_code, 0) + (fte or 0)
    # Whoever finds one leaver has met this month's workers; only for the other councils are all of them looked for.
    others = {la_code for la_code, _ in leavers} - {*held}
    if not others:
        return held, others
    there = pl.col("la_code").is_in(sorted(others))
    met = before.filter(there).join(now.filter(there), on=_WORKER, how="semi")
    return held, others - {*met.get_column("la_code").to_list()}


@dataclass(frozen=True)
class CasesBefore:
    """The cases of the month before, put in order, so that this month's can be found among them."""

    cases: pl.DataFrame
    """CASE_STATE."""
    number: Mapping[str, int]
    """A number for each council, in the order of the rows."""
    ordered: pl.DataFrame | None

    @classmethod
    def of(cls, before: pl.DataFrame | None, month: Month) -> CasesBefore:
        """From the state of the month before `month`; see `state_of`."""
        cases = Rows.of(state_of(before, CASE_STATE, month))
        number = {code: place for place, code in enumerate(cases.councils.to_list())}
        return cls(cases.frame, number, _in_order(cases, number))


def worker_changes(now: Rows, before: CasesBefore) -> tuple[pl.DataFrame, set[str]]:
    """`la_code, cases_seen_twice, cases_worker_changed` of councils with a month before; and the councils without one.

    `now`: CASE_STATE of this month end.
    """
    here = now.where_council(now.lengths > 0)
    both = here.where_council(pl.Series([code in before.number for code in here.councils.to_list()], dtype=pl.Boolean))
    ordered = None if before.ordered is None else _in_order(both, before.number)
    if ordered is None or before.ordered is None:
        counts = _by_hash(both, before.cases)
    else:
        counts = _by_order(both, ordered, before.ordered)
    return counts, {*here.councils.to_list()} - {*before.number}


def _in_order(state: Rows, number: Mapping[str, int]) -> pl.DataFrame | None:
    """`key, ref, worker` of each case, with strictly increasing keys; None if they do not increase.

    The key is the council's number and the leading bits of the reference. Rows are sorted by council and reference, so
    it increases from row to row without any sorting. Increasing keys can be matched by walking along both lists, which
    takes a fifth of the time of hashing. They fail to increase if two references of a council share all these bits, or
    if rows are in another order.
    """
    # Once in one piece here, or the join would copy every piece again.
    cases = state.frame.select(ref="case_ref", worker="allocated_worker_ref").rechunk()
    room = max(len(number).bit_length(), 1)
    first = np.array([number[code] << (64 - room) for code in state.councils.to_list()], dtype=np.uint64)
    first_key = pl.Series(np.repeat(first, np.diff(state.ends)))
    # Polars adds, as it reuses memory where NumPy asks for new pages, which costs more than the arithmetic.
    cases = cases.with_columns(key=(first_key + pl.col("ref") // 2**room).set_sorted())
    seen = cases.get_column("key").to_numpy()
    return cases if bool((seen[1:] > seen[:-1]).all()) else None


def _by_order(now: Rows, cases: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Beside each case of now, the last one of the month before whose key is not larger: the same case, or none."""
    beside = cases.join_asof(
        before.select(pl.all().name.suffix("_before")), left_on="key", right_on="key_before", coalesce=False
    )
    # Equal keys mean equal leading bits only; the whole reference decides whether it is the same case.
    same = (pl.col("key") == pl.col("key_before")) & (pl.col("ref") == pl.col("ref_before"))
    other_worker = pl.col("worker") != pl.col("worker_before")
    rows = Rows(beside, now.councils, now.ends)
    return rows.sums(rows.marks({"cases_seen_twice": same, "cases_worker_changed": same & other_worker}))


def _by_hash(now: Rows, before: pl.DataFrame) -> pl.DataFrame:
    then = before.select("la_code", "case_ref", pl.col("allocated_worker_ref").alias("worker_before"))
    both = now.frame.join(
        then.unique(["la_code", "case_ref"], keep="first", maintain_order=True),
        on=["la_code", "case_ref"],
        how="inner",
        validate="m:1",
    )
    counts = both.group_by("la_code").agg(
        pl.len().cast(pl.Int64).alias("cases_seen_twice"),
        (pl.col("allocated_worker_ref") != pl.col("worker_before")).sum().cast(pl.Int64).alias("cases_worker_changed"),
    )
    return (
        now.councils.to_frame()
        .join(counts, on="la_code", how="left", validate="1:1")
        .with_columns(pl.col("cases_seen_twice", "cases_worker_changed").fill_null(0))
    )
