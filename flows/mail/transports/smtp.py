"""Mail over SMTP: always encrypted, the certificate always checked, one connection per message."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from flows.mail.transports.port import HandedOver, PermanentMailError, Refusal, RetryableMailError


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and as whom. There is no way to ask for a connection without TLS."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    implicit_tls: bool = False
    """TLS from the first byte (port 465); otherwise STARTTLS is required."""
    ca_file: str | None = None
    """A private authority's certificate; the system's authorities otherwise."""
    timeout_seconds: float = 30.0

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"


class SmtpTransport:
    """Hands messages to one SMTP server."""

    name = "SMTP"
    reaches_people = True

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    def send(self, *, sender: str, recipients: Sequence[str], message_id: str, content: bytes) -> HandedOver:
        """Hand over one message in one transaction; addressees the server refused are in the answer.

        A connection lost after the text was sent leaves it unknown whether the server took it: that is
        retryable, and repeated with the same Message-ID.
        """
        with _errors(self._server), self._session() as session:
            try:
                refused = session.sendmail(sender, list(recipients), content)
            except smtplib.SMTPRecipientsRefused as error:
                refused = error.recipients
        return HandedOver(
            tuple(r for r in recipients if r not in refused),
            tuple(_refusal(address, code, text) for address, (code, text) in sorted(refused.items())),
        )

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        context = ssl.create_default_context(cafile=server.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if server.implicit_tls:
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout_seconds, context=context
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        try:
            if not server.implicit_tls:
                session.starttls(context=context)
            if server.user:
                session.login(server.user, server.password)
            yield session
            session.quit()
        finally:
            session.close()


@contextmanager
def _errors(server: SmtpServer) -> Iterator[None]:
    """Everything smtplib raises as retryable or permanent, with a sentence that says what to do."""
    where = f"The mail server {server.host}:{server.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise PermanentMailError(
            f"{where} shows a certificate that cannot be trusted ({error.verify_message}). Nothing was sent; "
            "correct mail.host, or give its authority as mail.ca_file."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentMailError(
            f"{where} offers no STARTTLS or no sign-in that we use. Nothing was sent in clear; use another port."
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        raise _by_code(error.smtp_code, f"{where} refused the sign-in", "Check mail.user and mail.password") from error
    except smtplib.SMTPResponseException as error:
        reply = _reply(error.smtp_error)
        raise _by_code(error.smtp_code, f"{where} answered {error.smtp_code} {reply}", "Look at its log") from error
    except (smtplib.SMTPException, OSError) as error:
        raise RetryableMailError(
            f"{where} could not be reached or broke off ({type(error).__name__}). The next run tries again."
        ) from error


def _by_code(code: int, what: str, advice: str) -> RetryableMailError | PermanentMailError:
    """4xx is “not now”, 5xx is “not ever” (RFC 5321, 4.2.1)."""
    if 400 <= code < 500:
        return RetryableMailError(f"{what}. The next run tries again.")
    return PermanentMailError(f"{what}. {advice}.")


def _refusal(address: str, code: int, text: bytes) -> Refusal:
    return Refusal(address, code, _reply(text), retryable=400 <= code < 500)


def _reply(text: bytes | str) -> str:
    """A server's words on one line, cut to what a ledger needs."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(plain.split())[:200]
