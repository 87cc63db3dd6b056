"""SMTP with a sign-in by token: a server that demands XOAUTH2, and a token endpoint, both real and local."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.mail.transports.microsoft import ApplicationToken
from flows.mail.transports.port import NotTaken
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.mail.try_out import send_test
from flows.settings.settings import Settings
from tests.integration.smtp_server import USER, Authority, Mailbox, TokenMailbox, running
from tests.integration.token_service import CLIENT_ID, SECRET, TENANT, TokenService, token_service
from tests.unit.flows.mail.messages import small

pytestmark = pytest.mark.integration

MAILBOX = "holdfast@alliance.example"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[TokenService]:
    with token_service(tmp_path) as made:
        yield made


@pytest.fixture
def mailbox(service: TokenService) -> TokenMailbox:
    return TokenMailbox(service.is_valid)


@pytest.fixture
def server(mailbox: TokenMailbox, tmp_path: Path) -> Iterator[SmtpServer]:
    authority = Authority(tmp_path, "127.0.0.1")
    with running(mailbox, authority) as port:
        yield SmtpServer("127.0.0.1", port, MAILBOX, "not used", ca_file=authority.file, timeout_seconds=5)


def token(service: TokenService, **given: Any) -> ApplicationToken:
    named = {"tenant": TENANT, "client_id": CLIENT_ID, "client_secret": SECRET, "ca_file": service.ca_file, **given}
    return ApplicationToken(service.address, **named)


def send(transport: SmtpTransport) -> None:
    message = small()
    assert transport.send(message, message.addressees).addresses == message.addressees


def test_signed_in_by_a_token_that_is_fetched_once(
    service: TokenService, mailbox: TokenMailbox, server: SmtpServer
) -> None:
    transport = SmtpTransport(server, token(service))
    for _ in range(3):
        send(transport)
    assert len(mailbox.mail) == 3
    (asked,) = service.asked
    assert asked["grant_type"] == "client_credentials"
    assert asked["scope"] == "https://outlook.office365.com/.default"


def test_a_token_that_ends_is_renewed(service: TokenService, mailbox: TokenMailbox, server: SmtpServer) -> None:
    service.lives_seconds = 120
    transport = SmtpTransport(server, token(service))
    for _ in range(2):
        send(transport)
    assert len(mailbox.mail) == 2
    assert service.given == ["token-1", "token-2"]


def test_a_token_that_the_server_refuses_is_not_used_again(
    service: TokenService, mailbox: TokenMailbox, server: SmtpServer
) -> None:
    transport = SmtpTransport(server, token(service))
    send(transport)
    service.revoked.add("token-1")
    with pytest.raises(NotTaken, match="refused the sign-in") as refused:
        send(transport)
    assert "token-1" not in str(refused.value)
    send(transport)
    assert len(mailbox.mail) == 2


def test_a_wrong_secret_is_said_with_microsofts_number_and_without_the_secret(
    service: TokenService, mailbox: TokenMailbox, server: SmtpServer
) -> None:
    with pytest.raises(NotTaken, match="invalid_client, AADSTS7000215") as refused:
        send(SmtpTransport(server, token(service, client_secret="hunter2hunter2")))
    assert "hunter2" not in str(refused.value)
    assert mailbox.mail == []


def test_a_service_that_is_away_is_said_and_works_when_it_is_back(
    service: TokenService, mailbox: TokenMailbox, server: SmtpServer
) -> None:
    transport = SmtpTransport(server, token(service))
    service.away = True
    with pytest.raises(NotTaken, match="No access token"):
        send(transport)
    service.away = False
    send(transport)
    assert len(mailbox.mail) == 1


def test_a_service_with_a_foreign_certificate_gets_no_secret(service: TokenService, server: SmtpServer) -> None:
    with pytest.raises(NotTaken, match="cannot be trusted"):
        send(SmtpTransport(server, token(service, ca_file=None)))
    assert service.asked == []


def test_a_server_that_takes_no_tokens_gets_none(service: TokenService, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "127.0.0.1")
    with running(Mailbox(), authority) as port, pytest.raises(NotTaken, match="XOAUTH2"):
        send(SmtpTransport(SmtpServer("127.0.0.1", port, USER, ca_file=authority.file), token(service)))
    assert service.asked == []


def test_a_password_is_not_enough_there(server: SmtpServer, mailbox: TokenMailbox) -> None:
    with pytest.raises(NotTaken):
        send(SmtpTransport(server))
    assert mailbox.mail == []


def test_the_settings_lead_there_and_mail_test_shows_no_secret(
    service: TokenService, mailbox: TokenMailbox, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        "CONFIG": "",
        "ENVIRONMENT": "test",
        "MAIL__TRANSPORT": "smtp",
        "MAIL__HOST": server.host,
        "MAIL__PORT": str(server.port),
        "MAIL__USER": MAILBOX,
        "MAIL__CA_FILE": str(server.ca_file),
        "MAIL__REDIRECT_TO": "team@alliance.example",
        "MAIL__MICROSOFT__AUTHORITY": service.address,
        "MAIL__MICROSOFT__TENANT": TENANT,
        "MAIL__MICROSOFT__CLIENT_ID": CLIENT_ID,
        "MAIL__MICROSOFT__CLIENT_SECRET": SECRET,
        "MAIL__MICROSOFT__CA_FILE": service.ca_file,
    }
    for name, value in given.items():
        monkeypatch.setenv(f"HOLDFAST_{name}", value)
    found = send_test(Settings.load(), datetime(2026, 11, 14, 9, 0, tzinfo=UTC))
    assert ("sign-in", f"as {MAILBOX} by token") in found.steps
    assert (found.failed, len(mailbox.mail)) == ("", 1)
    assert SECRET not in found.to_text() and "token-1" not in found.to_text()

    service.revoked.update(f"token-{n}" for n in range(9))
    refused = send_test(Settings.load(), datetime(2026, 11, 14, 9, 1, tzinfo=UTC))
    assert (refused.failed, [step for step, _ in refused.steps]) == ("sign-in", ["name", "connect", "TLS"])
