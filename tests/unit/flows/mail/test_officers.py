from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expectations.fates import CouncilFiles, Fate, FileFate
from features.registry import Kind
from flows.alerts.facts import ValidationNote
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message
from flows.mail.officers import data_officer_message
from tests.unit.flows.alerts.examples import ASHCOMBE, FILES, VALIDATION


def officer(notes: Sequence[ValidationNote], files: CouncilFiles = FILES) -> Message:
    return data_officer_message(ASHCOMBE, files, notes, Contact())


def test_a_data_officer_reads_what_to_correct_with_rows() -> None:
    message = officer(VALIDATION.notes)
    assert message.subject == "Ashcombe, October 2026: 1 error to correct and 1 query to answer"
    assert "Rows 17, 204, 733." in message.text


def test_files_in_order_say_so() -> None:
    sound = FileFate(Kind.WORKFORCE, Fate.ACCEPTED)
    assert officer((), replace(FILES, files=(sound,))).subject.endswith("your files are in order")


def test_a_refused_file_is_never_in_order() -> None:
    refused = FileFate(Kind.WORKFORCE, Fate.REFUSED, "workforce.csv", errors=1, reason="The file is not text.")
    message = officer((), replace(FILES, files=(refused,)))
    assert message.subject.endswith("1 file not used")
    assert "Not used: workforce.csv." in message.text
    assert "in order" not in message.text


def test_a_long_list_is_cut_and_says_how_many_more() -> None:
    note = ValidationNote(
        extract="caseload", severity="error", check="c", count=40, message="Correct it.", rows=tuple(range(2, 32))
    )
    text = officer((note,) * 20).text
    assert "and 32 more" in text
    assert "8 more are in the full report" in text


def test_the_officers_message_never_counts_as_told_to_the_director() -> None:
    assert not officer(VALIDATION.notes).key.startswith("2026-10/991/")
