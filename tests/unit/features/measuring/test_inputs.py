from __future__ import annotations

from datetime import date

import polars as pl

from features.councils import Council, Register
from features.frames import INPUTS, REASONS, counts_schema
from features.measuring.inputs import UNREPORTED, build_inputs, combine
from features.months import Month, month_range
from features.registry import INPUT_PARTS, Kind, Missing

FIRST, LAST = Month(2025, 11), Month(2026, 10)


def register(*la_codes: str, population: int | None = 10_000) -> Register:
    return Register(tuple(Council(la, f"Council {la}", FIRST, population_0_17=population) for la in la_codes))


def counts(kind: Kind, *rows: tuple[str, Month, date, dict[str, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"la_code": la, "month": m.last_day, "known_from": day, "extract_sha256": "s", **values}
            for la, m, day, values in rows
        ],
        schema=counts_schema(kind),
    )


def monthly(
    la_code: str, months: list[Month], **values: int | None
) -> list[tuple[str, Month, date, dict[str, int | None]]]:
    return [(la_code, m, m.plus(1).first_day, dict(values)) for m in months]


def reason(reasons: pl.DataFrame, month: Month, name: str) -> str | None:
    found = reasons.filter(pl.col("month") == month.last_day, pl.col("input") == name).get_column("reason")
    return str(found.item()) if found.len() else None


def cell(inputs: pl.DataFrame, month: Month, name: str) -> object:
    return inputs.filter(pl.col("month") == month.last_day).get_column(name).item()


def test_windows_add_up_months_and_need_every_one_of_them() -> None:
    months = list(month_range(FIRST, LAST))
    rows = monthly("201", months, leavers_fte=50, inpost_fte=9000)
    inputs, reasons = build_inputs({Kind.WORKFORCE: counts(Kind.WORKFORCE, *rows)}, register("201"), FIRST, LAST)
    assert inputs.schema == INPUTS and inputs.height == 12
    assert (cell(inputs, LAST, "leavers_fte_1m"), cell(inputs, LAST, "leavers_fte_3m")) == (50, 150)
    assert cell(inputs, LAST, "leavers_fte_12m") == 600
    assert cell(inputs, LAST.plus(-1), "leavers_fte_12m") is None
    assert reason(reasons, LAST.plus(-1), "leavers_fte_12m") == str(Missing.WINDOW_INCOMPLETE)
    assert reason(reasons, LAST, "leavers_fte_12m") is None
    assert cell(inputs, LAST, "population_0_17") == 10_000


def test_a_gap_spoils_the_windows_that_contain_it_and_says_why() -> None:
    gap = Month(2026, 8)
    months = [m for m in month_range(FIRST, LAST) if m != gap]
    unreported = pl.DataFrame(
        [("201", gap.last_day, "workforce", str(Missing.QUARANTINED))], schema=UNREPORTED, orient="row"
    )
    inputs, reasons = build_inputs(
        {Kind.WORKFORCE: counts(Kind.WORKFORCE, *monthly("201", months, leavers_fte=50, inpost_fte=9000))},
        register("201"),
        FIRST,
        LAST,
        unreported=unreported,
    )
    assert [cell(inputs, gap.plus(k), "leavers_fte_3m") for k in (-1, 0, 1, 2)] == [150, None, None, None]
    assert reason(reasons, gap, "leavers_fte_3m") == str(Missing.QUARANTINED)
    assert reason(reasons, gap.plus(1), "leavers_fte_3m") == str(Missing.WINDOW_INCOMPLETE)
    assert reason(reasons, gap, "inpost_fte") == str(Missing.QUARANTINED)
    assert reason(reasons, LAST, "inpost_fte") is None
    assert reason(reasons, LAST, "open_cases") == str(Missing.NOT_REPORTED)


