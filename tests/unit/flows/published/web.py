"""A small web server on this machine that answers as a test tells it to, rightly or wrongly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """Answers by path; of several answers each is given once and the last from then on."""

    port: int
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every path and query that was asked for, in order."""
    closing: threading.Event = field(default_factory=threading.Event)

    def serve(self, path: str, *answers: Answer) -> str:
        """The address at which these answers are given."""
        self.answers[path] = list(answers)
        return f"http://127.0.0.1:{self.port}{path}"

    def silence(self) -> Answer:
        """Nothing, until the server is closed."""

        def answer(_: BaseHTTPRequestHandler) -> None:
            self.closing.wait(30)

        return answer


def file(content: bytes, kind: str = "text/csv", **headers: str) -> Answer:
    """A whole file whose length is told."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        _head(to, 200, {"Content-Type": kind, "Content-Length": str(len(content)), **_named(headers)})
        to.wfile.write(content)

    return answer


def cut(content: bytes, at: int, **headers: str) -> Answer:
    """A file of which only the beginning comes before the connection closes."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        _head(to, 200, {"Content-Type": "text/csv", "Content-Length": str(len(content)), **_named(headers)})
        to.wfile.write(content[:at])
        to.close_connection = True

    return answer


def without_length(content: bytes) -> Answer:
    """A file whose length nobody tells: it ends where the connection does."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        _head(to, 200, {"Content-Type": "text/csv", "Connection": "close"})
        to.wfile.write(content)
        to.close_connection = True

    return answer


def status(code: int, **headers: str) -> Answer:
    """An answer without a file."""

    def answer(to: BaseHTTPRequestHandler) -> None:
        _head(to, code, {"Content-Length": "0", **_named(headers)})

    return answer


@contextmanager
def running() -> Iterator[Web]:
    """The server on a free port of 127.0.0.1, for the duration of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.asked.append(self.path)
            answers = web.answers.get(self.path.partition("?")[0], [status(404)])
            (answers.pop(0) if len(answers) > 1 else answers[0])(self)

        def log_message(self, format: str, *args: object) -> None:
            """Tests look at `asked` instead."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def _head(to: BaseHTTPRequestHandler, code: int, headers: dict[str, str]) -> None:
    to.send_response(code)
    for name, value in headers.items():
        to.send_header(name, value)
    to.end_headers()
