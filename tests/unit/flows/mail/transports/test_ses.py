from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from flows.mail.transports.port import NotTaken
from flows.mail.transports.ses import SesTransport, ses_client
from tests.unit.flows.mail.messages import SENDER, small

MESSAGE = small()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    with mock_aws():
        yield ses_client("eu-west-2")


def send(client: Any) -> Any:
    return SesTransport(client).send(MESSAGE, MESSAGE.addressees)


def test_the_raw_message_reaches_ses_with_its_envelope(client: Any) -> None:
    boto3.client("ses", region_name="eu-west-2").verify_email_identity(EmailAddress=SENDER)
    accepted = send(client)
    (kept,) = ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-2"].sent_messages
    assert accepted.addresses == ("d@ashcombe.example", "e@ashcombe.example")
    assert accepted.transport_id == kept.id
    assert set(kept.destinations) == {"d@ashcombe.example", "e@ashcombe.example"}
    assert "Hello" in kept.raw_data


def test_a_rejected_message_stays_to_be_sent_and_says_why(client: Any) -> None:
    accepted = send(client)
    assert accepted.addresses == ()
    assert {(r.address, r.retryable) for r in accepted.refused} == {(a, True) for a in MESSAGE.addressees}
    assert "MessageRejected" in accepted.refused[0].reason


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
        answer("MailFromDomainNotVerifiedException"),
        answer("AccessDeniedException", 403),
        NoCredentialsError(),
    ],
)
def test_what_would_meet_every_message_is_no_refusal_of_an_addressee(error: Exception) -> None:
    with pytest.raises(NotTaken, match="SES"):
        send(Broken(error))


def test_the_client_tries_once(client: Any) -> None:
    assert client.meta.config.retries["total_max_attempts"] == 1
