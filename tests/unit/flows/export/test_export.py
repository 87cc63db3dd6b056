"""What analysts open: the tables say what the run said, small counts are withheld, and other programs read them."""

from __future__ import annotations

import json
import stat
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from features.councils import Council, Register
from features.frames import FEATURES_SCHEMA, MEASURES_SCHEMA
from features.months import Month
from flows.export.files import METADATA, WORKBOOK, write_export
from flows.export.tables import (
    EXPORTED,
    SMALL,
    dictionary_table,
    files_table,
    measures_table,
    scores_table,
    signals_table,
)
from flows.store.local import LocalStore
from flows.store.manifest import Manifest

OCTOBER = Month(2026, 10)
END = OCTOBER.last_day
REGISTER = Register((Council("991", "Ashcombe", Month(2024, 1)),))
MANIFEST = Manifest(OCTOBER, 2, "mark", date(2026, 11, 6), (), {})


def measures(*rows: tuple[str, float | None, float | None, float | None, str | None]) -> pl.DataFrame:
    """(measure, value, numerator, denominator, reason) of Ashcombe in October."""
    return pl.DataFrame([("991", END, *row, date(2026, 11, 6)) for row in rows], schema=MEASURES_SCHEMA, orient="row")


MEASURED = measures(
    ("agency_rate_fte", 0.02, 4.0, 200.0, None),
    ("unallocated_rate", 0.03, 3.0, 100.0, None),
    ("visits_overdue_rate", 0.97, 97.0, 100.0, None),
    ("turnover_rate_fte", None, None, None, "a month of the window is missing"),
)


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, pl.DataFrame]:
    features = pl.DataFrame(
        [
            {
                "la_code": "991",
                "month": END,
                "measure": "agency_rate_fte",
                "xmr_signal": "shift",
                "xmr_toward": "concern",
            }
        ],
        schema=FEATURES_SCHEMA,
    )
    return {
        "measures": measures_table(MEASURED, [MANIFEST], REGISTER, small_counts=False),
        "signals": signals_table(features, REGISTER),
        "scores": scores_table(LocalStore(tmp_path / "store"), [OCTOBER], REGISTER),
        "files": files_table([MANIFEST], REGISTER),
        "dictionary": dictionary_table(),
    }


def test_a_rate_that_rests_on_few_is_withheld_with_its_parts(tables: dict[str, pl.DataFrame]) -> None:
    shown = {r["measure"]: r for r in tables["measures"].iter_rows(named=True)}
    for few in ("unallocated_rate", "visits_overdue_rate"):
        row = shown[few]
        assert (row["value"], row["numerator"], row["denominator"], row["missing_because"]) == (None, None, None, SMALL)
    assert shown["agency_rate_fte"]["value"] == 0.02, "DfE publishes the official rates of every council"
    assert shown["turnover_rate_fte"]["missing_because"] == "a month of the window is missing"
    assert {r["edition"] for r in shown.values()} == {2}
    assert {r["council"] for r in shown.values()} == {"Ashcombe"}


def test_with_leave_nothing_is_withheld() -> None:
    every = measures_table(MEASURED, [MANIFEST], REGISTER, small_counts=True)
    assert SMALL not in every["missing_because"].to_list()
    assert every.filter(measure="unallocated_rate")["numerator"].to_list() == [3.0]


def test_each_table_has_its_declared_columns(tables: dict[str, pl.DataFrame]) -> None:
    assert {name: frame.schema for name, frame in tables.items()} == dict(EXPORTED)


def test_other_programs_read_what_was_written(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    paths = [tmp_path / "out" / name for name in write_export(tables, LocalStore(tmp_path / "out"))]
    folder = tmp_path / "out"
    assert {stat.S_IMODE(p.stat().st_mode) for p in paths} == {0o600}
    meant = tables["measures"]
    by_duckdb = duckdb.sql(f"select * from '{folder}/measures.parquet'").pl()
    assert by_duckdb.select(meant.columns).equals(meant)
    by_pandas = pd.read_csv(folder / "measures.csv", dtype={"la_code": str})
    assert by_pandas["la_code"].tolist() == meant["la_code"].to_list()
    assert by_pandas["value"].fillna(-1).tolist() == meant["value"].fill_null(-1).to_list()
    by_openpyxl = openpyxl_rows(folder / WORKBOOK, "measures")
    assert by_openpyxl[0] == ("la_code", "council", "month", *meant["measure"].unique().sort())
    council_month = meant.sort("measure")
    assert by_openpyxl[1][0] == council_month["la_code"][0]
    assert list(by_openpyxl[1][3:]) == council_month["value"].to_list()


def openpyxl_rows(path: Path, sheet: str) -> list[tuple[object, ...]]:
    import openpyxl

    book = openpyxl.load_workbook(path)
    assert all(page.freeze_panes == "A2" for page in book)
    return [tuple(row) for row in book[sheet].iter_rows(values_only=True)]


def test_the_metadata_names_every_column_of_every_csv(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    write_export(tables, LocalStore(tmp_path))
    said = json.loads((tmp_path / METADATA).read_text())
    for table in said["tables"]:
        header = (tmp_path / table["url"]).read_text().splitlines()[0].split(",")
        assert [c["name"] for c in table["tableSchema"]["columns"]] == header
