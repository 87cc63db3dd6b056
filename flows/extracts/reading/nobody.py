"""What people and systems write in place of a reference: that nobody is meant, or that it is not known who.

“Nobody” is an answer: the case has no worker. “Unknown” is none: somebody may hold the case. Every format asks here,
so that the same words mean the same in all of them.
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl

from flows.extracts.reading.headers import normalised

#: Other texts hold a digit, or are too long, and are not looked at one by one.
_MAY_BE = r"^(?:[^1-9]{1,40}|9{4,})$"

_NOBODY = re.compile(
    r"(?:case)?(?:un|not|notyet|notcurrently)(?:allocated|assigned)(?:case|worker)?"
    r"|(?:awaiting|pending|for|tobe)(?:re)?(?:allocat|assign)(?:ed|ion)|(?:allocation|assignment)pending"
    r"|no(?:allocated|named|assigned)?(?:social)?worker(?:allocated|assigned)?|none|nobody|noone|na|notapplicable|nil|null"
    r"|blank|empty|0*"
)
#: A place where cases wait. Among names it says that nobody holds the case; among references it may be a remark.
_WAITS = re.compile(
    r"tbc|tba|tbd|tobe(?:confirmed|advised|decided)|vacant|vacancy|vacantpost|pending"
    r"|duty(?:team|worker|socialworker|desk|tray|sw)?|.*teamduty|worktray|tray"
)
_UNSAID = re.compile(
    r"unknown|unk|unkn|notknown|(?:not|never|none|un)(?:recorded|entered|stated|given|provided|available|specified|set|found)"
    r"|missing|undefined|nan|nat|error|true|false|9{4,}|noid|nokey|noref(?:erence)?|donotuse|test|dummy|x{1,9}|see(?:note|notes|system|file)"
)
_ASKS = re.compile(r"[?\s]*\?[?\s]*")


@lru_cache(maxsize=4096)
def says_nobody(text: str, *, names: bool = False) -> bool:
    """Whether a text says that nobody is meant: “unallocated”, “n/a”, “-”, “0”; among `names` also “Duty”, “TBC”."""
    if text.startswith("#") or _ASKS.fullmatch(text):
        return False
    plain = normalised(text)
    return _NOBODY.fullmatch(plain) is not None or (names and _WAITS.fullmatch(plain) is not None)


@lru_cache(maxsize=4096)
def says_unknown(text: str, *, names: bool = False) -> bool:
    """Whether a text says that it is not known who is meant: “?”, “unknown”, “not recorded”."""
    plain = normalised(text)
    waits = not names and _WAITS.fullmatch(plain) is not None
    return waits or _ASKS.fullmatch(text) is not None or _UNSAID.fullmatch(plain) is not None


def nobody_and_unknown(references: pl.Series) -> tuple[list[str], list[str]]:
    """The texts of a column that say nobody, and those that say unknown."""
    texts = _looked_at(references)
    return list(filter(says_nobody, texts)), list(filter(says_unknown, texts))


def unknown_names(names: pl.Series) -> list[str]:
    """The texts of a column of names that say that it is not known who is meant."""
    return [t for t in _looked_at(names) if says_unknown(t, names=True)]


def _looked_at(texts: pl.Series) -> list[str]:
    return texts.filter(texts.str.contains(_MAY_BE).fill_null(False)).unique().sort().to_list()
