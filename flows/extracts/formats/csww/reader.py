"""Turns the return into extracts of its month, `workforce` and `establishment`, and a `return` of the year's flows.

What is used, and what is not:

* The month's workforce is everybody in post on the reference date and everybody who left in its month. The return also
has workers who left earlier in the year; they count only in the year's flows.
* WorkingDaysLost covers the year, so the month's `working_days_lost` is absent; the year's sum is in the `return`.
* A leaver's FTE is 0, as in the census; counting uses the FTE of the month before.
* FTE are rounded to hundredths, as everywhere in Holdfast.
* SWENo becomes the worker's pseudonym as it is read. Birth date, gender and ethnicity are used only to count people
once, as DfE does, and go no further. Other elements about a person are not read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

import polars as pl

from features.errors import HeaderMismatch, UnreadableExtract, WrongCouncilOrMonth
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import EXTRACTS, RETURN, Kind, Missing
from flows.extracts.formats.asked import Asked, Content, mark_of
from flows.extracts.formats.csww.elements import POSITION
from flows.extracts.formats.csww.rates import flows_of_the_year, is_full_year
from flows.extracts.formats.csww.stream import Outline, Stream
from flows.extracts.formats.csww.totals import Tally, Totals
from flows.extracts.formats.csww.typed import RAW, as_day, in_post, typed
from flows.extracts.formats.csww.validate import outline_of
from flows.extracts.ingest import IngestedExtract, ingest_table
from flows.extracts.reading.table import CELL_PROBLEMS, RawTable, raw_table
from flows.extracts.reading.tables import too_many_rows
from flows.extracts.reading.where import Where

#: Our field -> the element it is taken from; `fte` may be FTE instead. Nothing else of a worker leaves this module.
TAKEN: dict[str, str] = {
    "worker_ref": "SWENo",
    "agency_worker": "AgencyWorker",
    "org_role": "OrgRole",
    "fte": "FTE30",
    "role_start_date": "RoleStartDate",
    "role_end_date": "RoleEndDate",
    "reason_leave": "ReasonLeave",
    "leaver_destination": "LeaverDestination",
    "cases": "Cases30",
    "absent_at_reference_date": "Absat30Sept",
}
ESTABLISHMENT = {
    "vacancy_fte": "NumberOfVacancies",
    "agency_fte": "NoAgencyFTE",
    "agency_headcount": "NoAgencyHeadcount",
}
#: Values that nobody may have in a month: the column is still there, and empty.
_MAY_BE_EMPTY = ("role_end_date", "reason_leave", "leaver_destination")
_TIME_ZONE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})$"
_NO_CASELOAD = "[0-9]{5}"
_BY_WORKER = "Rows are counted by worker, from 1 in the order of the file."


def said(content: Content) -> tuple[str | None, Month | None]:
    """The council's code and the month of the reference date, as far as the header gives them."""
    header = outline_of(cast(bytes, content), "the return").header
    day = as_day(header.one("ReferenceDate"))
    return header.one("LEA"), Month.of(day) if day is not None and 1990 <= day.year <= 2199 else None


def read(content: Content, asked: Asked) -> IngestedExtract:
    """One extract of the return. Raises UnreadableExtract, HeaderMismatch and WrongCouncilOrMonth."""
    source = cast(bytes, content)
    where = asked.where
    day = as_day(outline_of(source, str(where)).header.one("ReferenceDate"))
    if day is None:
        raise WrongCouncilOrMonth(
            f"{where}: the header gives no ReferenceDate that can be read, so the month cannot be confirmed. "
            f"Write {asked.month.last_day}."
        )
    mark = mark_of(content)
    stream = Stream(source, str(where))
    if asked.kind is Kind.WORKFORCE:
        of_month = pl.concat(_of_the_month(stream, day, where))
        _refuse_unclear(stream.outline, where)
        return _workforce(of_month, stream.outline, asked, where, mark)
    tally = Tally(day)
    for chunk in stream.chunks():
        if asked.kind is Kind.RETURN:
            tally.add(typed(chunk))
    _refuse_unclear(stream.outline, where)
    if asked.kind is Kind.ESTABLISHMENT:
        return _establishment(stream.outline, asked, where, mark)
    return _years_flows(tally.totals(stream.outline), stream.outline, asked, mark)


