"""Mail by SMTP: always encrypted, with the certificate always checked, and one connection per message."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing, Refusal

#: A function that is called after each step of a conversation with the step and the answer. Never gets a secret.
Heard = Callable[[str, str], None]


def ignore_step(step: str, answer: str) -> None:
    """Ignore the step."""


#: Words in a refused RCPT that show a fault of ours and not of the mailbox. 5.7 is the code for policy (RFC 3463).
_ABOUT_US = re.compile(r"\b5\.7\.\d|relay|authenticat|sign.in|log.?in", re.IGNORECASE)
_ABOUT_US_CODES = (503, 530, 534, 535, 538)
#: Codes in a refused text that show a fault of the addressee: 5.1 is the address, 5.2 the mailbox.
_ABOUT_THEM = re.compile(r"\b5\.[12]\.\d")


class SignInToken(Protocol):
    """A source of access tokens for signing in with XOAUTH2."""

    def value(self) -> str:
        """A token that is valid now. Raises NotTaken if none can be had."""

    def forget(self) -> None:
        """Do not use the last token again, because the server refused it."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The server's address and our sign-in. A connection without TLS cannot be configured."""

    host: str
    port: int = 587
    user: str = ""
    password: str = ""
    implicit_tls: bool = False
    """TLS from the first byte (port 465); otherwise STARTTLS is required."""
    ca_file: str | None = None
    """Certificate of a private authority. If empty, the system's authorities are used."""
    timeout_seconds: float = 30.0

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port})"

    @property
    def in_words(self) -> str:
        return f"The mail server {self.host}:{self.port}"


class SmtpTransport:
    """Sends messages through one SMTP server."""

    name = "SMTP"
    reaches_people = True

    def __init__(self, server: SmtpServer, token: SignInToken | None = None, heard: Heard = ignore_step) -> None:
        self._server = server
        self._token = token
        self._heard = heard

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        """Send one message in one transaction. Addressees that the server refused are in the result.

        If the connection is lost after the text was sent, nobody knows whether the server accepted it. That raises
        NotTaken, and the message is sent again with the same Message-ID. Once the server has answered 250, the message
        counts as sent, whatever happens after that.
        """
        content = mime_bytes(message)
        with _as_not_taken(self._server), self._session() as session:
            return self._transaction(session, message.sender, recipients, content)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        context = ssl.create_default_context(cafile=server.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        self._heard("name", f"{server.host} is {found[0][4][0]}")
        if server.implicit_tls:
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout_seconds, context=context
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        try:
            self._heard("connect", f"port {server.port} is open")
            if not server.implicit_tls:
                session.starttls(context=context)
            self._heard("TLS", f"encrypted with {_cipher(session)}; the certificate is trusted")
            self._sign_in(session)
            yield session
            with suppress(smtplib.SMTPException, OSError):  # the answer stands, however the connection ends
                session.quit()
        finally:
            session.close()

    def _sign_in(self, session: smtplib.SMTP) -> None:
        server, token = self._server, self._token
        if token is not None:
            session.ehlo_or_helo_if_needed()
            if "XOAUTH2" not in session.esmtp_features.get("auth", "").split():
                raise NotTaken(
                    f"{server.in_words} offers no sign-in by token (XOAUTH2). Check mail.host and mail.port."
                )
            said = f"user={server.user}\x01auth=Bearer {token.value()}\x01\x01"
            try:
                # The server refuses by a challenge, which needs an empty line as the answer; the error code follows.
                session.auth("XOAUTH2", lambda challenge=None: said if challenge is None else "")
            except smtplib.SMTPAuthenticationError:
                token.forget()
                raise
        elif server.user:
            session.login(server.user, server.password)
        how = f"as {server.user}{' by token' if token else ''}" if server.user else "not asked for: mail.user is empty"
        self._heard("sign-in", how)

    def _transaction(self, session: smtplib.SMTP, sender: str, recipients: Sequence[str], content: bytes) -> HandedOver:
        session.ehlo_or_helo_if_needed()
        size = [f"SIZE={len(content)}"] if session.has_extn("size") else []
        code, text = session.mail(sender, size)
        if code != 250:
            raise NotTaken(
                f"{self._server.in_words} did not take the sender {sender}: {code} {_reply(text)}. "
                "If it lasts, check mail.sender and that this sign-in may send as it."
            )
        self._heard("sender", f"{code} {_reply(text)}")
        refused: dict[str, Refusal] = {}
        for address in recipients:
            code, text = session.rcpt(address)
            if code == 421:
                raise smtplib.SMTPResponseException(code, text)
            if code not in (250, 251):
                refused[address] = _refusal(address, code, text)
            self._heard("recipient", f"{code} {_reply(text)}")
        taken = tuple(r for r in recipients if r not in refused)
        said = b""
        if taken:
            code, said = _data(session, content)
            self._heard("data", f"{code} {_reply(said)}")
            if code == 421:
                raise smtplib.SMTPResponseException(code, said)
            if code != 250:
                refused |= {a: _refused_text(a, code, said) for a in taken}
                taken = ()
        return HandedOver(taken, tuple(refused[a] for a in sorted(refused)), transport_id=_reply(said) if taken else "")


def _data(session: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return session.data(content)
    except smtplib.SMTPDataError as error:  # the DATA command itself was refused
        reply = error.smtp_error
        return error.smtp_code, reply if isinstance(reply, bytes) else reply.encode()


@contextmanager
def _as_not_taken(server: SmtpServer) -> Iterator[None]:
    """Turn every connection fault in the block into NotTaken, with a sentence that says what to do."""
    where = server.in_words
    try:
        yield
    except socket.gaierror as error:
        raise NotTaken(
            f"{where}: the name is not known ({error.strerror}). Check mail.host and the network."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise NotTaken(
            f"{where} shows a certificate that cannot be trusted ({error.verify_message}). Nothing was sent; "
            "correct mail.host, or give its authority as mail.ca_file."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotTaken(
            f"{where} offers no STARTTLS or no sign-in that we use. Nothing was sent in clear; use another port."
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotTaken(
            f"{where} refused the sign-in ({error.smtp_code}). Check mail.user and its password or token."
        ) from error
    except smtplib.SMTPResponseException as error:
        raise NotTaken(f"{where} answered {error.smtp_code} {_reply(error.smtp_error)}.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(f"{where} could not be reached or broke off ({type(error).__name__}).") from error


def _refusal(address: str, code: int, text: bytes) -> Refusal:
    """A refused RCPT. 4xx is temporary and 5xx permanent (RFC 5321, 4.2.1), unless the fault is ours."""
    reply = _reply(text)
    about_us = code in _ABOUT_US_CODES or _ABOUT_US.search(reply) is not None
    return Refusal(address, code, reply, retryable=not 500 <= code < 600 or about_us)


def _refused_text(address: str, code: int, text: bytes) -> Refusal:
    """A text refused at its end. It stays to be sent, unless the server says that the mailbox is at fault."""
    reply = _reply(text)
    return Refusal(address, code, reply, retryable=not (500 <= code < 600 and _ABOUT_THEM.search(reply)))


def _cipher(session: smtplib.SMTP) -> str:
    return str(session.sock.version()) if isinstance(session.sock, ssl.SSLSocket) else "nothing"


def _reply(text: bytes | str) -> str:
    """A server's answer on one line, shortened for the ledger."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(plain.split())[:200]
