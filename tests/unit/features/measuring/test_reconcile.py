"""Our rates beside DfE's published ones: every council, every year, within what rounding allows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.frames import INPUTS, REASONS
from features.measuring.reconcile import PUBLISHED, RECONCILED, largest_differences, reconcile, unexplained
from features.measuring.returns import CELL_REASONS, inputs_from_returns
from features.registry import DFE_SYMBOLS, MEASURES, RETURN, Missing, Unit

SEPTEMBER = date(2023, 9, 30)


def one_council(published: float | None, **inputs: int | None) -> pl.DataFrame:
    row = {"la_code": "201", "month": SEPTEMBER, **inputs}
    rate = pl.DataFrame([("201", SEPTEMBER, "agency_rate_fte", published, 0.0005)], schema=PUBLISHED, orient="row")
    return reconcile(pl.DataFrame([row], schema=INPUTS), REASONS.to_frame(), rate)


@pytest.mark.parametrize(("published", "explained"), [(0.167, True), (0.166, True), (0.168, True), (0.165, False)])
def test_the_interval_is_that_of_inputs_rounded_to_one_decimal(published: float, explained: bool) -> None:
    # 10.0 and 50.0 stand for 9.95 to 10.05 and 49.95 to 50.05: between 16.58 and 16.75 per cent.
    found = one_council(published, agency_fte=1000, inpost_fte=5000)
    assert found.schema == RECONCILED
    row = found.row(0, named=True)
    assert row["lowest"] == pytest.approx(9.95 / 60.0) and row["highest"] == pytest.approx(10.05 / 60.0)
    assert row["difference"] == pytest.approx(1 / 6 - published)
    assert row["explained"] is explained


def test_what_is_missing_on_a_side_is_not_compared() -> None:
    suppressed = one_council(0.2, agency_fte=None, inpost_fte=5000).row(0, named=True)
    assert (suppressed["value"], suppressed["explained"], suppressed["reason"]) == (
        None,
        None,
        str(Missing.NOT_REPORTED),
    )
    unpublished = one_council(None, agency_fte=1000, inpost_fte=5000)
    assert unpublished["explained"].item() is None
    summary = largest_differences(unpublished).row(0, named=True)
    assert (summary["compared"], summary["only_ours"], summary["unexplained"]) == (0, 1, 0)


def published_file(path: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Canonical return rows, what the symbols stood for, and the published rates, of DfE's file."""
    raw = pl.read_csv(path, infer_schema=False).filter(pl.col("geographic_level") == "Local authority")
    raw = raw.with_columns(
        pl.col("old_la_code").alias("la_code"),
        pl.date(pl.col("time_period").cast(pl.Int32), 9, 30).alias("reference_date"),
    )
    number = {f.name: pl.col(f.name).cast(pl.Float64, strict=False) * 10**f.decimals for f in RETURN.fields[2:]}
    have = [n for n in number if n in raw.columns]
    rows = raw.select(
        "la_code", "reference_date", *(number[n].round().cast(pl.Int64).alias(n) for n in have)
    ).with_columns(pl.lit(None, pl.Int64()).alias(n) for n in number if n not in have)
    cells = raw.unpivot(have, index=["la_code", "reference_date"], variable_name="field").filter(
        pl.col("value").is_in(list(DFE_SYMBOLS))
    )
    symbols = cells.with_columns(reason=pl.col("value").replace_strict({s: str(r) for s, r in DFE_SYMBOLS.items()}))
    rates = []
    for measure in MEASURES:
        if measure.dfe_column is not None:
            unit = 0.01 if measure.unit is Unit.FRACTION else 1.0
            rates.append(
                raw.select(
                    "la_code",
                    pl.col("reference_date").alias("month"),
                    pl.lit(measure.name).alias("measure"),
                    (pl.col(measure.dfe_column).cast(pl.Float64, strict=False) * unit).alias("published"),
                    pl.lit(0.05 * unit).alias("half_width"),
                )
            )
    return rows, symbols.select(list(CELL_REASONS)), pl.concat(rates)


def test_every_published_rate_of_every_council_is_ours_within_rounding(public_data: Path) -> None:
    rows, symbols, rates = published_file(public_data / "csww_indicators_2017_to_2023.csv")
    known = rows.select(
        "la_code", pl.col("reference_date").alias("month"), pl.lit(date(2024, 2, 29)).alias("known_from")
    )
    nobody = pl.DataFrame(schema={"la_code": pl.String, "population_0_17": pl.Int64})
    inputs, reasons = inputs_from_returns(rows, known, nobody, symbols)
    reconciled = reconcile(inputs, reasons, rates)
    assert unexplained(reconciled).is_empty()
    summary = largest_differences(reconciled)
    assert summary.height == 9 and summary["compared"].min() > 1000
    assert summary["only_published"].sum() == 0
    # Published as “low: rounds to zero”; from the inputs we can still say how low.
    assert summary.filter(pl.col("only_ours") > 0).select("measure", "only_ours").rows() == [("absence_rate_fte", 3)]
    suppressed = reconciled.filter(pl.col("value").is_null())
    assert suppressed["reason"].null_count() == 0


def test_what_rounding_does_not_explain_comes_largest_first_and_then_in_order_of_council() -> None:
    def row(la_code: str, measure: str, difference: float, explained: bool | None, back: int = 0) -> tuple[object, ...]:
        month = SEPTEMBER.replace(year=SEPTEMBER.year - back)
        return (la_code, month, measure, 0.2, 0.2 - difference, difference, None, None, explained, None)

    rows = [
        row("203", "agency_rate_fte", 0.01, False),
        row("201", "vacancy_rate_fte", -0.01, False),
        row("201", "agency_rate_fte", 0.01, False),
        row("201", "vacancy_rate_fte", 0.01, False, back=1),
        row("202", "agency_rate_fte", -0.02, False),
        row("204", "agency_rate_fte", 0.05, True),
        row("205", "agency_rate_fte", 0.05, None),
    ]
    found = unexplained(pl.DataFrame(rows, schema=RECONCILED, orient="row"))
    assert found.select("la_code", "measure").rows() == [
        ("202", "agency_rate_fte"),
        ("201", "vacancy_rate_fte"),  # of the year before
        ("201", "agency_rate_fte"),
        ("201", "vacancy_rate_fte"),
        ("203", "agency_rate_fte"),
    ]
