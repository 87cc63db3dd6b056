"""A council's saved mapping: it assigns the council's own headers and words to our fields and codes.

`mappings/<council>/<kind>.<month>.toml` in the landing store applies from that month on, until a later one does. It is
applied to the table as read, before anything else sees it. If it no longer fits, the file is refused, or the rest is
read and a note says what did not fit. Nothing is guessed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import polars as pl
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.councils import Council
from features.errors import HeaderMismatch, HoldfastError
from features.months import Month
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.personal.headers import named_column
from flows.extracts.reading.cells import read_cells
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import RawTable, says_total
from flows.extracts.reading.where import Where
from flows.store import ObjectInfo, Store

FOLDER = "mappings"
#: Fields that the file's folder also gives: a home-made list seldom has them.
FROM_THE_FOLDER = ("la_code", "reference_date")

_HEAD = """\
# How {council}'s own {kind} file is read from {month} on. Written by `holdfast map`; may be edited by hand.
# columns: our field = the file's header.  codes: the file's word = our code.  left_out: headers that are not read.
# by_folder: fields the file does not have and the folder it lies in says.

"""


@dataclass(frozen=True, slots=True)
class HeaderMapping:
    """A council's names for our fields and codes."""

    council: str
    kind: Kind
    since: Month
    columns: Mapping[str, str]
    """Our field -> the file's header."""
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our field -> the file's word -> our code."""
    left_out: tuple[str, ...] = ()
    """Known headers of the file that are not read."""
    by_folder: tuple[str, ...] = ()
    """Fields taken from the folder because the file has no such column."""
    name: str = ""
    """Where it is kept, for sentences."""
    digest: str = ""

    def to_toml(self) -> bytes:
        """The file's bytes; `read_mapping` reads them back equal."""
        content: dict[str, Any] = {
            "council": self.council,
            "kind": str(self.kind),
            "from": str(self.since),
            "by_folder": list(self.by_folder),
            "left_out": list(self.left_out),
            "columns": dict(self.columns),
            "codes": {f: dict(words) for f, words in self.codes.items() if words},
        }
        head = _HEAD.format(council=self.council, kind=self.kind, month=self.since)
        return (head + tomli_w.dumps(content)).encode()