def test_a_count_withheld_keeps_its_reason() -> None:
    given = pl.DataFrame([("201", LAST.last_day, "cases", str(Missing.COLUMN_ABSENT))], schema=REASONS, orient="row")
    _, reasons = build_inputs(
        {Kind.WORKFORCE: counts(Kind.WORKFORCE, *monthly("201", [LAST], cases=None, case_holders_fte=None))},
        register("201", population=None),
        LAST,
        LAST,
        count_reasons=given,
    )
    assert reason(reasons, LAST, "cases") == str(Missing.COLUMN_ABSENT)
    assert reason(reasons, LAST, "case_holders_fte") == str(Missing.NOT_COUNTED), "every other null has a reason"
    assert reason(reasons, LAST, "population_0_17") == str(Missing.NO_POPULATION)


def test_every_null_input_has_one_reason_and_no_other_has() -> None:
    rows = monthly("201", list(month_range(FIRST, LAST)), leavers_fte=1, inpost_fte=2)
    inputs, reasons = build_inputs({Kind.WORKFORCE: counts(Kind.WORKFORCE, *rows)}, register("201", "202"), FIRST, LAST)
    null = inputs.unpivot(list(INPUT_PARTS), index=["la_code", "month"]).filter(pl.col("value").is_null())
    key = ["la_code", "month", "input"]
    assert reasons.select(key).equals(null.rename({"variable": "input"}).select(key).sort(key))


def test_of_two_versions_the_one_known_last_by_the_cutoff_is_read() -> None:
    frame = counts(
        Kind.WORKFORCE,
        ("201", LAST, date(2026, 11, 20), {"inpost_fte": 300}),
        ("201", LAST, date(2026, 11, 5), {"inpost_fte": 100}),
        ("201", LAST, date(2026, 11, 5), {"inpost_fte": 200}),
    )
    days = (date(2026, 11, 4), date(2026, 11, 5), date(2026, 11, 19), date(2026, 11, 20), None)
    found = [build_inputs({Kind.WORKFORCE: frame}, register("201"), LAST, LAST, day)[0]["inpost_fte"] for day in days]
    assert [f.to_list() for f in found] == [[None], [200], [200], [300], [300]]


def test_the_row_is_known_when_the_last_of_its_twelve_months_is() -> None:
    rows = monthly("201", list(month_range(FIRST, LAST)), leavers_fte=1)
    late = date(2026, 12, 24)
    rows[3] = ("201", FIRST.plus(3), late, {"leavers_fte": 1})
    inputs, _ = build_inputs({Kind.WORKFORCE: counts(Kind.WORKFORCE, *rows)}, register("201"), FIRST, LAST)
    assert inputs["known_from"].to_list()[:4] == [FIRST.plus(k).first_day for k in (1, 2, 3)] + [late]
    assert cell(inputs, LAST, "known_from") == late


def test_a_council_has_rows_only_while_it_exists() -> None:
    ended = Council("101", "Old", FIRST, valid_to=LAST.plus(-1))
    begun = Council("102", "New", LAST)
    inputs, _ = build_inputs({}, Register((ended, begun)), LAST.plus(-1), LAST)
    assert inputs.select("la_code", "month").rows() == [("101", LAST.plus(-1).last_day), ("102", LAST.last_day)]


def test_records_come_before_a_return_and_lack_what_both_lack() -> None:
    def one(la_code: str, **values: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        row = {"la_code": la_code, "month": LAST.last_day, "known_from": date(2026, 11, 1), **values}
        inputs = pl.DataFrame([row], schema=INPUTS)
        missing = [(la_code, LAST.last_day, n, f"no {n} in {len(values)}") for n in INPUT_PARTS if n not in values]
        return inputs, pl.DataFrame(missing, schema=REASONS, orient="row")

    inputs, reasons = combine(one("201", inpost_fte=100), one("201", inpost_fte=999, vacancy_fte=30))
    assert inputs.select("inpost_fte", "vacancy_fte", "agency_fte").row(0) == (100, 30, None)
    said = dict(reasons.select("input", "reason").rows())
    assert "vacancy_fte" not in said and said["agency_fte"] == "no agency_fte in 1"
    assert reasons.height == len(INPUT_PARTS) - 2
