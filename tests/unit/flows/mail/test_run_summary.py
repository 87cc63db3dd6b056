from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from expectations.fates import CouncilFiles, Fate, FileFate
from features.registry import Kind
from flows.alerts.decide import Storm, storm_valve
from flows.alerts.facts import ValidationNote
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message
from flows.alerts.publish import Publication
from flows.mail.deliver import Delivery
from flows.mail.run_summary import data_officer_message, run_message
from flows.store.ledger import Status
from tests.unit.flows.alerts.examples import ASHCOMBE, FILES, MONTH, RULES, VALIDATION, alert, score

ALERT = alert(score(0.6))
SENT = Delivery(ALERT.message_key, "director@ashcombe.example", Status.SENT, attempted=True)


def summary(
    deliveries: Mapping[str, Sequence[Delivery]], *, seconds: float = 1.0, storm: Storm | None = None
) -> Message:
    return run_message(
        month=MONTH,
        alerts=[ALERT],
        outcomes={"991": Publication.CREATED},
        storm=storm or storm_valve([ALERT.decision], RULES),
        deliveries=deliveries,
        seconds={"read": seconds},
        contact=Contact(),
    )


def test_a_re_run_that_changes_nothing_is_the_same_message() -> None:
    again = replace(SENT, attempted=False)
    assert summary({"991": [SENT]}).key == summary({"991": [again]}, seconds=9.0).key


def test_what_did_not_arrive_is_another_message_and_says_why() -> None:
    failed = replace(SENT, status=Status.FAILED, reason="550 no such mailbox")
    message = summary({"991": [failed]})
    assert message.key != summary({"991": [SENT]}).key
    assert "550 no such mailbox" in message.text
    assert "director@" not in message.text


def test_a_held_month_says_so_in_the_subject_and_first() -> None:
    storm = Storm(held=True, alerting=6, decided=12, reason="6 of 12 councils have a new or worse alert.")
    message = summary({}, storm=storm)
    assert "mail held" in message.subject.lower()
    assert message.letter.lead == storm.reason


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
