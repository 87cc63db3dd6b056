"""A run's patience and pace, with a clock that the test moves: no second is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal, Throttled
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.unit.flows.mail.messages import letter, small

POLICY = MailPolicy(sender="Holdfast <holdfast@alliance.example>", reply_to="data-team@alliance.example")
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


class Server:
    """Answers by what the time is: a function of the seconds gone and of the addressee."""

    name, reaches_people = "server", False

    def __init__(self, time: Time, answer: Callable[[float, str], Exception | Refusal | None]) -> None:
        self.time, self.answer = time, answer
        self.asked: list[tuple[float, tuple[str, ...]]] = []
        self.took: list[str] = []

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        self.asked.append((self.time.now, tuple(recipients)))
        answers = {r: self.answer(self.time.now, r) for r in recipients}
        for answer in answers.values():
            if isinstance(answer, Exception):
                raise answer
        taken = tuple(r for r, a in answers.items() if a is None)
        self.took += taken
        return HandedOver(taken, tuple(a for a in answers.values() if isinstance(a, Refusal)))


def until(seconds: float, error: Exception) -> Callable[[float, str], Exception | None]:
    return lambda now, _: error if now < seconds else None


def greylisting(seconds: float) -> Callable[[float, str], Refusal | None]:
    return lambda now, who: Refusal(who, 451, "come back later", retryable=True) if now < seconds else None


def courier(server: Server, time: Time, minutes: float = 10, **given: object) -> Courier:
    return Courier(server, patience_seconds=minutes * 60, pause=time.pause, clock=time, **given)  # type: ignore[arg-type]


def carried(store: LocalStore, way: Courier, councils: int = 3) -> list[list[Delivery]]:
    def attempt(number: int) -> list[Delivery]:
        message = letter(f"2026-10/{number}/r1/new_watch")
        return deliver(store, way, message, recipients=(f"d@c{number}.example",), policy=POLICY, at=AT)

    return way.carry(range(councils), attempt)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def statuses(done: list[list[Delivery]]) -> list[str]:
    return [d.status.value for each in done for d in each]


@pytest.mark.parametrize("answer", [greylisting(300), until(300, NotTaken("wrong password"))])
def test_what_is_over_in_five_minutes_is_sent_within_the_run_after_growing_waits(
    store: LocalStore, answer: Callable[[float, str], Exception | Refusal | None]
) -> None:
    time = Time()
    server = Server(time, answer)
    done = carried(store, courier(server, time))
    assert statuses(done) == ["sent"] * 3
    assert time.pauses == [15, 30, 60, 120, 240]
    assert sorted(server.took) == ["d@c0.example", "d@c1.example", "d@c2.example"]
    assert all(d.attempted for each in done for d in each)


def test_what_lasts_longer_stays_to_be_sent_and_the_patience_is_not_exceeded(store: LocalStore) -> None:
    time = Time()
    server = Server(time, until(1e9, NotTaken("wrong password")))
    done = carried(store, courier(server, time))
    assert statuses(done) == ["deferred"] * 3
    assert {d.reason for each in done for d in each} == {"wrong password"}
    assert sum(time.pauses) == 600
    assert {e.status for e in Ledger(store).month(letter().month)} == {Status.DEFERRED}


def test_a_fault_that_all_would_meet_is_met_once_a_round(store: LocalStore) -> None:
    """A hundred wrong sign-ins would lock the account."""
    time = Time()
    server = Server(time, until(1e9, NotTaken("wrong password")))
    carried(store, courier(server, time), councils=20)
    assert len(server.asked) == 1 + len(time.pauses)


def test_a_second_batch_of_the_same_run_has_what_is_left_of_the_patience(store: LocalStore) -> None:
    time = Time()
    way = courier(Server(time, until(1e9, NotTaken("away"))), time, minutes=1)
    carried(store, way, councils=1)
    carried(store, way, councils=1)
    assert sum(time.pauses) == 60


def test_only_who_was_not_reached_is_tried_again(store: LocalStore) -> None:
    time = Time()
    server = Server(time, lambda now, who: greylisting(10)(now, who) if who == "d@c1.example" else None)
    assert statuses(carried(store, courier(server, time))) == ["sent"] * 3
    assert [to for _, to in server.asked] == [(f"d@c{n}.example",) for n in (0, 1, 2, 1)]


def test_a_refusal_for_good_is_not_waited_for(store: LocalStore) -> None:
    time = Time()
    server = Server(time, lambda now, who: Refusal(who, 550, "no such mailbox", retryable=False))
    assert statuses(carried(store, courier(server, time), councils=1)) == ["failed"]
    assert time.pauses == []


def test_a_run_that_was_stopped_sends_no_further_message_and_waits_for_nothing(store: LocalStore) -> None:
    time = Time()
    server = Server(time, lambda now, who: None)
    way = courier(server, time, may_go=lambda: "suspended" if len(server.took) == 1 else "")
    assert statuses(carried(store, way)) == ["sent", "deferred", "deferred"]
    assert (way.stopped, time.pauses, len(server.asked)) == ("suspended", [], 1)


def test_the_pace_of_an_account_is_kept_and_each_recipient_counts() -> None:
    time = Time()
    server = Server(time, lambda now, who: None)
    way = courier(server, time, per_second=lambda: 2.0)
    for _ in range(4):
        way.send(small(), ("a@x.example", "b@x.example"))
    assert [at for at, _ in server.asked] == [0, 1, 2, 3]


def test_a_service_that_says_slower_is_asked_again_in_a_moment_and_not_for_ever() -> None:
    time = Time()
    server = Server(time, until(3, Throttled("slower")))
    assert courier(server, time).send(small(), ("a@x.example",)).addresses == ("a@x.example",)
    assert time.pauses == [1, 2]
    for_ever = Server(time, until(1e9, Throttled("slower")))
    with pytest.raises(NotTaken, match="slower"):
        courier(for_ever, time).send(small(), ("a@x.example",))
    assert len(for_ever.asked) == 6
