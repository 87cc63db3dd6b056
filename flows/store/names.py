"""The names that an object may have: those that work alike in a folder and in a bucket."""

from __future__ import annotations

import re

from features.errors import StoreError

#: Prefix of half-written local files. No object's name may start with it, and listings leave such files out.
TEMPORARY_PREFIX = ".holdfast-part-"

#: Ending of what is kept of a received file of any format: a table with only the contract's columns.
TABLE_ENDING = ".rows.parquet"

_LONGEST_NAME_BYTES = 900  # S3 allows 1,024 with the prefix
_LONGEST_SHOWN = 120
_LONGEST_SEGMENT_BYTES = 200  # common file systems allow 255
#: Characters that no name has, and segments that are empty, “.” or “..”.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]|(?:^|/)\.{0,2}(?:/|$)")


def printable_name(name: str) -> str:
    """A name made fit for a sentence: unprintable characters are replaced and long names shortened."""
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
    """Return the name unchanged. Raises StoreError if it is absolute, contains `..`, or could not be a file's name.

    Both stores use this one rule. So what works on a laptop works in a bucket, and no name from outside (a folder, or
    a file sent by a council) can reach beyond the store's root.
    """
    parts = name.encode("utf-8", "surrogatepass").split(b"/")
    wrong = (
        _UNUSABLE.search(name)
        or sum(map(len, parts)) + len(parts) - 1 > _LONGEST_NAME_BYTES
        or max(map(len, parts)) > _LONGEST_SEGMENT_BYTES
        or name.rpartition("/")[2].startswith(TEMPORARY_PREFIX)
    )
    if wrong:
        raise StoreError(
            f"{name!a} cannot be the name of an object. Use a relative name of ordinary characters, "
            "parts separated by “/”, none of them empty, “.” or “..”."
        )
    return name
