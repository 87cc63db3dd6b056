"""Undelivered mail is a state of the month: counted, told, sent later; held and replaced messages are not counted."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.councils import write_register
from features.errors import MailError
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert
from flows.mail.by_hand import release, send_again
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver, deliver_council
from flows.mail.policy import MailPolicy, addressed
from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.open import mail_policy
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal
from flows.mail.undelivered import is_time, note_undelivered, noted_undelivered, send_undelivered, undelivered
from flows.orchestration.keeper import keep_mail
from flows.settings.settings import Settings
from flows.store.claims import MonthClaimed, Owner, claimed
from flows.store.ledger import Ledger, Status, addressee_name
from flows.store.local import LocalStore
from flows.store.processes import this_process
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score
from tests.unit.flows.alerts.faults import Postbox
from tests.unit.flows.mail.messages import letter

AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
DIRECTOR, DEPUTY = ASHCOMBE.recipients


class Refusing:
    """Takes mail for nobody, or not for some."""

    name, reaches_people = "refusing", False

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = refusals

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        if not self.refusals:
            raise NotTaken("The mail server refused the sign-in.")
        refused = tuple(r for r in self.refusals if r.address in recipients)
        return HandedOver(tuple(a for a in recipients if a not in {r.address for r in refused}), refused)


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.alerts.letter.compose.draw_chart", lambda *_: None)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    for place in ("landing", "store"):
        (tmp_path / place).mkdir()
        monkeypatch.setenv(f"HOLDFAST_{place.upper()}", str(tmp_path / place))
    (tmp_path / "landing/register.csv").write_text(write_register([ASHCOMBE]))
    monkeypatch.setenv("HOLDFAST_MAIL__OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    return Settings.load()


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    return LocalStore(Path(settings.store))


def mailed(store: LocalStore, settings: Settings, way: object, level: float = 0.6) -> Published:
    published = publish_alert(store, alert(score(level)), Contact())
    deliver_council(store, way, ASHCOMBE, published, mail_policy(settings), AT)  # type: ignore[arg-type]
    return published


def missing(store: LocalStore, settings: Settings) -> dict[str, Status]:
    return {one.address: one.status for one in undelivered(store, settings, MONTH)}


def test_a_fault_of_ours_is_to_be_sent_and_an_addressees_is_failed(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Refusing(Refusal(DEPUTY, 550, "no such mailbox", retryable=False)))
    assert missing(store, settings) == {DEPUTY: Status.FAILED}
    (one,) = undelivered(store, settings, MONTH)
    assert one.in_words == f"{ASHCOMBE.folder}, director: failed. no such mailbox"


def test_what_was_not_taken_is_sent_later_as_the_ledger_has_it(store: LocalStore, settings: Settings) -> None:
    published = mailed(store, settings, Refusing())
    assert missing(store, settings) == dict.fromkeys(ASHCOMBE.recipients, Status.DEFERRED)
    box = Postbox()
    send_undelivered(settings, store, Courier(box), MONTH, AT + timedelta(hours=1))
    assert missing(store, settings) == {}
    assert published.message is not None
    assert {content for _, _, content in box.received} == {Ledger(store).message(published.message.key)}


def test_who_left_the_register_is_not_written_to_and_not_missed(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Refusing())
    only = write_register([ASHCOMBE]).replace(DEPUTY, "new@ashcombe.example")
    (Path(settings.landing) / "register.csv").write_text(only)
    box = Postbox()
    send_undelivered(settings, store, Courier(box), MONTH, AT)
    assert [to for to, _, _ in box.received] == [DIRECTOR]
    assert missing(store, settings) == {}


def test_a_message_that_a_later_revision_replaced_is_neither_missed_nor_sent(
    store: LocalStore, settings: Settings
) -> None:
    mailed(store, settings, Refusing())
    publish_alert(store, alert(score(0.9)), Contact())
    assert missing(store, settings) == {}
    box = Postbox()
    send_undelivered(settings, store, Courier(box), MONTH, AT)
    assert box.received == []


def test_of_the_reports_of_one_councils_files_only_the_newest_counts(store: LocalStore, settings: Settings) -> None:
    for number, at in (("a1", AT), ("b2", AT + timedelta(days=1))):
        one = letter(f"{MONTH}/files/{ASHCOMBE.folder}/{number}")
        deliver(store, Refusing(), one, recipients=("officer@ashcombe.example",), policy=mail_policy(settings), at=at)
    (left,) = undelivered(store, settings, MONTH)
    assert (left.key.rpartition("/")[2], left.whom) == ("b2", "data officer")


def test_a_damaged_alert_is_named_and_the_others_are_looked_at_and_sent(store: LocalStore, settings: Settings) -> None:
    other = replace(ASHCOMBE, la_code="992", name="Birchmere")
    (Path(settings.landing) / "register.csv").write_text(write_register([ASHCOMBE, other]))
    mailed(store, settings, Refusing())
    published = publish_alert(store, alert(score(0.6, la_code="992"), council=other), Contact())
    deliver_council(store, Refusing(), other, published, mail_policy(settings), AT)
    store.replace(f"alerts/{MONTH}/991.json", b'{"month": ')
    named = [one.in_words for one in undelivered(store, settings, MONTH) if one.status is Status.FAILED]
    assert len(named) == 2
    assert all("alerts/2026-10/991.json" in words and "--repair" in words for words in named)
    send_undelivered(settings, store, Courier(Postbox()), MONTH, AT)
    assert {one.folder for one in undelivered(store, settings, MONTH)} == {"991"}
    note = {"reason": "checked", "by": "J. Marsh", "at": AT}
    with pytest.raises(MailError, match=r"alerts/2026-10/991\.json"):
        release(store, Postbox(), settings, MONTH, **note)  # type: ignore[arg-type]


def test_commands_by_hand_wait_for_a_run_of_the_month_and_say_who_has_it(store: LocalStore, settings: Settings) -> None:
    published = mailed(store, settings, Refusing())
    assert published.message is not None
    impatient = settings.model_copy(update={"claims": settings.claims.model_copy(update={"wait_minutes": 0})})
    by = {"reason": "checked", "by": "J. Marsh", "at": AT}
    alive = Owner("monthly “2026-10”", "", this_process())
    with claimed(store, MONTH, alive, rules=settings.claims, clock=lambda: AT):
        for command in (
            lambda: release(store, Postbox(), impatient, MONTH, **by),  # type: ignore[arg-type]
            lambda: send_again(store, Postbox(), impatient, MONTH, "991", **by),  # type: ignore[arg-type]
        ):
            with pytest.raises(MonthClaimed, match=r"October 2026 is held by monthly “2026-10” .* Wait until it ends"):
                command()
    assert not any(store.list("releases/"))
    assert len(release(store, Postbox(), impatient, MONTH, **by)["991"]) == 2  # type: ignore[arg-type]


def test_held_mail_is_not_undelivered(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Refusing())
    store.replace(f"runs/{MONTH}/success.json", json.dumps({"held": True}).encode())
    assert missing(store, settings) == {}


@pytest.mark.parametrize(("code", "missed", "sent"), [(0, Status.DEFERRED, 2), (550, Status.FAILED, 0)])
def test_what_version_0_1_0_called_failed_through_our_fault_is_sent(
    store: LocalStore, settings: Settings, code: int, missed: Status, sent: int
) -> None:
    """It wrote `failed` with code 0 for a wrong password, and never tried again."""
    published = mailed(store, settings, Refusing())
    assert published.message is not None
    book = Ledger(store)
    for entry in book.entries(published.message.key):
        book.advance(entry, Status.FAILED, AT, code=code, reason="refused the sign-in")
    assert set(missing(store, settings).values()) == {missed}
    box = Postbox()
    made = deliver_council(store, box, ASHCOMBE, published, mail_policy(settings), AT)
    assert len(box.received) == sent
    assert all(d.reason for d in made if d.status is Status.FAILED)


def test_the_success_marker_follows(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Refusing())
    store.replace(f"runs/{MONTH}/success.json", json.dumps({"held": False, "councils": 1}).encode())
    note_undelivered(store, settings, MONTH, unaddressed=1)
    assert noted_undelivered(store, MONTH) == (2, 1)
    send_undelivered(settings, store, Courier(Postbox()), MONTH, AT)
    assert noted_undelivered(store, MONTH) == (0, 1)
    assert json.loads(store.read(f"runs/{MONTH}/success.json"))["councils"] == 1


def test_the_keeper_sends_at_growing_waits_and_leaves_a_month_to_a_run(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Refusing())
    left = undelivered(store, settings, MONTH)
    assert not is_time(left, AT + timedelta(minutes=4))
    assert is_time(left, AT + timedelta(minutes=5))
    assert not is_time([], AT + timedelta(days=9))
    later = AT + timedelta(minutes=6)
    with claimed(store, MONTH, Owner("a run", "", this_process()), rules=settings.claims, clock=lambda: later):
        assert keep_mail(settings, later, lambda: later) == 0
    assert keep_mail(settings, later, lambda: later) == 2
    assert missing(store, settings) == {}
    assert keep_mail(settings, later, lambda: later) == 0


def test_a_second_attempt_waits_twice_as_long(store: LocalStore, settings: Settings) -> None:
    for at in (AT, AT + timedelta(minutes=5)):
        published = publish_alert(store, alert(score(0.6)), Contact())
        made: list[Delivery] = deliver_council(store, Refusing(), ASHCOMBE, published, mail_policy(settings), at)
        assert {d.status for d in made} == {Status.DEFERRED}
    left = undelivered(store, settings, MONTH)
    assert not is_time(left, AT + timedelta(minutes=14))
    assert is_time(left, AT + timedelta(minutes=15))


def test_an_unfinished_message_in_a_store_of_0_1_0_is_sent_with_the_bytes_it_has(
    store: LocalStore, settings: Settings
) -> None:
    """Version 0.1.0 wrote no hash beside the address; its bytes are a message as ours are."""
    published = publish_alert(store, alert(score(0.6)), Contact())
    assert published.message is not None
    key, at = published.message.key, datetime(2026, 11, 13, 7, 0, tzinfo=UTC)
    outgoing = addressed(
        published.message, recipients=ASHCOMBE.recipients, policy=mail_policy(settings), transport=Postbox(), at=at
    )
    store.create(f"ledger/{key}/message.eml", mime_bytes(outgoing))
    for address in ASHCOMBE.recipients:
        created = {"address": address, "message_id": outgoing.message_id, "at": at.isoformat()}
        deferred = {"at": at.isoformat(), "code": 451, "reason": "greylisted"}
        events = (("0000-created", created), ("0001-sending", {"at": at.isoformat()}), ("0002-deferred", deferred))
        for name, facts in events:
            store.create(f"ledger/{key}/{addressee_name(address)}/{name}.json", json.dumps(facts).encode())
    assert set(missing(store, settings).values()) == {Status.DEFERRED}
    box = Postbox()
    deliver_council(store, box, ASHCOMBE, published, mail_policy(settings), AT)
    assert {content for _, _, content in box.received} == {mime_bytes(outgoing)}
    assert sorted(to for to, _, _ in box.received) == sorted(ASHCOMBE.recipients)
    assert missing(store, settings) == {}


SUCCESSOR = "new.director@ashcombe.example"


def corrected(store: LocalStore, way: object, *to: str, domains: tuple[str, ...] = ()) -> dict[str, Status]:
    """The message was told to others; it is corrected when these are registered."""
    published = publish_alert(store, alert(score(0.9)), Contact())
    assert published.alert.correction is not None and published.alert.correction.for_director
    policy = MailPolicy("Holdfast <h@alliance.example>", "data@alliance.example", allowed_domains=domains)
    council = replace(ASHCOMBE, recipients=to)
    return {d.address: d.status for d in deliver_council(store, way, council, published, policy, AT)}  # type: ignore[arg-type]


def test_a_correction_goes_to_everyone_who_got_the_message(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Postbox())
    box = Postbox()
    assert corrected(store, box, SUCCESSOR, DEPUTY.upper()).keys() == {SUCCESSOR, DEPUTY.upper(), DIRECTOR}
    assert len(box.received) == 3
    assert corrected(store, box, SUCCESSOR).keys() >= {SUCCESSOR, DIRECTOR}
    assert len(box.received) == 3, "nobody gets it twice"


def test_a_correction_goes_to_nobody_who_did_not_get_the_message_or_may_not_be_written_to(
    store: LocalStore, settings: Settings
) -> None:
    elsewhere = "old@elsewhere.example"
    first = publish_alert(store, alert(score(0.6)), Contact())
    register = replace(ASHCOMBE, recipients=(DIRECTOR, DEPUTY, elsewhere))
    refusing = Refusing(Refusal(DEPUTY, 550, "no such mailbox", retryable=False))
    deliver_council(store, refusing, register, first, mail_policy(settings), AT)
    allowed = ("ashcombe.example",)
    assert corrected(store, Postbox(), SUCCESSOR, domains=allowed).keys() == {SUCCESSOR, DIRECTOR}
    assert corrected(store, Postbox(), domains=allowed) == {}, "a council without recipients is written to by nobody"


def test_a_message_that_corrects_nothing_goes_to_the_registered(store: LocalStore, settings: Settings) -> None:
    mailed(store, settings, Postbox())
    later = publish_alert(
        store, alert(score(0.9, MONTH.plus(1))).model_copy(update={"month": MONTH.plus(1)}), Contact()
    )
    made = deliver_council(
        store, Postbox(), replace(ASHCOMBE, recipients=(SUCCESSOR,)), later, mail_policy(settings), AT
    )
    assert [d.address for d in made] == [SUCCESSOR]


def test_a_correction_that_was_not_taken_still_reaches_who_left_the_register(
    store: LocalStore, settings: Settings
) -> None:
    mailed(store, settings, Postbox())
    registered = write_register([replace(ASHCOMBE, recipients=(SUCCESSOR,))])
    (Path(settings.landing) / "register.csv").write_text(registered)
    corrected(store, Refusing(), SUCCESSOR)
    box = Postbox()
    send_undelivered(settings, store, Courier(box), MONTH, AT + timedelta(hours=1))
    assert sorted(to for to, _, _ in box.received) == sorted((SUCCESSOR, *ASHCOMBE.recipients))
    assert missing(store, settings) == {}
