"""Which names an object may have: those that mean the same in a folder and in a bucket."""

from __future__ import annotations

from features.errors import StoreError

#: A half-written local file begins with this; no object may, and no listing shows one.
TEMPORARY_PREFIX = ".holdfast-part-"

#: What is kept of a received file ends so: a table rewritten from the contract's columns, whatever the file was.
TABLE_ENDING = ".rows.parquet"

_LONGEST_NAME_BYTES = 900  # S3 allows 1,024 with the prefix
_LONGEST_SHOWN = 120
_LONGEST_SEGMENT_BYTES = 200  # common file systems allow 255


def shown(name: str) -> str:
    """A name for a sentence, whatever bytes it holds: what cannot be printed is replaced, what is long shortened."""
    plain = "".join(c if c.isprintable() and not 0xD800 <= ord(c) < 0xE000 else "\ufffd" for c in name)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"


def is_usable(name: str) -> bool:
    """Whether an object may have this name."""
    try:
        checked_name(name)
    except StoreError:
        return False
    return True


def checked_name(name: str) -> str:
    """The name unchanged, or StoreError if it is absolute, climbs, or could not be a file's name.

    One rule for both stores, so that what works on a laptop works in a bucket and no name from
    outside (a folder, a file sent by a council) reaches beyond the store's root.
    """
    segments = name.split("/")
    wrong = (
        not name
        or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME_BYTES
        or "\\" in name
        or any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in name)
        or any(
            s in ("", ".", "..") or len(s.encode("utf-8", "surrogatepass")) > _LONGEST_SEGMENT_BYTES for s in segments
        )
        or segments[-1].startswith(TEMPORARY_PREFIX)
    )
    if wrong:
        raise StoreError(
            f"{name!a} cannot be the name of an object. Use a relative name of ordinary characters, "
            "parts separated by “/”, none of them empty, “.” or “..”."
        )
    return name
