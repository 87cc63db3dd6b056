from __future__ import annotations

from datetime import date

import pytest

from features.comparing.context import CONTEXT, context, whole_months
from features.councils import Council, Register
from features.frameworks import Judgement
from features.months import Month

REGISTER = Register(
    (
        Council(
            "201",
            "Alder",
            Month(2020, 1),
            population_0_17=40_000,
            imd_score=21.5,
            region="North",
            council_type="Unitary",
            judgements=(
                Judgement(date(2024, 5, 31), "Requires improvement to be good"),
                Judgement(date(2019, 3, 1), "Inadequate"),
                Judgement(date(2027, 1, 8), "Good"),
            ),
        ),
        Council("202", "Birch", Month(2020, 1)),
    )
)


def test_only_judgements_published_by_the_day_are_known() -> None:
    found = context(REGISTER, date(2027, 1, 7))
    assert found.schema == CONTEXT
    row = found.row(0, named=True)
    assert (row["previous_judgement"], row["judgement_before_that"], row["judgements_known"]) == (3, 4, 2)
    assert (row["months_since_judgement"], row["ever_inadequate"]) == (31, True)
    assert (row["imd_score"], row["population_0_17"], row["region"], row["council_type"]) == (
        21.5,
        40_000,
        "North",
        "Unitary",
    )
    assert context(REGISTER, date(2027, 1, 8)).row(0, named=True)["previous_judgement"] == 2


def test_a_council_never_judged() -> None:
    row = context(REGISTER, date(2027, 1, 7)).row(1, named=True)
    assert (row["la_code"], row["previous_judgement"], row["months_since_judgement"]) == ("202", None, None)
    assert (row["ever_inadequate"], row["judgements_known"]) == (False, 0)


@pytest.mark.parametrize(
    ("earlier", "later", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 0),
        (date(2026, 1, 31), date(2026, 3, 31), 2),
        (date(2025, 12, 15), date(2026, 1, 14), 0),
        (date(2025, 12, 15), date(2026, 1, 15), 1),
    ],
)
def test_whole_months(earlier: date, later: date, months: int) -> None:
    assert whole_months(earlier, later) == months


def test_a_council_judged_once_has_no_judgement_before_that() -> None:
    row = context(REGISTER, date(2020, 1, 1)).row(0, named=True)
    assert (row["previous_judgement"], row["judgement_before_that"], row["judgements_known"]) == (4, None, 1)
