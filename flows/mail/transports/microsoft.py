"""Access tokens for Microsoft 365 without a person: an application signs in with a secret (client credentials)."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import msal

from flows.mail.transports.port import NotTaken

#: All permissions the application has for Exchange Online; SMTP needs `SMTP.SendAsApp`.
_SCOPE = "https://outlook.office365.com/.default"
_TIMEOUT_SECONDS = 30


class ApplicationToken:
    """A token that is fetched on first use, kept in memory until shortly before it expires, and then fetched again."""

    def __init__(
        self, authority: str, tenant: str, client_id: str, client_secret: str, *, ca_file: str | None = None
    ) -> None:
        self._where = f"{authority.rstrip('/')}/{tenant}"
        self._client_id = client_id
        self._secret = client_secret
        self._ca_file = ca_file
        self._application: Any = None

    def value(self) -> str:
        """A token that is valid now. Raises NotTaken with the service's reason, never with the secret."""
        try:
            if self._application is None:
                self._application = self._signed_on()
            answer = self._application.acquire_token_for_client(scopes=[_SCOPE])
        except (httpx.HTTPError, msal.exceptions.MsalError, ValueError) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NotTaken(
                    f"No access token: {self._where} shows a certificate that cannot be trusted. If a proxy of yours "
                    "stands between, give its authority as mail.microsoft.ca_file."
                ) from error
            raise NotTaken(
                f"No access token: {self._where} does not answer as a sign-in service ({type(error).__name__}). "
                "Check mail.microsoft.tenant and the network."
            ) from error
        if "access_token" not in answer:
            raise NotTaken(
                f"No access token: {self._where} refused the application ({_why(answer)}). Check "
                "mail.microsoft.client_id and client_secret, whether the secret has ended, and what was granted."
            )
        return str(answer["access_token"])

    def forget(self) -> None:
        """Fetch a new token next time, because the mail server refused this one."""
        self._application = None

    def _signed_on(self) -> Any:
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._secret,
            authority=self._where,
            validate_authority=False,
            instance_discovery=False,
            # In the library's own client, a certificate bundle from the environment would override the one given here.
            http_client=httpx.Client(verify=ssl.create_default_context(cafile=self._ca_file), timeout=_TIMEOUT_SECONDS),
        )


def _why(answer: dict[str, Any]) -> str:
    """The service's code and the number listed in Microsoft's documents. Not its text, which may quote the request."""
    codes = [f"AADSTS{code}" for code in answer.get("error_codes") or ()]
    return ", ".join([str(answer.get("error", "no reason")), *codes])
