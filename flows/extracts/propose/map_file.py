"""The steps of `holdfast map` for a file: look at it, say what is proposed, try out the mapping. Text in, text out."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from features.councils import Council
from features.errors import UnreadableExtract
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Asked
from flows.extracts.formats.own.reader import read
from flows.extracts.mapping import HeaderMapping
from flows.extracts.personal.headers import is_plain_label
from flows.extracts.personal.refuse import refuse_personal_data
from flows.extracts.propose.proposal import Proposal, propose
from flows.extracts.reading.headers import meanings, normalised
from flows.extracts.reading.table import Limits, RawTable
from flows.extracts.reading.tables import read_table
from flows.extracts.reading.where import Where

#: For trying out only; no hash made with it is kept.
_DESK_KEY = sha256(b"holdfast map").digest()


def look_at(path: Path, kind: Kind, council: Council, month: Month) -> tuple[RawTable, Proposal]:
    """Read the file and propose a mapping. Raises an ExtractError, for columns of personal data too, as ingest does."""
    try:
        content = path.read_bytes()
    except OSError:
        raise UnreadableExtract(f"There is no file {path}, or it may not be read.") from None
    where = Where(f"{council.name} ({council.la_code})", month, path.name)
    table = read_table(content, kind=kind, where=where)
    proposal = propose(table, kind)
    near = {
        normalised(header) for p in proposal.fields for header in (p.sure, *(c.header for c in p.candidates)) if header
    }
    refuse_personal_data(content, table, contract=meanings(kind), read=near, where=where)
    return table, proposal


def proposal_in_words(proposal: Proposal) -> str:
    """A line per field: the column that it certainly is, columns that it may be, or that there is none."""
    width = max(len(p.field.name) for p in proposal.fields)
    lines = []
    for one in proposal.fields:
        name = one.field.name.ljust(width)
        if one.sure is not None:
            evidence = next((c.evidence for c in one.candidates if c.header == one.sure), "a documented name")
            lines.append(f"  {name}  = “{one.sure}”  ({evidence})")
        elif one.candidates:
            lines.append(f"  {name}  ? {' or '.join(f'“{c.header}”' for c in one.candidates)}")
        else:
            lines.append(f"  {name}  - nothing in the file{'' if not one.field.required else ', and it is needed'}")
    if proposal.unread:
        plain = [f"“{h}”" for h in proposal.unread if is_plain_label(h)]
        others = len(proposal.unread) - len(plain)
        named = [*plain, *([f"{others} whose headers are no plain labels"] if others else [])]
        lines.append(f"Columns that come near no field: {', '.join(named)}.")
    return "\n".join(lines)


def read_with(path: Path, mapping: HeaderMapping, council: Council, month: Month) -> str:
    """Read the file with the mapping, as a run would, and say how that went. Raises an ExtractError."""
    received = datetime(month.year, month.number, 1, tzinfo=UTC)
    asked = Asked(path.name, mapping.kind, council, month, _DESK_KEY, received, Limits(), mapping)
    extract = read(path.read_bytes(), asked)
    unread = extract.problems.height
    cells = "every cell could be read" if not unread else f"{unread:,} cells could not be read"
    absent = f" It has no {', '.join(extract.absent_columns)}." if extract.absent_columns else ""
    return f"Tried out: {extract.frame.height:,} rows, {cells}.{absent} `holdfast check` says the rest."
