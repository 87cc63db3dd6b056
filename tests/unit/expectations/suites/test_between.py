"""The figures that two files both give, and what a difference between them asks."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from expectations.suites import between
from expectations.suites.between import comparisons, first_months
from expectations.suites.rows import prepare
from features.registry import Kind
from tests.unit.expectations.examples import LAST, OCTOBER, Row, batch_of, case, sound_rows, worker

NOBODY_NEW = pl.DataFrame(schema={"la_code": pl.String, "month": pl.Date})
FIRST = pl.DataFrame([("901", LAST)], schema=NOBODY_NEW.schema, orient="row")


def compared(rows: dict[Kind, list[Row]], first: pl.DataFrame = NOBODY_NEW) -> dict[str, tuple[float, ...]]:
    """Check -> our figure, the other file's, and how many times the difference allowed they are apart."""
    batch = batch_of({"901": rows})
    prepared = {kind: p for kind in batch.frames if (p := prepare(kind, [batch])) is not None}
    found = comparisons(prepared, first).select("check", "value", "expected", "excess").rows()
    return {check: tuple(figures) for check, *figures in found}


def test_what_each_file_gives_of_the_sound_council() -> None:
    """FTE in whole units; who has left, and agency workers among its own, do not count."""
    found = compared(sound_rows())
    assert {check: figures[:2] for check, figures in found.items()} == {
        "establishment.agency_fte.workforce": (1.0, 1.0),
        "establishment.agency_headcount.workforce": (1.0, 1.0),
        "workforce.cases.caseload": (5.0, 5.0),
        "return.agency_fte.workforce": (20.0, 1.0),
        "return.agency_headcount.workforce": (21.0, 1.0),
        "return.inpost_fte.workforce": (150.5, 3.3),
        "return.inpost_headcount.workforce": (160.0, 4.0),
    }


def test_who_leaves_on_the_last_day_is_no_longer_in_post_and_a_case_closed_on_it_not_open() -> None:
    rows = sound_rows()
    rows[Kind.WORKFORCE] = [
        worker(1, "5", 100, 3, role_end_date=LAST),
        worker(2, "5", 70, 4, role_end_date=date(2026, 11, 1)),
        worker(3, "4", 100, 2, agency_worker=True, role_end_date=LAST),
        worker(4, "5", 60, 0, agency_worker=None),
    ]
    rows[Kind.CASELOAD] = [case(1, 2, "c", closed_date=LAST), case(2, 2, "c", closed_date=date(2026, 11, 1))]
    found = compared(rows)
    assert found["workforce.cases.caseload"][:2] == (4.0, 1.0)
    assert found["return.inpost_fte.workforce"][1] == pytest.approx(1.3)
    assert found["return.inpost_headcount.workforce"][1] == 2.0
    assert found["establishment.agency_headcount.workforce"][:2] == (1.0, 0.0)


def test_a_difference_is_measured_by_the_share_or_by_the_floor_whichever_allows_more() -> None:
    rows = sound_rows()
    rows[Kind.ESTABLISHMENT][0] |= {"agency_fte": 700, "agency_headcount": 101}
    found = compared(rows)
    assert found["establishment.agency_fte.workforce"][2] == pytest.approx(3.0), "6 FTE, where 2 are allowed"
    expected = 100 / (between.AGREES_WITHIN * 101)
    assert found["establishment.agency_headcount.workforce"][2] == pytest.approx(expected)


@pytest.mark.parametrize(("people", "excess"), [(11, 1.0), (12, 1.1), (31, 30 / 15.5)])
def test_a_return_may_differ_by_ten_or_by_half(people: int, excess: float) -> None:
    """The workforce extract has one agency worker."""
    rows = sound_rows()
    rows[Kind.RETURN][0]["agency_headcount"] = people
    assert compared(rows)["return.agency_headcount.workforce"][2] == pytest.approx(excess)


@pytest.mark.parametrize(("people", "excess"), [(3, 1.0), (4, 1.5), (1, 0.0)])
def test_agency_workers_may_differ_by_two(people: int, excess: float) -> None:
    rows = sound_rows()
    rows[Kind.ESTABLISHMENT][0] |= {"agency_headcount": people, "agency_fte": 100 * people}
    found = compared(rows)
    for name in ("agency_headcount", "agency_fte"):
        assert found[f"establishment.{name}.workforce"] == (float(people), 1.0, pytest.approx(excess))


