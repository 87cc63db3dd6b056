"""The month's files as a grid: a sign, words and a colour for every fate."""

from __future__ import annotations

import pytest

from expectations.fates import CouncilFiles, Fate, FileFate
from features.registry import Kind
from flows.alerts.file_grid import FileCell, file_grid
from tests.unit.flows.alerts.examples import MONTH


@pytest.mark.parametrize(
    ("fate", "late", "sign", "style"),
    [
        (Fate.ACCEPTED, False, "✓", ""),
        (Fate.QUERIES, True, "✓ late", "part"),
        (Fate.IN_PART, False, "◐", "part"),
        (Fate.UNREAD, False, "?", "part"),
        (Fate.QUARANTINED, True, "✗ late", "concern"),
        (Fate.MISSING, False, "–", "concern"),
    ],
)
def test_a_cell_shows_the_fate_of_its_file(fate: Fate, late: bool, sign: str, style: str) -> None:
    file = FileFate(Kind.CASELOAD, fate, late=late)
    kinds, rows = file_grid({"991": "Ashcombe"}, {"991": CouncilFiles("991", "Ashcombe", MONTH, (file,))})
    assert kinds == ["Caseload"]
    assert rows == [("Ashcombe", [FileCell(sign, file.state, style)])]


def test_what_a_council_need_not_send_is_an_empty_cell() -> None:
    files = {
        code: CouncilFiles(code, code, MONTH, (FileFate(kind, Fate.ACCEPTED),))
        for code, kind in (("991", Kind.WORKFORCE), ("992", Kind.CASELOAD))
    }
    kinds, rows = file_grid({"991": "A", "992": "B", "993": "C"}, files)
    assert kinds == ["Workforce", "Caseload"]
    assert [[cell.sign for cell in cells] for _, cells in rows] == [["✓", ""], ["", "✓"], ["", ""]]
