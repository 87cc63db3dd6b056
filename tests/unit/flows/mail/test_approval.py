"""Rounds of approval and their decisions, on a local store."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from features.councils import Register
from features.months import Month
from flows.alerts.council import standing_alerts
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert
from flows.mail import approval
from flows.mail.approval_form import Answer, ApprovalRefused, Pending, Ruling, Waiting, how_to_decide
from flows.settings.run_form import ApprovalVerdict
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CUTOFF = date(2026, 11, 20)
CODES = ("301", "302", "314 / 318")
COUNCILS = {code: replace(ASHCOMBE, la_code=code, name=f"Council {code}") for code in CODES}
REGISTER = Register(tuple(COUNCILS.values()))
RUN, OTHER = "0f0a1111-0000-4000-8000-000000000001", "0f0a1111-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Waiting, ...]]:
    """A store with three councils' alerts, drawn once, and their messages as they wait."""
    folder = tmp_path_factory.mktemp("drawn")
    return folder, approval.messages_to_approve(published(LocalStore(folder)), COUNCILS, frozenset())


@pytest.fixture
def store(drawn: tuple[Path, tuple[Waiting, ...]], tmp_path: Path) -> LocalStore:
    shutil.copytree(drawn[0], tmp_path / "store")
    return LocalStore(tmp_path / "store")


@pytest.fixture
def shown(drawn: tuple[Path, tuple[Waiting, ...]]) -> tuple[Waiting, ...]:
    return drawn[1]


def published(store: LocalStore, level: float = 0.6, codes: tuple[str, ...] = CODES) -> list[Published]:
    return [
        publish_alert(store, alert(score(level, la_code=code), council=COUNCILS[code]), Contact()) for code in codes
    ]


def changed(store: LocalStore, code: str) -> tuple[Waiting, ...]:
    """The council's message after its figures have worsened."""
    return approval.messages_to_approve(published(store, 0.9, (code,)), COUNCILS, frozenset())


def of(shown: tuple[Waiting, ...], *codes: str) -> tuple[Waiting, ...]:
    return tuple(m for m in shown if m.la_code in codes)


def opened(store: LocalStore, shown: tuple[Waiting, ...], run: str = "", at: datetime = AT) -> Pending:
    waits = approval.open_round(store, shown, month=MONTH, cutoff=CUTOFF, since=at, flow_run_id=run, reason="trial")
    if run:
        approval.wait_as(store, waits, run, CUTOFF)
    return waits


def answer(decision: ApprovalVerdict = ApprovalVerdict.SEND_ALL, *councils: str, reason: str = "checked") -> Answer:
    return Answer(decision=decision, councils=list(councils), reason=reason, by="J. Marsh")


def decided(store: LocalStore, waits: Pending, given: Answer, at: datetime = AT) -> Ruling:
    return approval.record_decision(store, waits, given, at=at, through="the command line")


def mark_sent(store: LocalStore, key: str) -> None:
    ledger = Ledger(store)
    ledger.create(key, "<1@alliance.example>", ("director@ashcombe.example",), b"x", AT)
    (entry,) = ledger.entries(key)
    ledger.advance(entry, Status.SENT, AT)


