"""Mail through Amazon SES v2.

SES replaces our Message-ID by its own. So if a crash makes us send a message twice, a mail program cannot recognise
the copies. Our stable id is in the header `X-Holdfast-Message-ID`, and SES's id is in the ledger.
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

#: SES's errors about the text or addressee of one message. Any other error would meet every message.
_ABOUT_THE_MESSAGE = ("MessageRejected", "BadRequestException")


#: SES's errors that mean that the account sends too fast.
_SLOWER = ("TooManyRequestsException", "ThrottlingException", "Throttling")


def ses_client(region: str, endpoint_url: str | None = None, **credentials: str | None) -> Any:
    """A client without retries: boto3's own retries would send a message twice after a slow response."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=10, read_timeout=30)
    return boto3.client("sesv2", region_name=region, endpoint_url=endpoint_url, config=config, **credentials)


class SesTransport:
    """Sends messages by SES, which accepts or rejects each as a whole. Bounces come later and are not seen here."""

    name = "SES"
    reaches_people = True

    def __init__(self, client: Any, *, configuration_set: str | None = None) -> None:
        self._client = client
        self._options = {"ConfigurationSetName": configuration_set} if configuration_set else {}

    @cached_property
    def sending_rate(self) -> float | None:
        """How many recipients a second the account may send to; None if SES does not say. SES is asked only once."""
        try:
            return float(self._client.get_account()["SendQuota"]["MaxSendRate"]) or None
        except (BotoCoreError, ClientError, KeyError, TypeError):
            return None

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Send one raw message. The envelope has `recipients`, whatever the header says."""
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
