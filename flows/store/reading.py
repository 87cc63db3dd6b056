"""Reads and parses objects. All parsing goes through here, so that damage gives a sentence and not a traceback.

The sentence says which object it is, what is wrong with it and how to restore it. An object that cannot be parsed is
read once more, because a response can be damaged on its way although the object is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import polars as pl
from polars.exceptions import PanicException, PolarsError

from features.errors import HoldfastError, StoreError
from features.frames import conform
from features.registry import COUNTS
from flows.store.port import DamagedObject, Store

T = TypeVar("T")

_COUNTED = frozenset(c.name for c in COUNTS)

#: The fields with which a JSON object of the store vouches for itself: a hash of its content, and its own name.
SEAL, NAME = "object_sha256", "object_name"

#: Errors that parsing raises on damaged bytes. On some Parquet files Polars panics.
_DOES_NOT_FIT = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, EOFError, OSError)


def read_kept(store: Store, name: str, parse: Callable[[bytes], T], sha256: str = "") -> T:
    """Read an object and parse it, after checking its hash if one is recorded.

    Raises DamagedObject, or ObjectMissing if there is no object of that name.
    """
    content = store.read(name)
    try:
        return parsed(name, content, parse, sha256)
    except DamagedObject:
        again = store.read(name)
        if again == content:
            raise
        return parsed(name, again, parse, sha256)


def parsed(name: str, content: bytes, parse: Callable[[bytes], T], sha256: str = "") -> T:
    """Parse the bytes of an object. Raises DamagedObject, which names the object and what to do."""
    if not content:
        raise DamagedObject(f"“{name}” in the store is empty. {remedy(name)}")
    if sha256 and digest(content) != sha256:
        raise DamagedObject(f"“{name}” in the store is not what was written there: its hash differs. {remedy(name)}")
    try:
        return parse(content)
    except StoreError:
        raise
    except (*_DOES_NOT_FIT, HoldfastError, PolarsError, PanicException) as error:
        raise DamagedObject(
            f"“{name}” in the store cannot be read: it is cut off, altered, or not of the shape that this version of "
            f"Holdfast writes ({type(error).__name__}). {remedy(name)}"
        ) from None


def read_json(store: Store, name: str, parse: Callable[[Any], T]) -> T:
    """Read an object with JSON, check its seal and parse it. Raises DamagedObject or ObjectMissing."""
    return read_kept(store, name, lambda content: parse(unsealed(content, name)))


def sealed(name: str, document: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes to store under a name, with that name and a hash of itself.

    So a flipped bit cannot read as another value, nor an object that lies in another's place as that other one.
    """
    body = json.loads(json.dumps({**document, NAME: name}))
    return json.dumps({**body, SEAL: _seal(body)}, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def unsealed(content: bytes, name: str) -> Any:
    """The JSON of an object without its seal. Raises ValueError if it is not what was written under that name.

    Up to 0.2.0 objects had no seal; they are read as they are. The published file's months are a store of their own
    below a prefix, so a name may stand behind others.
    """
    found = json.loads(content)
    if isinstance(found, dict) and SEAL in found and found.pop(SEAL) != _seal(found):
        raise ValueError("altered")
    own = found.pop(NAME, name) if isinstance(found, dict) else name
    if not f"/{name}".endswith(f"/{own}"):
        raise ValueError("another object's")
    return found


def _seal(body: Any) -> str:
    return digest(json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def frame_of(name: str, content: bytes, schema: pl.Schema, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Parse a Parquet table and check it against its schema; only `columns`, if given. For use with `read_kept`.

    A month that was stored before there was a count has no value of it: that column is null.
    """
    wanted = pl.Schema({c: schema[c] for c in columns}) if columns else schema
    written = pl.read_parquet_schema(io.BytesIO(content)) if name.startswith("counts-") else wanted
    later = {c: t for c, t in wanted.items() if c in _COUNTED and c not in written}
    frame = pl.read_parquet(io.BytesIO(content), columns=[c for c in wanted if c not in later])
    return conform(frame.with_columns(pl.lit(None, t).alias(c) for c, t in later.items()), wanted, name)


def stacked(schema: pl.Schema, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The tables of several editions as one; without rows if there are none."""
    return pl.concat(frames) if frames else schema.to_frame()


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The frame as Parquet bytes, the same for the same frame."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3, statistics=True, row_group_size=131_072)
    return buffer.getvalue()


def digest(content: bytes) -> str:
    """The hash that is recorded for an object's content."""
    return hashlib.sha256(content).hexdigest()


def remedy(name: str) -> str:
    """How to restore an object, as sentences with the command."""
    parts = name.split("/")
    month = parts[1] if len(parts) > 2 else ""
    copy = "from a version of the bucket or from a copy of the store"
    match parts[0]:
        case "months":
            return (
                f"Run the month again: `holdfast run --month {month}` takes it in anew from the landing store. "
                f"If its files are no longer there, restore the object {copy}."
            )
        case "alerts":
            return (
                f"Restore it {copy}; or `holdfast doctor --month {month} --repair` lays it aside, and "
                f"`holdfast run --month {month}` publishes it anew. Nobody is mailed twice by that."
            )
        case "claims":
            return (
                f"If no run is at work, `holdfast claims --free {month}` with --reason and --by ends that claim and "
                "the next run goes on."
            )
        case "runs" | "region":
            return f"`holdfast run --month {month}` writes it anew."
        case "validation":
            return (
                f"`holdfast run --month {month}` takes the month in again from the landing store and writes it anew. "
                f"If its files are no longer there, restore the object {copy}."
            )
        case "submissions":
            return (
                f"`holdfast doctor --month {month} --repair` lays it aside; the next run of the month records it anew."
            )
        case _:
            return f"Restore it {copy}. `holdfast doctor` says what else is damaged."
