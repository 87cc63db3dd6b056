"""What Holdfast asks of an object store: read, list, create once, replace at once; for retention, delete for good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import StoreError


class ObjectMissing(StoreError):
    """There is no object of that name."""


class AlreadyThere(StoreError):
    """A conditional create found the name taken; the object that was there is untouched."""


class StoreRefuses(StoreError):
    """The store says no for a reason that waiting does not mend: it is said at once, and nothing is tried again."""


class DamagedObject(StoreRefuses):
    """An object of the store is not what was written there, or is gone although it must be there."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing says of an object. `modified` is timezone-aware, in UTC."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StrangeObject:
    """Something in a store that is no object and cannot be read as one."""

    name: str
    """Fit to be shown: control characters replaced, shortened."""
    why: str
    """What it is, as a sentence's end: “is a link that leads to itself”."""
    modified: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that takes up room: an object, an earlier version of one, or what a crash left half-written."""

    name: str
    size: int
    version: str | None = None
    """The bucket's name for this version; None where a store keeps one only."""
    latest: bool = True
    """Whether it is what a reader sees, not an earlier version, a marker or a leftover."""


class Store(Protocol):
    """Names are relative, `/`-separated, without `.` or `..` segments; contents are bytes.

    A reader never sees half an object: `create` and `replace` are atomic.
    """

    url: str
    """`file:///…` or `s3://bucket/prefix`, for people."""

    def read(self, name: str) -> bytes:
        """The whole object; raises ObjectMissing."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name starts with `prefix`, in order of name."""

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]:
        """What lies under a prefix and is no object: links, pipes, names that cannot be used. `list` leaves it out."""

    def lax_rights(self) -> str:
        """A sentence if others than the owner and its group may read or change what lies there, else nothing."""

    def info(self, name: str) -> ObjectInfo | None:
        """Size and time of one object, or None."""

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write if no object has this name; raises AlreadyThere. Of many at once exactly one succeeds."""

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write, whatever was there, in one step."""

    def delete(self, name: str) -> None:
        """Remove an object if it is there (retention only)."""

    def everything(self, prefix: str = "") -> Iterator[Stored]:
        """All there is under a prefix, also what `list` does not show: earlier versions, leftovers of a crash."""

    def purge(self, stored: Iterable[Stored]) -> None:
        """Delete these for good, versions included (retention only). Raises StoreError if any of them stays."""
