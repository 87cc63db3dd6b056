"""The score that tells a broken file from a bad month."""

from __future__ import annotations

import polars as pl
import pytest

from expectations.batch import FAILURES, Effect
from expectations.batch import doubted as doubted_of
from expectations.passing import doubt
from expectations.suites import between, contradictions, plausible
from expectations.suites.plausible import COMPARISONS
from features.registry import Kind
from tests.unit.expectations.examples import LAST

AGENCY = ("workforce", "agency_worker")


def failed(*rows: tuple[str, str, str, float], la_code: str = "901") -> pl.DataFrame:
    """COMPARISONS that failed: (family, extract, column, excess)."""
    full = [
        {"family": f, "check": f"{e}.{c}.{f}", "severity": "query", "la_code": la_code, "month": LAST, "extract": e}
        | {"column": c, "excess": x, "rows": 0}
        for f, e, c, x in rows
    ]
    return pl.DataFrame(full, schema=COMPARISONS)


def test_a_figure_has_a_point_for_each_limit_three_at_most_however_often_it_fails() -> None:
    table = failed(
        (plausible.JUMP, "workforce", "inpost_fte", 2.9),
        (between.FAMILY, "workforce", "inpost_fte", 1.2),
        (contradictions.SHARE, *AGENCY, 40.0),
        (plausible.UNCHANGED, "establishment", "vacancy_fte", 2.0),
        (plausible.SIZE, "workforce", "file", 9.0),
        (plausible.JUMP, "workforce", "cases", 2.0),
        (plausible.JUMP, "caseload", "open_cases", 2.0),
    )
    points = doubt.weigh(table).select("extract", "column", "points").rows()
    assert points == [
        (*AGENCY, 3),
        ("caseload", "open_cases", 2),
        ("workforce", "cases", 2),
        ("workforce", "inpost_fte", 2),
    ]


@pytest.mark.parametrize(
    ("excess", "in_doubt"),
    [
        ((3.0, 3.0, 2.0), True),
        ((3.0, 3.0, 1.9), False),
        ((9.0, 9.0), False),
        ((1.0,) * 8, True),
        ((1.9,) * 7, False),
    ],
)
def test_a_month_is_doubted_from_eight_points_on_three_figures(excess: tuple[float, ...], in_doubt: bool) -> None:
    table = failed(*((plausible.JUMP, "workforce", f"count_{i}", x) for i, x in enumerate(excess)))
    findings = doubt.find_doubt(table, ())
    assert bool(findings) is in_doubt
    if findings:
        (finding,) = findings
        assert (finding.check, finding.effect) == ("workforce.figures.doubted", Effect.HELD)
        assert "Is this true?" in finding.message


def test_a_file_that_is_not_used_anyway_raises_no_doubt() -> None:
    table = failed(*((plausible.JUMP, "workforce", f"count_{i}", 5.0) for i in range(4)))
    assert doubt.find_doubt(table, {(LAST, "901", Kind.WORKFORCE)}) == []
    assert doubt.find_doubt(table, {(LAST, "902", Kind.WORKFORCE)}) != []


def test_an_accepted_doubt_holds_nothing() -> None:
    row = {"check": "workforce.figures.doubted", "la_code": "901", "effect": "", "message": "m", "accepted": True}
    held = row | {"la_code": "902", "effect": str(Effect.HELD), "accepted": False}
    assert doubted_of(pl.DataFrame([row, held], schema=FAILURES)) == {"902": "m"}


def test_a_doubt_is_of_the_extract_with_the_most_points_and_names_every_figure() -> None:
    table = failed(
        (plausible.JUMP, "caseload", "open_cases", 2.0),
        (plausible.JUMP, "establishment", "vacancy_fte", 3.0),
        (plausible.JUMP, "workforce", "inpost_fte", 3.5),
    )
    (finding,) = doubt.find_doubt(table, ())
    assert (finding.check, finding.extract, finding.column) == (
        "establishment.figures.doubted",
        Kind.ESTABLISHMENT,
        None,
    )
    assert "vacancy_fte (establishment), inpost_fte (workforce), open_cases (caseload)" in finding.message
    assert finding.message.startswith("3 figures lie far from")
