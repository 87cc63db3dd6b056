"""A store and a transport that are killed at a chosen step, as a power cut would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flows.mail.transports.mime import mime_bytes
from flows.mail.transports.port import HandedOver, Outgoing
from flows.store.port import ObjectInfo, Store


class Killed(BaseException):
    """The process is gone. Not an Exception, so that no handler can pretend otherwise."""


class Fuse:
    """Counts the steps with an effect and blows at one of them, before or after the effect."""

    def __init__(self, at: int | None, *, after: bool = False) -> None:
        self.at, self.after, self.steps = at, after, 0

    def around(self) -> Iterator[None]:
        self.steps += 1
        if self.steps == self.at and not self.after:
            raise Killed
        yield
        if self.steps == self.at and self.after:
            raise Killed


class FusedStore:
    """A store whose writes can be the last thing that happens."""

    def __init__(self, inner: Store, fuse: Fuse) -> None:
        self._inner, self._fuse, self.url = inner, fuse, inner.url

    def read(self, name: str) -> bytes:
        return self._inner.read(name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self._inner.list(prefix)

    def info(self, name: str) -> ObjectInfo | None:
        return self._inner.info(name)

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        for _ in self._fuse.around():
            self._inner.create(name, content, content_type=content_type)

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        for _ in self._fuse.around():
            self._inner.replace(name, content, content_type=content_type)

    def delete(self, name: str) -> None:
        for _ in self._fuse.around():
            self._inner.delete(name)


class Postbox:
    """A transport that keeps what it was handed, in the order it came: the directors' inboxes."""

    name = "postbox"
    reaches_people = False

    def __init__(self) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        self.fuse = Fuse(None)

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        for _ in self.fuse.around():
            self.received += [(r, message.message_id, mime_bytes(message)) for r in recipients]
        return HandedOver(tuple(recipients))
