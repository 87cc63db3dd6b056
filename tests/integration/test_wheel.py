"""The built wheel alone, in another folder: what it holds, what it says of itself, and that it runs the demo."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.integration.local_server import clean_environment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_four_packages_their_types_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names if ".dist-info/" not in n} == {"flows", "features", "models", "expectations"}
    assert {n for n in names if n.endswith("py.typed")} == {
        f"{package}/py.typed" for package in ("flows", "features", "models", "expectations")
    }


def test_it_says_what_it_is(wheel: Path) -> None:
    files = zipfile.ZipFile(wheel)
    (name,) = [n for n in files.namelist() if n.endswith(".dist-info/METADATA")]
    said = Parser().parsestr(files.read(name).decode())
    assert said["Name"] == "holdfast"
    expected = ("Version", "Summary", "License-Expression", "Requires-Python", "Keywords", "Description-Content-Type")
    for field in expected:
        assert said[field], field
    assert "Typing :: Typed" in said.get_all("Classifier", [])


@pytest.mark.soak
def test_it_runs_the_demo_in_a_folder_of_its_own(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, timeout=200)
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.app", "demo"],
        cwd=elsewhere,
        env=clean_environment(PYTHONPATH=str(target), PREFECT_HOME=str(tmp_path / "home")),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (elsewhere / "var/demo/store/region/2026-10/index.html").exists()
