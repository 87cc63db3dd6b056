"""Exit codes mean what the runbook says: each kind of error has its own."""

from __future__ import annotations

import re

import pytest

from features import errors
from tests.conftest import REPOSITORY

SAID = {
    errors.HoldfastError: 10,
    errors.SettingsError: 11,
    errors.ExtractError: 12,
    errors.UnreadableExtract: 12,
    errors.ReferenceDataError: 13,
    errors.ModelError: 14,
    errors.StoreError: 15,
    errors.MailError: 16,
    errors.CheckFailed: 20,
}


@pytest.mark.parametrize("error", SAID, ids=lambda e: e.__name__)
def test_a_kind_of_error_has_its_exit_code(error: type[errors.HoldfastError]) -> None:
    assert error.exit_code == SAID[error]


def test_the_runbook_lists_every_exit_code_of_the_code() -> None:
    page = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    listed = page.partition("Exit codes: ")[2].partition(" The message printed")[0]
    code = [
        p.read_text()
        for room in ("features", "expectations", "models", "flows")
        for p in (REPOSITORY / room).rglob("*.py")
    ]
    given = {int(n) for text in code for n in re.findall(r"^    exit_code = (\d+)", text, re.MULTILINE)}
    assert {int(n) for n in re.findall(r"(?:^|[;\n] ?)(\d+) ", listed)} == {0} | given
