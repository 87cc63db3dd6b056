from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from flows.mail.transports.port import PermanentMailError, RetryableMailError
from flows.mail.transports.ses import SesTransport, ses_client

SENDER = "holdfast@alliance.example"
CONTENT = b"From: holdfast@alliance.example\r\nTo: d@ashcombe.example\r\nSubject: x\r\n\r\nHello\r\n"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    with mock_aws():
        yield ses_client("eu-west-2")


def send(client: Any) -> Any:
    return SesTransport(client).send(
        sender=SENDER,
        recipients=("d@ashcombe.example", "e@ashcombe.example"),
        message_id="<holdfast.1@alliance.example>",
        content=CONTENT,
    )


def test_the_raw_message_reaches_ses_with_its_envelope(client: Any) -> None:
    boto3.client("ses", region_name="eu-west-2").verify_email_identity(EmailAddress=SENDER)
    accepted = send(client)
    (kept,) = ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].sent_messages
    assert accepted.addresses == ("d@ashcombe.example", "e@ashcombe.example")
    assert accepted.transport_id == kept.id
    assert set(kept.destinations) == {"d@ashcombe.example", "e@ashcombe.example"}
    assert "Hello" in kept.raw_data


def test_an_unverified_sender_is_permanent(client: Any) -> None:
    with pytest.raises(PermanentMailError, match="MessageRejected"):
        send(client)


class Broken:
    """A client whose call fails as told."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_email(self, **given: Any) -> None:
        raise self._error


def answer(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "error",
    [
        answer("TooManyRequestsException", 429),
        answer("SendingPausedException"),
        answer("Anything", 503),
        EndpointConnectionError(endpoint_url="https://ses.example"),
    ],
)
def test_what_may_pass_is_retryable(error: Exception) -> None:
    with pytest.raises(RetryableMailError, match="next run"):
        send(Broken(error))


@pytest.mark.parametrize(
    "error", [answer("MailFromDomainNotVerifiedException"), answer("AccessDeniedException", 403), NoCredentialsError()]
)
def test_what_needs_a_person_is_permanent(error: Exception) -> None:
    with pytest.raises(PermanentMailError):
        send(Broken(error))


def test_the_client_tries_once(client: Any) -> None:
    assert client.meta.config.retries["total_max_attempts"] == 1
