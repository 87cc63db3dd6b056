"""Writes the made-up region's Septembers as workforce returns (CSWW XML), as a council's HR system would export them.

A return needs fields that none of our extracts has: birth date, gender, ethnicity. They are made up here from the
worker's number, and belong to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from io import StringIO
from xml.sax.saxutils import escape

import polars as pl

from features.errors import HoldfastError
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.csww.elements import BY_NAME, NAMES
from flows.sample_region.simulation import MonthFrames

#: In days: 25 years, and up to 19 more.
_YOUNGEST_AT_START, _AGES_AT_START = 9_131, 7_000
_ORIGIN_NOT_KNOWN, _DESTINATION_NOT_KNOWN = "9", "8"


def september_returns(year: Sequence[MonthFrames]) -> Iterator[tuple[str, bytes]]:
    """(la_code, return) of every council, from the 12 months that end with a September, oldest first.

    It has the leavers of all 12 months with FTE 0, the year's sum of days lost, and the cases and absences of the last
    day. Raises HoldfastError for any other months.
    """
    last = year[-1].month
    if [m.month for m in year] != [last.plus(i) for i in range(-11, 1)] or last.number != 9:
        raise HoldfastError("A workforce return is of 12 months that end with a September; give those, oldest first.")
    workers = _workers([m.frames[Kind.WORKFORCE] for m in year], last)
    vacancies = year[-1].frames[Kind.ESTABLISHMENT]
    for (la_code,), own in workers.partition_by("la_code", as_dict=True, maintain_order=True).items():
        totals = vacancies.filter(pl.col("la_code").cast(pl.String) == la_code).row(0, named=True)
        yield str(la_code), _written(str(la_code), last, own.drop("la_code"), totals)


def _workers(months: Sequence[pl.DataFrame], last: Month) -> pl.DataFrame:
    """One row per worker who is in post or left in the year: elements as text, ordered by council and worker."""
    rows = pl.concat(
        [
            m.with_columns(pl.col("la_code").cast(pl.String), pl.lit(i).alias("month"))
            for i, m in enumerate(months, start=1)
        ],
        how="vertical_relaxed",
    )
    key = ["la_code", "worker_ref"]
    days = rows.group_by(key).agg(pl.col("working_days_lost").cast(pl.Int64).sum().alias("days"))
    ended = pl.col("role_end_date").is_not_null()
    # A worker's latest row is from the last month, or from the month of leaving.
    latest = rows.filter(ended | (pl.col("month") == len(months))).join(days, on=key, how="left", validate="m:1")
    number = pl.col("worker_ref").cast(pl.Int64)
    fte = pl.when(ended).then(pl.lit("0")).otherwise(_decimal(pl.col("fte").cast(pl.Int64), 2))
    made = {
        "AgencyWorker": pl.col("agency_worker").cast(pl.String),
        "SWENo": pl.format("SW{}", (number + 1_000_000_000).cast(pl.String)),
        "FTE": fte,
        "PersonBirthDate": (
            pl.col("role_start_date") - pl.duration(days=_YOUNGEST_AT_START + (number * 37) % _AGES_AT_START)
        ).dt.to_string("%Y-%m-%d"),
        "GenderCurrent": _one_of("GenderCurrent", number),
        "Ethnicity": _one_of("Ethnicity", number * 7),
        "QualInst": pl.lit("A made-up university"),
        "QualLevel": _one_of("QualLevel", number),
        "StepUpGrad": pl.lit("0"),
        "OrgRole": pl.col("org_role").cast(pl.String),
        "RoleStartDate": pl.col("role_start_date").dt.to_string("%Y-%m-%d"),
        "StartOrigin": pl.lit(_ORIGIN_NOT_KNOWN),
        "RoleEndDate": pl.col("role_end_date").dt.to_string("%Y-%m-%d"),
        "LeaverDestination": pl.when(ended).then(
            pl.col("leaver_destination").cast(pl.String).fill_null(_DESTINATION_NOT_KNOWN)
        ),
        "ReasonLeave": pl.col("reason_leave").cast(pl.String),
        "FTE30": fte,
        "Cases30": pl.col("cases").cast(pl.String),
        "WorkingDaysLost": _decimal(pl.col("days"), 1),
        "FrontlineGrad": pl.lit("0"),
        "Absat30Sept": pl.col("absent_at_reference_date").cast(pl.String),
        "ReasonAbsence": pl.when(pl.col("absent_at_reference_date") == 1).then(pl.lit("SIC")),
    }
    return latest.sort(key).select("la_code", *(e.alias(n) for n, e in made.items()))


def _one_of(element: str, number: pl.Expr) -> pl.Expr:
    codes = BY_NAME[element].codes
    return pl.lit(pl.Series(codes)).gather(number % len(codes))


def _decimal(parts: pl.Expr, decimals: int) -> pl.Expr:
    whole, rest = parts // 10**decimals, parts % 10**decimals
    return pl.concat_str(whole.cast(pl.String), pl.lit("."), rest.cast(pl.String).str.zfill(decimals))


def _written(la_code: str, month: Month, workers: pl.DataFrame, totals: dict[str, int]) -> bytes:
    out = StringIO()
    out.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<Message>\n  <Header>\n    <CollectionDetails>\n'
        f"      <Collection>CSWW</Collection>\n      <Year>{month.year}</Year>\n"
        f"      <ReferenceDate>{month.last_day}</ReferenceDate>\n    </CollectionDetails>\n    <Source>\n"
        f"      <SourceLevel>L</SourceLevel>\n      <LEA>{escape(la_code)}</LEA>\n"
        "      <SoftwareCode>made-up region</SoftwareCode>\n"
        f"      <DateTime>{month.last_day + timedelta(days=30)}T09:00:00Z</DateTime>\n"
        "    </Source>\n  </Header>\n  <LALevelVacancies>\n"
        f"    <NumberOfVacancies>{totals['vacancy_fte'] / 100:.2f}</NumberOfVacancies>\n"
        f"    <NoAgencyFTE>{totals['agency_fte'] / 100:.2f}</NoAgencyFTE>\n"
        f"    <NoAgencyHeadcount>{totals['agency_headcount']}</NoAgencyHeadcount>\n  </LALevelVacancies>\n"
    )
    order = [n for n in NAMES if n in workers.columns]
    for row in workers.select(order).iter_rows():
        out.write("  <CSWWWorker>\n")
        for name, text in zip(order, row, strict=True):
            if text is not None:
                out.write(f"    <{name}>{escape(text)}</{name}>\n")
        out.write("  </CSWWWorker>\n")
    out.write("</Message>\n")
    return out.getvalue().encode()