def test_what_waits_is_shown_without_an_address(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    waits = opened(store, shown, RUN)
    kept = store.read("approvals/2026-10/1/pending.json").decode()
    assert "@" not in kept
    first = waits.messages[0]
    assert (first.la_code, first.recipients, first.message_key) == ("301", 2, "2026-10/301/r1/new_watch")
    assert store.info(first.preview) is not None
    assert waits.in_words == "3 messages of October 2026 have waited for approval since 20 November 2026"
    assert approval.pending(store) == (waits,)


def test_a_council_without_recipients_or_with_its_message_has_nothing_to_approve(
    store: LocalStore, shown: tuple[Waiting, ...]
) -> None:
    made = standing_alerts(store, tuple(COUNCILS.values()), MONTH, Contact(), [])
    nobody = COUNCILS | {"301": replace(COUNCILS["301"], recipients=())}
    assert [m.la_code for m in approval.messages_to_approve(made, nobody, frozenset())] == ["302", "314 / 318"]
    gone = frozenset({"2026-10/302/r1/new_watch"})
    assert [m.la_code for m in approval.messages_to_approve(made, COUNCILS, gone)] == ["301", "314 / 318"]


def test_the_same_run_again_finds_its_round_and_its_cutoff(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    first = opened(store, shown, RUN)
    assert opened(store, shown, RUN, AT + timedelta(days=9)) == first
    asked = approval.asked_by(store, RUN)
    assert asked is not None
    assert (asked.month, asked.cutoff) == (MONTH, CUTOFF)
    assert approval.asked_by(store, OTHER) is None


def test_another_run_joins_the_round_that_waits(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    first = opened(store, shown, RUN)
    assert opened(store, of(shown, "302"), OTHER).number == first.number
    assert set(approval.runs_waiting(store, first)) == {RUN, OTHER}


def test_a_message_that_changed_is_asked_about_again_with_what_still_waits(
    store: LocalStore, shown: tuple[Waiting, ...]
) -> None:
    opened(store, shown, RUN)
    worse = changed(store, "302")
    second = opened(store, worse, RUN)
    assert second.number == 2
    assert [m.la_code for m in second.messages] == ["301", "302", "314 / 318"]
    assert second.by_folder()["302"].digest == worse[0].digest
    assert [p.number for p in approval.pending(store)] == [2]


def test_the_first_decision_counts(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    waits = opened(store, shown, RUN)
    first = decided(store, waits, answer(ApprovalVerdict.CANCEL, reason="the feed is broken"))
    second = decided(store, waits, answer())
    assert second == first
    kept = json.loads(store.read("approvals/2026-10/1/decision.json"))
    assert (kept["by"], kept["decision"], kept["reason"]) == ("J. Marsh", "cancel", "the feed is broken")
    assert approval.pending(store) == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(ApprovalVerdict.HOLD_SOME), "needs the codes"),
        (answer(ApprovalVerdict.SEND_ALL, "301"), "the decision is “send all”"),
        (answer(ApprovalVerdict.HOLD_SOME, "999"), "No message of council 999 waits. These do: 301, 302, 314 / 318."),
        (answer(ApprovalVerdict.CANCEL, reason=" "), "needs a reason"),
    ],
)
def test_an_answer_that_cannot_be_carried_out_is_refused_and_not_kept(
    store: LocalStore, shown: tuple[Waiting, ...], given: Answer, said: str
) -> None:
    waits = opened(store, shown)
    with pytest.raises(ApprovalRefused, match=said):
        decided(store, waits, given)
    assert approval.ruling_of(store, waits) is None


def test_nobody_decides_without_a_name() -> None:
    for by in ("", " ", "  "):
        with pytest.raises(ValidationError):
            Answer(decision=ApprovalVerdict.SEND_ALL, by=by)


def test_held_councils_stay_held_until_released_and_the_others_do_not(
    store: LocalStore, shown: tuple[Waiting, ...]
) -> None:
    waits = opened(store, shown)
    assert set(approval.held_councils(store, MONTH)) == {"301", "302", "314-318"}
    ruling = decided(store, waits, answer(ApprovalVerdict.HOLD_SOME, "314/318", reason="figures to be checked"))
    assert ruling.held == ("314 / 318",)
    held = approval.held_councils(store, MONTH)
    assert set(held) == {"314-318"}
    assert "J. Marsh decided on 20 November 2026: hold some (314 / 318). figures to be checked." in held["314-318"]
    note = {"at": (AT + timedelta(hours=1)).isoformat(), "councils": ["314 / 318"], "by": "x", "reason": "y"}
    store.create("releases/2026-10/1.json", json.dumps(note).encode())
    assert approval.held_councils(store, MONTH) == {}


def test_a_cancelled_month_stays_held_whole(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    waits = opened(store, shown)
    decided(store, waits, answer(ApprovalVerdict.CANCEL))
    assert set(approval.held_councils(store, MONTH)) == {"301", "302", "314-318"}
    assert approval.held_councils(store, Month(2026, 9)) == {}


def test_a_release_before_an_answer_ends_the_waiting(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    opened(store, shown)
    note = {"at": AT.isoformat(), "councils": list(CODES), "by": "x", "reason": "y"}
    store.create("releases/2026-10/1.json", json.dumps(note).encode())
    assert approval.pending(store) == ()
    assert approval.held_councils(store, MONTH) == {}


def test_what_has_gone_otherwise_no_longer_waits(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    opened(store, shown)
    mark_sent(store, "2026-10/302/r1/new_watch")
    (waits,) = approval.pending(store)
    assert [m.la_code for m in waits.messages] == ["301", "314 / 318"]


def test_a_later_approval_lifts_an_earlier_hold(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    decided(store, opened(store, shown, RUN), answer(ApprovalVerdict.HOLD_SOME, "302"))
    later = AT + timedelta(days=1)
    again = opened(store, of(shown, "302"), OTHER, later)
    assert again.number == 2
    decided(store, again, answer(), later)
    assert approval.held_councils(store, MONTH) == {}


def test_whoever_finishes_an_approved_round_is_not_asked_again(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    first = opened(store, shown, RUN)
    decided(store, first, answer(ApprovalVerdict.HOLD_SOME, "302"))
    assert opened(store, shown, RUN).number == 1
    assert opened(store, of(shown, "301", "314 / 318")).number == 1
    assert opened(store, shown, OTHER).number == 2


def test_what_is_sent_is_what_was_shown(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    waits = opened(store, shown)
    due = approval.to_send(store, waits, waits.messages, REGISTER, Contact())
    assert [(c.la_code, p.message.key) for c, p in due if p.message] == [
        (code, f"2026-10/{COUNCILS[code].folder}/r1/new_watch") for code in CODES
    ]
    changed(store, "302")
    with pytest.raises(ApprovalRefused, match=r"Council 302 \(302\) is no longer what was shown"):
        approval.to_send(store, waits, waits.messages, REGISTER, Contact())
    with pytest.raises(ApprovalRefused, match="no longer what was shown"):
        approval.to_send(store, waits, waits.messages, REGISTER, Contact(reply_to="someone.else@alliance.example"))


def test_a_person_is_told_where_to_decide(store: LocalStore, shown: tuple[Waiting, ...]) -> None:
    assert "Resume in this run’s menu" in how_to_decide(opened(store, shown, RUN))
    by_hand = opened(LocalStore(store.root / "other"), shown)
    assert how_to_decide(by_hand).startswith("Decide on the command line: `holdfast approve --month 2026-10")
