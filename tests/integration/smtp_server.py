"""A real SMTP server with TLS and sign-in for tests, its certificate from an authority made for the test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "holdfast", "correct horse"


class Mailbox:
    """Takes mail for those it knows; answers as told otherwise."""

    def __init__(self) -> None:
        self.mail: list[tuple[list[str], bytes]] = []
        self.refusals: dict[str, str] = {}
        self.data_answer = "250 OK"
        self.on_recipient: Callable[[], None] = lambda: None
        self.on_text: Callable[[], None] = lambda: None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_recipient()
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            assert isinstance(envelope.original_content, bytes)
            self.mail.append((list(envelope.rcpt_tos), envelope.original_content))
        self.on_text()
        return self.data_answer


def sign_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
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

    def connection() -> SMTP:
        return SMTP(
            mailbox,
            hostname="mail.test",
            loop=loop,
            authenticator=sign_in,
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
