"""The table that models learn from, made from a small published record: rows, figures and context as known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from models.evidence.levels import calendar_of, fall_of_2016
from models.judgements.asof import Variant
from models.judgements.design import build_design, direction, each_quarter, group_of
from models.record import PublicRecord
from models.record.figures import COUNTS
from models.record.judgements import JUDGEMENTS
from models.record.places import COUNCILS, DEPRIVATION
from tests.unit.models.golden import differences
from tests.unit.models.judgements.test_asof import CODES, _record

#: Dorset's predecessors, of which 838 and 839 inherit, beside twelve councils that stayed.
ENDED, BEGUN = ("835", "836", "837"), ("838", "839")


def _judgement(code: str, framework: str, started: date | None, published: date, grade: int) -> dict[str, object]:
    blank: dict[str, object] = dict.fromkeys(JUDGEMENTS)
    subs = {"help": grade, "care": min(4, grade + 1), "care_leavers": grade}
    leaders = {"overall": grade} if framework == "SIF" else {"leaders": grade, "overall": max(1, grade - 1)}
    known = {"la_code": code, "framework": framework, "started": started, "published": published, "sources": "f"}
    return blank | known | subs | leaders


@pytest.fixture(scope="module")
def record() -> PublicRecord:
    every = [*CODES, *ENDED, *BEGUN]
    judged = []
    for i, code in enumerate((*CODES, *ENDED)):
        judged.append(_judgement(code, "SIF", None, date(2014 + i % 4, 3 + i % 9, 10), 1 + i % 4))
    for i, code in enumerate((*CODES, *BEGUN)):
        started = date(2019 + i % 3, 1 + i % 12, 1 + i)
        judged.append(_judgement(code, "ILACS", started, started + timedelta(days=55), 1 + (i * 3) % 4))
    judged.append(_judgement(CODES[0], "ILACS", date(2022, 4, 25), date(2022, 6, 20), 4))
    children = [
        (code, date(year, 6, 30), "population_0_17", 1000.0 * (1 + int(code) % 50), None, "p")
        for code in every
        for year in (2017, 2018, 2019, 2022)
    ]
    made = _record(2022, every)
    return replace(
        made,
        population=pl.DataFrame(children, schema=COUNTS, orient="row"),
        judgements=pl.DataFrame(judged, schema=JUDGEMENTS, orient="row").sort("la_code", "published"),
        councils=pl.DataFrame([(c, c, "North East", "County") for c in every], schema=COUNCILS, orient="row"),
        deprivation=pl.DataFrame(
            [(c, 2019, float(int(c) % 40)) for c in every if c not in ("835", "839")], schema=DEPRIVATION, orient="row"
        ),
    )


@pytest.mark.parametrize("variant", list(Variant))
def test_the_table_stands_as_it_was_read(record: PublicRecord, variant: Variant) -> None:
    design = build_design(record, variant)
    shown = [
        "la_code",
        "as_of",
        "months_before",
        "weight",
        "framework",
        "published",
        "grade",
        "below_good",
        "inadequate",
    ]
    context = ["previous_judgement", "years_since_judgement", "good_before", "imd_score", "log_population"]
    figures = ["agency_rate_fte", "agency_rate_fte__national_percentile", "re_referral_rate", "cp_reviews_in_time_rate"]
    some = pl.col("la_code").is_in([*CODES[:2], *ENDED[:1], *BEGUN])
    found = {
        name: [list(row) for row in frame.filter(some).select(*shown, *context, *figures).iter_rows()]
        for name, frame in (("inspections", design.frame), ("councils", design.councils[::3]))
    }
    assert differences(found, Path(__file__).with_name(f"design-{variant.name.lower()}.json")) == []
    weights = design.frame.group_by("la_code", "published").agg(pl.col("weight").sum())["weight"]
    assert weights.to_list() == pytest.approx([1.0] * len(weights))
    assert design.taught_before(date(2020, 1, 1))["published"].max() < date(2020, 1, 1)  # type: ignore[operator]
    assert design.asked_before(12)["months_before"].unique().to_list() == [12]


def test_every_council_is_asked_each_quarter_it_existed_once_it_was_judged(record: PublicRecord) -> None:
    asked = each_quarter(record)
    first = {c: asked.filter(la_code=c)["as_of"].min() for c in (*ENDED, *BEGUN)}
    last = {c: asked.filter(la_code=c)["as_of"].max() for c in (*ENDED, *BEGUN)}
    assert {last[c] for c in ENDED} == {date(2019, 1, 1)}
    assert {first[c] for c in BEGUN} == {date(2019, 4, 1)} and {last[c] for c in BEGUN} == {date(2023, 1, 1)}
    assert set(asked["as_of"].dt.month()) == {1, 4, 7, 10} and asked["as_of"].min() == date(2015, 1, 1)
    following = asked.filter(pl.col("started").is_not_null())
    graded = set(following.select("grade", "below_good", "inadequate").rows())
    assert graded == {(1, False, False), (2, False, False), (3, True, False), (4, True, True)}
    assert (following["started"] >= following["as_of"]).all()
    on_the_day = asked.filter(la_code=CODES[0], as_of=date(2019, 1, 1))
    assert on_the_day["started"].item() == date(2019, 1, 1), "an inspection that begins that day is still to come"
    assert each_quarter(replace(record, judgements=JUDGEMENTS.to_frame())).is_empty()


def test_the_calendar_and_the_fall_of_the_level_come_from_the_record(record: PublicRecord) -> None:
    calendar = calendar_of(record)
    assert len(calendar.started) == 15 and set(calendar.published - calendar.started) == {55.0, 56.0}
    fall = fall_of_2016(record)
    # Of four judged in each of 2014 to 2016 and three in 2017, those of one year have one grade.
    assert {year: round(value, 3) for year, value in fall.items()} == FALL


#: 2014 and 2015 all good or better, 2016 and 2017 none: log-odds of 5/6 against 1/6, and of 4/5.
FALL = {2014: 0.0, 2015: 0.0, 2016: 3.219, 2017: 2.996}


def test_columns_know_their_direction_and_group() -> None:
    assert direction("agency_rate_fte__change_12m") == 1 and direction("assessments_in_time_rate") == -1
    assert direction("agency_cover_rate_fte") == 0
    assert [direction(c) for c in ("previous_judgement", "previous_sub_mean", "imd_score")] == [1, 1, 1]
    assert (
        direction("years_since_judgement") == direction("log_population") == 0
        and group_of("imd_score").name == "CONTEXT"
    )
