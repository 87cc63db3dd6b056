from __future__ import annotations

from pathlib import Path

import pytest

from features.comparing.context import CONTEXT
from features.frames import FEATURES_SCHEMA
from features.registry import ALL_MEASURES, COUNTS, EXTRACTS, Missing
from flows.papers.dictionary import FEATURE_MEANINGS, dictionary, main

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "data-dictionary.md"


def test_the_document_in_the_repository_is_up_to_date() -> None:
    assert main(["--check", str(DOCUMENT)]) == 0


def test_a_stale_document_is_named_with_the_command_that_renews_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "data-dictionary.md"
    assert main(["--check", str(stale)]) == 1
    stale.write_text(dictionary().replace("Agency rate", "Agency ratio"), encoding="utf-8")
    assert main(["--check", str(stale)]) == 1
    assert "is stale. Run: python -m flows.papers.dictionary >" in capsys.readouterr().err


def test_everything_declared_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert text == dictionary()
    names = [f.name for e in EXTRACTS.values() for f in e.fields]
    names += [c.name for c in COUNTS] + [m.name for m in ALL_MEASURES] + list(FEATURES_SCHEMA) + list(CONTEXT)
    assert [n for n in names if f"| `{n}` |" not in text] == []
    assert [str(r) for r in Missing if f"| {r} |" not in text] == []
    assert set(FEATURE_MEANINGS) == set(FEATURES_SCHEMA)


def test_every_row_of_a_table_has_as_many_cells_as_its_header() -> None:
    width = 0
    for line in dictionary().splitlines():
        cells = line.replace("\\|", "").count("|")
        if not cells:
            width = 0
        elif width:
            assert cells == width, line
        else:
            width = cells
