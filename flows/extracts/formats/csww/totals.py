"""Adds up the records: sums in whole parts, and people counted once by DfE's rule.

Chunks are added one after another. For each record only hashes and a few small numbers, some forty bytes, are kept
until the end of the file: only then is it known whether somebody occurs twice.

DfE's rule (methodology, “Headcount”): in post, records of one council with the same registration number, date of birth,
gender and ethnicity are one person; starters also need the same start date and leavers the same leaving date. Each
record of an agency worker is a separate person, and FTE are never de-duplicated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from flows.extracts.formats.csww.elements import NAMES
from flows.extracts.formats.csww.figures import number_of
from flows.extracts.formats.csww.stream import Outline
from flows.extracts.formats.csww.typed import RAW, agency, direct, fte, in_post, left_between, value, year_before

_PERSON = ("SWENo", "PersonBirthDate", "GenderCurrent", "Ethnicity")
_FTE_PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """The kinds of repeats, as numbers of records and the records to look at."""

    second_posts: tuple[int, ...]
    """Directly paid workers in post who were already counted: another post of the same person."""
    same_record: tuple[int, ...]
    """Records equal to an earlier one in every element."""
    same_number_other_person: tuple[int, ...]
    """Direct and in post, whose registration number also occurs with another date of birth, gender or ethnicity."""
    over_full_time: tuple[int, ...]
    """Further posts of a person whose posts come to more than 1 FTE."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Whole-number sums over the file: FTE in millionths, days in hundredths."""

    inpost_fte: int = 0
    agency_fte: int = 0
    agency_records: int = 0
    case_holders_fte: int = 0
    cases: int = 0
    days_lost: int = 0
    direct: int = 0
    in_post: int = 0
    no_fte: int = 0
    """In post, FTE missing, unreadable or contradictory."""
    no_cases: int = 0
    """In post, with Cases30 unreadable, or missing for a case holder."""
    no_days: int = 0
    """Directly paid, with WorkingDaysLost missing or unreadable."""
    no_end: int = 0
    """RoleEndDate present but unreadable."""
    no_start: int = 0
    """Directly paid, with RoleStartDate present but unreadable."""
    no_agency: int = 0
    """AgencyWorker missing or unreadable."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of the whole return."""

    reference_date: date
    workers: int
    sums: Sums
    inpost_headcount: int
    starters_headcount: int
    leavers_headcount: int
    repeats: Repeats
    vacancy_fte: int | None
    """In hundredths, from the council's own figures, like the next one."""
    agency_fte: int | None
    agency_headcount: int | None


_SUMS = tuple(Sums.__dataclass_fields__)


@dataclass
class Tally:
    """Adds chunk after chunk of typed records."""

    reference_date: date
    _sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0))
    _people: list[pl.DataFrame] = field(default_factory=list)

    def add(self, chunk: pl.DataFrame) -> None:
        """Count one chunk of `typed` records."""
        day = self.reference_date
        here = in_post(day)
        holder = here & (fte() > 0).fill_null(False) & (value("Cases30") > 0).fill_null(False)
        no_cases = pl.col("Cases30").is_null() & (
            pl.col(RAW + "Cases30").is_not_null() | (pl.col("OrgRole") == "5").fill_null(False)
        )
        found = chunk.select(
            inpost_fte=fte().filter(direct() & here).sum(),
            agency_fte=fte().filter(agency() & here).sum(),
            agency_records=(agency() & here).sum(),
            case_holders_fte=fte().filter(holder).sum(),
            cases=value("Cases30").filter(holder).sum(),
            days_lost=value("WorkingDaysLost").filter(direct()).sum(),
            direct=direct().sum(),
            in_post=here.sum(),
            no_fte=(here & fte().is_null()).sum(),
            no_cases=(here & no_cases).sum(),
            no_days=(direct() & value("WorkingDaysLost").is_null()).sum(),
            no_end=(pl.col(RAW + "RoleEndDate").is_not_null() & value("RoleEndDate").is_null()).sum(),
            no_start=(direct() & pl.col(RAW + "RoleStartDate").is_not_null() & value("RoleStartDate").is_null()).sum(),
            no_agency=value("AgencyWorker").is_null().sum(),
        ).row(0, named=True)
        for name in _SUMS:
            self._sums[name] += found[name]
        self._people.append(self._keys(chunk))

    def _keys(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """For each record: who it is, as hashes that last as long as this object, and what it counts as."""
        first, last = year_before(self.reference_date)
        person = [value(n) for n in _PERSON]
        known = value("SWENo").is_not_null()
        return chunk.select(
            "worker",
            # Without registration numbers people cannot be told apart, so each record counts as a person.
            pl.when(known).then(pl.struct(person).hash(1)).otherwise(pl.col("worker")).alias("person"),
            pl.when(known).then(value("SWENo").hash(2)).alias("number"),
            pl.struct([RAW + n for n in NAMES]).hash(3).alias("record"),
            value("RoleStartDate").alias("start"),
            value("RoleEndDate").alias("end"),
            fte().fill_null(0).cast(pl.Int32).alias("fte"),
            (direct() & in_post(last)).alias("in_post"),
            (direct() & value("RoleStartDate").is_between(first, last).fill_null(False)).alias("started"),
            (direct() & left_between(first, last)).alias("left"),
        )

    def totals(self, outline: Outline) -> Totals:
        """The sums of the whole file, which must have been read to its end."""
        people = pl.concat(self._people)
        here = people.filter("in_post")
        return Totals(
            reference_date=self.reference_date,
            workers=people.height,
            sums=Sums(**self._sums),
            inpost_headcount=here["person"].n_unique(),
            starters_headcount=people.filter("started").select(pl.struct("person", "start").n_unique()).item(),
            leavers_headcount=people.filter("left").select(pl.struct("person", "end").n_unique()).item(),
            repeats=_repeats(people, here),
            vacancy_fte=number_of(outline, "NumberOfVacancies"),
            agency_fte=number_of(outline, "NoAgencyFTE"),
            agency_headcount=number_of(outline, "NoAgencyHeadcount"),
        )


def _repeats(people: pl.DataFrame, here: pl.DataFrame) -> Repeats:
    def workers(frame: pl.DataFrame, condition: pl.Expr) -> tuple[int, ...]:
        return tuple(frame.filter(condition)["worker"].to_list())

    further = pl.col("person").is_first_distinct().not_()
    return Repeats(
        second_posts=workers(here, further),
        same_record=workers(people, pl.col("record").is_first_distinct().not_()),
        same_number_other_person=workers(
            here, pl.col("number").is_not_null() & (pl.col("person").n_unique().over("number") > 1)
        ),
        over_full_time=workers(here, further & (pl.col("fte").cast(pl.Int64).sum().over("person") > _FTE_PARTS)),
    )
