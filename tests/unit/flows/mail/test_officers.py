from __future__ import annotations

from datetime import date

import pytest

from flows.alerts.facts import SubmissionFact, ValidationFacts, ValidationNote
from flows.mail.officers import something_to_put_right

IN_ORDER = SubmissionFact(extract="workforce", outcome="accepted", received=date(2026, 11, 4), sha256="a" * 64)
LATE = IN_ORDER.model_copy(update={"late": True})
MISSING = SubmissionFact(extract="caseload", outcome="missing", received=None)
REFUSED = IN_ORDER.model_copy(update={"outcome": "refused", "message": "The file is not text."})
PARTLY = IN_ORDER.model_copy(update={"outcome": "partly used"})
NOTHING = ValidationFacts(notes=(), report="")


def notes(severity: str) -> ValidationFacts:
    note = ValidationNote(
        extract="workforce", severity=severity, check="x", count=1, message="Look.", column="", rows=()
    )
    return ValidationFacts(notes=(note,), report="")


@pytest.mark.parametrize("trouble", [MISSING, REFUSED, PARTLY])
def test_a_file_that_was_not_used_in_full_is_worth_a_message(trouble: SubmissionFact) -> None:
    assert something_to_put_right([IN_ORDER, trouble], NOTHING)


@pytest.mark.parametrize("severity", ["error", "query"])
def test_an_error_or_a_query_is_worth_a_message(severity: str) -> None:
    assert something_to_put_right([IN_ORDER], notes(severity))


def test_what_is_in_order_late_or_only_remarked_on_is_not() -> None:
    assert not something_to_put_right([IN_ORDER, LATE], NOTHING)
    assert not something_to_put_right([IN_ORDER], notes("note"))