class _File(BaseModel):
    """The mapping as written in its file."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    council: str = ""
    since: str = Field("2000-01", alias="from")
    by_folder: list[str] = []
    left_out: list[str] = []
    columns: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}


def mapping_name(council: Council, kind: Kind, since: Month) -> str:
    """`mappings/301/workforce.2026-10.toml`."""
    return f"{FOLDER}/{council.folder}/{kind}.{since}.toml"


def in_force(objects: Iterable[ObjectInfo], council: Council, kind: Kind, month: Month) -> ObjectInfo | None:
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
    kind = given.kind
    names = {f.name for f in EXTRACTS[kind].fields}
    if strangers := sorted({*given.columns, *given.codes, *given.by_folder} - names):
        raise wrong(f"the {kind} extract has no field {', '.join(strangers)}")
    headers = [normalised(h) for h in given.columns.values()]
    if len(set(headers)) < len(headers) or "" in headers:
        raise wrong("columns must give each field a header of its own")
    if set(given.by_folder) - set(FROM_THE_FOLDER):
        raise wrong(f"by_folder may name {' and '.join(FROM_THE_FOLDER)} and nothing else")
    for coded, words in given.codes.items():
        allowed = _codes_of(kind, coded)
        if set(words.values()) - set(allowed):
            raise wrong(f"codes.{coded} must give one of {', '.join(allowed) or 'nothing'} for each word")
    return HeaderMapping(
        council=given.council,
        kind=kind,
        since=since,
        columns=given.columns,
        codes=given.codes,
        left_out=tuple(given.left_out),
        by_folder=tuple(given.by_folder),
        name=name,
        digest=sha256(content).hexdigest()[:12],
    )


def _codes_of(kind: Kind, name: str) -> tuple[str, ...]:
    declared = EXTRACTS[kind].field(name)
    return ("0", "1") if declared.type is FieldType.FLAG else tuple(declared.codes)


def apply_mapping(table: RawTable, mapping: HeaderMapping, where: Where, council: Council) -> RawTable:
    """The table under our headers and codes.

    Raises HeaderMismatch, naming the header, if a needed one is gone or two now mean one field. Lost optional fields,
    words that the mapping does not know, and new headers become notes.
    """
    given = [normalised(h) for h in table.headers]
    known = meanings(mapping.kind)
    left_out = {normalised(h) for h in mapping.left_out}
    notes = [f"Read by the mapping {mapping.name} ({mapping.digest})."]
    taken: dict[int, str] = {}
    for name, header in mapping.columns.items():
        at = [i for i, h in enumerate(given) if h == normalised(header)]
        if len(at) > 1:
            raise HeaderMismatch(
                f"{where}: the mapping reads {name} from “{header}”, and the file has that header {len(at)} times. "
                "Give each column its own header."
            )
        if not at:
            note = _gone(table, mapping, name, header, where)
            if note:
                notes.append(note)
            continue
        taken[at[0]] = name
    for position, header in enumerate(given):
        means = known.get(header)
        if position in taken or header in left_out or means is None or means not in taken.values():
            continue
        mapped = next(table.headers[p] for p, n in taken.items() if n == means)
        raise HeaderMismatch(
            f"{where}: the mapping reads {means} from “{mapped}”, and “{table.headers[position]}” means it too. "
            "Say which one is meant: take one out of the file, or map it again with `holdfast map`."
        )
    headers = [taken.get(i, f"{h} (left out)" if given[i] in left_out else h) for i, h in enumerate(table.headers)]
    new = [i for i in range(len(given)) if i not in taken and given[i] and given[i] not in left_out | set(known)]
    if new:
        columns = ", ".join(named_column(table.headers[i], table.place(i)) for i in new)
        notes.append(f"Headers that the mapping does not know and that are not read: {columns}.")
    cells, said = _with_codes(table, mapping, taken)
    cells, headers = _with_folder(cells, headers, mapping, where, council)
    left = [h for h in headers if not h.endswith(" (left out)")]
    kept = [i for i, h in enumerate(headers) if h in left]
    moved = {old: new_at for new_at, old in enumerate(kept)}
    problems = table.problems.filter(pl.col("position").is_in(kept)).with_columns(
        pl.col("position").replace_strict(moved, default=0, return_dtype=pl.UInt32())
    )
    return replace(
        table,
        headers=tuple(headers[i] for i in kept),
        cells=cells.select(*(pl.col(str(old)).alias(str(new_at)) for old, new_at in moved.items()), "file_row"),
        problems=problems,
        places=tuple(table.place(old) for old in kept),
        notes=(*table.notes, *notes, *said),
    )


def _gone(table: RawTable, mapping: HeaderMapping, name: str, header: str, where: Where) -> str | None:
    """The note of a mapped header that is no longer there; raises HeaderMismatch if the field is needed."""
    known = meanings(mapping.kind)
    if any(known.get(normalised(h)) == name for h in table.headers):
        return f"The mapping's header “{header}” is gone; {name} was read from its documented name."
    if EXTRACTS[mapping.kind].field(name).required:
        raise HeaderMismatch(
            f"{where}: the mapping {mapping.name} reads {name} from “{header}”, and the file has no such header. "
            "Put the header back, or map the file again with `holdfast map`."
        )
    return f"The mapping no longer fits: {name} was read from “{header}”, and the file has no such header."


def _with_codes(table: RawTable, mapping: HeaderMapping, taken: Mapping[int, str]) -> tuple[pl.DataFrame, list[str]]:
    """The cells with the council's words replaced by codes, and where there are unmapped words."""
    known = meanings(mapping.kind)
    position_of = {known[normalised(h)]: i for i, h in enumerate(table.headers) if normalised(h) in known}
    position_of |= {name: i for i, name in taken.items()}
    cells, notes = table.cells, []
    for name, words in mapping.codes.items():
        if name not in position_of:
            continue
        column = str(position_of[name])
        by_word = {normalised(word): code for word, code in words.items()}
        distinct = [t for t in cells[column].unique().to_list() if t is not None]
        found = {t: by_word[normalised(t)] for t in distinct if normalised(t) in by_word}
        declared = EXTRACTS[mapping.kind].field(name)
        rest = pl.Series("rest", [t for t in distinct if t not in found], dtype=pl.String())
        problems = read_cells(rest, declared).problems
        strange = rest.filter(problems.is_not_null()) if problems is not None else rest.clear()
        if strange.len():
            rows = cells[column].is_in(strange.implode()).sum()
            notes.append(
                f"The mapping no longer fits: “{table.headers[int(column)]}” has {strange.len()} words for {name} in "
                f"{rows:,} rows that the mapping does not know. Add them to codes.{name} of {mapping.name}, or map the "
                "file again with `holdfast map`."
            )
        cells = cells.with_columns(pl.col(column).replace(found).alias(column))
    return cells, notes


def _with_folder(
    cells: pl.DataFrame, headers: list[str], mapping: HeaderMapping, where: Where, council: Council
) -> tuple[pl.DataFrame, list[str]]:
    """Adds columns for what the folder says, unless the file also says it."""
    values = {"la_code": council.la_code, "reference_date": str(where.month.last_day)}
    known = meanings(mapping.kind)
    there = {known.get(normalised(h)) for h in headers}
    # A row of totals is not the council's, but would look like it if it had the folder's code.
    total = says_total(pl.coalesce(pl.exclude("file_row")))
    for name in mapping.by_folder:
        if name not in there:
            cells = cells.with_columns(pl.when(~total).then(pl.lit(values[name])).alias(str(len(headers))))
            headers = [*headers, name]
    return cells, headers
