"""Proposals: what is sure is right, everything else is a question, and no value is shown but a category's words."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.propose.proposal import propose
from flows.extracts.propose.words import words_to_map
from flows.extracts.reading.table import RawTable, raw_table
from flows.papers.templates import example_rows

_EXAMPLES = {kind: example_rows(kind) for kind in (Kind.WORKFORCE, Kind.CASELOAD)}


def _table(columns: dict[str, list[str | None]]) -> RawTable:
    height = len(next(iter(columns.values())))
    return raw_table(
        list(columns),
        [pl.Series(values, dtype=pl.String()) for values in columns.values()],
        pl.int_range(2, height + 2, eager=True),
    )


def _cells(kind: Kind, field: str) -> list[str | None]:
    return [None if v is None else str(v) for v in _EXAMPLES[kind][field].to_list()]


_HOME_MADE = {
    "Payroll number": _cells(Kind.WORKFORCE, "worker_ref"),
    "Contract type": ["Agency" if v == "1" else "Permanent" for v in _cells(Kind.WORKFORCE, "agency_worker")],
    "Job title": [
        {"3": "Team Manager", "4": "Senior Social Worker", "5": "Social Worker"}.get(str(v), "Officer")
        for v in _cells(Kind.WORKFORCE, "org_role")
    ],
    "FTE": _cells(Kind.WORKFORCE, "fte"),
    "Date joined": _cells(Kind.WORKFORCE, "role_start_date"),
    "Date role end": _cells(Kind.WORKFORCE, "role_end_date"),
    "Reason leave": _cells(Kind.WORKFORCE, "reason_leave"),
    "Cases": _cells(Kind.WORKFORCE, "cases"),
    "Workng days lost": _cells(Kind.WORKFORCE, "working_days_lost"),
}


def test_documented_names_and_slips_of_the_pen_are_sure_and_the_rest_is_asked() -> None:
    proposal = propose(_table(_HOME_MADE), Kind.WORKFORCE)
    assert proposal.sure == {
        "fte": "FTE",
        "role_end_date": "Date role end",
        "reason_leave": "Reason leave",
        "cases": "Cases",
        "working_days_lost": "Workng days lost",
    }
    asked = {p.field.name: [c.header for c in p.candidates] for p in proposal.fields if p.sure is None and p.candidates}
    assert asked["worker_ref"][0] == "Payroll number"
    assert asked["agency_worker"][0] == "Contract type"
    assert asked["org_role"][0] == "Job title"
    assert asked["role_start_date"][0] == "Date joined"


def test_the_name_alone_is_not_enough() -> None:
    """A column called like a date field that holds no dates is not it."""
    proposal = propose(_table(_HOME_MADE | {"Date role end": ["tbc"] * len(_HOME_MADE["FTE"])}), Kind.WORKFORCE)
    assert "role_end_date" not in proposal.sure


def test_a_longer_name_means_another_thing() -> None:
    absences = _HOME_MADE | {"Absence start date": _HOME_MADE["Date joined"]}
    del absences["Date joined"]
    assert "role_start_date" not in propose(_table(absences), Kind.WORKFORCE).sure


def _typo(word: str, at: int) -> str:
    place = 1 + at % max(1, len(word) - 2)
    return word[:place] + word[place + 1 :]


@given(st.sampled_from([Kind.WORKFORCE, Kind.CASELOAD]), st.data())
def test_what_is_sure_is_never_another_column(kind: Kind, data: st.DataObject) -> None:
    """Headers as documented, reordered, misspelt or lengthened by a word: a right answer or a question."""
    fields = data.draw(st.lists(st.sampled_from(EXTRACTS[kind].fields), min_size=2, unique_by=lambda f: f.name))
    columns: dict[str, list[str | None]] = {}
    made_for: dict[str, str | None] = {}
    for field in fields:
        name = data.draw(st.sampled_from((field.name, *field.synonyms))).replace("_", " ")
        how = data.draw(st.sampled_from(["as it is", "reordered", "typo", "decoy"]))
        words = name.split()
        header = {
            "as it is": name.title(),
            "reordered": " ".join(reversed(words)),
            "typo": " ".join([_typo(words[0], data.draw(st.integers(0, 9))), *words[1:]]),
            "decoy": f"{data.draw(st.sampled_from(['absence', 'previous', 'partner', 'planned']))} {name}",
        }[how]
        if header in columns:
            continue
        columns[header] = _cells(kind, field.name)
        made_for[header] = None if how == "decoy" else field.name
    for name, header in propose(_table(columns), kind).sure.items():
        assert made_for[header] == name, (name, header)


def test_texts_that_may_be_somebodys_are_counted_and_not_shown() -> None:
    field = EXTRACTS[Kind.WORKFORCE].field("org_role")
    assert field.type is FieldType.CODE
    many = _table({"Role": [f"Name Surname {chr(65 + i % 26)}{i}" for i in range(90)]})
    assert words_to_map(many, "Role", field) == ([], 90)
    with_number = _table({"Role": ["Social Worker"] * 8 + ["a.person@council.example", "07700900123"]})
    words, hidden = words_to_map(with_number, "Role", field)
    assert [w.word for w in words] == ["Social Worker"]
    assert hidden == 2
