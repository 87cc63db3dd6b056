"""A folder to begin in: a key of its own that nobody else can read, a register to fill, and nothing written over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.councils import read_register
from features.errors import SettingsError
from flows.cli.app import app
from flows.settings.settings import Settings


def test_the_settings_hold_a_key_of_their_own_that_nobody_else_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for name in ("one", "two"):
        done = CliRunner().invoke(app, ["init", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        monkeypatch.chdir(tmp_path / name)
        key = Settings.load().pseudonym_key
        assert key is not None
        keys.append(key.get_secret_value())
        assert keys[-1] not in done.output
        assert stat.S_IMODE(Path("holdfast.toml").stat().st_mode) == 0o600
        assert stat.S_IMODE(Path("landing").stat().st_mode) == 0o700
    assert len(set(keys)) == 2
    assert all(len(k) == 64 for k in keys)


def test_there_is_a_register_to_fill_and_every_extract_empty_and_filled(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["init", str(tmp_path / "new")])
    text = (tmp_path / "new/landing/register.csv").read_text()
    assert text.startswith("la_code,name,")
    assert read_register(text, "register.csv").councils == ()
    assert {p.name for p in (tmp_path / "new/examples").iterdir()} == {
        f"{kind}{end}.xlsx" for kind in ("workforce", "establishment", "caseload", "return") for end in ("", "-example")
    }


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert isinstance(done.exception, SettingsError)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
