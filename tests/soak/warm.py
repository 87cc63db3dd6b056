"""The month's real steps in a process of its own, made by fork from one that has everything imported.

A run then costs a second instead of ten, and still has a process number of its own, its own claims, real S3 and real
SMTP, and can be killed. Prefect is not in it: `tests/integration/test_run_killed.py` kills whole commands.

`python -m tests.soak.warm` reads one run a line and answers with its process number, or waits for one to end. It has
not used Polars yet when it forks, so no lock of a thread of Polars is held in the child.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Asked:
    """One run: where everything is, and what goes wrong in its own process."""

    store: str
    """`s3://bucket/prefix`, or a folder."""
    port: int
    ca_file: str
    s3: dict[str, Any]
    """`S3Options` by name."""
    kept: str
    """Folder for what pure functions gave."""
    die: str = ""
    """`before:7` or `after:7`: killed at its seventh write."""
    linger: float = 0.0
    """Seconds of more work, alive and with both claims held, before it decides."""
    host: str = ""
    """Another machine's name: nobody can see whether its process lives. Empty: this machine."""
    minutes_off: int = 0
    """How far its clock is off."""
    memory: int = 0
    """The most bytes that it may map beyond what it has; 0 for no limit."""
    stale_minutes: float = 0.05
    """After how long without a heartbeat its claim lapses; two in earnest."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: int
    """As `os.waitstatus_to_exitcode` says it: negative for a signal."""
    said: str
    waited: float
    """Seconds that it meant to wait for others and for the store; the campaign's runs wait a twentieth."""
    writes: int
    """How often it wrote to S3, heartbeats left out."""


class Warm:
    """The warm process, from the test's side."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.warm", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
        )

    def start(self, asked: Asked) -> int:
        """Begin a run; its process number."""
        return int(self._ask({"start": asdict(asked)}))

    def wait(self, pid: int) -> Ended:
        """Wait for a run to end."""
        return Ended(**json.loads(self._ask({"wait": pid})))

    def run(self, asked: Asked) -> Ended:
        """A run from beginning to end."""
        return self.wait(self.start(asked))

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, question: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode()
        assert answer, "the warm process has ended"
        return answer


@contextmanager
def warm(folder: Path) -> Iterator[Warm]:
    """A warm process for a block."""
    one = Warm(folder)
    try:
        yield one
    finally:
        one.stop()


def main(folder: Path) -> None:
    """Answer questions until there are no more."""
    from tests.soak.month_run import prepare, run

    prepare()
    assert threading.active_count() == 1, "a fork would copy locks that nobody frees"
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            print(json.dumps(asdict(_waited(question["wait"], folder))), flush=True)  # noqa: T201
            continue
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _be(Asked(**question["start"]), folder / f"{os.getpid()}.json", run)
        print(pid, flush=True)  # noqa: T201


def _be(asked: Asked, out: Path, run: Any) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if asked.memory:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + asked.memory, used + asked.memory))
    began = time.monotonic()
    try:
        said, waited, writes = run(asked)
    except BaseException as error:
        said, waited, writes = f"failed: {type(error).__name__}: {error}", time.monotonic() - began, 0
    out.write_text(json.dumps({"said": said, "waited": waited, "writes": writes}))
    os._exit(0)


def _waited(pid: int, folder: Path) -> Ended:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    out = folder / f"{pid}.json"
    said = json.loads(out.read_text()) if out.exists() else {"said": "killed", "waited": 0.0, "writes": 0}
    out.unlink(missing_ok=True)
    return Ended(status, **said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
