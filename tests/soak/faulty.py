"""A small proxy in front of a real server, S3 or Prefect, with a share of faults: what it does on a bad day."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import unquote, urlsplit

#: Faults that pass by themselves. `lost`: the request was carried out and its answer is cut off. `half`: half of the
#: answer's body comes. `unseen`: an object that was just written is not found for a second and a half.
PASSING = ("500", "503", "lost", "half", "reset", "unseen")
_UNSEEN_SECONDS = 1.5
#: How long an answer takes that is `slow`; not one of those that a store is tried with.
_SLOW_SECONDS = 2.0
_LASTING = {
    "denied": (403, "AccessDenied"),
    "full": (507, "InsufficientStorage"),
    "expired": (400, "ExpiredToken"),
}


@dataclass
class Weather:
    """What goes wrong at the store, from now on."""

    rng: random.Random
    share: float = 0.0
    kinds: tuple[str, ...] = PASSING
    lasting: str = ""
    """denied, full, expired or away, at every request (full: at every write) whose key contains `where`."""
    where: str = ""
    happened: Counter[str] = field(default_factory=Counter)
    written: dict[str, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    keys: Counter[str] = field(default_factory=Counter)

    def seen(self, part: str) -> bool:
        """Whether a request came whose key contains this."""
        return any(part in key for key in list(self.keys))

    def at(self, method: str, key: str) -> str:
        """The fault of a request; empty if there is none."""
        self.keys[key] += 1
        if self.lasting and self.where in key and (self.lasting != "full" or method in ("PUT", "POST")):
            self.happened[self.lasting] += 1
            return self.lasting
        with self.lock:
            kind = self.rng.choice(self.kinds) if self.rng.random() < self.share else ""
            if kind == "unseen" and (
                method not in ("GET", "HEAD") or time.monotonic() - self.written.get(key, 0.0) > _UNSEEN_SECONDS
            ):
                kind = ""
            if kind == "half" and method != "GET":
                kind = "lost"
            if kind:
                self.happened[kind] += 1
        return kind


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    weather: Weather
    behind: str

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = unquote(urlsplit(self.path).path)
        fault = self.weather.at(self.command, key)
        if fault in ("500", "503"):
            self._refuse(int(fault), "InternalError" if fault == "500" else "SlowDown")
        elif fault in _LASTING:
            self._refuse(*_LASTING[fault])
        elif fault == "unseen":
            self._refuse(404, "NoSuchKey")
        elif fault in ("reset", "away"):
            self._hang_up()
        else:
            if fault == "slow":
                time.sleep(_SLOW_SECONDS)
            self._carry_out(body, key, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _pass

    def _carry_out(self, body: bytes, key: str, fault: str) -> None:
        connection = HTTPConnection(self.behind, timeout=60)
        try:
            # With the Host that the client signed.
            headers = {n: v for n, v in self.headers.items() if n.lower() not in ("connection", "expect")}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self._hang_up()
            return
        finally:
            connection.close()
        if self.command == "PUT" and answer.status < 300:
            self.weather.written[key] = time.monotonic()
        if fault == "lost":
            self._hang_up()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if fault == "half" and len(content) > 1:
            self.wfile.write(content[: len(content) // 2])
            self._hang_up()
        elif self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>of the test</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _hang_up(self) -> None:
        """Reset the connection, as a machine does that goes away."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None: ...


@contextmanager
def faulty(behind: str, weather: Weather) -> Iterator[str]:
    """The proxy's address while the block runs; `behind` is the real server's."""
    handler = type("Passing", (_Passing,), {"weather": weather, "behind": urlsplit(behind).netloc})
    server = _Server(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
