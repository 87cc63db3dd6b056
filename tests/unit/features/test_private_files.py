"""Files that nobody else can read, and of which nobody sees a half."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from features import private_files
from features.private_files import make_private_folder, open_private, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_missing_folders_are_private_and_those_that_are_there_are_left(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    there.chmod(0o755)
    make_private_folder(there / "a" / "b")
    assert [mode(p) for p in (there, there / "a", there / "a" / "b")] == [0o755, 0o700, 0o700]
    make_private_folder(there / "a" / "b")


def test_a_file_is_written_whole_with_its_time_and_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.toml"
    write_private(path, b"one")
    write_private(path, b"two", modified=1_000_000_000.0)
    assert (path.read_bytes(), mode(path), path.stat().st_mtime) == (b"two", 0o600, 1_000_000_000.0)
    assert list(path.parent.iterdir()) == [path]
    write_private(path, b"", modified=0.0)
    assert path.stat().st_mtime == 0.0


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.toml"
    write_private(path, b"one")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(private_files.os, "utime", full)
    with pytest.raises(OSError, match="no space"):
        write_private(path, b"two", modified=1.0)
    assert path.read_bytes() == b"one" and list(tmp_path.iterdir()) == [path]


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    write_private(path, b"one")
    assert path.read_bytes() == b"one"


def test_a_file_that_is_there_is_not_opened_anew(tmp_path: Path) -> None:
    with open_private(tmp_path / "x") as file:
        file.write(b"one")
    assert mode(tmp_path / "x") == 0o600
    with pytest.raises(FileExistsError):
        open_private(tmp_path / "x")
