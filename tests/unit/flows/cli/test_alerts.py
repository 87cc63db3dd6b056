"""The commands a person uses on alerts, through the command line, on a local store and an outbox."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.councils import write_register
from features.errors import HoldfastError
from flows.alerts.alert import Alert
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import publish_alert
from flows.cli.app import app
from flows.mail.deliver import deliver_council
from flows.mail.transports.open import mail_policy, open_transport
from flows.mail.valve import hold_in_marker
from flows.settings.alert_rules import AlertRules
from flows.settings.settings import Settings
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score

AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
MONTH_AND_COUNCIL = ["--month", str(MONTH), "--council", "991"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def said(*words: str) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*words: str) -> str:
    done = run(*words)
    assert isinstance(done.exception, HoldfastError)
    return str(done.exception)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    (tmp_path / "landing").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "landing/register.csv").write_text(write_register([ASHCOMBE]))
    monkeypatch.setenv("HOLDFAST_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HOLDFAST_MAIL__OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    return LocalStore(tmp_path / "store")


def publish(store: LocalStore, one: Alert, *, send: bool = True) -> None:
    published = publish_alert(store, one, Contact())
    if send:
        settings = Settings.load()
        deliver_council(store, open_transport(settings), ASHCOMBE, published, mail_policy(settings), AT)


def test_preview_shows_what_is_mailed_and_writes_it_to_a_file(store: LocalStore, tmp_path: Path) -> None:
    publish(store, alert(score(0.6)))
    before = [(o.name, o.modified) for o in store.list()]
    shown = said("preview", *MONTH_AND_COUNCIL, "--out", str(tmp_path / "message.html"))
    assert "Subject: Ashcombe, October 2026" in shown
    assert "sent      director@ashcombe.example" in shown
    page = (tmp_path / "message.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "cid:" not in page
    said("preview", *MONTH_AND_COUNCIL, "--out", str(tmp_path / "message.txt"))
    assert (tmp_path / "message.txt").read_text() == store.read(f"alerts/{MONTH}/991.message.txt").decode()
    assert [(o.name, o.modified) for o in store.list()] == before


def test_preview_says_why_a_steady_council_gets_no_message(store: LocalStore, tmp_path: Path) -> None:
    publish(store, alert(score(0.2), signals=False))
    shown = said("preview", *MONTH_AND_COUNCIL, "--out", str(tmp_path / "message.html"))
    assert "No message is due: the council is steady" in shown
    assert "rank 0.34 calls for no alert" in shown
    assert not (tmp_path / "message.html").exists()


def test_preview_says_when_a_message_that_is_due_has_gone_to_nobody(store: LocalStore) -> None:
    publish(store, alert(score(0.6)), send=False)
    assert "has gone to nobody" in said("preview", *MONTH_AND_COUNCIL)


def test_a_council_without_an_alert_is_told_from_those_that_have_one(store: LocalStore) -> None:
    publish(store, alert(score(0.6)))
    assert "There are alerts of 991." in refused("preview", "--month", str(MONTH), "--council", "301")
    assert "holdfast run --month 2026-09" in refused("preview", "--month", "2026-09", "--council", "991")


def test_resend_sends_the_same_bytes_and_records_who_asked_and_why(store: LocalStore, tmp_path: Path) -> None:
    publish(store, alert(score(0.6)))
    (eml,) = (tmp_path / "outbox").glob("*.eml")
    first = eml.read_bytes()
    eml.unlink()
    shown = said("resend", *MONTH_AND_COUNCIL, "--reason", "mailbox was full", "--by", "J. Marsh")
    assert shown.count(": sent") == 2
    assert eml.read_bytes() == first
    entries = Ledger(store).month(MONTH)
    assert {e.status for e in entries} == {Status.SENT}
    steps = [[str(h["status"]) for h in Ledger(store).history(e)] for e in entries]
    assert steps == [["sending", "sent", "deferred", "sending", "sent"]] * 2
    told = said("ledger", "--council", "991")
    assert told.count("sent again, asked for by J. Marsh on") == 2
    assert "mailbox was full" in told


def test_resend_of_what_never_went_is_refused(store: LocalStore) -> None:
    publish(store, alert(score(0.6)), send=False)
    assert "knows no message" in refused("resend", *MONTH_AND_COUNCIL, "--reason", "x", "--by", "y")


def test_resend_without_a_reason_is_refused(store: LocalStore) -> None:
    publish(store, alert(score(0.6)))
    assert "Say why" in refused("resend", *MONTH_AND_COUNCIL, "--reason", " ", "--by", "y")


def test_why_and_preview_name_the_storm_valve_while_it_holds_the_month(store: LocalStore) -> None:
    least = AlertRules().storm.minimum_councils
    for number in range(least):
        one = alert(score(0.6, la_code=f"99{number}"), council=replace(ASHCOMBE, la_code=f"99{number}"))
        publish(store, one, send=False)
    words = f"{least} of {least} councils have a new or worse alert"
    keys = [f"{MONTH}/99{n}/r1/new_watch" for n in range(least)]
    both = (("why", "991", "--month", str(MONTH)), ("preview", *MONTH_AND_COUNCIL))
    assert not any(words in said(*command) for command in both), "no run has held anything"
    store.replace(f"runs/{MONTH}/success.json", json.dumps(hold_in_marker(keys, f"{words}.")).encode())
    assert all(words in said(*command) for command in both)
    assert f"The storm valve holds all mail of {MONTH.in_words}" in said(*both[0])
    said("release", "--month", str(MONTH), "--reason", "the feed is in order", "--by", "A. Bell")
    assert not any(words in said(*command) for command in both)


def test_release_sends_what_was_held_once_and_keeps_who_decided(store: LocalStore, tmp_path: Path) -> None:
    publish(store, alert(score(0.6)), send=False)
    words = ["release", "--month", str(MONTH), "--reason", "checked by hand", "--by", "J. Marsh"]
    assert said(*words).count(": sent") == 2
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
    (note,) = [json.loads(store.read(o.name)) for o in store.list(f"releases/{MONTH}/")]
    assert (note["by"], note["reason"], note["councils"]) == ("J. Marsh", "checked by hand", ["991"])
    assert "waits to be sent" in refused(*words)


def test_release_of_a_steady_council_or_without_a_reason_sends_nothing(store: LocalStore, tmp_path: Path) -> None:
    publish(store, alert(score(0.2), signals=False), send=False)
    assert "waits to be sent" in refused("release", "--month", str(MONTH), "--reason", "x", "--by", "y")
    assert "Say why" in refused("release", "--month", str(MONTH), "--reason", "", "--by", "y")
    assert not (tmp_path / "outbox").exists()


def test_the_ledger_lists_by_month_and_council_and_as_json(store: LocalStore) -> None:
    publish(store, alert(score(0.6)))
    assert "2 lines." in said("ledger")
    assert "2 lines." in said("ledger", "--month", str(MONTH))
    assert "0 lines." in said("ledger", "--month", "2026-09")
    assert "0 lines." in said("ledger", "--council", "99")
    lines = json.loads(said("ledger", "--json"))
    assert [line["address"] for line in lines].count("director@ashcombe.example") == 1
    assert {line["status"] for line in lines} == {"sent"}
