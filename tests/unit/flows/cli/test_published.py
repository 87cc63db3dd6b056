"""The commands about published files, without a network: added by hand, listed, laid out."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import ReferenceDataError, SettingsError
from flows.cli.app import app
from tests.unit.flows.published.published import yearly

SETTINGS = """
[[reference.sources]]
name = "workforce"
holds = "workforce"

[[reference.sources]]
name = "lait"
holds = "lait"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "holdfast.toml").write_text(SETTINGS)
    (tmp_path / "csww.csv").write_bytes(yearly([2023, 2024]))
    monkeypatch.setenv("HOLDFAST_CONFIG", str(tmp_path / "holdfast.toml"))
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    return tmp_path


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_a_file_added_by_hand_is_checked_listed_and_laid_out(folder: Path) -> None:
    assert "workforce: nothing stored" in said("reference", "list")
    added = said("reference", "add", "workforce", str(folder / "csww.csv"))
    assert added == "workforce: stored. 150 councils, 2023, 2024.\n"
    assert "from csww.csv" in said("reference", "list")
    shown = said("reference", "export", str(folder / "out"))
    assert f"holdfast train --data {folder / 'out'} --store" in shown
    assert (folder / "out/workforce.csv").read_bytes() == (folder / "csww.csv").read_bytes()


def test_a_file_that_is_refused_ends_with_its_own_exit_code(folder: Path) -> None:
    (folder / "page.csv").write_text("<html>Sign in</html>")
    shown = said("reference", "add", "workforce", str(folder / "page.csv"), code=ReferenceDataError.exit_code)
    assert "is a web page, not a table" in shown
    assert "workforce: nothing stored" in said("reference", "list")


def test_a_file_that_is_not_there_is_a_sentence(folder: Path) -> None:
    result = CliRunner().invoke(app, ["reference", "add", "workforce", "gone.csv"])
    assert isinstance(result.exception, ReferenceDataError)
    assert "There is no file gone.csv" in str(result.exception)


def test_without_sources_the_refresh_says_what_to_configure(folder: Path) -> None:
    (folder / "holdfast.toml").write_text("")
    result = CliRunner().invoke(app, ["refresh"])
    assert isinstance(result.exception, SettingsError)
    assert "docs/reference-refresh.md" in str(result.exception)
