"""How far a sheet reaches: the quick way over many cells says what an expression says of each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.extracts.reading.sheet_xml import _outermost, _reached, holds
from flows.extracts.reading.table import Limits

_MOST_ROWS = 40_000
_LIMITS = Limits()

_columns = st.sampled_from(["A", "Z", "AA", "GR", "GS", "gs", "ZZ", "AAA", "XFD"])
_rows = st.sampled_from([1, 9, 10, 9_999, 10_000, 40_000, 40_001, 1_048_576])
_forms = st.sampled_from([' r="{}"', " r='{}'", ' r = "{}"', '\nr="{}"'])


def _reaches_beyond(xml: bytes) -> tuple[bool, bool]:
    names = [(m[1].upper(), int(m[2])) for m in re.finditer(r"""\sr\s*=\s*["']([A-Za-z]+)(\d+)["']""", xml.decode())]
    numbers = [sum((ord(c) - 64) * 26**i for i, c in enumerate(reversed(letters))) for letters, _ in names]
    return max(numbers, default=0) > _LIMITS.max_columns, max((row for _, row in names), default=0) > _MOST_ROWS


@given(st.lists(st.tuples(_columns, _rows, _forms), max_size=6), st.sampled_from(["", "are r", ' r ="', "r"]))
def test_a_sheet_reaches_as_far_as_its_cells_say(cells: list[tuple[str, int, str]], text: str) -> None:
    named = "".join(f"<c{form.format(f'{column}{row}')}><v>{text}</v></c>" for column, row, form in cells)
    xml = f"<sheetData>{named}</sheetData>".encode()

    widest, lowest = _outermost(xml, _MOST_ROWS, _LIMITS)

    assert (widest > _LIMITS.max_columns, lowest > _MOST_ROWS) == _reaches_beyond(xml)


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("Z9", (0, 0)),
        ("AA9", (27, 0)),
        ("GS9999", (201, 0)),
        ("XFD1", (16_384, 0)),
        ("A40001", (0, 40_001)),
        ("AAA1048576", (703, 1_048_576)),
    ],
)
def test_the_quick_way_counts_columns_of_two_letters_and_three_and_low_rows(
    name: str, reached: tuple[int, int]
) -> None:
    assert _reached(f'<c r="{name}"/>'.encode(), len(str(_MOST_ROWS))) == reached


@pytest.mark.parametrize("cell", ["<c r='A1'/>", '<c r = "A1"/>'])
def test_the_quick_way_leaves_other_spellings_to_the_slow_one(cell: str) -> None:
    assert _reached(cell.encode(), len(str(_MOST_ROWS))) is None


@given(
    st.lists(st.sampled_from(["<sheetData>", "</sheetData>", "hidden", "h", "idden", " ", "<row/>"]), max_size=8),
)
def test_a_word_is_found_wherever_a_sheet_has_it(pieces: list[str]) -> None:
    xml = "".join(pieces).encode()

    assert holds(xml, b"hidden") == (b"hidden" in xml)
