"""What all formats share: their names, the input of their readers, and the mark of their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from features.councils import Council
from features.months import Month
from features.registry import Kind
from flows.extracts.mapping import HeaderMapping
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import Where


class Form(StrEnum):
    """How a council's figures are written down."""

    NATIVE = "native"
    """Our own extracts: `workforce.csv`, `caseload.xlsx` …"""
    DFE = "dfe"
    """DfE's published file of every council, landed as `return.csv`."""
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
    """What a reader needs besides the bytes."""

    filename: str
    kind: Kind
    council: Council
    month: Month
    key: bytes
    received: datetime
    limits: Limits
    mapping: HeaderMapping | None = None
    """For our own extracts: this council's names for our fields."""

    @property
    def where(self) -> Where:
        """The start of every sentence about the file."""
        return Where(f"{self.council.name} ({self.council.la_code})", self.month, self.filename)


def mark_of(content: Content) -> str:
    """SHA-256 of a file, or of a folder's names and the SHA-256 of each."""
    if isinstance(content, bytes):
        return sha256(content).hexdigest()
    lines = [f"{name} {sha256(part).hexdigest()}\n" for name, part in sorted(content.items())]
    return sha256("".join(lines).encode()).hexdigest()
