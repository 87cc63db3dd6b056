"""SMTP against a real server with TLS and sign-in, its certificate from an authority made for the test."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import render_message
from flows.mail.deliver import deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.port import HandedOver, NotTaken
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.integration.smtp_server import PASSWORD, USER, Authority, Mailbox, running
from tests.unit.flows.alerts.examples import ASHCOMBE, alert, score
from tests.unit.flows.mail.messages import small

pytestmark = pytest.mark.integration

DIRECTOR, DEPUTY = ASHCOMBE.recipients
POLICY = MailPolicy(
    sender="Holdfast <holdfast@alliance.example>",
    reply_to="data-team@alliance.example",
    production=True,
    allowed_domains=("ashcombe.example",),
)
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "127.0.0.1")


@pytest.fixture
def server(mailbox: Mailbox, authority: Authority) -> Iterator[SmtpServer]:
    with running(mailbox, authority) as port:
        yield SmtpServer("127.0.0.1", port, USER, PASSWORD, ca_file=authority.file, timeout_seconds=5)


def changed(server: SmtpServer, **given: Any) -> SmtpServer:
    return replace(server, **given)


def send(server: SmtpServer, recipients: tuple[str, ...] = ASHCOMBE.recipients) -> HandedOver:
    return SmtpTransport(server).send(small(addressees=ASHCOMBE.recipients), recipients)


def test_a_real_message_arrives_whole_and_the_ledger_knows(
    server: SmtpServer, mailbox: Mailbox, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "store")
    message = render_message(alert(score(0.6)), Contact())
    done = deliver(store, SmtpTransport(server), message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)
    assert [d.status for d in done] == [Status.SENT, Status.SENT]
    ((to, content),) = mailbox.mail
    assert sorted(to) == sorted(ASHCOMBE.recipients)
    assert content == store.read(f"ledger/{message.key}/message.eml")
    assert message_from_bytes(content)["Message-ID"] == "<holdfast.2026-10.991.r1.new_watch@alliance.example>"
    again = deliver(store, SmtpTransport(server), message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)
    assert len(mailbox.mail) == 1
    assert not any(d.attempted for d in again)


def test_the_text_arrives_unchanged(server: SmtpServer, mailbox: Mailbox) -> None:
    send(server)
    assert b"\r\nHello\r\n.dot\r\n" in mailbox.mail[0][1]


def test_a_refused_addressee_is_in_the_answer_and_the_other_has_it(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.refusals = {DEPUTY: "550 no such mailbox"}
    answer = send(server)
    assert answer.addresses == (DIRECTOR,)
    (refusal,) = answer.refused
    assert (refusal.address, refusal.code, refusal.retryable) == (DEPUTY, 550, False)


def test_everyone_refused_is_an_answer_for_each(server: SmtpServer, mailbox: Mailbox) -> None:
    mailbox.refusals = {DIRECTOR: "451 try later", DEPUTY: "550 no such mailbox"}
    answer = send(server)
    assert answer.addresses == ()
    assert {r.address: r.retryable for r in answer.refused} == {DIRECTOR: True, DEPUTY: False}
    assert mailbox.mail == []


@pytest.mark.parametrize(
    ("reply", "stays"),
    [
        ("452 mailbox full", True),
        ("554 rejected as spam", True),
        ("550 5.7.1 this sender is not trusted", True),
        ("550 5.1.1 no such mailbox", False),
        ("552 5.2.2 mailbox full", False),
    ],
)
def test_a_refused_text_stays_to_be_sent_unless_the_mailbox_is_at_fault(
    server: SmtpServer, mailbox: Mailbox, reply: str, stays: bool
) -> None:
    mailbox.data_answer = reply
    answer = send(server)
    assert answer.addresses == ()
    assert {(r.address, r.code, r.retryable) for r in answer.refused} == {
        (address, int(reply[:3]), stays) for address in ASHCOMBE.recipients
    }


@pytest.mark.parametrize(
    ("reply", "stays"),
    [
        ("451 4.7.1 greylisted, come back later", True),
        ("550 5.1.1 no such mailbox", False),
        ("550 no such mailbox", False),
        ("530 5.7.57 client not authenticated", True),
        ("550 relay not permitted", True),
        ("554 5.7.1 Relay access denied", True),
    ],
)
def test_a_refused_addressee_stays_to_be_sent_when_the_fault_is_ours(
    server: SmtpServer, mailbox: Mailbox, reply: str, stays: bool
) -> None:
    mailbox.refusals = {DEPUTY: reply}
    (refusal,) = send(server).refused
    assert (refusal.address, refusal.retryable) == (DEPUTY, stays)


def test_a_wrong_password_is_said_without_the_password(server: SmtpServer, mailbox: Mailbox) -> None:
    with pytest.raises(NotTaken, match="sign-in") as refused:
        send(changed(server, password="hunter2hunter2"))
    assert "hunter2" not in str(refused.value)
    assert mailbox.mail == []


def test_without_sign_in_the_server_takes_nothing(server: SmtpServer, mailbox: Mailbox) -> None:
    with pytest.raises(NotTaken):
        send(changed(server, user=""))
    assert mailbox.mail == []


def test_an_unknown_authority_is_refused_before_anything_is_said(server: SmtpServer, mailbox: Mailbox) -> None:
    with pytest.raises(NotTaken, match="cannot be trusted"):
        send(changed(server, ca_file=None))
    assert mailbox.mail == []


def test_a_certificate_of_another_host_is_refused(mailbox: Mailbox, tmp_path: Path) -> None:
    other = Authority(tmp_path, "mail.else.example")
    with running(mailbox, other) as port, pytest.raises(NotTaken, match="cannot be trusted"):
        send(SmtpServer("127.0.0.1", port, USER, PASSWORD, ca_file=other.file, timeout_seconds=5))
    assert mailbox.mail == []


def test_a_server_without_tls_gets_nothing(mailbox: Mailbox) -> None:
    with running(mailbox, None) as port, pytest.raises(NotTaken, match="STARTTLS"):
        send(SmtpServer("127.0.0.1", port, timeout_seconds=5))
    assert mailbox.mail == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_tls_from_the_first_byte(mailbox: Mailbox, authority: Authority) -> None:
    with running(mailbox, authority, implicit=True) as port:
        server = SmtpServer(
            "127.0.0.1", port, USER, PASSWORD, implicit_tls=True, ca_file=authority.file, timeout_seconds=5
        )
        assert send(server).refused == ()
    assert len(mailbox.mail) == 1


def test_no_server_is_retryable_and_the_ledger_waits(tmp_path: Path, authority: Authority) -> None:
    with running(Mailbox(), authority) as port:
        pass
    server = SmtpServer("127.0.0.1", port, USER, PASSWORD, ca_file=authority.file, timeout_seconds=5)
    store = LocalStore(tmp_path / "store")
    message = render_message(alert(score(0.6)), Contact())
    done = deliver(store, SmtpTransport(server), message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)
    assert {d.status for d in done} == {Status.DEFERRED}
    assert {e.status for e in Ledger(store).entries(message.key)} == {Status.DEFERRED}


def test_a_connection_lost_at_the_end_is_retryable(
    server: SmtpServer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: smtplib.SMTP, *given: Any, **more: Any) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(smtplib.SMTP, "data", lost)
    with pytest.raises(NotTaken):
        send(server)


def test_the_server_is_named_without_its_password() -> None:
    assert PASSWORD not in repr(SmtpServer("mail.example", 587, USER, PASSWORD))
