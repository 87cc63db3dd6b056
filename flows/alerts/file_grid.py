"""The month's files as a grid of councils and extracts, which shows the fate of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.fates import CouncilFiles, Fate, FileFate
from features.registry import Kind

#: The sign that a cell shows, and its words.
_FILE_SIGNS = {
    Fate.ACCEPTED: "✓",
    Fate.QUERIES: "✓",
    Fate.IN_PART: "◐",
    Fate.QUARANTINED: "✗",
    Fate.REFUSED: "✗",
    Fate.PERSONAL: "✗",
    Fate.MISSING: "–",
    Fate.UNREAD: "?",
}


@dataclass(frozen=True, slots=True)
class FileCell:
    sign: str
    words: str
    style: str


def file_grid(
    names: Mapping[str, str], files: Mapping[str, CouncilFiles]
) -> tuple[list[str], list[tuple[str, list[FileCell]]]]:
    """The grid of councils and extracts: the fate of every file, in the words of its `FileFate`."""
    kinds = [k for k in Kind if any(f.kind is k for one in files.values() for f in one.files)]
    rows = []
    for code, name in names.items():
        by_kind = {f.kind: f for f in files[code].files} if code in files else {}
        rows.append((name, [_cell(by_kind.get(kind)) for kind in kinds]))
    return [k.value.capitalize() for k in kinds], rows


def _cell(file: FileFate | None) -> FileCell:
    if file is None:
        return FileCell("", "not expected", "")
    sign = _FILE_SIGNS[file.fate]
    style = "concern" if sign in "✗–" else "part" if sign in "◐?" or file.late else ""
    return FileCell(f"{sign}{' late' if file.late else ''}", file.state, style)
