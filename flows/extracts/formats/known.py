"""The forms in which a council's figures come: our own extracts, or what its systems make for DfE and Ofsted.

A form says how a landed object is recognised, which extracts it gives, and who reads it. A reader turns
the bytes into a `RawTable` under our own column names (`ingest_table` does the rest: dates, codes,
pseudonyms, council and month), so that a figure is read in one way whatever form it came in.

The sector's own formats carry birth dates and ethnicity by design. What they carry beyond the
contract is dropped by the reader, and their bytes are never kept in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from typing import cast

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.ssd.tables import PROFESSIONALS, TABLES, table_name
from flows.extracts.ingest import IngestedExtract, ingest_file
from flows.extracts.mapping import HeaderMapping
from flows.extracts.reading.table import Limits


class Form(StrEnum):
    """How a council's figures are written down."""

    NATIVE = "native"
    """Our own extracts: `workforce.csv`, `caseload.xlsx` …"""
    CSWW = "csww"
    """The children's social work workforce return, `csww.xml`."""
    ANNEX_A = "annex_a"
    """Ofsted's child-level data request, `annex_a.xlsx`."""
    SSD = "ssd"
    """A folder `ssd/` of Standard Safeguarding Dataset tables, `ssd_cin_episodes.csv` …"""


#: The bytes of one landed file, or of each table of a folder by its file name.
Content = bytes | Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader needs to know beside the bytes."""

    filename: str
    kind: Kind
    council: Council
    month: Month
    key: bytes
    received: datetime
    limits: Limits
    mapping: HeaderMapping | None = None
    """Of our own extracts: what this council calls our fields."""


Reader = Callable[[Content, Asked], IngestedExtract]


@dataclass(frozen=True, slots=True)
class Recognition:
    """One form's names in the landing store and the module that reads it.

    The module has `read(content, asked)` and `said(content)`: council's code and month, as far as it says them.
    """

    form: Form
    stem: str
    endings: tuple[str, ...]
    kinds: tuple[Kind, ...]
    reader: str
    folder: bool = False
    tables: tuple[str, ...] = ()
    """Of a folder: the tables that are read. Files of others are not opened."""
    lesser: tuple[Kind, ...] = ()
    """Kinds given in part only: for councils that do not owe that extract, and never instead of another file of it."""
    second: tuple[Kind, ...] = ()
    """Kinds that give way to the council's own extract whenever that came, because it holds more."""


RECOGNITIONS: tuple[Recognition, ...] = (
    Recognition(
        Form.CSWW,
        "csww",
        ("xml",),
        (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN),
        "flows.extracts.formats.csww.reader",
        second=(Kind.WORKFORCE, Kind.ESTABLISHMENT),
    ),
    Recognition(Form.ANNEX_A, "annex_a", ("xlsx",), (Kind.CASELOAD,), "flows.extracts.formats.annex_a.reader"),
    Recognition(
        Form.SSD,
        "ssd",
        ("csv", "parquet"),
        (Kind.CASELOAD, Kind.WORKFORCE),
        "flows.extracts.formats.ssd.reader",
        folder=True,
        tables=tuple(t.name for t in TABLES),
        lesser=(Kind.WORKFORCE,),
    ),
)

BY_FORM = {r.form: r for r in RECOGNITIONS}


def recognise_sector_file(stem: str, ending: str) -> Recognition | None:
    """The sector's form a file's name stands for: `csww` and `xml`, without regard to case."""
    name = stem.strip().lower().replace("-", "_").replace(" ", "_")
    for known in RECOGNITIONS:
        if not known.folder and name == known.stem and ending in known.endings:
            return known
    return None


def needed_parts(known: Recognition, names: Iterable[str]) -> tuple[str, ...]:
    """Of a folder's files those that are read; all of them if none is, so that the reader can say what is missing."""
    given = sorted(names)
    return tuple(n for n in given if table_name(n) in known.tables) or tuple(given)


def kinds_of(form: Form, names: Iterable[str]) -> tuple[Kind, ...]:
    """The extracts that a file, or a folder of these files, gives."""
    known = BY_FORM[form]
    there = {table_name(n) for n in names}
    return tuple(k for k in known.kinds if k not in known.lesser or PROFESSIONALS in there)


def mark_of(content: Content) -> str:
    """SHA-256 of a file, or of a folder's names and the SHA-256 of each."""
    if isinstance(content, bytes):
        return sha256(content).hexdigest()
    lines = [f"{name} {sha256(part).hexdigest()}\n" for name, part in sorted(content.items())]
    return sha256("".join(lines).encode()).hexdigest()


def keeps_bytes(form: Form) -> bool:
    """Only our own extracts are kept as received: they carry no personal data, or they are refused."""
    return form is Form.NATIVE


def read_form(form: Form, content: Content, asked: Asked) -> IngestedExtract:
    """Read one extract out of a landed file or folder. Raises an ExtractError as `ingest_file` does."""
    if form is Form.NATIVE:
        return ingest_file(
            cast(bytes, content),
            filename=asked.filename,
            kind=asked.kind,
            council=asked.council,
            month=asked.month,
            key=asked.key,
            received=asked.received,
            limits=asked.limits,
            mapping=asked.mapping,
        )
    reader = cast(Reader, import_module(BY_FORM[form].reader).read)
    return reader(content, asked)


def said_by(form: Form, content: Content) -> tuple[str | None, Month | None]:
    """The council's code and the month that a file of the sector names itself, each None if it does not."""
    return cast(Callable[[Content], tuple[str | None, Month | None]], import_module(BY_FORM[form].reader).said)(content)
