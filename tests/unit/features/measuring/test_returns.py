from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from features.errors import HoldfastError
from features.frames import INPUTS, REASONS
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.registry import INPUT_PARTS, RETURN, RETURN_INPUTS, Missing

SEPTEMBER = date(2023, 9, 30)
NOBODY = pl.DataFrame(schema={"la_code": pl.String, "population_0_17": pl.Int64})


def returns(*rows: dict[str, Any]) -> pl.DataFrame:
    filled = [{"la_code": "201", "reference_date": SEPTEMBER, **row, "file_row": i} for i, row in enumerate(rows, 2)]
    return pl.DataFrame(filled, schema=RETURN.schema)


def known(*la_codes: str) -> pl.DataFrame:
    return pl.DataFrame({"la_code": list(la_codes), "known_from": [date(2024, 2, 29)] * len(la_codes)})


def reason_of(reasons: pl.DataFrame, name: str) -> str:
    return str(reasons.filter(pl.col("input") == name).get_column("reason").item())


def test_columns_become_the_inputs_they_are() -> None:
    rows = returns({"inpost_fte": 10040, "leavers_fte": 1250, "working_days_lost_fte": 5005, "cases": 1600})
    inputs, _ = inputs_from_returns(rows, known("201"), NOBODY)
    assert inputs.schema == INPUTS
    row = inputs.row(0, named=True)
    assert (row["la_code"], row["month"], row["known_from"]) == ("201", SEPTEMBER, date(2024, 2, 29))
    assert (row["inpost_fte"], row["leavers_fte_12m"], row["working_days_lost_12m"], row["cases"]) == (
        10040,
        1250,
        5005,
        1600,
    )


def test_parts_of_every_column_are_those_of_its_input() -> None:
    parts = {name: 10 ** RETURN.field(field).decimals for field, name in RETURN_INPUTS.items()}
    assert parts == {name: INPUT_PARTS[name] for name in parts}


def test_every_null_input_has_one_reason_and_no_other_has() -> None:
    symbols = pl.DataFrame(
        [("201", SEPTEMBER, "agency_fte", str(Missing.CONFIDENTIAL))], schema=CELL_REASONS, orient="row"
    )
    population = pl.DataFrame({"la_code": ["201"], "population_0_17": [50_000]})
    inputs, reasons = inputs_from_returns(returns({"inpost_fte": 10040}), known("201"), population, symbols)
    assert reasons.schema == REASONS
    null = {n for n in INPUT_PARTS if inputs[n].item() is None}
    assert set(reasons["input"]) == null and reasons.height == len(null)
    assert reason_of(reasons, "agency_fte") == str(Missing.CONFIDENTIAL)
    assert reason_of(reasons, "vacancy_fte") == str(Missing.NOT_REPORTED)
    assert reason_of(reasons, "visits_due") == str(Missing.COLUMN_ABSENT)
    assert inputs["population_0_17"].item() == 50_000


def test_no_population_is_said_so() -> None:
    _, reasons = inputs_from_returns(returns({}), known("201"), NOBODY)
    assert reason_of(reasons, "population_0_17") == str(Missing.NO_POPULATION)


def test_population_and_day_known_may_differ_by_year() -> None:
    rows = returns({"reference_date": date(2022, 9, 30)}, {})
    months = [date(2022, 9, 30), SEPTEMBER]
    by_year = pl.DataFrame(
        {"la_code": ["201"] * 2, "month": months, "known_from": [date(2023, 2, 23), date(2024, 2, 29)]}
    )
    people = pl.DataFrame({"la_code": ["201"] * 2, "month": months, "population_0_17": [100, 200]})
    inputs, _ = inputs_from_returns(rows, by_year, people)
    assert inputs.select("month", "known_from", "population_0_17").rows() == [
        (date(2022, 9, 30), date(2023, 2, 23), 100),
        (SEPTEMBER, date(2024, 2, 29), 200),
    ]


def test_two_rows_for_one_month_are_refused() -> None:
    with pytest.raises(HoldfastError, match="Council 201 has two return rows for 2023-09"):
        inputs_from_returns(returns({}, {}), known("201"), NOBODY)
