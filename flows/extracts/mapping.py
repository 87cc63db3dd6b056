"""A council's saved mapping: it assigns the council's own headers and words to our fields and codes.

`mappings/<council>/<kind>.<month>.toml` in the landing store applies from that month on, until a later one does. A
mapping is also what `holdfast map --answers` takes, whole or in part. `formats/own` reads files by it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.councils import Council
from features.errors import HeaderMismatch, HoldfastError
from features.months import Month
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.reading.declared_dates import FORMATS, at_odds
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.where import Where
from flows.store import ObjectInfo, Store

FOLDER = "mappings"
#: Fields that the file's folder also gives: a home-made list seldom has them.
FROM_THE_FOLDER = ("la_code", "reference_date")

#: `Contracted Hours / 37`: the header of a column of numbers, and what its cells are divided by.
_DIVIDED = re.compile(r"(.*\S)\s*/\s*([0-9]+(?:\.[0-9]+)?)")

#: In `codes`: the word that stands for a blank cell, and for any word that is not named.
BLANK, ANY_OTHER = "", "*"
#: In `codes`: the code of a word that is left unread.
UNREAD = ""

_HEAD = """\
# How {council}'s own {kind} file is read from {month} on. Written by `holdfast map`; may be edited by hand.
# docs/formats.md explains each line.

"""


@dataclass(frozen=True, slots=True)
class HeaderMapping:
    """A council's names for our fields and codes in one table, and in `more` the tables that are read with it."""

    council: str
    kind: Kind
    since: Month
    columns: Mapping[str, str]
    """Our field -> the file's header."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our field -> the file's word -> our code; those of the first table also hold for fields of the others."""
    left_out: tuple[str, ...] = ()
    """Known headers of the file that are not read."""
    by_folder: tuple[str, ...] = ()
    """Fields taken from the folder because the file has no such column."""
    name: str = ""
    """Where it is kept, for sentences."""
    digest: str = ""
    computed: Mapping[str, str] = field(default_factory=dict)
    """Our field -> `Contracted Hours / 37`."""
    dates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Our field -> the formats of its dates, `dd-Mon-yy` for example; any other format is then a problem."""
    always: Mapping[str, str] = field(default_factory=dict)
    """Our field -> the code that every row of the table has."""
    totals: tuple[str, ...] | None = None
    """Words that stand for the key in rows of totals; None if nobody was asked."""
    in_post_only: bool | None = None
    """Whether rows that ended before the month, or begin after it, are left out; None if nobody was asked."""
    lacks: tuple[str, ...] = ()
    """Needed fields that no table has; what needs them is withheld."""
    file: str = ""
    """The name the table's file had when it was mapped, if several files are read together."""
    sheet: str = ""
    header_rows: int = 1
    more: tuple[HeaderMapping, ...] = ()

    @property
    def tables(self) -> tuple[HeaderMapping, ...]:
        return (self, *self.more)

    def headers(self) -> dict[str, str]:
        """Field -> the header it is read from, computed ones too."""
        return {**self.columns, **{name: divisor_of(rule)[0] for name, rule in self.computed.items()}}

    def to_toml(self) -> bytes:
        """The file's bytes; `read_mapping` reads them back equal."""
        content: dict[str, Any] = {"council": self.council, "kind": str(self.kind), "from": str(self.since)}
        content |= {"by_folder": list(self.by_folder), "lacks": list(self.lacks), **self._table()}
        own = [{f: words for f, words in one.codes.items() if words != self.codes.get(f)} for one in self.more]
        content |= {"more": [replace(one, codes=o)._table() for one, o in zip(self.more, own, strict=True)]}
        head = _HEAD.format(council=self.council, kind=self.kind, month=self.since)
        said = {key: value for key, value in content.items() if value not in ([], {}) or key == "totals"}
        return (head + tomli_w.dumps(said)).encode()

    def _table(self) -> dict[str, Any]:
        """What is said of one table, without what says nothing."""
        said: dict[str, Any] = {"file": self.file, "sheet": self.sheet}
        said |= {"header_rows": self.header_rows if self.header_rows > 1 else None}
        said |= {
            "left_out": list(self.left_out),
            "columns": dict(self.columns),
            "computed": dict(self.computed),
            "always": dict(self.always),
        }
        said |= {"codes": {f: dict(words) for f, words in self.codes.items() if words}}
        said |= {"dates": {name: list(formats) for name, formats in self.dates.items()}}
        asked = {"in_post_only": self.in_post_only, "totals": None if self.totals is None else list(self.totals)}
        known = {key: value for key, value in asked.items() if value is not None}
        return known | {key: value for key, value in said.items() if value}


class _Table(BaseModel):
    """One table as written in a mapping's file."""

    model_config = ConfigDict(extra="forbid")

    file: str = ""
    sheet: str = ""
    header_rows: Literal[1, 2] = 1
    in_post_only: bool | None = None
    totals: list[str] | None = None
    left_out: list[str] = []
    columns: dict[str, str] = {}
    computed: dict[str, str] = {}
    always: dict[str, str] = {}
    dates: dict[str, list[str]] = {}
    codes: dict[str, dict[str, str]] = {}


class _File(_Table):
    """A mapping as written in its file."""

    kind: Kind
    council: str = ""
    since: str = Field("2000-01", alias="from")
    by_folder: list[str] = []
    lacks: list[str] = []
    more: list[_Table] = []


def divisor_of(rule: str) -> tuple[str, float]:
    """The header and the divisor of a rule like `Contracted Hours / 37`; the divisor is 0 if it is no such rule."""
    found = _DIVIDED.fullmatch(rule.strip())
    return (found[1], float(found[2])) if found else (rule, 0.0)


