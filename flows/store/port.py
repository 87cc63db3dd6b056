"""What Holdfast needs of an object store: read, list, create once, replace atomically; for retention, delete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import StoreError


class ObjectMissing(StoreError):
    """There is no object of that name."""


class AlreadyThere(StoreError):
    """A conditional create found the name taken. The existing object is unchanged."""


class StoreRefuses(StoreError):
    """The store refused for a reason that waiting does not cure. It is reported at once, without a retry."""


class DamagedObject(StoreRefuses):
    """An object in the store is not what was written, or is missing although it must be there."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's entry in a listing. `modified` is timezone-aware, in UTC."""

    name: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StrangeObject:
    """Something in a store that is not an object and cannot be read as one."""

    name: str
    """Its name, safe to show: control characters are replaced and long names shortened."""
    why: str
    """What it is, as the end of a sentence: “is a link that leads to itself”."""
    modified: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that takes up space: an object, an earlier version of one, or a file left half-written by a crash."""

    name: str
    size: int
    version: str | None = None
    """The bucket's version id; None in a store that keeps only one version."""
    latest: bool = True
    """Whether readers see it, that is, not an earlier version, a delete marker or a leftover."""


class Store(Protocol):
    """An object store. Names are relative and `/`-separated, without `.` or `..` segments. Contents are bytes.

    `create` and `replace` are atomic, so a reader never sees half an object.
    """

    url: str
    """`file:///…` or `s3://bucket/prefix`, for people."""

    def read(self, name: str) -> bytes:
        """The content of the object. Raises ObjectMissing."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose name starts with `prefix`, in order of name."""

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]:
        """Everything under a prefix that is not an object: links, pipes, unusable names. `list` leaves these out."""

    def survey(self, prefix: str = "") -> tuple[Sequence[ObjectInfo], Sequence[StrangeObject]]:
        """What `list` and `strange` give, looked at once."""

    def lax_rights(self) -> str:
        """A sentence if anyone besides the owner and its group may read or change the store; else empty."""

    def info(self, name: str) -> ObjectInfo | None:
        """Size and time of one object; None if it is not there."""

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write a new object. Raises AlreadyThere if the name is taken; of many calls at once exactly one succeeds."""

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write an object in one step, over any that is there."""

    def delete(self, name: str) -> None:
        """Delete an object if it is there (retention only)."""

    def everything(self, prefix: str = "") -> Iterator[Stored]:
        """Everything under a prefix, including what `list` leaves out: earlier versions and leftovers of a crash."""

    def earlier(self, name: str) -> Iterator[tuple[bytes, str]]:
        """Earlier contents of an object with their types, newest first; none if the store keeps no versions."""

    def purge(self, stored: Iterable[Stored]) -> None:
        """Delete these for good, versions included (retention only). Raises StoreError if any of them remains."""