def _of_the_month(stream: Stream, day: date, where: Where) -> list[pl.DataFrame]:
    """The values of workers in post and of those who left in the month; an unreadable end stays a problem."""
    found: list[pl.DataFrame] = []
    height = 0
    for chunk in stream.chunks():
        kept = typed(chunk).filter((pl.col("RoleEndDate") < day.replace(day=1)).fill_null(False).not_())
        height += kept.height
        if height > EXTRACTS[Kind.WORKFORCE].max_rows:
            raise too_many_rows(where, Kind.WORKFORCE)
        found.append(_taken(kept, day))
    return found


def _refuse_unclear(outline: Outline, where: Where) -> None:
    """Refuse a file whose figures would depend on how it is read."""
    if outline.lookalikes:
        raise HeaderMismatch(
            f"{where}: elements are written with other capitals than the return's: {', '.join(outline.lookalikes)}. "
            "They cannot be told from others. Export the return with the names of the specification."
        )
    if outline.header.one("LEA") is None or outline.header.one("ReferenceDate") is None:
        raise WrongCouncilOrMonth(
            f"{where}: the header does not name one council (LEA) and one ReferenceDate. Send one council's return."
        )


def _taken(records: pl.DataFrame, day: date) -> pl.DataFrame:
    """The values of each worker, as text by field, with `worker` and the problems that only this form has."""
    here = in_post(day)
    texts = {field: pl.col(RAW + element) for field, element in TAKEN.items()}
    texts["worker_ref"] = texts["worker_ref"].str.replace_all(r"\s", "").str.to_uppercase()
    texts["fte"] = pl.when(here).then(pl.coalesce(RAW + "FTE30", RAW + "FTE")).otherwise(pl.col(RAW + "FTE"))
    for field in ("role_start_date", "role_end_date"):
        texts[field] = texts[field].str.replace(_TIME_ZONE, "${1}")
    differs = {field: _differs(element) for field, element in TAKEN.items()}
    differs["fte"] = differs["fte"] | _differs("FTE")
    one_is_zero = ((pl.col("FTE") == 0) != (pl.col("FTE30") == 0)).fill_null(False) & here
    problems: dict[str, pl.Expr] = {f: pl.when(twice).then(pl.lit("given_twice")) for f, twice in differs.items()}
    contradicts = one_is_zero & pl.col(RAW + "RoleEndDate").is_null()
    problems["fte"] = pl.coalesce(problems["fte"], pl.when(contradicts).then(pl.lit("fte_contradicts")))
    # A registration number typed into the wrong element is also a number.
    too_many = texts["cases"].str.contains(_NO_CASELOAD)
    problems["cases"] = pl.coalesce(problems["cases"], pl.when(too_many).then(pl.lit("number_out_of_range")))
    return records.select(
        "worker",
        *(pl.when(problem.is_null()).then(texts[field]).alias(field) for field, problem in problems.items()),
        *(problem.alias(f"{field} problem") for field, problem in problems.items()),
    )


def _differs(element: str) -> pl.Expr:
    """Whether the element occurs twice in a record with different values."""
    return (pl.col("differs") & (1 << POSITION[element])) > 0