def mapping_name(council: Council, kind: Kind, since: Month) -> str:
    """`mappings/301/workforce.2026-10.toml`."""
    return f"{FOLDER}/{council.folder}/{kind}.{since}.toml"


def mapping_in_force(objects: Iterable[ObjectInfo], council: Council, kind: Kind, month: Month) -> ObjectInfo | None:
    """The object below `mappings/` that applies to this council, extract and month."""
    start = f"{FOLDER}/{council.folder}/{kind}."
    known = [o for o in objects if o.name.startswith(start) and o.name.endswith(".toml")]
    dated = [o for o in known if o.name[len(start) : -len(".toml")] <= str(month)]
    return max(dated, key=lambda o: o.name, default=None)


def load_mapping(landing: Store, name: str, where: Where) -> HeaderMapping:
    """The saved mapping of that name; raises HeaderMismatch if it is not a mapping, so that only this file is
    refused."""
    return read_mapping(landing.read(name), name, where)


def read_mapping(content: bytes, name: str, where: Where | None = None) -> HeaderMapping:
    """Read a mapping from TOML. Raises HeaderMismatch that names the file and what is wrong in it."""
    start = f"{where}: the mapping {name}" if where else f"The mapping {name}"

    def wrong(what: str) -> HeaderMismatch:
        return HeaderMismatch(f"{start} cannot be used: {what}. Correct it, or make it anew with `holdfast map`.")

    try:
        given = _File.model_validate(tomllib.loads(content.decode("utf-8-sig")))
        since = Month.parse(given.since)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise wrong(f"it is no valid TOML ({type(error).__name__})") from None
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise wrong("; ".join(faults)) from None
    except HoldfastError as error:
        raise wrong(f"from: {error}") from None
    fault = next(_faults(given), None)
    if fault:
        raise wrong(fault)
    shared: dict[str, Any] = {
        "council": given.council,
        "kind": given.kind,
        "since": since,
        "by_folder": tuple(given.by_folder),
        "name": name,
        "digest": sha256(content).hexdigest()[:12],
    }
    more = tuple(HeaderMapping(**shared, **_as_read(one)) for one in given.more)
    more = tuple(replace(one, codes={**given.codes, **one.codes}) for one in more)
    return HeaderMapping(**shared, **_as_read(given), lacks=tuple(given.lacks), more=more)


def _as_read(table: _Table) -> dict[str, Any]:
    said = {key: getattr(table, key) for key in _Table.model_fields}
    said |= {key: tuple(said[key]) for key in ("totals", "left_out") if said[key] is not None}
    return said | {"dates": {name: tuple(formats) for name, formats in table.dates.items()}}


def _faults(given: _File) -> Iterator[str]:
    """What is wrong in a mapping that has the right shape."""
    kind, tables = given.kind, (given, *given.more)
    fields = {f.name: f for f in EXTRACTS[kind].fields}
    named = {*given.by_folder, *given.lacks}
    named |= {name for t in tables for part in (t.columns, t.computed, t.always, t.dates, t.codes) for name in part}
    if strangers := sorted(named - set(fields)):
        yield f"the {kind} extract has no field {', '.join(strangers)}"
        return
    if set(given.by_folder) - set(FROM_THE_FOLDER):
        yield f"by_folder may name {' and '.join(FROM_THE_FOLDER)} and nothing else"
    if never := {*FROM_THE_FOLDER, *EXTRACTS[kind].key} & set(given.lacks):
        yield f"lacks may not name {', '.join(sorted(never))}"
    for table in tables:
        yield from _faults_of_table(kind, table)


def _faults_of_table(kind: Kind, table: _Table) -> Iterator[str]:
    headers = [normalised(h) for name, h in table.columns.items() if not _codes_of(kind, name)]
    if len(set(headers)) < len(headers) or "" in map(normalised, table.columns.values()):
        yield "columns must give each field a header of its own"
    for coded, words in table.codes.items():
        allowed = _codes_of(kind, coded)
        if set(words.values()) - {*allowed, UNREAD} or not allowed:
            yield f"codes.{coded} must give one of {', '.join(allowed) or 'nothing'} for each word"
    for name, rule in table.computed.items():
        if EXTRACTS[kind].field(name).type not in (FieldType.DECIMAL, FieldType.INTEGER) or divisor_of(rule)[1] <= 0:
            yield f"computed.{name} must be a field of numbers and read like “Contracted Hours / 37”"
    for name, code in table.always.items():
        if code not in _codes_of(kind, name):
            yield f"always.{name} must be one of {', '.join(_codes_of(kind, name)) or 'nothing'}"
    for name, formats in table.dates.items():
        is_date = EXTRACTS[kind].field(name).type is FieldType.DATE
        if not is_date or not formats or set(formats) - set(FORMATS):
            yield f"dates.{name} must be a date's field and name some of {', '.join(FORMATS)}"
        elif clash := at_odds(formats):
            yield f"dates.{name}: {' and '.join(clash)} cannot be told apart; keep one"
    several = [n for n in {*table.columns, *table.computed, *table.always}
               if sum(n in part for part in (table.columns, table.computed, table.always)) > 1]  # fmt: skip
    if several:
        yield f"{', '.join(sorted(several))} stands in two of columns, computed and always"


def _codes_of(kind: Kind, name: str) -> tuple[str, ...]:
    declared = EXTRACTS[kind].field(name)
    return ("0", "1") if declared.type is FieldType.FLAG else tuple(declared.codes)
