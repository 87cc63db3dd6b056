"""Finds which column of a file is which field, by the registry's names and synonyms and never by a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from features.errors import HeaderMismatch
from features.registry import EXTRACTS, Extract, Kind
from flows.extracts.personal.headers import named_column
from flows.extracts.reading.where import Where

_FEWEST_KNOWN = 2  # with fewer known headers, row 1 may be data and is not quoted


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """The columns of a file by field name."""

    positions: Mapping[str, int]
    headers: Mapping[str, str]
    """Field name -> the header the file gives it."""
    absent: tuple[str, ...]
    """Optional fields the file does not have."""
    unknown: tuple[int, ...]
    """Columns that match no field; they are not read."""


@lru_cache(maxsize=4096)
def normalised(header: str) -> str:
    """A header without case, spaces and punctuation, so that “Role Start-Date” is `rolestartdate`."""
    plain = header.lower() if header.isascii() else unicodedata.normalize("NFKC", header).casefold()
    return "".join(filter(str.isalnum, plain))


def undated(name: str) -> str:
    """A file's or sheet's name without the numbers and months that change each time."""
    months = r"jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*"
    dated = rf"[0-9]+(?:st|nd|rd|th)?|(?<![a-z])(?:{months})(?![a-z])|[\W_]+"
    return re.sub(dated, " ", name.casefold()).strip()


@cache
def meanings(kind: Kind) -> dict[str, str]:
    """Normalised header -> the field it means, by name or documented synonym."""
    return {normalised(h): f.name for f in EXTRACTS[kind].fields for h in (f.name, *f.synonyms)}


def match_headers(
    headers: Sequence[str], *, kind: Kind, where: Where, may_lack: Collection[str] = (), places: Sequence[int] = ()
) -> HeaderMatch:
    """Each field's column; the required fields in `may_lack` may be absent too.

    `places`: the positions of these columns in the file, if some were left out, for sentences.

    Raises HeaderMismatch if a required column is missing, a header occurs twice, or two headers mean the same field:
    only the council can say which one is meant.
    """
    extract, known = EXTRACTS[kind], meanings(kind)
    given = [normalised(h) for h in headers]
    at = places or range(len(given))
    claims: dict[str, list[int]] = {}
    for position, name in enumerate(given):
        if name in known:
            claims.setdefault(known[name], []).append(position)
    _refuse_missing(extract, claims, given, where, may_lack)
    for field, positions in claims.items():
        if len(positions) > 1:
            names = " and ".join(named_column(headers[p], at[p]) for p in positions)
            raise HeaderMismatch(
                f"{where}: {names} both mean {field}. Keep the one that is meant and send the file again."
            )
    twice = [p for p, name in enumerate(given) if name and name in given[:p]]
    if twice:
        raise HeaderMismatch(
            f"{where}: the header of {named_column(headers[twice[0]], at[twice[0]])} stands twice. "
            "Give each column its own header."
        )
    return HeaderMatch(
        positions={f: p[0] for f, p in claims.items()},
        headers={f: headers[p[0]] for f, p in claims.items()},
        absent=tuple(f.name for f in extract.fields if f.name not in claims),
        unknown=tuple(p for p, name in enumerate(given) if name not in known),
    )


def _refuse_missing(
    extract: Extract, claims: Mapping[str, object], given: Sequence[str], where: Where, may_lack: Collection[str]
) -> None:
    required = [f.name for f in extract.fields if f.required and f.name not in may_lack]
    missing = [name for name in required if name not in claims]
    if not missing:
        return
    if len(claims) < _FEWEST_KNOWN and any(sum(normalised(n) in h for n in required) > _FEWEST_KNOWN for h in given):
        raise HeaderMismatch(
            f"{where}: the names of the columns stand in one cell, so the columns are separated by something else than "
            "a comma, semicolon or tab. Export the file as “CSV UTF-8” and send it again."
        )
    if len(claims) < _FEWEST_KNOWN:
        raise HeaderMismatch(
            f"{where}: row 1 is not the header of a {extract.kind} extract. Row 1 must name the columns: "
            f"{', '.join(required)}."
        )
    raise HeaderMismatch(
        f"{where}: the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} "
        f"{'are' if len(missing) > 1 else 'is'} missing. Add {'them' if len(missing) > 1 else 'it'}, "
        "or use a documented name for the header."
    )
