"""Boundary changes, joint returns and what had been judged when an inspection began."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from models.judgements.labels import history, inspections
from models.record.figures import COUNTS
from models.record.identity import lineage
from models.record.judgements import JUDGEMENTS
from models.record.read import _population_at_change
from models.record.units import hand_down, split_joint


def _counts(*rows: tuple[str, int, float | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(code, date(year, 9, 30), "agency_fte", value, reason, "f") for code, year, value, reason in rows],
        schema=COUNTS,
        orient="row",
    )


def _judgement(code: str, published: date, started: date | None, **grades: int | None) -> dict[str, object]:
    blank: dict[str, object] = dict.fromkeys(JUDGEMENTS)
    return blank | {"la_code": code, "framework": "ILACS", "started": started, "published": published} | grades


def _judgements(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=JUDGEMENTS, orient="row")


def test_a_joint_return_goes_to_both_members_under_either_way_of_publishing() -> None:
    frame = split_joint(
        _counts(
            ("314 / 318", 2023, 7.0, None),
            ("314", 2022, 5.0, None),
            ("318", 2022, None, "z: not applicable in the published file"),
            ("940", 2022, 3.0, None),
            ("941", 2022, None, "c: confidential in the published file"),
        )
    )
    got = {(r["la_code"], r["period_end"].year): r["value"] for r in frame.iter_rows(named=True)}
    assert got == {
        ("314", 2023): 7.0,
        ("318", 2023): 7.0,
        ("314", 2022): 5.0,
        ("318", 2022): 5.0,
        ("940", 2022): 3.0,
        ("941", 2022): None,
    }


def test_successors_inherit_by_their_share_of_children() -> None:
    tree = lineage({"928": 100.0, "940": 40.0, "941": 60.0})
    frame = hand_down(_counts(("928", 2020, 50.0, None), ("940", 2021, 22.0, None)), tree, "count")
    got = {(r["la_code"], r["period_end"].year): r["value"] for r in frame.iter_rows(named=True)}
    assert got == {
        ("928", 2020): 50.0,
        ("940", 2020): pytest.approx(20.0),
        ("941", 2020): pytest.approx(30.0),
        ("940", 2021): 22.0,
    }


def test_a_merged_council_takes_the_mean_of_its_predecessors_judgements() -> None:
    tree = lineage({"835": 80.0, "836": 30.0, "837": 40.0, "838": 70.0, "839": 80.0})
    shares = {r["predecessor"]: r["of_successor"] for r in tree.filter(successor="839").iter_rows(named=True)}
    assert shares == pytest.approx({"835": 10 / 80, "836": 30 / 80, "837": 40 / 80})
    known = history(
        _judgements(
            _judgement("835", date(2016, 5, 1), None, leaders=2),
            _judgement("836", date(2017, 11, 1), None, leaders=2),
            _judgement("837", date(2018, 8, 1), None, leaders=4),
        ),
        tree,
    )
    merged = known.filter(la_code="839")
    assert merged["grade"].item() == pytest.approx(3.0)
    assert merged["known_from"].item() == date(2018, 8, 1)


def test_a_successor_takes_no_more_children_than_its_predecessor_had() -> None:
    tree = lineage({"835": 60.0, "836": 30.0, "837": 40.0, "838": 70.0, "839": 80.0})
    found = tree.filter(predecessor="835").select("successor", "of_predecessor", "of_successor").rows()
    assert found == [("838", 1.0, 1.0), ("839", 0.0, 0.0)]
    equal = lineage({})
    assert equal.filter(predecessor="909").select("of_predecessor", "of_successor").rows() == [(0.5, 1.0)] * 2


def test_what_was_published_only_after_the_start_is_not_known() -> None:
    frame = inspections(
        _judgements(
            _judgement("301", date(2019, 3, 1), date(2019, 1, 10), leaders=2, overall=3),
            _judgement("301", date(2022, 3, 1), date(2022, 1, 10), leaders=3),
            _judgement("301", date(2022, 2, 1), date(2021, 12, 1), leaders=4),
        ),
        lineage({}),
    )
    assert frame["months_before"].to_list() == [0, 0, 0] and frame["weight"].to_list() == [1.0] * 3
    assert frame.select("published", "previous_grade", "good_before").rows() == [
        (date(2019, 3, 1), None, None),
        (date(2022, 2, 1), 2.0, True),
        (date(2022, 3, 1), 2.0, True),
    ]


@pytest.mark.parametrize(
    ("grades", "grade", "basis"),
    [
        ({"leaders": 2, "overall": 4}, 2, "impact of leaders"),
        ({"leaders": None, "overall": 4}, 4, "overall effectiveness"),
        ({"help": 3, "care": 2, "care_leavers": 3}, 3, "sub-judgements"),
        ({"help": 3, "care": 2}, 3, "sub-judgements"),
        ({"help": 1, "care": 1}, 2, "sub-judgements"),
        ({"help": 2, "care": 2, "care_leavers": 3}, 2, "sub-judgements"),
        ({"help": 4, "care": 2, "care_leavers": 2}, 4, "sub-judgements"),
    ],
)
def test_the_label_falls_back_from_leaders_to_overall_to_sub_judgements(
    grades: dict[str, int | None], grade: int, basis: str
) -> None:
    frame = inspections(_judgements(_judgement("301", date(2022, 3, 1), date(2022, 1, 10), **grades)), lineage({}))
    assert frame.select("grade", "basis").row(0) == (grade, basis)


@pytest.mark.parametrize(("published", "asked"), [(date(2022, 1, 1), [0, 6]), (date(2022, 1, 2), [0])])
def test_a_question_may_be_asked_from_the_day_on_which_the_judgement_before_came_out(
    published: date, asked: list[int]
) -> None:
    rows = _judgements(
        _judgement("301", published, date(2021, 11, 1), leaders=3),
        _judgement("301", date(2022, 9, 1), date(2022, 7, 1), leaders=3),
    )
    found = inspections(rows, lineage({}), (0, 6)).filter(published=date(2022, 9, 1))
    assert found.select(
        "months_before", "weight", "below_good", "inadequate", "previous_grade", "good_before"
    ).rows() == [(months, 1 / len(asked), True, False, 3.0, False) for months in asked]
    days = (date(2022, 7, 1) - published).days
    assert found["years_since_previous"][0] == pytest.approx(days / 365.25)
    assert found["as_of"].to_list() == [date(2022, 7, 1), date(2022, 1, 1)][: len(asked)]


def test_only_what_was_published_before_a_boundary_change_is_handed_down_and_by_those_who_lost_children_to_it() -> None:
    tree = lineage({"835": 60.0, "836": 30.0, "837": 30.0, "838": 70.0, "839": 80.0})
    rows = (
        _judgement("835", date(2019, 3, 1), None, leaders=4),
        _judgement("836", date(2017, 1, 1), None, leaders=4),
        _judgement("836", date(2018, 1, 1), None, leaders=2, overall=3),
        _judgement("837", date(2018, 2, 1), None, leaders=3),
        _judgement("837", date(2019, 4, 1), None, leaders=1),
    )
    known = history(_judgements(*rows), tree).filter(la_code="839")
    assert known.select("known_from", "grade", "overall", "sub_mean").rows() == [(date(2018, 2, 1), 2.5, 3.0, 2.5)]
    later = _judgement("839", date(2021, 6, 1), date(2021, 4, 1), leaders=3, help=2, care=2)
    found = inspections(_judgements(*rows, later), tree).filter(la_code="839").row(0, named=True)
    assert (found["previous_grade"], found["good_before"], found["sub_mean"]) == (2.5, False, pytest.approx(7 / 3))
    assert (found["grade"], found["below_good"], found["start_assumed"]) == (3, True, False)


def test_what_has_no_grade_is_no_inspection() -> None:
    assert inspections(_judgements(_judgement("301", date(2015, 6, 1), None)), lineage({})).is_empty()


def test_an_unknown_start_is_assumed_early_and_marked() -> None:
    frame = inspections(_judgements(_judgement("301", date(2015, 6, 1), None, leaders=3)), lineage({}))
    assert frame.select("started", "start_assumed").row(0) == (date(2015, 2, 21), True)


def test_children_at_a_boundary_change_are_the_last_of_who_ended_and_the_first_of_who_began() -> None:
    """Where an ended council's are not published, they are shared out by its last open cases."""

    def rows(count: str, *values: tuple[str, int, float]) -> pl.DataFrame:
        found = [(code, date(year, 6, 30), count, value, None, "f") for code, year, value in values]
        return pl.DataFrame(found, schema=COUNTS, orient="row")

    children = rows(
        "population_0_17", ("928", 2018, 90.0), ("928", 2020, 100.0), ("940", 2021, 44.0), ("940", 2023, 60.0)
    )
    more = rows(
        "population_0_17", ("941", 2021, 66.0), ("838", 2019, 140.0), ("839", 2019, 160.0), ("835", 2018, 120.0)
    )
    cases = rows("open_cases", ("835", 2018, 60.0), ("836", 2017, 99.0), ("836", 2018, 30.0), ("837", 2018, 60.0))
    other = rows("referrals_12m", ("836", 2018, 999.0))
    found = _population_at_change(pl.concat([children, more]), pl.concat([cases, other]))
    assert found == {
        "928": 100.0,
        "940": 44.0,
        "941": 66.0,
        "835": 120.0,
        "836": 60.0,
        "837": 120.0,
        "838": 140.0,
        "839": 160.0,
    }
