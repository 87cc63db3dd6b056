"""Shared fixtures. Real published files and samples are not part of this repository; tests that need them say so."""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests go to one process; those of all files that share a Prefect server or a warm process, to the same.

    Each costs six seconds to start. (`--dist loadgroup`, see the Makefile.)
    """
    served = {i.path for i in items if _ONE_SERVER & set(getattr(i, "fixturenames", ())) or _is_warm(i)}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("served" if item.path in served else item.path.as_posix()))


_ONE_SERVER = {"one_prefect_server", "prefect_api"}


def _is_warm(item: pytest.Item) -> bool:
    names = vars(item.module).values() if isinstance(item, pytest.Function) else ()
    return any(getattr(one, "__module__", "") == "tests.warm" for one in names)


#: A few examples of each property with every push; `make soak` tries hundreds.
settings.register_profile("push", max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
