"""Columns of one kind are turned into text at once: the result is what each cell says by itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from flows.extracts.formats.annex_a.lists import _texts, _workers
from flows.extracts.reading.excel import cell_text
from flows.extracts.reading.table import NULL_MARKERS, tidied


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
        [True, 3.0, "x", datetime.fromisoformat("2026-10-01T12:30"), date(2026, 10, 1)],
    ],
)
def test_a_column_is_what_its_cells_say(cells: list[Any]) -> None:
    text, tidy = _texts(cells)

    assert text.to_list() == [cell_text(c) or None for c in cells]
    assert not tidy or tidied(text.to_frame("c"), NULL_MARKERS).to_series().equals(text)


def test_a_worker_who_is_not_named_stays_unnamed() -> None:
    given = pl.Series("worker", ["JO  Smith", None, "unallocated", "jo smith"], dtype=pl.String())

    nobody = pl.Series("worker", [None], dtype=pl.String())

    assert _workers(given, given.drop_nulls()).to_list() == ["jo smith", None, None, "jo smith"]
    assert _workers(nobody, nobody.drop_nulls()).to_list() == [None]
