"""What a month's counts owe to the month before: the FTE a leaver held, and who had a case a month ago.

The state is what one month hands to the next: small, keyed by the pseudonyms, and of exactly one month.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import HoldfastError
from features.months import Month

#: Workers in post at a month end and the FTE they held: what next month's leavers are looked up in.
WORKER_STATE = pl.Schema({"month": pl.Date(), "la_code": pl.String(), "worker_ref": pl.UInt64(), "fte": pl.Int64()})

#: Open, allocated cases at a month end: what next month's changes of worker are found against.
CASE_STATE = pl.Schema(
    {"month": pl.Date(), "la_code": pl.String(), "case_ref": pl.UInt64(), "allocated_worker_ref": pl.UInt64()}
)

_Keys = NDArray[np.uint64]


def state_of(before: pl.DataFrame | None, schema: pl.Schema, month: Month) -> pl.DataFrame:
    """The state of the month before, empty if there is none. Raises HoldfastError if it is another month's."""
    if before is None or before.is_empty():
        return pl.DataFrame(schema=schema)
    expected = month.plus(-1).last_day
    if (before.get_column("month") != expected).any():
        held = before.get_column("month").unique().sort()
        raise HoldfastError(
            f"{month}: the stored state is of {', '.join(str(Month.of(d)) for d in held)}, "
            f"not of {Month.of(expected)}. Run the missing months first, oldest first."
        )
    return before.select(list(schema))


def fte_held(unsaid: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """`la_code, held_before`: FTE parts held by these leavers (`la_code, worker_ref`); and who cannot be answered.

    The second result are the councils of leavers that have no month before at all. A leaver who is only missing
    from it (came and went within the month) has no known FTE and is left out, as DfE leaves out workers without FTE.
    """
    held = before.filter(pl.col("worker_ref").is_in(unsaid.get_column("worker_ref").implode()))
    held = held.group_by("la_code", "worker_ref").agg(pl.col("fte").sum().alias("held_before"))
    found = (
        unsaid.unique()
        .join(held, on=["la_code", "worker_ref"], how="inner", validate="1:1")
        .group_by("la_code")
        .agg(pl.col("held_before").sum())
    )
    return found, unsaid.join(before, on="la_code", how="anti").get_column("la_code").unique().sort()


def worker_changes(now: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """`la_code, cases_seen_twice, cases_worker_changed` of councils that have a month before; and those that have none.

    `now` and `before`: CASE_STATE of both month ends, the rows of a council together.
    """
    held = before.get_column("la_code").rle().struct.field("value")
    councils = now.get_column("la_code").rle().struct.field("value").unique().sort()
    known = councils.filter(councils.is_in(held.implode()))
    codes = pl.concat([councils, held]).unique().sort()
    keys = _ordered_keys(now, codes), _ordered_keys(before, codes)
    if keys[0] is None or keys[1] is None:
        twice, changed = _by_hash(now, before, codes)
    else:
        twice, changed = _by_order(now, keys[0], before, keys[1], codes)
    counts = pl.DataFrame({"la_code": codes, "cases_seen_twice": twice, "cases_worker_changed": changed})
    return counts.filter(pl.col("la_code").is_in(known.implode())), councils.filter(
        councils.is_in(held.implode()).not_()
    )


def _ordered_keys(state: pl.DataFrame, codes: pl.Series) -> _Keys | None:
    """Council number and leading bits of the reference in one number, or None if these do not strictly rise.

    Rows are in order of council and reference, so this number rises from row to row without sorting
    anything, and rising keys are matched by walking along both lists: a fifth of the time of hashing.
    Two references of a council that share so many leading bits (or rows in another order) stop it rising.
    """
    bits = np.uint64(max(codes.len(), 2).bit_length())
    runs = state.get_column("la_code").rle().struct.unnest()
    number = codes.search_sorted(runs.get_column("value")).to_numpy().astype(np.uint64)
    prefix = np.repeat(number << (np.uint64(64) - bits), runs.get_column("len").to_numpy())
    keys: _Keys = prefix | (state.get_column("case_ref").to_numpy() >> bits)
    return keys if bool((keys[1:] > keys[:-1]).all()) else None


def _by_order(now: pl.DataFrame, key: _Keys, before: pl.DataFrame, key_before: _Keys, codes: pl.Series) -> Any:
    here = pl.DataFrame(
        {"key": pl.Series(key).set_sorted(), "ref": now["case_ref"], "worker": now["allocated_worker_ref"]}
    )
    then = pl.DataFrame(
        {
            "key": pl.Series(key_before).set_sorted(),
            "ref_before": before["case_ref"],
            "worker_before": before["allocated_worker_ref"],
        }
    )
    # Strictly rising keys are unique, so the join is 1:1; having Polars validate that would cost more than the join.
    both = here.join(then, on="key", how="inner")
    # Leading bits agree; whether it is the same case, the whole reference says.
    same = both["ref"].to_numpy() == both["ref_before"].to_numpy()
    other_worker = same & (both["worker"].to_numpy() != both["worker_before"].to_numpy())
    bits = np.uint64(max(codes.len(), 2).bit_length())
    council = (both["key"].to_numpy() >> (np.uint64(64) - bits)).astype(np.intp)
    return tuple(np.bincount(council[m], minlength=codes.len()).astype(np.int64) for m in (same, other_worker))


def _by_hash(now: pl.DataFrame, before: pl.DataFrame, codes: pl.Series) -> Any:
    then = before.select("la_code", "case_ref", pl.col("allocated_worker_ref").alias("worker_before"))
    both = now.join(
        then.unique(["la_code", "case_ref"], keep="first", maintain_order=True),
        on=["la_code", "case_ref"],
        how="inner",
        validate="m:1",
    )
    found = both.group_by("la_code").agg(
        pl.len().cast(pl.Int64).alias("twice"),
        (pl.col("allocated_worker_ref") != pl.col("worker_before")).sum().cast(pl.Int64).alias("changed"),
    )
    of_all = codes.alias("la_code").to_frame().join(found, on="la_code", how="left", validate="1:1").sort("la_code")
    return of_all["twice"].fill_null(0), of_all["changed"].fill_null(0)
