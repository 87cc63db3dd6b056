"""Mail through Amazon SES v2.

SES puts its own Message-ID in place of ours, so after a crash in the send window a mail program cannot
fold two copies by it; the stable id is in the header `X-Holdfast-Message-ID`, and SES's is in the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from flows.mail.transports.port import HandedOver, PermanentMailError, RetryableMailError

#: Error codes after which the same call may succeed. Everything else needs a person.
_RETRYABLE = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "SendingPausedException",
        "ThrottlingException",
        "Throttling",
        "ConcurrentModificationException",
        "InternalServiceErrorException",
        "ServiceUnavailable",
        "RequestTimeout",
    }
)


def ses_client(region: str, endpoint_url: str | None = None, **credentials: str) -> Any:
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

    def send(self, *, sender: str, recipients: Sequence[str], message_id: str, content: bytes) -> HandedOver:
        """Hand over one raw message; the envelope is `recipients`, whatever the header says."""
        try:
            answer = self._client.send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": list(recipients)},
                Content={"Raw": {"Data": content}},
                **self._options,
            )
        except ClientError as error:
            raise _from_client(error) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise PermanentMailError("SES: no credentials were found. Give the job a role or a profile.") from error
        except BotoCoreError as error:
            raise RetryableMailError(
                f"SES could not be reached ({type(error).__name__}). The next run tries again."
            ) from error
        return HandedOver(tuple(recipients), transport_id=str(answer["MessageId"]))


def _from_client(error: ClientError) -> RetryableMailError | PermanentMailError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _RETRYABLE or status >= 500:
        return RetryableMailError(f"SES did not take the message now ({code}). The next run tries again.")
    return PermanentMailError(
        f"SES rejected the message ({code}). Check that the sender's domain is verified and that the job may send."
    )
