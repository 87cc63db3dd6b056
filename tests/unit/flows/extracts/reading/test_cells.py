"""Cells become the registry's types; what would be a guess is a problem without its value."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.registry import DFE_SYMBOLS, EXTRACTS, Field, FieldType, Kind
from flows.extracts.reading.cells import PROBLEM_TEXTS, Cells, read_cells, read_columns

_WORKFORCE, _CASELOAD, _RETURN = (EXTRACTS[k] for k in (Kind.WORKFORCE, Kind.CASELOAD, Kind.RETURN))


def _read(field: Field, *texts: str | None) -> tuple[list[object], list[str | None]]:
    cells = read_cells(pl.Series(field.name, texts, dtype=pl.String()), field)
    return cells.values.to_list(), _or_nones(cells.problems, len(texts))


def _or_nones(series: pl.Series | None, length: int) -> list[str | None]:
    return series.to_list() if series is not None else [None] * length


@pytest.mark.parametrize("text", ["1", "1.0", "yes", "Yes", "Y", "TRUE", "true"])
def test_flags_that_are_true(text: str) -> None:
    assert _read(_WORKFORCE.field("agency_worker"), text, None) == ([True, None], [None, None])


@pytest.mark.parametrize("text", ["0", "0.0", "no", "No", "N", "FALSE", "false"])
def test_flags_that_are_false(text: str) -> None:
    assert _read(_WORKFORCE.field("agency_worker"), text) == ([False], [None])


@pytest.mark.parametrize("text", ["2", "maybe", "-", "10"])
def test_no_flags(text: str) -> None:
    assert _read(_WORKFORCE.field("agency_worker"), text) == ([None], ["not_a_flag"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5", "5"),
        ("5.0", "5"),
        ("05", "5"),
        ("Case Holder", "5"),
        ("case-holder", "5"),
        ("5 - Case Holder", "5"),
        ("5) holds cases", "5"),
    ],
)
def test_codes_by_code_or_label(text: str, code: str) -> None:
    assert _read(_WORKFORCE.field("org_role"), text) == ([code], [None])


@pytest.mark.parametrize("text", ["b", "B", "b)", "b) Child Protection plan", "b) CP plan", "Child protection plan"])
def test_annex_a_statuses(text: str) -> None:
    assert _read(_CASELOAD.field("case_status"), text) == (["b"], [None])


def test_unknown_codes_and_codes_that_contradict_their_label() -> None:
    values, problems = _read(_CASELOAD.field("case_status"), "f", "a) Child Protection plan", "open", None)
    assert values == [None] * 4
    assert problems == ["unknown_code", "code_and_label_disagree", "unknown_code", None]


def test_reason_10_and_reason_1_are_two_codes() -> None:
    assert _read(_WORKFORCE.field("reason_leave"), "10", "1", "10.0", "0")[0] == ["10", "1", "10", None]


def test_references_stay_text_with_their_leading_zeros() -> None:
    values, problems = _read(_CASELOAD.field("case_ref"), "00123", "123.0", "AB/12", "1.23457E+15", "ab/12")
    assert values == ["00123", "123", "AB/12", None, "ab/12"]
    assert problems == [None, None, None, "digits_lost_in_excel", None]


def test_nobody_is_an_empty_reference_where_it_may_be_empty() -> None:
    texts = ("Unallocated", "not allocated", "N/A", "-", "W1")
    assert _read(_CASELOAD.field("allocated_worker_ref"), *texts) == ([None] * 4 + ["W1"], [None] * 5)
    assert _read(_CASELOAD.field("case_ref"), "Unallocated") == ([None], ["unknown_reference"])


@pytest.mark.parametrize("number", ["1.23457E+11", "1.5", "1-3", "1:2", "2)3", "1.0.0"])
def test_a_number_that_begins_like_a_code_is_no_code(number: str) -> None:
    assert _read(_WORKFORCE.field("org_role"), number) == ([None], ["unknown_code"])


@pytest.mark.parametrize("symbol", [*DFE_SYMBOLS, "C", "LOW"])
def test_symbols_are_reasons_in_a_councils_figure_and_problems_in_a_workers_row(symbol: str) -> None:
    text = pl.Series("n", [symbol, "1.5", None], dtype=pl.String())
    published = read_cells(text, _RETURN.field("inpost_fte"))
    assert published.values.to_list() == [None, 150, None]
    assert published.problems is None
    assert published.reasons is not None
    assert published.reasons.to_list() == [str(DFE_SYMBOLS[symbol.lower()]), None, None]
    own = read_cells(text, _WORKFORCE.field("fte"))
    assert own.values.to_list() == [None, 150, None]
    assert own.reasons is None
    assert own.problems is not None
    assert own.problems.to_list() == ["symbol_in_a_row", None, None]


@pytest.mark.parametrize("field", [f for e in EXTRACTS.values() for f in e.fields], ids=lambda f: f.name)
def test_an_excel_error_is_a_problem_in_every_column(field: Field) -> None:
    values, problems = _read(field, "#N/A", "#REF!", None)
    assert values == [None] * 3
    assert problems == ["formula_error", "formula_error", None]


def test_negative_numbers_are_read_and_left_to_the_checks() -> None:
    assert _read(_WORKFORCE.field("fte"), "-0.5") == ([-50], [None])


_kinds_of_text = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "1",
            "0",
            "5",
            "b",
            "0.8",
            "0.805",
            "12.",
            "1.0",
            "2026-10-31",
            "31/10/2026",
            "1/2/2026",
            "12/31/2026",
            "46326",
        ]
    ),
    st.sampled_from(
        ["x", "#N/A", "c", "W1", "007", "1e5", "Unallocated", "N", "yes", "1,234", "-3", "+3", "9999-12-31"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=6),
)
_every_field = [f for e in EXTRACTS.values() for f in e.fields]


@given(st.sampled_from(_every_field), st.lists(_kinds_of_text, min_size=1, max_size=8))
def test_the_quick_way_reads_as_the_careful_way(field: Field, texts: list[str | None]) -> None:
    text = pl.Series(field.name, texts, dtype=pl.String())
    quick, careful = read_columns(text.to_frame(), [field])[field.name], read_cells(text, field)
    assert quick.values.to_list() == careful.values.to_list()
    assert _or_nones(quick.problems, len(texts)) == _or_nones(careful.problems, len(texts))
    assert _or_nones(quick.reasons, len(texts)) == _or_nones(careful.reasons, len(texts))


@given(st.sampled_from(_every_field), st.lists(_kinds_of_text, min_size=1, max_size=8))
def test_types_and_codes_are_the_registrys_whatever_is_in_the_file(field: Field, texts: list[str | None]) -> None:
    cells: Cells = read_cells(pl.Series(field.name, texts, dtype=pl.String()), field)
    wanted = pl.String() if field.type is FieldType.REFERENCE else field.dtype
    assert cells.values.dtype == wanted
    assert cells.values.len() == len(texts)
    problems = _or_nones(cells.problems, len(texts))
    assert all(p is None or (p in PROBLEM_TEXTS and v is None) for v, p in zip(cells.values, problems, strict=True))
    if field.codes:
        assert set(cells.values.drop_nulls()) <= set(field.codes)
