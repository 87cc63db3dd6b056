"""A file that is refused before it has said whose it is, is named without a council or month made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import PersonalDataRefused
from features.registry import Kind
from flows.extracts.check_files import check_files
from tests.unit.flows.extracts.conftest import example_csv


def test_the_sentence_names_the_file_and_no_month(tmp_path: Path) -> None:
    header, row, *_ = example_csv(Kind.WORKFORCE).splitlines()
    file = tmp_path / "workforce.csv"
    file.write_text(f"{header},surname\n{row},Example\n", encoding="utf-8")
    with pytest.raises(PersonalDataRefused, match="^workforce.csv: the file carries personal data") as refused:
        check_files([file])
    assert "Example" not in str(refused.value)
    assert "2000" not in str(refused.value)
