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
    """What a reader's shell has: the commands on its path and nothing of ours set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_", "AWS_"))}
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")]),
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
    with prefect_homes.prefect_server(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(scope="session")
def made_region(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    """The folder pages start from; never changed, each page gets a copy."""
    folder = tmp_path_factory.mktemp("documents") / "region"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.region", str(folder)],
        cwd=folder,
        env={**environment(folder, prefect_server), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def page_folder(made_region: Path, tmp_path: Path) -> Path:
    """A fresh copy of the region."""
    return Path(shutil.copytree(made_region, tmp_path / "page"))
