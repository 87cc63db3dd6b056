"""What Holdfast asks of an object store: read, list, create once, replace at once. Nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import StoreError


class ObjectMissing(StoreError):
    """There is no object of that name."""


class AlreadyThere(StoreError):
    """A conditional create found the name taken; the object that was there is untouched."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing says of an object. `modified` is timezone-aware, in UTC."""

    name: str
    size: int
    modified: datetime


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

    def info(self, name: str) -> ObjectInfo | None:
        """Size and time of one object, or None."""

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write if no object has this name; raises AlreadyThere. Of many at once exactly one succeeds."""

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write, whatever was there, in one step."""

    def delete(self, name: str) -> None:
        """Remove an object if it is there (retention only)."""
