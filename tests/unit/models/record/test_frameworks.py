"""A report of a framework nobody declared is listed, not guessed and not lost; a declared one runs through."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from models.evidence.sections import build_section
from models.judgements.design import Design
from models.judgements.labels import graded
from models.learning.candidates import BASELINES, RECIPE
from models.learning.training import train_design
from models.learning.walkforward import FIRST_DAY, judged_since, walk_forward
from models.record import read_record
from models.record.cells import GRADE_WORDS
from models.record.frameworks import FRAMEWORKS, TO_DECIDE, Framework, framework_of, grade_words
from tests.unit.models.record.test_layouts import NEW, PLACE, REPORTS, _row, _write

RENEWED = Framework(
    name="Renewed 2027",
    title="A made-up framework of 2027",
    first_started=date(2027, 4, 1),
    last_started=None,
    judgements=("leaders", "help"),
    scale=("Exceptional", "Strong", "Attention needed", "Urgent improvement"),
    as_grade=(1, 2, 3, 4),
    trains=True,
    counts=True,
    level_of="Renewed 2027",
    types=("renewed",),
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
        "1,darlington,20/07/27,renewed,24/05/2027,,attention needed,strong,,",
        "1,darlington,20/09/28,standard,24/07/2028,,good,good,good,good",
    )
    return tmp_path


def test_an_undeclared_report_is_listed_with_what_must_be_decided(folder: Path) -> None:
    record = read_record(folder)
    assert record.judgements["framework"].to_list() == ["ILACS", "ILACS 2026"]
    listed = [n for n in record.notes if TO_DECIDE in n]
    # One calls itself standard, after the last day of the last framework; the grades of the other are words that no
    # scale knows yet.
    assert any("darlington" in n and "2028-07-24" in n for n in listed)
    assert any("renewed" in n and "2027-05-24" in n for n in listed)


def test_a_declared_one_is_read_on_its_own_scale(folder: Path) -> None:
    record = read_record(folder, (*FRAMEWORKS, RENEWED))
    row = record.judgements.filter(pl.col("framework") == RENEWED.name).row(0, named=True)
    assert (row["leaders"], row["help"], row["overall"]) == (3, 2, None)
    assert graded(record.judgements).filter(pl.col("framework") == RENEWED.name)["grade"].to_list() == [3]
    assert any("2028-07-24" in n for n in record.notes), "“standard” is no type of the renewed framework"


def test_it_runs_through_level_training_and_evaluation(design: Design) -> None:
    day = date(2021, 1, 1)
    later = pl.col("started") >= day
    named = pl.when(later & pl.col("framework").is_not_null()).then(pl.lit(RENEWED.name)).otherwise("framework")
    renewed = replace(
        design,
        frame=design.frame.with_columns(framework=named),
        councils=design.councils.with_columns(framework=named),
        counting=(*design.counting, RENEWED.name),
        teaching=(*design.teaching, RENEWED.name),
    )
    walked = walk_forward(renewed, (RECIPE, *BASELINES), date(2018, 1, 1))
    assert RENEWED.name in walked.rows[FIRST_DAY]["framework"].to_list()
    assert judged_since(walked.models[date(2022, 1, 1)], renewed, date(2022, 1, 1))
    section = build_section(renewed.variant, walked)
    assert section.table(FIRST_DAY).n == walked.rows[FIRST_DAY].height
    model = train_design(renewed, hashes={}, code_version="1", candidates=(RECIPE, *BASELINES)).model
    undeclared = replace(renewed, counting=design.counting, teaching=design.teaching)
    without = walk_forward(undeclared, (RECIPE,), date(2018, 1, 1))
    assert RENEWED.name not in without.rows[FIRST_DAY]["framework"].to_list()
    assert max(s.inspections for s in without.splits) < max(s.inspections for s in walked.splits)
    known = model.level_known()
    assert known is not None and known.to > day + timedelta(days=60)


def test_the_table_is_in_order_and_no_word_has_two_meanings() -> None:
    starts = [f.first_started for f in FRAMEWORKS]
    assert starts == sorted(starts)
    assert len({f.name for f in FRAMEWORKS}) == len(FRAMEWORKS)
    assert all(len(f.scale) == len(f.as_grade) for f in FRAMEWORKS)
    grade_words(GRADE_WORDS, (*FRAMEWORKS, RENEWED))
    with pytest.raises(ValueError, match="elsewhere"):
        grade_words(GRADE_WORDS, (replace(RENEWED, scale=("Good", "a", "b", "c")),))


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
