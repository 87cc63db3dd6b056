"""Shared fixtures. Real published files and samples are not part of this repository; tests that need them say so."""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from hypothesis import HealthCheck, Phase, settings
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from tests.prefect_homes import new_home

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("HOLDFAST_SHARED", REPOSITORY.parent / "shared"))

#: A Prefect folder for each process of tests: two at a time share no database and begin from nothing, as in CI.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="holdfast-tests-")
new_home(Path(os.environ["PREFECT_HOME"]))
atexit.register(shutil.rmtree, os.environ["PREFECT_HOME"], ignore_errors=True)

#: The small frames of these tests cost less in one thread. `make soak` uses every core, as a run does.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# What is imported and collected stays to the end: looking through it for garbage costs a tenth of all the time.
gc.disable()

# Each command that a test invokes would build the whole command line anew.
typer.testing._get_command = cache(typer.testing._get_command)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


class _ByFile(LoadFileScheduling):
    """A file's tests go to one process; those of all files that share a Prefect server or a warm process, to the same.

    Each costs six seconds to start.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "served" if _is_served(file) else file


@cache
def _is_served(file: str) -> bool:
    return _SHARES_A_PROCESS.search((REPOSITORY / file).read_text()) is not None


_SHARES_A_PROCESS = re.compile(r"one_prefect_server|prefect_api|tests\.warm|from tests import warm")


# Optional: the programs that run tests without xdist (`-p no:xdist`) have no such hook.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return _ByFile(config, log)


#: A few examples of each property with every push; `make soak` tries hundreds.
settings.register_profile("push", max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: For a test of which it matters only whether it fails: the example is not made small.
settings.register_profile("fails", settings.get_profile("push"), phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "push"))


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the published files ({name}) are not on this machine; set HOLDFAST_SHARED to their folder")
    return folder


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that one of the session's processes makes and all may copy from."""
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / name).exists():
            make(root / f"{name}.new")
            (root / f"{name}.new").rename(root / name)
    return root / name


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of published files (DfE, Ofsted, ONS), which stays outside the repository."""
    return _folder("public-data")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of made-up files in the sector's real formats."""
    return _folder("samples")


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], str]:
    """Finds a program of the system: `program("exim4", "exim4-daemon-light")`.

    In CI (environment CI=true) its absence is a failure; elsewhere the test is skipped and says what to install.
    """

    def find(name: str, package: str) -> str:
        found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
        if found is None:
            reason = f"{name} is not on this machine; install Debian's {package}"
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        return found

    return find
