"""A report of a framework nobody declared is listed, not guessed and not lost; a declared one runs through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.comparing.context import context
from features.councils import Register, read_register, undeclared_judgements, write_register
from features.errors import ReferenceDataError
from features.frameworks import (
    FOUR_GRADES,
    FRAMEWORKS,
    TO_DECIDE,
    Framework,
    counting_frameworks,
    framework_of,
    framework_of_grade,
    judgement_written,
    newest_level,
    training_frameworks,
)
from models.evidence.sections import build_section
from models.judgements.design import Design
from models.judgements.labels import graded
from models.learning.candidates import BASELINES, RECIPE
from models.learning.training import train_design
from models.learning.walkforward import FIRST_DAY, judged_since, levels_on, walk_forward
from models.record import read_record
from tests.unit.features.test_councils import NORTH
from tests.unit.models.conftest import design as design
from tests.unit.models.record.test_layouts import NEW, PLACE, REPORTS, _row, _write

#: Five grades, one of them a word that ILACS uses for something else.
RENEWED = Framework(
    name="Renewed 2027",
    title="A made-up framework of 2027",
    first_started=date(2027, 4, 1),
    last_started=None,
    judgements=("leaders", "help"),
    scale=("Exceptional", "Strong", "Good", "Attention needed", "Urgent improvement"),
    as_grade=(1, 1, 2, 3, 4),
    trains=True,
    counts=True,
    level_of="Renewed 2027",
    types=("renewed",),
    also=(("adequate", 2),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path, "w.csv", f"{PLACE},{NEW}", _row(2023, "841", "Darlington", 90, 9, 8, 7, 60, 900, 500))
    _write(
        tmp_path,
        "reports.csv",
        REPORTS,
        "1,darlington,12/05/23,standard,13/03/2023,good,good,good,good,good",
        "1,darlington,12/05/26,short,13/04/2026,not_reported_post_reform,inadequate,good,good,good",
        "1,darlington,20/07/27,renewed,24/05/2027,,attention needed,adequate,,",
        "1,darlington,20/09/28,standard,24/07/2028,,good,good,good,good",
    )
    return tmp_path


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.frameworks.FRAMEWORKS", (*FRAMEWORKS, RENEWED))


def test_an_undeclared_report_is_listed_with_what_must_be_decided(folder: Path) -> None:
    record = read_record(folder)
    assert record.judgements["framework"].to_list() == ["ILACS", "ILACS 2026"]
    listed = [n for n in record.notes if TO_DECIDE in n]
    # One calls itself standard, after the last day of the last framework; the other is of a kind that nobody knows.
    assert len(listed) == 2
    assert any("darlington" in n and "2028-07-24" in n for n in listed)
    assert any("“renewed”" in n and "“attention needed”" in n and "2027-05-24" in n for n in listed)


def test_words_that_a_declared_scale_does_not_have_are_listed_too(tmp_path: Path, folder: Path) -> None:
    _write(tmp_path, "reports.csv", REPORTS, "1,darlington,12/01/27,short,13/11/2026,,strong,good,good,good")
    _write(tmp_path, "more.csv", REPORTS, "1,darlington,12/05/23,standard,13/03/2023,good,good,good,good,good")
    record = read_record(folder)
    assert record.judgements.height == 1, "what leaders were judged is not guessed from the other judgements"
    assert [n for n in record.notes if TO_DECIDE in n and "“strong”" in n]


@pytest.mark.usefixtures("renewed")
def test_a_declared_one_is_read_on_its_own_scale(folder: Path) -> None:
    record = read_record(folder)
    row = record.judgements.filter(pl.col("framework") == RENEWED.name).row(0, named=True)
    assert (row["leaders"], row["help"], row["overall"]) == (3, 2, None), "“adequate” is 3 under ILACS and 2 here"
    assert row["words"] == "Attention needed"
    assert graded(record.judgements).filter(pl.col("framework") == RENEWED.name)["grade"].to_list() == [3]
    assert any("2028-07-24" in n for n in record.notes), "“standard” is no type of the renewed framework"


REGISTER = write_register([NORTH]).replace("2024-02-01 Good", "2024-02-01 Good;2027-07-20 Strong")


def test_the_register_keeps_an_undeclared_judgement_lists_it_and_does_not_use_it() -> None:
    register = read_register(REGISTER, "register.csv")
    (north,) = register.councils
    assert write_register(register.councils) == REGISTER
    assert [j.published for j in north.judgements_by(date(2028, 1, 1))] == [date(2021, 5, 1), date(2024, 2, 1)]
    (note,) = undeclared_judgements(register.councils)
    assert "2027-07-20" in note and "“Strong”" in note and TO_DECIDE in note
    assert context(register, date(2028, 1, 1))["previous_words"].to_list() == ["Good"]


@pytest.mark.usefixtures("renewed")
def test_the_register_reads_a_declared_one_by_its_declaration_alone() -> None:
    register = read_register(REGISTER, "register.csv")
    assert undeclared_judgements(register.councils) == ()
    row = context(register, date(2028, 1, 1)).row(0, named=True)
    assert (row["previous_judgement"], row["previous_words"]) == (1, "Strong")
    with pytest.raises(ReferenceDataError, match="“Strongish” is no grade; use one of Exceptional, Strong, Good"):
        read_register(REGISTER.replace("Strong", "Strongish"), "register.csv")
    with pytest.raises(ReferenceDataError, match="use one of Outstanding, Good"):
        read_register(REGISTER.replace("2027-07-20", "2025-07-20"), "register.csv")
    assert Register(()).councils == ()


def as_renewed(design: Design, day: date) -> Design:
    """The design with every inspection from a day on as one under the renewed framework."""
    later = (pl.col("started") >= day) & pl.col("framework").is_not_null()
    named = pl.when(later).then(pl.lit(RENEWED.name)).otherwise("framework").alias("framework")
    return replace(design, frame=design.frame.with_columns(named), councils=design.councils.with_columns(named))


def test_it_runs_through_level_training_and_evaluation(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    day, asked = date(2021, 1, 1), date(2018, 1, 1)
    changed = as_renewed(design, day)
    undeclared = walk_forward(changed, (RECIPE,), asked)
    monkeypatch.setattr("features.frameworks.FRAMEWORKS", (*FRAMEWORKS, RENEWED))
    walked = walk_forward(changed, (RECIPE, *BASELINES), asked)
    assert RENEWED.name in walked.rows[FIRST_DAY]["framework"].to_list()
    assert RENEWED.name not in undeclared.rows[FIRST_DAY]["framework"].to_list()
    assert max(s.inspections for s in undeclared.splits) < max(s.inspections for s in walked.splits)
    assert build_section(changed.variant, walked).table(FIRST_DAY).n == walked.rows[FIRST_DAY].height
    known = train_design(changed, hashes={}, code_version="1", candidates=(RECIPE, *BASELINES)).model.level_known()
    under = changed.asked_before(0).filter(pl.col("framework") == RENEWED.name)
    assert known is not None and known.to > day + timedelta(days=60)
    assert (known.framework, known.judgements) == (RENEWED.name, under.height)


@pytest.mark.usefixtures("renewed")
def test_a_new_level_begins_with_its_first_report_and_old_ones_that_come_late_move_nothing(design: Design) -> None:
    cut = date(2021, 1, 1)
    changed = as_renewed(design, date(2021, 4, 1))
    fitted = walk_forward(design, (RECIPE,), cut).models[cut]
    news = judged_since(fitted, changed, cut)
    levels = [level for level, _ in news]
    first = levels.index(RENEWED.name)
    assert first > 0 and set(levels[:first]) == {"ILACS"} and set(levels[first:]) == {RENEWED.name}
    before, after = (levels_on(fitted, changed, cut, [news[i][1].published])[0] for i in (first, first + 1))
    assert before.judgements > 50 and after.judgements == 1


def test_the_table_is_in_order_and_each_grade_counts_as_something() -> None:
    starts = [f.first_started for f in FRAMEWORKS]
    assert starts == sorted(starts)
    assert len({f.name for f in FRAMEWORKS}) == len(FRAMEWORKS)
    assert all(len(f.scale) == len(f.as_grade) for f in FRAMEWORKS)
    assert {f.as_grade for f in FRAMEWORKS if f.scale == FOUR_GRADES} == {(1, 2, 3, 4)}
    also = ("requires improvement", "to requires improvement", "adequate")
    assert [FRAMEWORKS[0].grade_of(word) for word in also] == [3, 3, 3]


@pytest.mark.usefixtures("renewed")
@pytest.mark.parametrize(
    ("published", "written", "name"),
    [
        (date(2027, 4, 20), "Good", "ILACS 2026"),
        (date(2027, 5, 20), "Urgent improvement", RENEWED.name),
        (date(2027, 7, 20), "Requires improvement to be good", "ILACS 2026"),
        (date(2027, 11, 6), "Requires improvement to be good", "ILACS 2026"),  # 220 days after it ended
        (date(2027, 11, 7), "Requires improvement to be good", None),
        (date(2027, 7, 20), "Good", RENEWED.name),
        (date(2027, 7, 20), "Very good", None),
        (date(2012, 7, 20), "Good", None),
    ],
)
def test_where_only_the_publication_is_known_the_word_helps(published: date, written: str, name: str | None) -> None:
    found = framework_of_grade(published, written)
    assert (None if found is None else found.name) == name


def test_a_word_is_refused_while_a_framework_was_in_force_when_the_inspection_usually_began() -> None:
    """60 days before publication; after the last declared framework nothing is known of its words."""
    with pytest.raises(ReferenceDataError, match="“Strong” is no grade"):
        judgement_written(date(2027, 5, 30), "Strong")
    assert judgement_written(date(2027, 5, 31), " Strong ").impact_of_leaders == "Strong"
    with pytest.raises(ReferenceDataError, match="“” is no grade; use one of Outstanding"):
        judgement_written(date(2027, 5, 31), "  ")


@pytest.mark.parametrize(
    ("kind", "day", "name"),
    [
        ("standard", date(2026, 3, 31), "ILACS"),
        ("short", date(2026, 4, 1), "ILACS 2026"),
        (None, date(2015, 1, 1), "SIF"),
        ("renewed", date(2026, 5, 1), None),
        ("standard", date(2027, 4, 1), None),
        (None, None, None),
    ],
)
def test_type_and_day_decide_together(kind: str | None, day: date | None, name: str | None) -> None:
    found = framework_of(kind, day)
    assert (None if found is None else found.name) == name


def test_which_frameworks_teach_count_and_make_up_a_level() -> None:
    assert training_frameworks() == ["SIF", "ILACS", "ILACS 2026"]
    assert counting_frameworks() == ["ILACS", "ILACS 2026"]
    assert newest_level(["SIF", "ILACS 2026", "ILACS"]) == "ILACS"
    assert newest_level(["SIF", None]) == "ILACS", "of those that count there is none"
    assert newest_level([], otherwise="x") == "x"


@pytest.mark.usefixtures("renewed")
def test_the_newest_level_is_that_of_the_newest_framework_that_counts() -> None:
    assert newest_level(["ILACS", RENEWED.name]) == RENEWED.name
    assert newest_level(["ILACS", "SIF"]) == "ILACS"


@pytest.mark.parametrize(
    ("written", "grade"),
    [
        ("Outstanding", 1),
        (" good ", 2),
        ("Requires improvement to be good", 3),
        ("requires  improvement", 3),
        ("Adequate", 3),
        ("Inadequate", 4),
        ("fine", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_written_grade_counts_as(written: str | None, grade: int | None) -> None:
    assert FRAMEWORKS[1].grade_of(written) == grade


def test_a_grade_is_told_in_the_words_of_its_scale() -> None:
    assert [FRAMEWORKS[1].word_of(g) for g in (1, 2, 3, 4)] == list(FRAMEWORKS[1].scale)
    assert FRAMEWORKS[1].word_of(3, "requires improvement to be good") == "Requires improvement to be good"
    assert RENEWED.word_of(1) == "Exceptional" and RENEWED.word_of(1, "strong") == "Strong"