def _workforce(taken: pl.DataFrame, outline: Outline, asked: Asked, where: Where, mark: str) -> IngestedExtract:
    if taken.is_empty():
        raise UnreadableExtract(
            f"{where}: nobody in the return was in post at the end of the month or left in it. Check the dates."
        )
    there = [f for f in TAKEN if f in _MAY_BE_EMPTY or _is_given(taken, f)]
    problems = [
        taken.select(
            pl.col("worker").alias("file_row"),
            pl.lit(position, pl.UInt32).alias("position"),
            pl.col(f"{field} problem").alias("problem"),
        ).drop_nulls("problem")
        for position, field in enumerate(there, start=2)
    ]
    left_earlier = outline.workers - taken.height
    notes = [_BY_WORKER] + (
        [f"{left_earlier:,} records are of workers who left before {asked.month.in_words}; they are not of this month."]
        if left_earlier
        else []
    )
    table = _table(
        {field: taken[field] for field in there},
        taken["worker"],
        outline,
        pl.concat([CELL_PROBLEMS.to_frame(), *problems]),
        notes,
    )
    # Days lost cover the year; team is not in the return. A value that no record has is absent, and no reason to
    # refuse.
    lacking = ["working_days_lost", *(f for f in TAKEN if f not in there)]
    return ingest_table(table, asked, mark=mark, may_lack=lacking)


def _is_given(taken: pl.DataFrame, field: str) -> bool:
    return max(taken[field].count(), taken[f"{field} problem"].count()) > 0


def _establishment(outline: Outline, asked: Asked, where: Where, mark: str) -> IngestedExtract:
    if outline.vacancies.count != 1:
        raise UnreadableExtract(
            f"{where}: the council's vacancies (LALevelVacancies) stand {outline.vacancies.count} times in the return. "
            "Send them once."
        )
    columns = {f: pl.Series([outline.vacancies.one(e)], dtype=pl.String) for f, e in ESTABLISHMENT.items()}
    table = _table(columns, pl.Series([1], dtype=pl.UInt32), outline, CELL_PROBLEMS.to_frame(), [])
    return ingest_table(table, asked, mark=mark)


def _years_flows(totals: Totals, outline: Outline, asked: Asked, mark: str) -> IngestedExtract:
    """The `return` extract: flows of the 12 months that only the return knows; none if it does not end in September.

    Figures of the day itself are counted from the records, so that figures withheld there do not come back this way.
    """
    flows = flows_of_the_year(totals) if is_full_year(totals.reference_date) else {}
    columns = {name: pl.Series([_written(name, value)], dtype=pl.String) for name, value in flows.items()}
    notes = ["Leavers' FTE in the year are not given: the return has 0 for them."]
    if not flows:
        notes = ["Flows of a year are taken only from a return of 30 September."]
    table = _table(columns, pl.Series([1], dtype=pl.UInt32), outline, CELL_PROBLEMS.to_frame(), notes)
    extract = ingest_table(table, asked, mark=mark, may_lack=[f.name for f in RETURN.fields if f.name not in columns])
    why = [(name, str(Missing.WITHHELD)) for name, value in flows.items() if value is None]
    reasons = pl.DataFrame(
        [
            (asked.council.la_code, asked.month.last_day, name, reason)
            for name, reason in sorted([*why, ("leavers_fte", str(Missing.COLUMN_ABSENT))])
        ],
        schema=CELL_REASONS,
        orient="row",
    )
    return replace(extract, reasons=reasons)


def _written(name: str, value: int | None) -> str | None:
    """A whole number of parts as a decimal."""
    decimals = RETURN.field(name).decimals
    if value is None or not decimals:
        return None if value is None else str(value)
    whole, rest = divmod(value, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def _table(
    columns: dict[str, pl.Series], rows: pl.Series, outline: Outline, problems: pl.DataFrame, notes: list[str]
) -> RawTable:
    """Council and reference date before the columns, on every row."""
    same = {"la_code": outline.header.one("LEA"), "reference_date": outline.header.one("ReferenceDate")}
    constant = {n: pl.Series(n, [text], dtype=pl.String).new_from_index(0, rows.len()) for n, text in same.items()}
    constant["reference_date"] = constant["reference_date"].str.replace(_TIME_ZONE, "${1}")
    every = {**constant, **columns}
    return raw_table(list(every), list(every.values()), rows, problems=problems, notes=notes)
