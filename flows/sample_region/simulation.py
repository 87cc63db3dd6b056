"""Simulates the made-up region month by month: what its councils would report, as frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.months import Month, month_range
from features.registry import EXTRACTS, FieldType, Kind
from flows.sample_region.councils import Region
from flows.sample_region.episodes import Episodes
from flows.sample_region.levels import levels
from flows.sample_region.workforce import NEVER, Leavers, Workforce
from flows.sample_region.working_days import Calendar, day_number

#: Months simulated before the first one shown: they give a full year of worker changes and let the stock settle.
BURN_IN_MONTHS = 14
_OTHER_REASON = 8


@dataclass(frozen=True, slots=True)
class MonthFrames:
    """One month of all councils: a frame per kind, ordered by council and reference.

    Columns have the registry's names and are as a council would send them, with two exceptions that `as_sent` and
    `as_canonical` convert: decimals are whole hundredths or tenths, and references are numbers.
    """

    month: Month
    frames: dict[Kind, pl.DataFrame]


def generate(region: Region) -> Iterator[MonthFrames]:
    """Every month of the region, oldest first; only one month is held at a time.

    The same region always gives the same frames, because all chance comes from its seed.
    """
    setting = levels(region, BURN_IN_MONTHS)
    rng = np.random.default_rng([region.seed, 3])
    first = region.first.plus(-BURN_IN_MONTHS)
    calendar = Calendar(first.year - 1, region.last.year + 4)
    size = np.array([c.inpost_fte for c in region.councils])
    staff = Workforce(size, setting, day_number(first.first_day), rng)
    episodes = Episodes(staff, setting, day_number(first.first_day), calendar, rng)
    shown = _Shown(region)
    for number, month in enumerate(month_range(first, region.last)):
        begin, end = day_number(month.first_day), day_number(month.last_day)
        days = calendar.of(month)
        left = staff.step(setting, number, begin, days, rng)
        episodes.step(number, begin, end, days, left.slot)
        if month >= region.first:
            yield MonthFrames(month, shown.month(month, staff, left, episodes))


class _Shown:
    """Turns the arrays of a month into frames."""

    def __init__(self, region: Region) -> None:
        codes = [c.la_code for c in region.councils]
        self.codes = pl.Series("la_code", codes, dtype=pl.Enum(codes))
        self.zero_fte = np.array([c.zero_fte_for_leavers for c in region.councils])
        self.teams = pl.Series(team_names())
        self.statuses = pl.Series("case_status", list("abcde"))
        self.numbers = pl.Series([str(i) for i in range(11)])

    def month(self, month: Month, staff: Workforce, left: Leavers, episodes: Episodes) -> dict[Kind, pl.DataFrame]:
        live = episodes.live
        holding = live.slot[(live.slot >= 0) & (live.closed == NEVER)]
        cases = np.bincount(holding, minlength=len(staff.council))
        day = day_number(month.last_day)
        return {
            Kind.WORKFORCE: self._workforce(day, staff, left, cases),
            Kind.ESTABLISHMENT: self._establishment(day, staff),
            Kind.CASELOAD: self._caseload(day, episodes, staff),
        }

    def _workforce(self, day: int, staff: Workforce, left: Leavers, cases: NDArray[np.int64]) -> pl.DataFrame:
        stay = np.flatnonzero(staff.held)
        slot = np.concatenate([stay, left.slot])
        gone = np.arange(len(slot)) >= len(stay)
        council = staff.council[slot]
        worker = np.concatenate([staff.worker[stay], left.worker])
        started = np.concatenate([staff.started[stay], left.started])
        ended = np.concatenate([np.full(len(stay), NEVER, dtype=np.int32), left.ended])
        lost = np.concatenate([staff.days_lost[stay], left.days_lost])
        agency = staff.agency[slot]
        blank = np.zeros(len(stay), dtype=np.uint8)
        # An agency contract ends for a reason that is not in the census, and has none of its destinations.
        reason = np.where(gone & agency, _OTHER_REASON, np.concatenate([blank, left.reason]))
        destination = np.where(agency, 0, np.concatenate([blank, left.destination]))
        frame = pl.DataFrame(
            {
                "la_code": self.codes.gather(council),
                "reference_date": _dates(np.full(len(slot), day)),
                "worker_ref": worker,
                "agency_worker": agency.astype(np.uint8),
                "org_role": self.numbers.gather(staff.role[slot]),
                "fte": np.where(gone & self.zero_fte[council], 0, staff.fte[slot]),
                "role_start_date": _dates(started),
                "role_end_date": _dates(ended),
                "reason_leave": _coded(self.numbers, reason),
                "leaver_destination": _coded(self.numbers, destination),
                "cases": np.where(gone, 0, cases[slot]),
                "working_days_lost": lost,
                "absent_at_reference_date": (staff.sick_long[slot] & ~gone).astype(np.uint8),
                "team": self.teams.gather(staff.team[slot]),
            }
        )
        return frame[np.lexsort((worker, council))]

    def _establishment(self, day: int, staff: Workforce) -> pl.DataFrame:
        def total(which: NDArray[np.bool_]) -> NDArray[np.int64]:
            counted = np.bincount(staff.council, weights=np.where(which, staff.fte, 0), minlength=staff.councils)
            return counted.astype(np.int64)

        agency = staff.held & staff.agency
        vacant = total(~staff.held & ~staff.agency)
        return pl.DataFrame(
            {
                "la_code": self.codes,
                "reference_date": _dates(np.full(staff.councils, day)),
                "vacancy_fte": vacant,
                "agency_fte": total(agency),
                "agency_headcount": np.bincount(staff.council[agency], minlength=staff.councils),
                "agency_cover_fte": np.minimum(total(agency & staff.covers), vacant),
            }
        )

    def _caseload(self, day: int, episodes: Episodes, staff: Workforce) -> pl.DataFrame:
        live = episodes.live
        n = len(live)
        closed = live.closed != NEVER
        on_plan = live.plan <= day
        allocated = live.slot >= 0
        status = np.full(n, 2, dtype=np.uint8)
        status[live.assessment_ends > day] = 3
        status[on_plan] = 1
        status[live.looked_after <= day] = 0
        status[closed] = 4
        team = np.where(allocated, staff.team[live.slot], 0)

        def shown(days: NDArray[np.int32], where: NDArray[np.bool_] | None = None) -> pl.Series:
            visible = days <= day if where is None else where & (days <= day)
            return _dates(np.where(visible, days, NEVER))

        return pl.DataFrame(
            {
                "la_code": self.codes.gather(live.council),
                "reference_date": _dates(np.full(n, day)),
                "case_ref": live.ref,
                "allocated_worker_ref": _blank(live.worker, ~allocated),
                "team": self.teams.gather(team),
                "case_status": self.statuses.gather(status),
                "referral_date": _dates(live.referred),
                "re_referral": live.re_referral.astype(np.uint8),
                "assessment_start_date": shown(live.assessment_starts),
                "assessment_authorised_date": shown(live.assessment_ends),
                "section_47_start_date": shown(live.section_47),
                "icpc_date": shown(live.conference),
                "cp_plan_start_date": shown(live.plan),
                "cp_review_due_date": _dates(np.where(on_plan, live.review_due, NEVER)),
                "last_cp_review_date": shown(live.last_review, on_plan),
                "last_visit_date": _dates(live.last_visit),
                "closed_date": _dates(live.closed),
                "worker_changes_12m": np.bitwise_count(live.changes),
                "previous_cp_plans": _blank(live.previous_plans, ~on_plan),
            }
        )


def _dates(days: NDArray[np.int32] | NDArray[np.int64]) -> pl.Series:
    series = pl.Series(days.astype(np.int32, copy=False))
    return series.set(series == NEVER, None).cast(pl.Date())


def _blank(values: NDArray[np.uint32] | NDArray[np.uint8], where: NDArray[np.bool_]) -> pl.Series:
    return pl.Series(values).set(pl.Series(where), None)


def _coded(texts: pl.Series, numbers: NDArray[np.uint8]) -> pl.Series:
    return texts.gather(_blank(numbers.astype(np.uint32), numbers == 0))


def team_names() -> list[str]:
    """Team names by number; unallocated work waits with the first. Some names need more than ASCII."""
    kinds = ("Safeguarding", "Assessment", "Children in Care", "Children’s Disability", "Family Support – Locality")
    return ["Duty", *(f"{kinds[i % len(kinds)]} {i // len(kinds) + 1}" for i in range(255))]


def as_sent(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The frame as a council writes it: references and codes as text, decimals as decimals."""
    out = []
    for field in EXTRACTS[kind].fields:
        if field.name not in frame.columns:
            continue
        column = pl.col(field.name)
        if field.type is FieldType.REFERENCE:
            letter, first = ("C", 10_000_000) if field.name == "case_ref" else ("W", 1_000_000)
            out.append(pl.concat_str(pl.lit(letter), column + first).alias(field.name))
        elif field.type is FieldType.DECIMAL:
            out.append((column / 10**field.decimals).round(field.decimals))
        elif field.type is FieldType.CODE:
            out.append(column.cast(pl.String))
        else:
            out.append(column)
    return frame.select(out)


def as_canonical(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The frame in the registry's canonical schema, as ingest would leave it, but with references not hashed."""
    rows = pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).over("la_code").alias("file_row")
    schema = EXTRACTS[kind].schema
    return frame.with_columns(rows).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
