"""Writes the tables as files: Parquet and CSV with fixed names, one Excel workbook, and CSVW metadata."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import polars as pl
import xlsxwriter

from flows.export.tables import EXPORTED
from flows.store import Store

#: What each table contains.
TITLES: Mapping[str, str] = {
    "measures": "Every measure of every council and month, with its parts, or why it is missing",
    "signals": "Process-behaviour charts that signal, by the rules of Making Data Count",
    "scores": "Band, change and score as published",
    "files": "What was expected of each council, and what became of it",
    "dictionary": "What each measure means, its formula and source",
}
WORKBOOK, METADATA = "holdfast.xlsx", "metadata.json"
_CSVW_TYPES = {pl.String: "string", pl.Date: "date", pl.Float64: "number", pl.Int64: "integer"}


def write_export(tables: Mapping[str, pl.DataFrame], to: Store) -> list[str]:
    """Write every table in every format, each file whole or not at all. Returns the names."""
    contents: dict[str, bytes] = {}
    for name, frame in tables.items():
        parquet = io.BytesIO()
        frame.write_parquet(parquet)
        contents[f"{name}.parquet"] = parquet.getvalue()
        contents[f"{name}.csv"] = frame.write_csv().encode()
    contents[WORKBOOK] = workbook_of(tables)
    contents[METADATA] = (json.dumps(csvw(tables), indent=1, ensure_ascii=False) + "\n").encode()
    for name, content in contents.items():
        to.replace(name, content)
    return list(contents)


def workbook_of(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """One workbook with a sheet for each table; headers are frozen and have filters.

    The sheet of measures has a row per council and month and a column per measure, as people compare them in Excel. It
    has values only; their parts, and why one is missing, are in the long table.
    """
    wide = tables["measures"].pivot("measure", index=["la_code", "council", "month"], values="value", sort_columns=True)
    out = io.BytesIO()
    # A text stays a text, whatever it begins with.
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **plain}) as book:
        for name, frame in {**tables, "measures": wide}.items():
            frame.write_excel(book, name, autofilter=True, table_style="Table Style Light 1", freeze_panes=(1, 0))
    return out.getvalue()


def csvw(tables: Mapping[str, pl.DataFrame]) -> dict[str, object]:
    """CSV on the Web (W3C) metadata for the CSV files: the name and type of each column."""
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": "Holdfast: figures, signals, scores and files of the group",
        "tables": [
            {
                "url": f"{name}.csv",
                "dc:description": TITLES[name],
                "tableSchema": {
                    "columns": [
                        {"name": column, "titles": column, "datatype": _CSVW_TYPES[type(kind)]}
                        for column, kind in EXPORTED[name].items()
                    ]
                },
            }
            for name in tables
        ],
    }
