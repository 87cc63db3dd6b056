"""A real SMTP server with TLS and sign-in for tests, its certificate from an authority made for the test."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "holdfast", "correct horse"


HANG_UP, SILENCE = "hang up", "silence"


class Mailbox:
    """Takes mail for those it knows; answers as told otherwise."""

    def __init__(self) -> None:
        self.mail: list[tuple[list[str], bytes]] = []
        self.refusals: dict[str, str] = {}
        self.data_answer = "250 OK"
        self.on_recipient: Callable[[], None] = lambda: None
        self.on_text: Callable[[], None] = lambda: None
        self.trouble: Callable[[str], str] = lambda stage: ""
        """At each stage (CONNECT, AUTH, MAIL, RCPT, DATA, ANSWER, QUIT): a reply, HANG_UP, SILENCE, or nothing.

        ANSWER is after the text was taken, before the 250.
        """

    async def _meets(self, server: SMTP, stage: str) -> str:
        """The reply of this stage's trouble; empty if there is none."""
        what = self.trouble(stage)
        if what == SILENCE:
            await asyncio.sleep(60)
        if what == HANG_UP:
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        return what

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := await self._meets(server, "MAIL"):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._meets(server, "QUIT") or "221 bye"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_recipient()
        if reply := await self._meets(server, "RCPT"):
            return reply
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if reply := await self._meets(server, "DATA"):
            return reply
        if self.data_answer.startswith("250"):
            assert isinstance(envelope.original_content, bytes)
            self.mail.append((list(envelope.rcpt_tos), envelope.original_content))
        self.on_text()
        return await self._meets(server, "ANSWER") or self.data_answer


class TokenMailbox(Mailbox):
    """Takes mail from whoever signs in by a token that it holds for valid, and by nothing else."""

    def __init__(self, valid: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.valid = valid

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        fields = dict(f.split("=", 1) for f in base64.b64decode(args[1]).decode().split("\x01") if f)
        if self.valid(fields["user"], fields["auth"].removeprefix("Bearer ")):
            return AuthResult(success=True, auth_data=fields["user"])
        # As Microsoft does: the reason as a question, an empty line from the client, then the refusal.
        await server.challenge_auth('{"status":"401","schemes":"bearer"}')
        return AuthResult(success=False, handled=False, message="535 5.7.3 Authentication unsuccessful")


class _Busy(asyncio.Protocol):
    """Answers a connection with one line, or with none, and ends it."""

    def __init__(self, reply: str) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._reply == SILENCE:
            return
        if self._reply != HANG_UP:
            transport.write(f"{self._reply}\r\n".encode())
        transport.close()


def sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    reply = server.event_handler.trouble("AUTH")
    if reply == HANG_UP:
        server.transport.abort()
    if reply:
        return AuthResult(success=False, handled=reply == HANG_UP, message=reply)
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


class Authority:
    """A certificate authority, the server's certificate, and the file a client trusts."""

    def __init__(self, folder: Path, host: str) -> None:
        authority = trustme.CA()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(host).configure_cert(self.context)
        self.file = str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.file)


async def _closed(server: asyncio.Server) -> None:
    """Stop listening and end the conversations that are still open."""
    server.close()
    open_ = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in open_:
        task.cancel()
    await asyncio.gather(*open_, return_exceptions=True)


@contextmanager
def running(mailbox: Mailbox, authority: Authority | None, *, implicit: bool = False) -> Iterator[int]:
    """A server in a thread of its own, on a port the system chose."""
    starttls = authority.context if authority is not None and not implicit else None
    loop = asyncio.new_event_loop()

    by_token = isinstance(mailbox, TokenMailbox)

    def connection() -> asyncio.Protocol:
        if reply := mailbox.trouble("CONNECT"):
            return _Busy(reply)
        return SMTP(
            mailbox,
            hostname="mail.test",
            loop=loop,
            authenticator=sign_in,
            auth_exclude_mechanism=["LOGIN", "PLAIN"] if by_token else None,
            auth_required=authority is not None,
            auth_require_tls=starttls is not None,
            tls_context=starttls,
            require_starttls=starttls is not None,
        )

    first_byte = authority.context if authority is not None and implicit else None
    server = loop.run_until_complete(loop.create_server(connection, "127.0.0.1", 0, ssl=first_byte))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
