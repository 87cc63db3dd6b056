"""What a finding does, and its words: a field's name stands as it is written, all else like a sentence."""

from __future__ import annotations

import pytest

from expectations.batch import Effect, Severity
from expectations.passing.dynamic_pass import _effect
from expectations.passing.received import not_counted, problem_message, refusal_check, refusal_message
from expectations.passing.static_pass import RULES, _sentence
from expectations.suites import between, continuity, plausible
from features.errors import (
    ExtractError,
    HeaderMismatch,
    PersonalDataRefused,
    UnreadableExtract,
    WrongCouncilOrMonth,
)
from features.registry import EXTRACTS, Kind
from tests.unit.expectations.examples import OCTOBER


def test_a_rule_is_told_as_a_sentence_unless_it_begins_with_a_field() -> None:
    begins_with_field = set()
    for rule in (rule for rules in RULES.values() for rule in rules):
        field = rule.problem.partition(" ")[0] in {f.name for f in EXTRACTS[rule.extract].fields}
        begins_with_field.add(field)
        assert _sentence(rule) == (rule.problem if field else f"{rule.problem[0].upper()}{rule.problem[1:]}")
    assert begins_with_field == {True, False}


@pytest.mark.parametrize(
    ("family", "severity", "excess", "effect"),
    [
        (continuity.GONE, Severity.QUERY, 1.0, Effect.HELD),
        (between.FAMILY, Severity.QUERY, 2.0, Effect.HELD),
        (between.FAMILY, Severity.QUERY, 1.9, Effect.NONE),
        (between.FAMILY, Severity.ERROR, 9.0, Effect.WITHHELD),
        (continuity.IDENTITY, Severity.QUERY, 1.0, Effect.BROKEN_OFF),
        (plausible.JUMP, Severity.QUERY, 9.0, Effect.NONE),
        (plausible.SIZE, Severity.ERROR, 1.0, Effect.QUARANTINED),
    ],
)
def test_what_a_comparison_does(family: str, severity: Severity, excess: float, effect: Effect) -> None:
    assert _effect(family, severity, excess) is effect


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Barnsley (370), October 2026, workforce.csv: the file is empty.", "The file is empty."),
        ("workforce.csv: the file is empty.", "The file is empty."),
        ("Barnsley (370), October 2026, workforce.csv: fte is missing.", "fte is missing."),
        ("Barnsley (370), October 2026, workforce.csv: “fte”, twice.", "“fte”, twice."),
        # Of another month, or without the file's name: nothing that stands beside it is known to be said.
        (
            "Barnsley (370), May 2026, workforce.csv: empty.",
            "Barnsley (370), May 2026, workforce.csv: empty.",
        ),
        ("the file is empty.", "the file is empty."),
    ],
)
def test_a_refusal_leaves_out_what_stands_beside_it(said: str, told: str) -> None:
    assert refusal_message(Kind.WORKFORCE, "workforce.csv", OCTOBER, UnreadableExtract(said)) == told


@pytest.mark.parametrize(
    ("error", "check"),
    [
        (PersonalDataRefused("x"), "workforce.file.personal_data"),
        (HeaderMismatch("x"), "workforce.file.headers"),
        (WrongCouncilOrMonth("x"), "workforce.file.council_or_month"),
        (UnreadableExtract("x"), "workforce.file.unreadable"),
        (ExtractError("x"), "workforce.file.refused"),
    ],
)
def test_each_refusal_has_a_check(error: ExtractError, check: str) -> None:
    assert refusal_check(Kind.WORKFORCE, error) == check


def test_what_a_column_is_needed_for_is_said_of_its_own_extract() -> None:
    assert not_counted(Kind.WORKFORCE, "team") == not_counted(Kind.CASELOAD, "fte") == ""
    assert not_counted(Kind.WORKFORCE, "working_days_lost").count(";") == 0
    assert not_counted(Kind.WORKFORCE, "working_days_lost").startswith(" Without it these are not counted: ")


def test_a_problem_is_told_in_the_words_of_its_format_or_by_what_to_write() -> None:
    texts = {"swapped": "is a date"}
    assert problem_message(Kind.WORKFORCE, "fte", "swapped", "1 of 1 row", texts) == (
        "fte could not be read: 1 of 1 row. The cell is a date."
    )
    assert problem_message(Kind.WORKFORCE, "fte", "not_a_number", "1 of 1 row", texts) == (
        "fte could not be read (not a number): 1 of 1 row. "
        "Write a number with a point, such as 0.8, or leave the cell empty."
    )
