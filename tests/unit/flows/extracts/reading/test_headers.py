"""Columns are found by documented names, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HeaderMismatch
from features.registry import EXTRACTS, Kind
from flows.extracts.reading.headers import match_headers, normalised

from ..conftest import WHERE

_REQUIRED = [f.name for f in EXTRACTS[Kind.WORKFORCE].fields if f.required]


_WITH_TWO = [*_REQUIRED, "Manager notes", ""]


def _match(headers: list[str]) -> dict[str, int]:
    return dict(match_headers(headers, kind=Kind.WORKFORCE, where=WHERE).positions)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_header_means_two_fields(kind: Kind) -> None:
    seen: dict[str, str] = {}
    for field in EXTRACTS[kind].fields:
        for header in (field.name, *field.synonyms):
            assert seen.setdefault(normalised(header), field.name) == field.name


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
    match = match_headers(_WITH_TWO, kind=Kind.WORKFORCE, where=WHERE)
    assert match.absent == ("leaver_destination", "absent_at_reference_date", "team")
    assert [_WITH_TWO[p] for p in match.unknown] == ["Manager notes", ""]


def test_two_headers_for_one_field_are_refused_not_guessed() -> None:
    with pytest.raises(HeaderMismatch, match=r"“fte” in column 6 \(F\) and “FTE30” in column 12 \(L\) both mean fte"):
        _match([*_REQUIRED, "FTE30"])


def test_a_header_that_stands_twice_is_refused() -> None:
    with pytest.raises(HeaderMismatch, match="both mean fte"):
        _match([*_REQUIRED, "fte"])
    with pytest.raises(HeaderMismatch, match=r"“Grade” in column 13 \(M\) stands twice"):
        _match([*_REQUIRED, "grade", "Grade"])


def test_a_header_that_is_no_plain_label_is_told_by_its_place() -> None:
    with pytest.raises(HeaderMismatch, match=r"the header of column 13 \(M\) stands twice") as refused:
        _match([*_REQUIRED, "Zoe Marker", "zoe marker"])
    assert "arker" not in str(refused.value)


def test_a_file_without_a_header_is_not_quoted() -> None:
    with pytest.raises(HeaderMismatch, match="row 1 is not the header") as refused:
        _match(["370", "2026-10-31", "MarkerRef", "0"])
    assert "Marker" not in str(refused.value)
