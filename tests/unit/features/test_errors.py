"""Exit codes mean what the runbook says: each kind of error has its own."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

import pytest

from features import errors
from flows.extracts.reading.table import NoRows
from flows.month import inputs  # noqa: F401  imports whatever reading a file can raise
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


def _kinds(of: type[errors.HoldfastError]) -> Iterator[type[errors.HoldfastError]]:
    yield of
    for kind in of.__subclasses__():
        yield from _kinds(kind)


def test_what_reading_raises_comes_back_from_another_process() -> None:
    kinds = [k for base in (errors.ExtractError, errors.StoreError) for k in _kinds(base)]
    assert NoRows in kinds
    for kind in kinds:
        back = pickle.loads(pickle.dumps(kind("A sentence.")))
        assert (type(back), str(back)) == (kind, "A sentence.")
    assert pickle.loads(pickle.dumps(NoRows("A sentence.", ["fte"]))).headers == ("fte",)
