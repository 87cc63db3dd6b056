"""Statements about inspections: which are of the same one, which source is believed, and where they differ."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from features.frameworks import ILACS_FRAMEWORK, LONGEST_TO_PUBLICATION
from models.record import layouts
from models.record.judgements import (
    _BY_RANK,
    ReportRow,
    Statement,
    _gap,
    _merge,
    _plain_type,
    _same_inspections,
    report_rows,
)

DAY = date(2022, 3, 1)
LONGEST = LONGEST_TO_PUBLICATION.days


def _said(
    published: date | None = None,
    started: date | None = None,
    source: str = "a.csv",
    rank: int = 0,
    kind: str | None = None,
    **grades: int,
) -> Statement:
    written = {name: ("", "Outstanding", "Good", "Requires improvement", "Inadequate")[g] for name, g in grades.items()}
    cells = dict.fromkeys(("old_la_code", "new_la_code", "urn", "la_name"))
    return Statement(rank, source, "841", ReportRow(cells, kind, started, published, ILACS_FRAMEWORK, written, grades))


def _later(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("group", "other", "gap"),
    [
        ([_said(DAY)], _said(_later(100)), 100),
        ([_said(DAY)], _said(_later(-100)), 100),
        ([_said(DAY)], _said(_later(101)), None),
        ([_said(None, DAY)], _said(None, _later(100)), 100),
        ([_said(None, DAY)], _said(None, _later(101)), None),
        ([_said(DAY), _said(_later(30))], _said(_later(120)), 90),
        ([_said(DAY, _later(-60))], _said(_later(200), _later(-50)), 10),
        # One gives the start alone, the other the publication alone.
        ([_said(None, DAY)], _said(DAY), 0),
        ([_said(None, DAY)], _said(_later(-1)), None),
        ([_said(_later(LONGEST))], _said(None, DAY), LONGEST),
        ([_said(_later(LONGEST + 1))], _said(None, DAY), None),
        ([_said(DAY)], _said(), None),
        ([_said(None, DAY)], _said(), None),
    ],
)
def test_two_statements_are_of_one_inspection_if_their_days_are_near(
    group: list[Statement], other: Statement, gap: int | None
) -> None:
    assert _gap(group, other) == gap


def test_a_statement_joins_the_nearest_inspection_and_the_best_source_comes_first() -> None:
    early, late, between = _said(DAY, source="x"), _said(_later(150), source="y"), _said(_later(80), rank=1)
    undated = _said(None, _later(140), source="z", rank=2)
    assert list(_same_inspections([undated, between, late, early])) == [[early], [late, between, undated]]


def test_within_a_source_the_earlier_publication_comes_first_and_the_undated_last() -> None:
    first, second, last = _said(DAY), _said(_later(5)), _said(None, DAY)
    (group,) = _same_inspections([last, second, _said(DAY, DAY, source="0"), first])
    assert group == [_said(DAY, DAY, source="0"), first, second, last]


def test_each_different_value_of_another_source_is_listed_once() -> None:
    group = [
        _said(DAY, source="a", leaders=2, help=3),
        _said(None, _later(-50), source="b", kind="Short inspection", leaders=3, help=4),
        _said(_later(4), source="c", leaders=3, help=3),
        _said(DAY, _later(-50), source="d", leaders=4, help=4, overall=2),
    ]
    row, differs = _merge(group)
    assert row is not None
    assert [row[n] for n in ("leaders", "help", "overall", "care", "started", "published", "sources")] == [
        2, 3, 2, None, _later(-50), DAY, "a; b; c; d",
    ]  # fmt: skip
    assert (row["inspection_type"], row["framework"], row["words"]) == ("short", "ILACS", "Good")
    assert [(d["field"], d["kept"], d["kept_from"], d["other"], d["other_from"]) for d in differs] == [
        ("leaders", "2", "a", "3", "b"),
        ("leaders", "2", "a", "4", "d"),
        ("help", "3", "a", "4", "b"),
        ("published", "2022-03-01", "a", "2022-03-05", "c"),
    ]


def test_the_words_are_those_of_leaders_or_else_of_the_overall_grade() -> None:
    def words(**grades: int) -> object:
        row, _ = _merge([_said(DAY, **grades)])
        return row and row["words"]

    assert (words(leaders=2, overall=3), words(overall=2, help=3)) == ("Good", "Good")
    assert words(help=3) is None


def test_an_inspection_without_a_publication_is_no_judgement_yet() -> None:
    assert _merge([_said(None, DAY, leaders=2)]) == (None, [])


@pytest.mark.parametrize(
    ("written", "plain"), [(None, None), ("ILACS Short Inspection", "short"), ("ILACS", "standard")]
)
def test_an_inspection_is_short_or_standard(written: str | None, plain: str | None) -> None:
    assert _plain_type(written) == plain


def test_the_more_reliable_layout_comes_first() -> None:
    rank = {layout.name: number for number, layout in _BY_RANK}
    wide = {rank[layout.name] for layout in (*layouts.WIDE_SIF, *layouts.WIDE_ILACS)}
    lists = {rank[layouts.IN_YEAR.name], rank[layouts.AS_AT_2023.name]}
    assert [{rank[layouts.INSPECTIONS.name]}, wide, lists, {rank[layouts.REPORTS.name]}] == [{0}, {1}, {2}, {3}]


def test_a_row_needs_a_day_and_one_that_cannot_be_read_counts_as_given() -> None:
    rows = [
        ("Kent", "01/03/2022", None),
        ("Hull", None, "10/01/2022"),
        ("Bury", "soon", None),
        ("York", None, None),
        ("Bath", None, "soon"),
    ]
    frame = pl.DataFrame(
        [(*row, "Good") for row in rows],
        schema=dict.fromkeys(("la_name", "published", "started", "leaders"), pl.String()),
        orient="row",
    )
    read = list(report_rows(layouts.REPORTS, frame))
    assert [(r.cells["la_name"], r.cells["dated"], r.published, r.started) for r in read] == [
        ("Kent", True, DAY, None),
        ("Hull", False, None, date(2022, 1, 10)),
        ("Bury", True, None, None),
    ]
    assert [r.grades for r in read][0] == {"leaders": 2} and read[0].written == {"leaders": "Good"}


def test_a_report_is_undeclared_if_nobody_says_what_its_grades_count_as() -> None:
    def row(framework: object, written: dict[str, str], grades: dict[str, int]) -> bool:
        cells = dict.fromkeys(("old_la_code", "new_la_code", "la_name"))
        return ReportRow(cells, None, DAY, DAY, framework, written, grades).undeclared  # type: ignore[arg-type]

    assert row(None, {"leaders": "Good"}, {}) and not row(None, {}, {})
    assert not row(ILACS_FRAMEWORK, {"leaders": "Good"}, {"leaders": 2})
    assert row(ILACS_FRAMEWORK, {"leaders": "Splendid", "help": "Good"}, {"help": 2})
    assert not row(ILACS_FRAMEWORK, {"weather": "Good"}, {})