def test_what_a_row_does_not_give_adds_nothing_and_no_row_is_counted() -> None:
    rows = sound_rows()
    rows[Kind.WORKFORCE] = [
        worker(1, "5", 100, 3),
        worker(2, "5", 100, 3) | {"fte": None, "cases": None},
        worker(3, "4", 100, 2, agency_worker=True) | {"fte": None, "cases": None},
    ]
    found = compared(rows)
    assert found["return.inpost_fte.workforce"][1] == 1.0
    assert found["return.agency_fte.workforce"][1] == 0.0
    assert found["workforce.cases.caseload"][0] == 3.0
    prepared = prepare(Kind.ESTABLISHMENT, [batch_of({"901": rows})])
    assert prepared is not None
    assert set(comparisons({Kind.ESTABLISHMENT: prepared}, NOBODY_NEW)["rows"]) == {0}


@pytest.mark.parametrize(("cases", "excess"), [(30, 1.0), (35, 1.2)])
def test_cases_may_differ_by_twenty_five(cases: int, excess: float) -> None:
    rows = sound_rows()
    rows[Kind.WORKFORCE][1]["cases"] += cases - 5
    assert compared(rows)["workforce.cases.caseload"] == (float(cases), 5.0, pytest.approx(excess))


def test_a_file_that_is_missing_is_compared_with_nothing() -> None:
    rows = sound_rows()
    del rows[Kind.CASELOAD]
    assert compared(rows)["workforce.cases.caseload"] == (5.0, None, None)
    assert "workforce.cases.caseload" not in compared({k: v for k, v in rows.items() if k is not Kind.WORKFORCE})


@pytest.mark.parametrize(
    ("held", "excess"),
    # 1,000 open cases: in a first month a difference of 3% is asked about, and only one that contradicts holds mail.
    [(1_000, 0.0), (985, 0.5), (970, 1.0), (900, 1.9), (400, 3.0)],
)
def test_a_first_month_is_held_to_its_other_file_more_strictly(held: int, excess: float) -> None:
    rows = sound_rows()
    rows[Kind.WORKFORCE] = [worker(1, "5", 100, held)]
    rows[Kind.CASELOAD] = [case(ref, 1, "c") for ref in range(1, 1_001)]
    plain = abs(1_000 - held) / (between.AGREES_WITHIN * 1_000)
    assert compared(rows)["workforce.cases.caseload"][2] == pytest.approx(plain)
    assert compared(rows, FIRST)["workforce.cases.caseload"][2] == pytest.approx(max(excess, plain))


def test_a_month_is_a_councils_first_if_no_earlier_one_is_known() -> None:
    from expectations.batch import PROFILE, CheckHistory

    def profile(la_code: str, month: date) -> pl.DataFrame:
        rows = [{"la_code": la_code, "month": month, "extract": "workforce", "column": "fte", "rows": 6, "filled": 6}]
        return pl.DataFrame([{n: row.get(n) for n in PROFILE} for row in rows], schema=PROFILE)

    now = pl.concat([profile("901", LAST), profile("902", LAST)])
    known = CheckHistory(profiles=profile("902", OCTOBER.plus(-1).last_day))
    assert first_months(now, known).rows() == [("901", LAST)]
    assert first_months(now, CheckHistory()).rows() == [("901", LAST), ("902", LAST)]


def test_a_message_names_both_figures() -> None:
    row: dict[str, object] = {"check": "establishment.agency_fte.workforce", "value": 1_234.5, "expected": 7.0}
    assert between.message({**row, "excess": 1.9}) == (
        "agency_fte is 1,234.5, and the agency workers of the workforce extract come to 7 FTE. Check that both were "
        "made for the same day and the same teams, and that neither is cut off."
    )
    assert "come to unknown FTE" in between.message({**row, "expected": None, "excess": None})
    error: dict[str, object] = {"check": "return.agency_fte.workforce", "value": 1.0, "expected": 70.0, "excess": 9.0}
    assert "no message about the month" not in between.message(error), "an error withholds the figure instead"
