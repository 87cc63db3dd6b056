"""A group's own months make the same table as the published record, and train through the same path."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from features.councils import Council, Register
from features.errors import ModelError
from features.frames import FEATURES_SCHEMA
from features.frameworks import Judgement
from features.months import Month
from models.judgements.design import Design
from models.judgements.own_history import design_from_history, together, too_few, with_months
from models.learning.candidates import BASELINES, RECIPE
from models.learning.training import train_design


def _features() -> pl.DataFrame:
    rows = [
        dict.fromkeys(FEATURES_SCHEMA)
        | {
            "la_code": "X01",
            "month": Month(2025, n).last_day,
            "measure": "agency_rate_fte",
            "value": n / 100,
            "known_from": Month(2025, n).plus(1).first_day,
            "national_percentile": n / 12,
        }
        for n in range(1, 13)
    ]
    return pl.DataFrame(rows, schema=FEATURES_SCHEMA, orient="row")


REGISTER = Register(
    (
        Council(
            "X01",
            "Made-up",
            Month(2019, 1),
            imd_score=30.0,
            population_0_17=40_000,
            judgements=(
                Judgement(date(2021, 5, 1), "Good"),
                Judgement(date(2025, 9, 1), "Inadequate"),
            ),
        ),
        Council("X02", "Never judged", Month(2019, 1)),
    )
)


def test_each_judgement_has_the_months_known_before_its_inspection(design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national)
    first, second = own.asked_before(0).iter_rows(named=True)
    assert (first["grade"], first["previous_grade"], first["agency_rate_fte"]) == (2, None, None)
    assert (first["below_good"], first["inadequate"], first["good_before"]) == (False, False, None)
    half_a_year_before = own.asked_before(6).row(1, named=True)
    assert half_a_year_before["as_of"] == date(2025, 1, 1) and half_a_year_before["agency_rate_fte"] is None
    assert own.frame["weight"].sum() == pytest.approx(2.0)
    # Inspected early in July 2025, as far as the register tells: June was known on the 1st.
    assert second["started"] == date(2025, 7, 1)
    assert second["agency_rate_fte"] == pytest.approx(0.06)
    assert second["agency_rate_fte__national_percentile"] == pytest.approx(0.5)
    assert (second["below_good"], second["inadequate"], second["good_before"]) == (True, True, True)


def test_a_judgement_is_asked_about_only_while_it_was_the_next(design: Design) -> None:
    """The one of December 2024 came between the question of July 2024 and the judgement it would be about."""
    judged = (Judgement(date(2024, 12, 1), "Good"), Judgement(date(2025, 9, 1), "Inadequate"))
    register = Register((Council("X01", "Made-up", Month(2019, 1), judgements=judged),))
    own = design_from_history(_features(), register, design.national).frame
    months = {published: own.filter(published=published)["months_before"].to_list() for published in own["published"]}
    assert months == {date(2024, 12, 1): [0, 6, 12], date(2025, 9, 1): [0, 6]}


@pytest.mark.parametrize(
    ("earlier", "months"),
    [(date(2025, 1, 1), [0, 6]), (date(2025, 1, 2), [0]), (date(2025, 7, 1), [0]), (date(2025, 7, 2), [0, 6, 12])],
)
def test_a_question_may_come_on_the_day_of_the_judgement_before(
    earlier: date, months: list[int], design: Design
) -> None:
    """The later inspection began on 1 July 2025, as far as the register tells."""
    judged = (Judgement(earlier, "Good"), Judgement(date(2025, 9, 1), "Inadequate"))
    register = Register((Council("X01", "Made-up", Month(2019, 1), judgements=judged),))
    own = design_from_history(_features(), register, design.national).frame
    assert own.filter(published=date(2025, 9, 1))["months_before"].to_list() == months


def test_it_trains_beside_the_published_record(design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national)
    both = together(design, own)
    # Of the two judgements one has months behind it; the other would teach what context says alone.
    assert both.asked_before(0).height == design.asked_before(0).height + 1
    assert together(both, own).frame.height == both.frame.height
    result = train_design(both, hashes={}, code_version="1", candidates=(RECIPE, *BASELINES))
    assert result.model.run["training"]["inspections"] == both.asked_before(0).height


def test_a_group_s_record_teaches_from_enough_judgements_on(monkeypatch: pytest.MonkeyPatch, design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national)
    said = too_few(own)
    assert said is not None and said.startswith("The group has 1 judgement with months of its own before them;")
    monkeypatch.setattr("models.judgements.own_history.OWN_FROM", 1)
    assert too_few(own) is None
    monkeypatch.setattr("models.judgements.own_history.OWN_FROM", 2)
    assert str(too_few(own)).startswith("The group has 1 judgement with") and "from 2 on" in str(too_few(own))
    nobody = replace(own, frame=own.frame.clear())
    assert str(too_few(nobody)).startswith("The group has 0 judgements with")


@pytest.mark.parametrize(("published", "known"), [(date(2026, 4, 4), 12), (date(2026, 5, 4), None)])
def test_a_month_counts_for_two_months(published: date, known: int | None, design: Design) -> None:
    """The last month is December 2025; inspections begun on 1 February and on 3 March are asked about."""
    judged = (Judgement(published, "Good"),)
    council = Council("X01", "Made-up", Month(2019, 1), judgements=judged)
    own = design_from_history(_features(), Register((council,)), design.national).asked_before(0)
    assert own["agency_rate_fte"].to_list() == [None if known is None else known / 100]


def test_a_row_of_the_register_says_what_the_register_says(design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national).asked_before(0).row(1, named=True)
    assert (own["start_assumed"], own["basis"], own["sub_mean"]) == (True, "impact of leaders", 4.0)
    assert own["years_since_previous"] == own["years_since_judgement"] == pytest.approx(1522 / 365.25)
    assert (own["imd_score"], own["population_0_17"], own["framework"]) == (30.0, 40_000.0, "ILACS")
    nobody = design_from_history(_features(), Register((REGISTER.councils[1],)), design.national)
    assert nobody.frame.is_empty() and nobody.councils.is_empty()


@pytest.mark.parametrize(("judgements", "few"), [(29, True), (30, False)])
def test_thirty_judgements_with_months_of_their_own_teach(judgements: int, few: bool, design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national)
    row = with_months(own).head(1)
    many = pl.concat([row.with_columns(la_code=pl.lit(str(n))) for n in range(judgements)])
    assert (too_few(replace(own, frame=many)) is not None) is few


def test_too_few_judgements_are_a_sentence(design: Design) -> None:
    own = design_from_history(_features(), REGISTER, design.national)
    with pytest.raises(ModelError, match="too few judgements"):
        train_design(own, hashes={}, code_version="1")
