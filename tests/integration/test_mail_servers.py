"""Mail through Debian's exim4, read back through dovecot: what a real server takes, refuses and keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import render_message
from flows.mail.deliver import deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.port import HandedOver, NotTaken
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.integration import small_region
from tests.integration.conftest import free_ports
from tests.integration.mail_servers import BLOCKED, BUSY, FULL, GONE, PASSWORD, USER, MailServers, mail_servers
from tests.integration.small_region import LAST
from tests.unit.flows.alerts.examples import ASHCOMBE, alert, score
from tests.unit.flows.mail.messages import small
from tests.warm import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

DIRECTOR, DEPUTY = ASHCOMBE.recipients
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
POLICY = MailPolicy(
    sender="Holdfast <holdfast@alliance.example>",
    reply_to="data-team@alliance.example",
    production=True,
    allowed_domains=("ashcombe.example",),
)


@pytest.fixture
def servers(program: Callable[[str, str], str]) -> Iterator[MailServers]:
    exim, dovecot = program("exim4", "exim4-daemon-light"), program("dovecot", "dovecot-imapd")
    with mail_servers(exim, dovecot, ASHCOMBE.recipients, *free_ports(2)) as both:
        yield both


@pytest.fixture
def server(servers: MailServers) -> SmtpServer:
    return SmtpServer("127.0.0.1", servers.smtp_port, USER, PASSWORD, ca_file=servers.ca_file, timeout_seconds=10)


def send(server: SmtpServer, *recipients: str, sender: str = "holdfast") -> HandedOver:
    return SmtpTransport(server).send(small(sender=f"{sender}@alliance.example", addressees=recipients), recipients)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_comes_out_of_the_mailbox_as_it_went_in(
    servers: MailServers, server: SmtpServer, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "store")
    message = render_message(alert(score(0.6)), Contact())
    done = deliver(store, SmtpTransport(server), message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)
    assert [d.status for d in done] == [Status.SENT, Status.SENT]
    recorded = parsed(store.read(f"ledger/{message.key}/message.eml"))
    for address in ASHCOMBE.recipients:
        (content,) = servers.inbox(address)
        arrived = parsed(content)
        for name in ("Message-ID", "Subject", "From", "To", "Reply-To", "Date"):
            assert arrived[name] == recorded[name]
        assert "esmtpsa" in str(arrived["Received"]), "it came over TLS, signed in"
        for kind in ("plain", "html"):
            ours, theirs = recorded.get_body((kind,)), arrived.get_body((kind,))
            assert ours is not None and theirs is not None
            assert theirs.get_content().splitlines() == ours.get_content().splitlines()
        (chart,) = [p for p in arrived.walk() if p.get_content_type() == "image/png"]
        assert chart.get_content() == message.images[0].png


def test_some_refused_some_not_is_noticed_for_each(servers: MailServers, server: SmtpServer) -> None:
    answer = send(server, DIRECTOR, f"{GONE}@ashcombe.example", f"{FULL}@ashcombe.example", "nobody@ashcombe.example")
    assert answer.addresses == (DIRECTOR,)
    assert {r.address.partition("@")[0]: (r.code, r.retryable) for r in answer.refused} == {
        FULL: (451, True),
        GONE: (550, False),
        "nobody": (550, False),
    }
    assert len(servers.inbox(DIRECTOR)) == 1


def test_the_ledger_keeps_what_the_server_said(server: SmtpServer, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    message = render_message(alert(score(0.6)), Contact())
    recipients = (DIRECTOR, f"{FULL}@ashcombe.example")
    done = deliver(store, SmtpTransport(server), message, recipients=recipients, policy=POLICY, at=AT)
    assert {d.address: d.status for d in done} == {DIRECTOR: Status.SENT, recipients[1]: Status.DEFERRED}
    (full,) = [t for t in Ledger(store).told(message.month) if t.address == recipients[1]]
    assert "mailbox is full" in full.reason


@pytest.mark.parametrize(("sender", "code"), [(BLOCKED, "550"), (BUSY, "451")])
def test_a_refused_sender_is_our_fault_whatever_its_code(
    servers: MailServers, server: SmtpServer, sender: str, code: str
) -> None:
    with pytest.raises(NotTaken, match=code):
        send(server, DIRECTOR, sender=sender)
    assert servers.inbox(DIRECTOR, count=0) == []


def test_a_wrong_password_is_said_and_not_repeated(servers: MailServers, server: SmtpServer) -> None:
    with pytest.raises(NotTaken, match="refused the sign-in") as refused:
        send(replace(server, password="hunter2hunter2"), DIRECTOR)
    assert "hunter2" not in str(refused.value)
    assert servers.inbox(DIRECTOR, count=0) == []


def test_who_does_not_sign_in_is_refused(server: SmtpServer) -> None:
    answer = send(replace(server, user=""), DIRECTOR)
    assert [(r.code, r.reason) for r in answer.refused] == [(550, "sign in first")]


def test_a_certificate_of_an_unknown_authority_is_refused_before_anything_is_said(
    servers: MailServers, server: SmtpServer
) -> None:
    with pytest.raises(NotTaken, match="cannot be trusted"):
        send(replace(server, ca_file=None), DIRECTOR)
    assert servers.inbox(DIRECTOR, count=0) == []


@pytest.mark.soak
def test_a_whole_run_reaches_every_directors_mailbox(
    program: Callable[[str, str], str], prefect_api: str, tmp_path: Path
) -> None:
    exim, dovecot = program("exim4", "exim4-daemon-light"), program("dovecot", "dovecot-imapd")
    landing, kept = tmp_path / "landing", tmp_path / "store"
    councils = small_region.make(landing)
    directors = [(a, c) for c in councils for a in c.recipients]
    mailboxes = [*(a for a, _ in directors), *(c.data_officer for c in councils), "data-team@alliance.example"]
    with mail_servers(exim, dovecot, mailboxes, *free_ports(2)) as servers:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")},
            **small_region.settings(
                landing,
                str(kept),
                councils,
                port=str(servers.smtp_port),
                user=USER,
                password=PASSWORD,
                ca_file=servers.ca_file,
            ),
            "PREFECT_API_URL": prefect_api,
            "PREFECT_HOME": str(tmp_path / "prefect"),
        }
        code, said = run(*small_region.command(), env=environment, timeout=200)
        assert code == 0, said
        for address, council in directors:
            (content,) = servers.inbox(address)
            arrived = parsed(content)
            assert str(arrived["Message-ID"]).startswith(f"<holdfast.{LAST}.{council.folder}.")
            assert council.name in str(arrived["Subject"])
        (summary,) = servers.inbox("data-team@alliance.example")
        assert "4 councils" in str(parsed(summary)["Subject"])
        for council in councils:
            (report,) = servers.inbox(council.data_officer)
            assert "1 file missing" in str(parsed(report)["Subject"])
    assert {e.status for e in Ledger(LocalStore(kept)).month(LAST)} == {Status.SENT}
