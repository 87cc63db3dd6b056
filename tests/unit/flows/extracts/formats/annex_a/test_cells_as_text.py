"""Columns of one kind are turned into text at once: the result is what each cell says by itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from flows.extracts.formats.annex_a.layout import ColumnContent
from flows.extracts.formats.annex_a.lists import _texts, _values, _workers
from flows.extracts.reading.excel import cell_text
from flows.extracts.reading.table import NULL_MARKERS, as_text, tidied


@pytest.mark.parametrize("holds", list(ColumnContent))
@pytest.mark.parametrize(
    "cells",
    [
        [],
        ["a", "", " b "],
        [date(2026, 10, 1), date(1999, 1, 31)],
        [date(2026, 10, 1), "", "31/10/2026"],
        [date(2026, 10, 1), ""],
        [1.0, "", 0.0],
        [1.0, "", "two"],
        [1.0, -0.0, 11000407.0],
        [1.5, 2.0],
        [1.0, 1e15],
        ['="0012"', "'7'", "NULL", " ", "0012", "0012"],
        [True, 3.0, "x", datetime.fromisoformat("2026-10-01T12:30"), date(2026, 10, 1)],
    ],
)
def test_a_column_is_what_its_cells_say(cells: list[Any], holds: ColumnContent) -> None:
    said = pl.Series("c", [cell_text(c) for c in cells], dtype=pl.String())

    read = _values(cells, holds)
    column = read if isinstance(read, pl.Series) else _texts(read, holds)

    assert as_text(column).to_list() == tidied(said.to_frame(), NULL_MARKERS).to_series().to_list()


def test_a_worker_who_is_not_named_stays_unnamed() -> None:
    given = pl.Series("worker", ["JO  Smith", "unallocated", "jo smith"], dtype=pl.String())

    assert _workers(given) == ["jo smith", None, "jo smith"]
    assert _workers(given.clear()) == []
