from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from features.errors import MailError
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message, render_message
from flows.alerts.publish import publish_alert
from flows.mail.deliver import Delivery, deliver, resend
from flows.mail.policy import MailPolicy
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal
from flows.store.ledger import Ledger, Status, addressee_name
from flows.store.local import LocalStore
from flows.store.port import DamagedObject, Store
from tests.unit.flows.alerts.examples import ASHCOMBE, alert, score
from tests.unit.flows.alerts.faults import Fuse, FusedStore, Killed, Postbox

DIRECTOR, DEPUTY = ASHCOMBE.recipients
POLICY = MailPolicy(sender="Holdfast <holdfast@holdfast.example>", reply_to="data-team@holdfast.example")
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)


@cache
def message() -> Message:
    return render_message(alert(score(0.6)), Contact())


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def send(
    store: Store, transport: object, at: datetime = AT, recipients: Sequence[str] = ASHCOMBE.recipients
) -> list[Delivery]:
    return deliver(store, transport, message(), recipients=recipients, policy=POLICY, at=at)  # type: ignore[arg-type]


class Answers:
    """A transport that answers as told, one answer a call."""

    name = "answers"
    reaches_people = False

    def __init__(self, *answers: HandedOver | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, ...]] = []

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        self.asked.append(tuple(recipients))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def statuses(store: LocalStore) -> dict[str, str]:
    ledger = Ledger(store)
    return {ledger.address(e): e.status.value for e in ledger.entries(message().key)}


def test_recorded_before_sent_and_marked_after(store: LocalStore) -> None:
    send(store, Postbox())
    entry = Ledger(store).entries(message().key)[0]
    history = Ledger(store).history(entry)
    assert [e["status"] for e in history] == ["sending", "sent"]
    assert history[0]["message_id"] == "<holdfast.2026-10.991.r1.new_watch@holdfast.example>"
    assert all(e["at"] == AT.isoformat() for e in history)


def test_a_second_run_sends_nothing(store: LocalStore) -> None:
    box = Postbox()
    send(store, box)
    again = send(store, box, LATER)
    assert len(box.received) == 2
    assert [(d.status, d.attempted) for d in again] == [(Status.SENT, False)] * 2


def test_a_partial_refusal_is_noticed_and_only_the_refused_is_tried_again(store: LocalStore) -> None:
    busy = Refusal(DEPUTY, 451, "greylisted", retryable=True)
    transport = Answers(HandedOver((DIRECTOR,), (busy,)), HandedOver((DEPUTY,)))
    first = send(store, transport)
    assert {d.address: d.status for d in first} == {DIRECTOR: Status.SENT, DEPUTY: Status.DEFERRED}
    send(store, transport, LATER)
    assert transport.asked == [tuple(sorted(ASHCOMBE.recipients, key=addressee_name)), (DEPUTY,)]
    assert statuses(store) == {DIRECTOR: "sent", DEPUTY: "sent"}


def test_a_permanent_refusal_waits_for_a_person(store: LocalStore) -> None:
    gone = Refusal(DEPUTY, 550, "no such mailbox", retryable=False)
    transport = Answers(HandedOver((DIRECTOR,), (gone,)))
    send(store, transport)
    (again,) = (d for d in send(store, transport, LATER) if d.address == DEPUTY)
    assert (again.status, again.attempted) == (Status.FAILED, False)
    assert len(transport.asked) == 1


def test_a_transport_that_took_nothing_is_a_result_with_its_reason_and_stays_to_be_sent(store: LocalStore) -> None:
    done = send(store, Answers(NotTaken("bad sign-in")))
    assert {d.status for d in done} == {Status.DEFERRED}
    assert {d.reason for d in done} == {"bad sign-in"}
    assert statuses(store) == {DIRECTOR: "deferred", DEPUTY: "deferred"}


def test_a_transport_without_an_answer_is_found_out(store: LocalStore) -> None:
    with pytest.raises(MailError, match="no answer"):
        send(store, Answers(HandedOver((DIRECTOR,))))


def test_what_is_sent_again_is_what_was_recorded_first(store: LocalStore) -> None:
    send(store, Answers(NotTaken("down")))
    box = Postbox()
    send(store, box, LATER)
    assert {content for _, _, content in box.received} == {store.read(f"ledger/{message().key}/message.eml")}
    assert b"14 Nov 2026" in box.received[0][2]


