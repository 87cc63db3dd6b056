"""Columns are found by documented names, never guessed, and personal data is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HeaderMismatch, PersonalDataRefused
from features.registry import EXTRACTS, PERSONAL_DATA_HEADERS, Kind
from flows.extracts.reading.headers import match_headers, normalised, personal_data_in, refuse_personal_data

from ..conftest import WHERE

_REQUIRED = [f.name for f in EXTRACTS[Kind.WORKFORCE].fields if f.required]


def _match(headers: list[str]) -> dict[str, int]:
    return dict(match_headers(headers, kind=Kind.WORKFORCE, where=WHERE).positions)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_header_means_two_fields_or_a_field_and_personal_data(kind: Kind) -> None:
    seen: dict[str, str] = {}
    for field in EXTRACTS[kind].fields:
        for header in (field.name, *field.synonyms):
            assert seen.setdefault(normalised(header), field.name) == field.name
            assert personal_data_in(header) is None, header


@given(st.randoms(use_true_random=False), st.data())
def test_case_spaces_punctuation_order_and_synonyms_do_not_matter(random: object, data: st.DataObject) -> None:
    fields = [f for f in EXTRACTS[Kind.WORKFORCE].fields if f.required]
    headers = []
    for field in data.draw(st.permutations(fields)):
        name = data.draw(st.sampled_from([field.name, *field.synonyms]))
        mangled = "".join(data.draw(st.sampled_from([c, c.upper()])) for c in name)
        joint = data.draw(st.sampled_from(["_", " ", "-", " / ", "", ".", " (", "__"]))
        headers.append((field.name, data.draw(st.sampled_from(["", " "])) + mangled.replace("_", joint)))
    assert _match([h for _, h in headers]) == {name: i for i, (name, _) in enumerate(headers)}


def test_missing_columns_are_named_all_at_once() -> None:
    with pytest.raises(HeaderMismatch, match="the columns fte, cases are missing"):
        _match([n for n in _REQUIRED if n not in ("fte", "cases")])


def test_optional_columns_may_be_absent_and_others_are_noted() -> None:
    match = match_headers([*_REQUIRED, "Manager notes", ""], kind=Kind.WORKFORCE, where=WHERE)
    assert match.absent == ("leaver_destination", "absent_at_reference_date", "team")
    assert match.unknown == ("Manager notes", "")


def test_two_headers_for_one_field_are_refused_not_guessed() -> None:
    with pytest.raises(HeaderMismatch, match=r"“fte” \(column 6\) and “FTE30” \(column 12\) both mean fte"):
        _match([*_REQUIRED, "FTE30"])


def test_a_header_that_stands_twice_is_refused() -> None:
    with pytest.raises(HeaderMismatch, match="both mean fte"):
        _match([*_REQUIRED, "fte"])
    with pytest.raises(HeaderMismatch, match="“Notes” stands twice"):
        _match([*_REQUIRED, "notes", "Notes"])


def test_a_file_without_a_header_is_not_quoted() -> None:
    with pytest.raises(HeaderMismatch, match="row 1 is not the header") as refused:
        _match(["370", "2026-10-31", "MarkerRef", "0"])
    assert "Marker" not in str(refused.value)


@pytest.mark.parametrize("what", list(PERSONAL_DATA_HEADERS))
def test_every_kind_of_personal_data_refuses_the_file_by_column(what: str) -> None:
    header = PERSONAL_DATA_HEADERS[what][0].rstrip("*")
    with pytest.raises(PersonalDataRefused) as refused:
        refuse_personal_data([*_REQUIRED, header.upper()], kind=Kind.WORKFORCE, where=WHERE)
    assert f"“{header.upper()}” ({what})" in str(refused.value)
    assert "not kept" in str(refused.value)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("Date of Birth", "a date of birth or age"),
        ("DOB (child)", "a date of birth or age"),
        ("Surname2", "a name"),
        ("Post-Code", "an address"),
        ("SWE No.", "a national number"),
        ("Ethnic origin", "ethnicity"),
        ("Agency", None),
        ("Age", "a date of birth or age"),
        ("Team name", None),
        ("cp_review_due_date", None),
    ],
)
def test_personal_headers_are_known_however_they_are_written(header: str, what: str | None) -> None:
    assert personal_data_in(header) == what


def test_where_row_1_is_no_header_a_personal_column_is_named_by_position() -> None:
    with pytest.raises(PersonalDataRefused, match=r"column 2 \(a date of birth or age\)") as refused:
        refuse_personal_data(["370", "Dobson"], kind=Kind.WORKFORCE, where=WHERE)
    assert "Dobson" not in str(refused.value)
