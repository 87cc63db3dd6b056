"""Numbers are read exactly or not at all."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.extracts.reading.numbers import read_decimals, read_integers


def _integers(*texts: str | None) -> tuple[list[int | None], list[str | None]]:
    values, problems = read_integers(pl.Series("n", texts, dtype=pl.String()))
    assert values.dtype == pl.Int64()
    return values.to_list(), problems.to_list()


def _decimals(decimals: int, *texts: str | None) -> tuple[list[int | None], list[str | None]]:
    values, problems = read_decimals(pl.Series("n", texts, dtype=pl.String()), decimals)
    assert values.dtype == pl.Int64()
    return values.to_list(), problems.to_list()


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("5.0", 5), ("5.", 5), ("+5", 5), ("-3", -3), ("007", 7), ("1,234", 1234), ("0", 0)]
)
def test_whole_numbers(text: str, value: int) -> None:
    assert _integers(text) == ([value], [None])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("12.5", "not_a_whole_number"),
        ("1e3", "not_a_number"),
        ("1,2", "ambiguous_comma"),
        ("12,34", "ambiguous_comma"),
        ("ten", "not_a_number"),
        ("5 cases", "not_a_number"),
        ("£5", "not_a_number"),
        ("1234567890123", "number_out_of_range"),
        ("--5", "not_a_number"),
        ("٥", "not_a_number"),
    ],
)
def test_no_whole_numbers(text: str, problem: str) -> None:
    assert _integers(text) == ([None], [problem])


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [
        ("0.8", 80),
        (".5", 50),
        ("1", 100),
        ("0.80000000000000004", 80),
        ("0.285", 28),
        ("0.295", 30),
        ("0.2950001", 30),
        ("-0.5", -50),
        ("1,234.5", 123450),
        ("0.995", 100),
        ("0.005", 0),
        ("0.015", 2),
        ("0", 0),
    ],
)
def test_decimals_become_hundredths_rounded_half_to_even(text: str, hundredths: int) -> None:
    assert _decimals(2, text) == ([hundredths], [None])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2,3", "ambiguous_comma"),
        ("1,234", "ambiguous_comma"),
        ("80%", "not_a_number"),
        ("1e-5", "not_a_number"),
        ("nan?", "not_a_number"),
        ("inf", "not_a_number"),
        (".", "not_a_number"),
        ("1234567890123.5", "number_out_of_range"),
    ],
)
def test_no_decimals(text: str, problem: str) -> None:
    assert _decimals(2, text) == ([None], [problem])


def test_blank_is_neither_value_nor_problem() -> None:
    assert _integers(None, "1") == ([None, 1], [None, None])
    assert _decimals(1, None, "1") == ([None, 10], [None, None])


@given(st.decimals(min_value=-99999, max_value=99999, places=6), st.integers(0, 4))
def test_decimals_agree_with_exact_arithmetic(number: Decimal, decimals: int) -> None:
    wanted = int((number * 10**decimals).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    assert _decimals(decimals, format(number, "f")) == ([wanted], [None])


@given(st.integers(-999_999_999, 999_999_999))
def test_whole_numbers_are_read_with_and_without_thousands_marks(number: int) -> None:
    assert _integers(str(number)) == ([number], [None])
    assert _integers(f"{number:,}") == ([number], [None])


@given(st.lists(st.text(min_size=1, max_size=10), max_size=5))
def test_any_text_is_a_number_or_a_problem(texts: list[str]) -> None:
    for values, problems in (_integers(*texts), _decimals(2, *texts)):
        assert all((v is None) != (p is None) for v, p in zip(values, problems, strict=True))
