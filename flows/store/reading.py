"""Reading what is kept: one door for every object that is parsed, so that a damaged one is a sentence, no traceback.

The sentence names the object, what is wrong with it, and what restores it. A read that does not fit is repeated once:
an answer can be torn on its way although the object is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import polars as pl
from polars.exceptions import PanicException, PolarsError

from features.errors import HoldfastError, StoreError
from features.frames import conform
from flows.store.port import DamagedObject, Store

T = TypeVar("T")

#: What parsing raises when bytes are not what they should be. Polars panics on some Parquet files.
_DOES_NOT_FIT = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, EOFError, OSError)


def read_kept(store: Store, name: str, parse: Callable[[bytes], T], sha256: str = "") -> T:
    """An object as what `parse` makes of it, checked against its recorded hash where there is one.

    Raises DamagedObject, and ObjectMissing if there is none of that name.
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
    """What `parse` makes of the bytes of an object; raises DamagedObject that names it and what to do."""
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
    """A JSON object as what `parse` makes of it. Raises DamagedObject, and ObjectMissing."""
    return read_kept(store, name, lambda content: parse(json.loads(content)))


def frame_of(name: str, content: bytes, schema: pl.Schema, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A table in Parquet held to its schema, of `columns` only if given: for `read_kept`."""
    wanted = pl.Schema({c: schema[c] for c in columns}) if columns else schema
    return conform(pl.read_parquet(io.BytesIO(content), columns=list(wanted)), wanted, name)


def digest(content: bytes) -> str:
    """The hash by which an object is known again."""
    return hashlib.sha256(content).hexdigest()


def remedy(name: str) -> str:
    """What restores an object, as sentences with the command."""
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
        case "runs" | "region" | "validation":
            return f"`holdfast run --month {month}` writes it anew."
        case "submissions":
            return (
                f"`holdfast doctor --month {month} --repair` lays it aside; the next run of the month records it anew."
            )
        case _:
            return f"Restore it {copy}. `holdfast doctor` says what else is damaged."
