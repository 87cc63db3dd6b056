"""Mail through Amazon SES v2.

SES puts its own Message-ID in place of ours, so after a crash in the send window a mail program cannot
fold two copies by it; the stable id is in the header `X-Holdfast-Message-ID`, and SES's is in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal, Throttled

#: What SES says of one message's text or addressee; anything else would meet every message.
_ABOUT_THE_MESSAGE = ("MessageRejected", "BadRequestException")


#: Where SES says that the account sends faster than it may.
_SLOWER = ("TooManyRequestsException", "ThrottlingException", "Throttling")


def ses_client(region: str, endpoint_url: str | None = None, **credentials: str | None) -> Any:
    """A client that tries each call once: boto3's own repeats would send a message twice on a slow answer."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=10, read_timeout=30)
    return boto3.client("sesv2", region_name=region, endpoint_url=endpoint_url, config=config, **credentials)


class SesTransport:
    """Hands messages to SES. SES takes or rejects a message as a whole; bounces come later, outside this port."""

    name = "SES"
    reaches_people = True

    def __init__(self, client: Any, *, configuration_set: str | None = None) -> None:
        self._client = client
        self._options = {"ConfigurationSetName": configuration_set} if configuration_set else {}

    @cached_property
    def sending_rate(self) -> float | None:
        """Recipients a second that the account may send to; None if SES does not say, which is not looked at twice."""
        try:
            return float(self._client.get_account()["SendQuota"]["MaxSendRate"]) or None
        except (BotoCoreError, ClientError, KeyError, TypeError):
            return None

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Hand over one raw message; the envelope is `recipients`, whatever the header says."""
        try:
            answer = self._client.send_email(
                FromEmailAddress=message.sender,
                Destination={"ToAddresses": list(recipients)},
                Content={"Raw": {"Data": mime_bytes(message)}},
                **self._options,
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _ABOUT_THE_MESSAGE:
                status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
                return HandedOver((), tuple(Refusal(r, status, _rejected(code), retryable=True) for r in recipients))
            if code in _SLOWER:
                raise Throttled(f"SES lets out no more messages in this second, or day ({code}).") from error
            raise NotTaken(f"SES did not take the message ({code}). {_ADVICE}") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise NotTaken("SES: no credentials were found. Give the job a role, a profile or keys.") from error
        except BotoCoreError as error:
            raise NotTaken(f"SES could not be reached ({type(error).__name__}).") from error
        return HandedOver(tuple(recipients), transport_id=str(answer["MessageId"]))


_ADVICE = "If it lasts, check that the account may send, that the sender's domain is verified, and the region."


def _rejected(code: str) -> str:
    return (
        f"SES rejected the message ({code}). Check that the sender's domain is verified and, in SES's sandbox, the "
        "addressee's too."
    )
