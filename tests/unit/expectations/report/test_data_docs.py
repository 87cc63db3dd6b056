"""The pages of Great Expectations: which failed, what they are called, and what is left of their HTML."""

from __future__ import annotations

import polars as pl
import pytest

from expectations.batch import Severity, SuiteResult
from expectations.passing import engine
from expectations.report.data_docs import _failed, _file_name, _result, clean, suite_page
from expectations.suites.rules import Asserts
from tests.unit.expectations.examples import OCTOBER


def suite(name: str, *success: bool) -> SuiteResult:
    return SuiteResult(name, OCTOBER, OCTOBER, 100, tuple({"success": one} for one in success))


def test_a_suite_counts_its_checks_that_failed() -> None:
    assert [_failed(suite("x", *found)) for found in ((), (True,), (False,), (True, False, False))] == [0, 0, 1, 2]


def test_a_page_is_called_after_its_suite() -> None:
    assert _file_name(suite("Workforce, static")) == "workforce-static.html"
    assert _file_name(suite("all extracts, dynamic!")) == "all-extracts-dynamic.html"


@pytest.mark.parametrize(("found", "share"), [(3, 1.5), (200, 100.0), (0, 0.0)])
def test_the_share_of_failures_is_of_all_rows(found: int, share: float) -> None:
    document = {
        "success": not found,
        "expectation_config": {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "fte"}},
        "result": {"unexpected_count": found, "element_count": 200, "unexpected_percent": share if not found else 99.0},
    }
    assert _result(document).result["unexpected_percent"] == share


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("<p>1 &lt; 2 &amp; 3</p>", "<p>1 &lt; 2 &amp; 3</p>"),
        ("<nav>a<nav>b</nav>c</nav><p>d</p>", "<p>d</p>"),
        ("<style>p {}</style><p>d</p>", "<p>d</p>"),
        ('<td rowspan="2" onclick="x()" class="c">d</td>', '<td rowspan="2">d</td>'),
        ("<p>a<br>b</p>", "<p>a<br>b</p>"),
        ('<i class="other"></i><p>d</p>', "<p>d</p>"),
    ],
)
def test_what_is_left_of_a_page(page: str, left: str) -> None:
    assert clean(page) == left


def test_the_part_asked_for_ends_with_its_own_division() -> None:
    page = '<div class="a"><div class="part x"><div>1</div>2</div>3<div class="part">4</div></div>5'
    assert clean(page, within="part") == "<div><div>1</div>2</div><div>4</div>"
    assert clean(page, within="nothing") == ""


def test_quotation_marks_and_divisions_without_a_class_stay() -> None:
    assert clean("<div><p>\"a\" 'b'</p></div>") == "<div><p>\"a\" 'b'</p></div>"


def test_what_is_dropped_inside_the_part_does_not_end_it() -> None:
    page = '<div class="part"><nav><div>x</div></nav><p>1</p></div><p>2</p>'
    assert clean(page, within="part") == "<div><p>1</p></div>"


def test_a_page_has_a_section_for_each_column_and_those_that_fail_come_first() -> None:
    checks = [
        engine.Check(f"x.{name}.range", name, Asserts.BETWEEN, {"max_value": 1.0}, Severity.ERROR, f"Look at {name}.")
        for name in ("first", "second", "third")
    ]
    table = pl.DataFrame({"first": [0.0, 1.0], "second": [1.0, 2.0], "third": [0.0, 0.0]})
    ran = engine.run("x, static", OCTOBER, OCTOBER, table, checks)
    page = suite_page(ran.suite).decode()
    said = ["Look at second.", "Look at first.", "Look at third."]
    assert all(page.count(one) == 1 for one in said)
    assert sorted(said, key=page.index) == said
    assert page.index("Failed") < page.index("Passed")
