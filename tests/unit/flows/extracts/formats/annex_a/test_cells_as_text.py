"""Columns of one kind are turned into text at once: the result is what each cell says by itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from flows.extracts.formats.annex_a.lists import _texts, _workers
from flows.extracts.reading.excel import cell_text


@pytest.mark.parametrize(
    "cells",
    [
        [],
        ["a", "", " b "],
        [date(2026, 10, 1), date(1999, 1, 31)],
        [date(2026, 10, 1), "", "31/10/2026"],
        [1.0, -0.0, 11000407.0],
        [1.5, 2.0],
        [1.0, 1e15],
        [True, 3.0, "x", datetime.fromisoformat("2026-10-01T12:30"), date(2026, 10, 1)],
    ],
)
def test_a_column_is_what_its_cells_say(cells: list[Any]) -> None:
    assert _texts(cells).to_list() == [cell_text(c) for c in cells]


def test_a_worker_who_is_not_named_stays_unnamed() -> None:
    given = pl.Series("worker", ["JO  Smith", None, "unallocated", "jo smith"], dtype=pl.String())

    assert _workers(given).to_list() == ["jo smith", None, None, "jo smith"]
    assert _workers(pl.Series("worker", [None], dtype=pl.String())).to_list() == [None]
