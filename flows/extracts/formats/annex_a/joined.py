"""Joins the lists, and reports on it: how many rows matched, and where lists contradict each other."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from features.words import count_words
from flows.extracts.formats.annex_a.layout import BY_NUMBER

#: If a list has this many children and none is in list 6, it identifies children differently.
_STRANGERS = 20


def joined(chosen: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
    """Every child with its row of each list, whose columns begin with the list's number: `6.closed`."""
    children = pl.concat([f.lazy().select("child") for f in chosen.values()]).unique()
    for number, frame in chosen.items():
        own = frame.lazy().select("child", pl.exclude("child").name.prefix(f"{number}."))
        children = children.join(own, on="child", how="left", validate="1:1")
    return children.collect(engine="in-memory")


def cardinality(
    cut: Mapping[int, pl.DataFrame], chosen: Mapping[int, pl.DataFrame], children: pl.DataFrame
) -> list[str]:
    """How many rows and children each list has, and how many of them are in list 6, which joins them.

    `cut`: the lists' rows begun by the month's end; `chosen`: the one row of each child that counts; `children`: these,
    joined.
    """
    in_list_6 = children.select(
        (pl.col("6.row").is_not_null() & pl.col(f"{n}.row").is_not_null()).sum().alias(str(n)) for n in chosen
    ).row(0, named=True)
    counts_for = {6: "the open row counts, else the latest", 7: "the running plan counts, else the latest"}
    counts_for[8] = "the running period counts, else the latest"
    notes = []
    for number, frame in sorted(cut.items()):
        if frame.is_empty():
            continue
        rows, own = frame.height, chosen[number].height
        line = f"{BY_NUMBER[number]}: {count_words(rows, 'row', 'rows')} of {count_words(own, 'child', 'children')}"
        if rows > own:
            line += f" (of several, {counts_for.get(number, 'the latest counts')})"
        if number == 6:
            notes.append(f"{line}.")
            continue
        both = in_list_6[str(number)]
        line += f", joined to list 6 by Child Unique ID, one to one: {both:,} stand in it."
        if not both and min(own, chosen[6].height) >= _STRANGERS:
            line += " Check that both lists use the same identifier."
        notes.append(line)
    return notes


def contradictions(current: pl.DataFrame) -> list[str]:
    """Children who are closed in list 6 and open in another list."""
    both = current.filter(pl.col("listed") & pl.col("6.closed").is_not_null() & (pl.col("in_care") | pl.col("on_plan")))
    if both.is_empty():
        return []
    children = count_words(both.height, "child", "children")
    return [f"Closed in list 6 but in care or on a plan in lists 7 and 8: {children}, taken as open."]


def only_events(current: pl.DataFrame) -> list[str]:
    """Children who are in no list of open work, and how they were counted."""
    only = current.filter("only_events")
    if only.is_empty():
        return []
    children, ended = count_words(only.height, "child", "children"), only.filter(~pl.col("open")).height
    return [
        f"In no list of open work, but something happened in the month: {children}. Taken as open "
        f"(status d), as a referral, an enquiry or an assessment leads on: {only.height - ended:,}; as closed on the "
        f"day the last thing ended: {ended:,}."
    ]