def test_who_left_the_register_gets_nothing_and_who_joined_does(store: LocalStore) -> None:
    send(store, Answers(NotTaken("down")))
    box = Postbox()
    send(store, box, LATER, recipients=(DIRECTOR, "new@ashcombe.example"))
    assert sorted(r for r, _, _ in box.received) == [DIRECTOR, "new@ashcombe.example"]
    assert statuses(store)[DEPUTY] == "failed"


def test_resend_opens_it_again_with_its_reason_and_the_same_id(store: LocalStore) -> None:
    box = Postbox()
    send(store, box)
    assert resend(store, message().key, reason="the director's mailbox was lost", by="a.analyst", at=LATER) == 2
    send(store, box, LATER)
    assert len(box.received) == 4
    assert len({i for _, i, _ in box.received}) == 1
    history = Ledger(store).history(Ledger(store).entries(message().key)[0])
    assert [e["status"] for e in history] == ["sending", "sent", "deferred", "sending", "sent"]
    assert history[2]["by"] == "a.analyst"


def test_resend_needs_a_known_message_a_reason_and_a_name(store: LocalStore) -> None:
    with pytest.raises(MailError, match="knows no message"):
        resend(store, "2026-10/991/r1/new_watch", reason="x", by="y", at=AT)
    send(store, Postbox())
    with pytest.raises(MailError, match="Say why"):
        resend(store, message().key, reason=" ", by="y", at=AT)


def test_of_two_runs_at_once_one_takes_each_attempt(store: LocalStore) -> None:
    box = Postbox()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: send(store, box), range(6)))
    # Each has it. A run that began while another was between its steps may repeat the same message, never another.
    assert {r for r, _, _ in box.received} == set(ASHCOMBE.recipients)
    assert len({(i, c) for _, i, c in box.received}) == 1
    assert set(statuses(store).values()) == {"sent"}


def test_the_ledger_reads_as_lines_for_people(store: LocalStore) -> None:
    gone = Refusal(DEPUTY, 550, "no such mailbox", retryable=False)
    send(store, Answers(HandedOver((DIRECTOR,), (gone,))))
    lines = {line.address: line for line in Ledger(store).told(message().month, "991")}
    assert (lines[DEPUTY].status, lines[DEPUTY].reason) == (Status.FAILED, "no such mailbox")
    assert lines[DIRECTOR].message_id == "<holdfast.2026-10.991.r1.new_watch@holdfast.example>"
    assert Ledger(store).told(message().month, "992") == []


def test_the_ledger_of_a_month_lists_every_addressee_once(store: LocalStore) -> None:
    send(store, Postbox())
    other = replace(message(), key="2026-10/992/r1/new_watch", la_code="992")
    deliver(store, Postbox(), other, recipients=("d@dunmere.example",), policy=POLICY, at=AT)
    entries = Ledger(store).month(message().month)
    assert [(e.key, e.status.value) for e in entries] == [("2026-10/991/r1/new_watch", "sent")] * 2 + [
        ("2026-10/992/r1/new_watch", "sent")
    ]


# ---------------------------------------------------------------- killed at every boundary


def steps_of_a_run(folder: Path) -> tuple[int, int]:
    """How many writes and hand-overs an undisturbed run makes."""
    fuse, box = Fuse(None), Postbox()
    run(FusedStore(LocalStore(folder), fuse), box)
    return fuse.steps, box.fuse.steps


def run(store: Store, box: Postbox, at: datetime = AT) -> None:
    without_chart = alert(score(0.6)).model_copy(update={"charts": ()})
    published = publish_alert(store, without_chart, Contact())
    assert published.message is not None
    deliver(store, box, published.message, recipients=ASHCOMBE.recipients, policy=POLICY, at=at)


def assert_the_truth(store: LocalStore, box: Postbox) -> None:
    objects = [o.name for o in store.list("alerts/") if o.name.endswith(".json")]
    assert objects == ["alerts/2026-10/991.json"]
    copies = Counter(r for r, _, _ in box.received)
    assert set(copies) == set(ASHCOMBE.recipients)
    assert max(copies.values()) <= 2
    assert len({(i, c) for _, i, c in box.received}) == 1
    assert statuses(store) == dict.fromkeys(ASHCOMBE.recipients, "sent")


