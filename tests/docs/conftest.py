"""One made-up region and one Prefect server for all pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import prefect_homes
from tests.docs.pages import REPOSITORY


def environment(folder: Path, server: str) -> dict[str, str]:
    """What a reader's shell has: nothing of ours is set, and our commands are not on its path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_", "AWS_"))}
    return {
        **kept,
        "PATH": os.pathsep.join(p for p in kept.get("PATH", "").split(os.pathsep) if ".venv" not in p),
        "PYTHONPATH": str(REPOSITORY),
        "PREFECT_HOME": str(folder / "prefect-home"),
        "PREFECT_API_URL": server,
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "COLUMNS": "100",
    }


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server, so that each command need not start one."""
    from flows.orchestration import embedded

    embedded.configure()
    with prefect_homes.prefect_server(tmp_path_factory.mktemp("prefect")) as address, prefect_homes.using(address):
        yield address


@pytest.fixture(scope="session")
def made_region(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    """What `holdfast init made-up --made-up` makes; never changed, each page gets a copy."""
    folder = tmp_path_factory.mktemp("documents")
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.app", "init", "made-up", "--made-up"],
        cwd=folder,
        env={**environment(folder, prefect_server), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "made-up"


@pytest.fixture
def page_folder(made_region: Path, tmp_path: Path) -> Path:
    """A fresh copy of the region."""
    return Path(shutil.copytree(made_region, tmp_path / "page"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder as a reader has it after cloning and `make demo`: the commands are in `.venv/bin`."""
    folder = tmp_path / "holdfast"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent, target_is_directory=True)
    return folder
