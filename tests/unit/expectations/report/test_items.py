"""What a report says of one finding and one file, and how its JSON is written."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from expectations.batch import Severity
from expectations.fates import CouncilFiles, Fate, FileFate
from expectations.passing.static_pass import RULES
from expectations.report.council import CouncilReport, Item, as_json, row_in_words, show
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER


def item(rows: int = 0, numbers: tuple[int, ...] = (), message: str = "Look.", *, accepted: bool = False) -> Item:
    return Item(
        "workforce.fte.range", Severity.ERROR, Kind.WORKFORCE, "w.csv", "fte", rows, numbers, message, "", accepted
    )


def report(*items: Item) -> CouncilReport:
    files = (
        FileFate(Kind.WORKFORCE, Fate.ACCEPTED, "w.csv", 1_200),
        FileFate(Kind.CASELOAD, Fate.MISSING),
    )
    return CouncilReport(CouncilFiles("901", "Ærø", OCTOBER, files), items, (), ())


@pytest.mark.parametrize(
    ("rows", "numbers", "where"),
    [
        (0, (), ""),
        (1, (5,), "row 5"),
        (2, (5, 9), "rows 5, 9"),
        (3, (5, 9), "rows 5, 9 and 1 more"),
        (1_202, (5, 9), "rows 5, 9 and 1,200 more"),
    ],
)
def test_where_a_finding_is(rows: int, numbers: tuple[int, ...], where: str) -> None:
    assert item(rows, numbers).where == where


@pytest.mark.parametrize(
    ("number", "words"),
    [(2, "2"), (9_999_999, "9999999"), (10_000_002, "2 of list 1"), (60_000_012, "12 of list 6")],
)
def test_a_row_in_words(number: int, words: str) -> None:
    assert row_in_words(number) == words


def test_json_is_written_as_people_read_it_with_its_keys_sorted() -> None:
    written = as_json([report(item(1, (5,)))]).decode()
    assert written.startswith('{\n "901": {\n  "errors": 0,\n  "failures": [\n   {\n    "accepted": false,')
    assert '"name": "Ærø"' in written
    assert written.endswith("\n}\n")
    assert list(json.loads(written)["901"]["failures"][0])[:3] == ["accepted", "check", "column"]


def test_a_terminal_has_the_files_in_a_table_with_figures_to_the_right() -> None:
    console = Console(file=io.StringIO(), width=120)
    show(report(item(accepted=True), item(message="And this.")), console)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    at = next(n for n, line in enumerate(lines) if line.startswith("File"))
    assert lines[at : at + 3] == [
        "File       Rows  Checks",
        f"w.csv     1,200 {len(RULES[Kind.WORKFORCE]):>7}  used",
        "caseload      0       0  not received",
    ]
    at = lines.index("Errors (1)")
    assert lines[at + 1 : at + 3] == ["  w.csv: And this.", "  [workforce.fte.range]"]
    at = lines.index("Accepted (1)")
    assert lines[at + 1 : at + 3] == ["  w.csv: Look.", "  [workforce.fte.range]"]
