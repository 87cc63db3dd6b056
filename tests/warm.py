"""Commands as processes of their own that need not import everything anew.

Importing the flows and Great Expectations costs some six seconds of processor. One process imports them
once, before Polars starts a thread, and each command is forked from it: a real process with a pid to kill, its own
environment, folder and output, and an exit code. What is tested of a cold start is started cold (`subprocess`).
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.warm_imports"])
# Ended and waited for with the tests, so that what it has cost is counted with theirs.
atexit.register(forkserver._forkserver._stop)  # type: ignore[attr-defined]
_REPOSITORY = Path(__file__).resolve().parents[1]


def _begin(module: str, words: Sequence[str], environment: Mapping[str, str], folder: str, output: str | None) -> None:
    """In the child: everything that a process has of its own, then the module as the program it is."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if output is not None:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [module, *words]
    from prefect.context import refresh_global_settings_context

    from flows.orchestration import embedded

    embedded.configure()
    refresh_global_settings_context()
    sys.modules.pop(module, None)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        # multiprocessing leaves this out; a program does it.
        atexit._run_exitfuncs()


class Warm:
    """The part of `subprocess.Popen` that the tests use."""

    def __init__(
        self,
        module: str,
        *words: str,
        env: Mapping[str, str],
        cwd: Path = _REPOSITORY,
        output: Path | None = None,
    ) -> None:
        given = (module, words, dict(env), str(cwd), str(output) if output else None)
        self._process: ForkServerProcess = _CONTEXT.Process(target=_begin, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def run(module: str, *words: str, env: Mapping[str, str], cwd: Path = _REPOSITORY, timeout: float) -> tuple[int, str]:
    """The exit code of a command and all it has printed."""
    with tempfile.NamedTemporaryFile() as printed:
        started = Warm(module, *words, env=env, cwd=cwd, output=Path(printed.name))
        try:
            code = started.wait(timeout)
        finally:
            started.kill()
        return code, Path(printed.name).read_text(errors="replace")
