from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expectations.batch import Effect
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
    text = " ".join(message.text.split())
    assert "Caseload, rows 17, 204 and 733: 3 episodes close before they were referred." in text
    assert "Error: the figures that need the column are withheld; it bears on the director's message (cases" in text


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
    text = officer([note.model_copy(update={"message": f"Correct it, {n}."}) for n in range(20)]).text
    assert "and 32 more" in text
    assert "8 more are in the full report" in text


def test_the_officers_message_never_counts_as_told_to_the_director() -> None:
    assert not officer(VALIDATION.notes).key.startswith("2026-10/991/")


def test_one_bad_row_is_one_finding_whatever_columns_it_spoils_and_names_what_it_bears_on() -> None:
    columns = ("referral_date", "assessment_start_date", "assessment_authorised_date")
    late = [
        ValidationNote(
            extract="caseload",
            severity="query",
            check=f"caseload.{name}.range",
            count=1,
            message=f"{name} lies after the end of the month: 1 of 3,277 rows. Put the date right.",
            column=name,
            effect=Effect.SET_ASIDE,
            rows=(46,),
        )
        for name in columns
    ]
    other = ValidationNote(extract="workforce", severity="query", check="x.y", count=1, message="The file is small.")
    message = officer((other, *late))
    text = " ".join(message.text.split())
    assert text.count("lies after the end of the month") == 1
    assert "The same in assessment_start_date and assessment_authorised_date." in text
    assert "Caseload, row 46: referral_date" in text
    assert text.index("lies after") < text.index("The file is small"), "what bears on figures goes first"
    assert "Query: the cells or rows are left out; it bears on the director's message" in text
    assert "`" not in text


def test_what_holds_a_message_back_goes_before_everything() -> None:
    doubted = ValidationNote(
        extract="workforce", severity="query", check="d", count=1, message="Is this true?", effect=Effect.HELD
    )
    dates = ValidationNote(
        extract="caseload", severity="query", check="c.d", count=1, message="Late.", column="referral_date", rows=(3,)
    )
    text = officer((dates, doubted)).text
    assert text.index("Is this true?") < text.index("Late.")


def test_what_bears_on_the_directors_message_goes_before_errors_that_do_not_and_the_key_stays() -> None:
    days, close = (
        ValidationNote(extract=kind, severity=severity, check="c", count=1, message=said, column=column, rows=(3,))
        for kind, severity, said, column in (
            ("workforce", "error", "Too many days.", "working_days_lost"),
            ("caseload", "query", "Closed twice.", "closed_date"),
        )
    )
    one, other = (
        data_officer_message(ASHCOMBE, FILES, (days, close), Contact(), bearing=bearing)
        for bearing in (["unallocated_rate"], ["absence_rate_fte"])
    )
    assert one.text.index("Closed twice.") < one.text.index("Too many days.")
    assert other.text.index("Too many days.") < other.text.index("Closed twice.")
    assert one.key == other.key, "the same findings in another order are not mailed again"
