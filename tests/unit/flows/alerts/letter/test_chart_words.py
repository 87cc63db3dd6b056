"""A chart in words: for a listener, and for what “by month” means."""

from __future__ import annotations

from typing import Any

import pytest

from flows.alerts.facts import CONCERN, IMPROVEMENT, Series
from flows.alerts.letter.charts import ALT_FITS, alt_text, by_month_words
from tests.unit.flows.alerts.examples import MONTH, series

UP = series("agency_rate_fte", 0.1, 0.01, 0.0, 0.13, None)
TWO_YEARS = 24


def marked(*toward: str | None, **given: Any) -> Series:
    """The agency rate, with these marks on its last months."""
    marks = (*(None,) * (TWO_YEARS - len(toward)), *toward)
    return UP.model_copy(update={"toward": marks, **given})


def said(one: Series, goal: float | None = None) -> str:
    """What is said between the figure and the usual range."""
    text = alt_text([one], {} if goal is None else {one.measure: goal})
    start, end = "Chart to October 2026. Agency rate 18%", ", usual range 10% to 10%, similar councils 13%."
    assert text.startswith(start) and text.endswith(end), text
    return text.removeprefix(start).removesuffix(end)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (marked(), ""),
        (marked("neither"), ""),
        (marked(CONCERN), ", marked worse this month"),
        (marked(None, CONCERN, CONCERN), ", marked worse for 2 months"),
        (marked(CONCERN, None, CONCERN), ", marked worse this month"),
        (marked(CONCERN, IMPROVEMENT), ", marked better this month"),
        (marked(IMPROVEMENT, IMPROVEMENT, IMPROVEMENT), ", marked better for 3 months"),
        (marked(*[CONCERN] * 23), ", marked worse for 23 months"),
        (marked(*[CONCERN] * 24), ", marked worse for 24 months or more"),
        (marked(settled=0.1), ", settled at a worse level"),
        (marked(begun_anew=(MONTH.plus(-9), MONTH.plus(-3))), ", begun anew in July 2026"),
    ],
)
def test_how_long_it_has_been_marked(one: Series, words: str) -> None:
    assert said(one) == words


def test_a_goal_is_said() -> None:
    assert said(marked(), 0.15) == ", goal 15%"


def test_the_usual_range_and_similar_councils_are_this_months() -> None:
    past = (0.1,) * (TWO_YEARS - 1)
    one = marked(lower=(*past, 0.12), upper=(*past, 0.15), neighbours=(*past, 0.12))
    assert alt_text([one]).endswith(", usual range 12% to 15%, similar councils 12%.")


def test_what_is_not_known_is_not_said() -> None:
    none = (None,) * TWO_YEARS
    assert alt_text([marked(lower=none)]) == "Chart to October 2026. Agency rate 18%, similar councils 13%."
    assert alt_text([marked(upper=none, neighbours=none)]) == "Chart to October 2026. Agency rate 18%."


def test_several_charts_are_told_with_less_and_less_until_they_fit() -> None:
    pair, four = [marked(CONCERN)] * 2, [marked(CONCERN)] * 4
    assert alt_text(pair).count("usual range") == 2 and alt_text(pair).startswith("Charts to October 2026.")
    shorter = alt_text(four)
    assert len(shorter) <= ALT_FITS
    assert shorter == "Charts to October 2026. " + " ".join(["Agency rate 18%, marked worse this month."] * 4)
    six = alt_text([marked(CONCERN)] * 6)
    assert six == "Charts to October 2026. " + " ".join(["Agency rate 18%."] * 6)
    many = [marked(CONCERN), marked(settled=0.1), marked(IMPROVEMENT), *[marked()] * 17]
    assert alt_text(many) == (
        "Charts of the 20 measures above, November 2024 to October 2026: 2 of them worse than usual or settled at a "
        "worse level."
    )


def of(measure: str) -> Series:
    return UP.model_copy(update={"measure": measure})


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        ((), ""),
        (("agency_rate_fte",), ""),
        (("re_referral_rate",), "“By month” draws each single month."),
        (("turnover_rate_fte", "agency_rate_fte"), "“By month” draws each single month, as a yearly rate."),
        (
            ("turnover_rate_fte", "re_referral_rate"),
            "“By month” draws each single month, as a yearly rate for turnover.",
        ),
    ],
)
def test_what_by_month_means_is_said_where_it_is_drawn(measures: tuple[str, ...], words: str) -> None:
    assert by_month_words([of(m) for m in measures]) == words
