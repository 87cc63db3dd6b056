"""Finds the episode of a row that names none, and checks that joins found what they must.

Some systems leave the referral of an involvement or a plan blank. Such a row is matched by its person, to the latest
episode of that person that was open during it. A row with neither belongs to nobody. A join that finds nothing does not
mean “none”: the fields that need it are withheld by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from flows.extracts.formats.ssd import tables as ssd
from flows.extracts.formats.ssd.tables import Tables

_REF, _PERSON = "cine_referral_id", "cine_person_id"
#: This many rows without a case, and this share, may be left out before fields that need the table are withheld.
FEW, SHARE = 2, 0.02
#: If a smaller part of the recent rows finds its other side, the two tables use different identifiers.
_FOUND = 0.5
_RECENT = timedelta(days=90)
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Joined:
    """How a table names its case, its person and the time of its rows."""

    ref: str
    person: str
    start: str
    end: str | None = None


JOINED: Mapping[str, Joined] = {
    ssd.INVOLVEMENTS: Joined(
        "invo_referral_id", "invo_person_id", "invo_involvement_start_date", "invo_involvement_end_date"
    ),
    ssd.ASSESSMENTS: Joined("cina_referral_id", "cina_person_id", "cina_assessment_start_date"),
    ssd.ENQUIRIES: Joined("s47e_referral_id", "s47e_person_id", "s47e_s47_start_date"),
    ssd.PLANS: Joined("cppl_referral_id", "cppl_person_id", "cppl_cp_plan_start_date", "cppl_cp_plan_end_date"),
    ssd.CIN_PLANS: Joined("cinp_referral_id", "cinp_person_id", "cinp_cin_plan_start_date", "cinp_cin_plan_end_date"),
}


def placed(tables: Tables) -> Tables:
    """The tables with referrals added to rows that name none and can be placed by their person, and a note of these."""
    frames, notes = dict(tables.frames), list(tables.notes)
    episodes = tables[ssd.EPISODES].select(_REF, _PERSON, "cine_referral_date", "cine_close_date")
    for name, how in JOINED.items():
        if not tables.has(name):
            continue
        frame = tables[name]
        blank = pl.col(how.ref).is_null() & pl.col(how.person).is_not_null()
        missing = frame.filter(blank)
        if missing.is_empty():
            continue
        found = _by_person(missing, episodes, how)
        frames[name] = (
            frame.join(found, on="row", how="left", validate="m:1", maintain_order="left")
            .with_columns(pl.coalesce(how.ref, "by_person").alias(how.ref))
            .drop("by_person")
        )
        notes.append(
            f"{missing.height:,} rows of {name} name no referral; {found.height:,} of them were joined by their person "
            "to the episode that was open then."
        )
    return replace(tables, frames=frames, notes=tuple(notes))


def _by_person(missing: pl.DataFrame, episodes: pl.DataFrame, how: Joined) -> pl.DataFrame:
    """`row` and the referral (`by_person`) of the latest episode of the row's person that was open during it."""
    start, end = pl.col(how.start), pl.col(how.end or how.start)
    closed_before = (pl.col("cine_close_date") < start).fill_null(False)
    opened_after = (pl.col("cine_referral_date") > end).fill_null(False)
    return (
        missing.select("row", how.person, pl.col(dict.fromkeys((how.start, how.end or how.start))))
        .join(episodes, left_on=how.person, right_on=_PERSON, validate="m:m")
        .filter(~closed_before & ~opened_after)
        .sort("row", "cine_referral_date", _REF, nulls_last=False)
        .unique("row", keep="last", maintain_order=True)
        .select("row", pl.col(_REF).alias("by_person"))
    )


def of_the_month(how: Joined, first: date, last: date) -> pl.Expr:
    """Whether a row concerns the month: begun by its end and not ended before it."""
    begun = (pl.col(how.start) <= last).fill_null(False)
    return begun if how.end is None else begun & (pl.col(how.end) >= first).fill_null(True)


def without_case(rows: pl.DataFrame, name: str, month: tuple[date, date], basis: int | None = None) -> str | None:
    """Why these rows of a table may not be used: too many name no case. None if few do.

    `basis`: the number that the share is taken of, if not the rows that concern the month.
    """
    how = JOINED[name]
    here = rows.filter(of_the_month(how, *month))
    unplaced = here.filter(pl.col(how.ref).is_null()).height
    limit = max(FEW, SHARE * here.height if basis is None else basis * SHARE * 5)
    if unplaced <= limit:
        return None
    return (
        f"{unplaced:,} of {here.height:,} rows of {name} that run in the month have no {how.ref} and no {how.person} "
        "that leads to a case, so whose they are is not known"
    )


def unreliable_join(rows: pl.DataFrame, key: str, day: str, known: pl.Series, last: date) -> str | None:
    """Why a join is unreliable: hardly any recent row finds its other side. None if most do."""
    recent = rows.filter(pl.col(day).is_between(last - _RECENT, last))
    if recent.height < _ENOUGH:
        return None
    found = recent.filter(pl.col(key).is_in(known.drop_nulls().implode())).height
    if found >= _FOUND * recent.height:
        return None
    return (
        f"{found:,} of {recent.height:,} rows of the last 90 days have a {key} that the other table knows, so both "
        "tables identify by other numbers"
    )