def test_killed_at_any_write_a_second_run_finishes_and_the_ledger_is_true(tmp_path: Path) -> None:
    writes, _ = steps_of_a_run(tmp_path / "whole")
    assert writes >= 8
    for step in range(1, writes + 1):
        for after in (False, True):
            store, box = LocalStore(tmp_path / f"{step}{after}"), Postbox()
            with pytest.raises(Killed):
                run(FusedStore(store, Fuse(step, after=after)), box)
            handed = len(box.received)
            run(store, box, LATER)
            assert_the_truth(store, box)
            # Only a crash after the hand-over and before an addressee's mark may repeat it, for that addressee.
            assert len(box.received) <= 2 + handed
            run(store, box, LATER)
            assert_the_truth(store, box)


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_handing_over_everyone_gets_it_with_one_id(tmp_path: Path, after: bool) -> None:
    store, box = LocalStore(tmp_path / "store"), Postbox()
    box.fuse = Fuse(1, after=after)
    with pytest.raises(Killed):
        run(store, box)
    run(store, box, LATER)
    assert_the_truth(store, box)
    assert len(box.received) == (4 if after else 2)


class Asked:
    """A store that lists what it was asked for."""

    def __init__(self, store: Store) -> None:
        self._store, self.requests = store, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.requests.append(name)
        return getattr(self._store, name)


def test_mail_that_everybody_has_takes_one_listing_however_many_messages(store: LocalStore) -> None:
    post = Postbox()
    send(store, post)
    asked = Asked(store)
    ledger = Ledger(cast(Store, asked), message().month)
    for _ in range(3):
        again = deliver(
            cast(Store, asked), post, message(), recipients=ASHCOMBE.recipients, policy=POLICY, at=LATER, ledger=ledger
        )
        assert [(d.address, d.status, d.attempted) for d in again] == sorted(
            (a, Status.SENT, False) for a in ASHCOMBE.recipients
        )
    assert asked.requests == ["list"]
    assert len({m for _, m, _ in post.received}) == 1 and len(post.received) == 2


def test_what_happens_after_the_listing_counts(store: LocalStore) -> None:
    """Another run sends meanwhile; the run's own first try was not taken; an addressee was added."""
    ledger = Ledger(store, message().month)
    assert ledger.recorded(message().key) == []
    post = Postbox()
    send(store, post)
    one = {"recipients": ASHCOMBE.recipients, "policy": POLICY, "at": LATER}
    assert all(d.status is Status.SENT for d in deliver(store, post, message(), ledger=ledger, **one))  # type: ignore[arg-type]
    assert len({m for _, m, _ in post.received}) == 1 and len(post.received) == 2, "the other run had sent it"

    other = replace(message(), key=f"{message().key}-other")
    away = Answers(NotTaken("away"), HandedOver(ASHCOMBE.recipients))
    first = deliver(store, away, other, ledger=ledger, **one)  # type: ignore[arg-type]
    assert {d.status for d in first} == {Status.DEFERRED}
    second = deliver(store, away, other, ledger=ledger, **one)  # type: ignore[arg-type]
    assert {d.status for d in second} == {Status.SENT} and len(away.asked) == 2

    fresh, more = Ledger(store, message().month), (*ASHCOMBE.recipients, "new@ashcombe.example")
    assert fresh.recorded(message().key)
    made = deliver(store, post, message(), recipients=more, policy=POLICY, at=LATER, ledger=fresh)
    assert [d.address for d in made if d.attempted] == ["new@ashcombe.example"]


def test_a_message_cut_off_anywhere_is_never_sent_though_no_event_has_its_hash(store: LocalStore) -> None:
    name = f"ledger/{message().key}/message.eml"
    send(store, Postbox())
    whole = store.read(name)
    for entry in list(store.list(f"ledger/{message().key}/")):
        if entry.name != name:
            store.delete(entry.name)
    end = len(whole.rstrip())
    headers = whole.index(b"\n\n") if b"\n\n" in whole else whole.index(b"\r\n\r\n")
    for length in {0, 1, end // 2, end - 1, *range(7, headers + 1, 9), *range(headers, end, 997)}:
        store.replace(name, whole[:length])
        box = Postbox()
        with pytest.raises(DamagedObject, match="message.eml"):
            send(store, box, at=LATER)
        assert not box.received
    store.replace(name, whole)
    assert {d.status for d in send(store, Postbox(), at=LATER)} == {Status.SENT}
