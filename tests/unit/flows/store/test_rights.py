"""Whatever Holdfast writes is for nobody but its owner, whatever the umask of the process."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.months import Month
from features.private_files import write_private
from flows.sample_region import sample_extracts
from flows.store import LocalStore
from models.registry.versions import FolderObjects

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights are of other systems")


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _lax(root: Path) -> list[str]:
    """What below a folder others than its owner may do anything with."""
    return [str(p.relative_to(root)) for p in root.rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o077]


def test_a_store_and_what_lies_in_it(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "deep" / "store")
    store.create("received/2026-10/370/workforce-0c1f.rows.parquet", b"x")
    store.replace("months/2026-10/1/manifest.json", b"{}")
    store.replace("months/2026-10/1/manifest.json", b"{ }")
    assert _lax(tmp_path) == []


def test_single_files(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    write_private(there / "report.html", b"x")
    write_private(tmp_path / "new" / "folder" / "report.html", b"x", modified=1.0)
    assert _lax(tmp_path) == ["there"], "a folder that was there keeps its rights"
    assert (tmp_path / "new/folder/report.html").stat().st_mtime == 1.0
    assert not list(tmp_path.rglob("*.part"))


def test_made_up_extracts_and_models_in_a_folder(tmp_path: Path) -> None:
    sample_extracts(tmp_path / "region", 2, 1, 5, Month(2026, 10))
    FolderObjects(tmp_path / "models").replace("models/a/1/provenance.json", b"{}")
    assert _lax(tmp_path) == []


def test_no_module_that_writes_files_goes_past_it() -> None:
    """Files are written by `write_private` or a store; the generated documents of the repository are for everybody."""
    rooms = Path(__file__).parents[4]
    writes = [
        path.relative_to(rooms).as_posix()
        for room in ("flows", "features", "models", "expectations")
        for path in sorted((rooms / room).rglob("*.py"))
        if any(word in path.read_text(encoding="utf-8") for word in ("write_text(", "write_bytes(", "mkdir("))
    ]
    assert set(writes) == {
        "features/private_files.py",
        "flows/cli/init.py",  # below folders that it makes with 0700
        "flows/cli/server.py",  # prefect.yaml, which holds no secret
        "flows/orchestration/embedded.py",  # with 0700
        "flows/orchestration/local_server.py",  # with 0700
        "flows/papers/every.py",
        "flows/sample_region/examples.py",  # made up
        "models/learning/tries.py",  # a list in the repository
    }
