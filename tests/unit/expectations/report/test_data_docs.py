"""The pages of Great Expectations: which failed, what they are called, and what is left of their HTML."""

from __future__ import annotations

import pytest

from expectations.batch import SuiteResult
from expectations.report.data_docs import _failed, _file_name, _result, clean
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
