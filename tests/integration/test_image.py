"""What the Dockerfile's steps do, without Docker: the files it copies are enough, and nothing in it is a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.integration.local_server import clean_environment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (REPOSITORY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def copied() -> list[str]:
    return [source for word, rest in instructions() if word == "COPY" for source in rest.split()[:-1]]


def test_it_is_pythons_own_image_and_ends_as_nobody_special() -> None:
    found = instructions()
    assert [rest.partition(":")[0] for word, rest in found if word == "FROM"] == ["python"]
    words = [word for word, _ in found]
    assert words.index("USER") < words.index("CMD")
    assert [rest for word, rest in found if word == "USER"] == ["10001"]
    assert not {"ADD", "ARG", "EXPOSE"} & set(words)


def test_packages_come_from_the_lock_and_are_checked() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert "--no-deps --require-hashes -r requirements.txt" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]
    assert len(installs) == 2


def test_nothing_in_it_looks_like_a_secret() -> None:
    settings = " ".join(rest for word, rest in instructions() if word == "ENV")
    assert not re.search(r"PASSWORD|SECRET|KEY|AUTH|TOKEN|HOLDFAST_", settings)


def test_what_it_copies_is_let_through_and_nothing_else() -> None:
    kept = [line.removeprefix("!") for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if "!" in line]
    assert sorted(kept) == sorted(copied())
    assert all((REPOSITORY / name).exists() for name in copied())


def test_what_it_copies_installs_and_starts(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in copied():
        here = REPOSITORY / name
        if here.is_dir():
            shutil.copytree(here, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, source / name)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(target), "."], cwd=source, check=True, timeout=200)

    packages = ("features", "expectations", "models", "flows")
    made = {p.relative_to(target).as_posix() for name in packages for p in (target / name).rglob("*") if p.is_file()}
    given = {p.relative_to(source).as_posix() for name in packages for p in (source / name).rglob("*") if p.is_file()}
    assert not {name for name in given - made if not fnmatch(name, "*.pyc")}
    environment = clean_environment(PYTHONPATH=str(target), PREFECT_HOME=str(tmp_path / "home"))
    started = subprocess.run(
        [sys.executable, "-m", "flows.cli.app", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert started.returncode == 0, started.stderr
    assert "serve" in started.stdout
