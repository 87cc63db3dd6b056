from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import ANY, Stubber
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from flows.mail.courier import Courier
from flows.mail.transports.open import open_transport
from flows.mail.transports.port import NotTaken, Throttled
from flows.mail.transports.ses import SesTransport, ses_client
from flows.settings.settings import Settings
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


def test_the_accounts_rate_is_asked_once_and_kept() -> None:
    client = ses_client("eu-west-2", aws_access_key_id="made-up", aws_secret_access_key="made-up")
    with Stubber(client) as stub:
        stub.add_response("get_account", {"SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 14.0}})
        transport = SesTransport(client)
        assert [transport.sending_rate for _ in range(3)] == [14.0] * 3


@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_a_rate_that_may_not_be_asked_is_not_kept(code: str) -> None:
    client = ses_client("eu-west-2", aws_access_key_id="made-up", aws_secret_access_key="made-up")
    with Stubber(client) as stub:
        stub.add_client_error("get_account", code)
        assert SesTransport(client).sending_rate is None


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException"])
def test_a_message_too_early_is_throttled_and_any_other_limit_is_not(code: str) -> None:
    with pytest.raises(Throttled):
        send(Broken(answer(code, 429)))
    with pytest.raises(NotTaken) as refused:
        send(Broken(answer("AccountSuspendedException")))
    assert not isinstance(refused.value, Throttled)


def test_a_run_keeps_the_accounts_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """At one recipient a second, four messages to two people each take six seconds, by the clock of the test."""
    client = ses_client("eu-west-2", aws_access_key_id="made-up", aws_secret_access_key="made-up")
    pauses: list[float] = []
    with Stubber(client) as stub:
        stub.add_response("get_account", {"SendQuota": {"MaxSendRate": 1.0}})
        for _ in range(4):
            stub.add_response("send_email", {"MessageId": "1"})
        transport = SesTransport(client)
        courier = Courier(
            transport, per_second=lambda: transport.sending_rate, pause=pauses.append, clock=lambda: sum(pauses)
        )
        for _ in range(4):
            courier.send(MESSAGE, MESSAGE.addressees)
    assert pauses == [2.0, 2.0, 2.0]


def test_ses_has_a_region_keys_and_a_configuration_set_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        "CONFIG": "",
        "ENVIRONMENT": "test",
        "S3__REGION": "eu-west-2",
        "MAIL__TRANSPORT": "ses",
        "MAIL__REDIRECT_TO": "team@alliance.example",
        "MAIL__SES__REGION": "eu-west-1",
        "MAIL__SES__ACCESS_KEY_ID": "key-of-mail",
        "MAIL__SES__SECRET_ACCESS_KEY": "secret-of-mail",
        "MAIL__SES__SESSION_TOKEN": "token-of-mail",
        "MAIL__SES__CONFIGURATION_SET": "holdfast",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"HOLDFAST_{name}", value)
    transport: Any = open_transport(Settings.load())
    client = transport._client
    assert client.meta.region_name == "eu-west-1"
    keys = client._request_signer._credentials.get_frozen_credentials()
    assert (keys.access_key, keys.secret_key, keys.token) == ("key-of-mail", "secret-of-mail", "token-of-mail")
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "1"}, _sent_under("holdfast"))
        assert transport.send(MESSAGE, MESSAGE.addressees).transport_id == "1"


def _sent_under(configuration_set: str) -> dict[str, Any]:
    return {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": list(MESSAGE.addressees)},
        "Content": {"Raw": {"Data": ANY}},
        "ConfigurationSetName": configuration_set,
    }
