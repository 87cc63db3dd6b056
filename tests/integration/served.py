"""A Prefect server and a serving process as a test sees them: started, killed, started again, on one database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.prefect_homes import new_home
from tests.warm import Warm

REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 240

Found = TypeVar("Found")


#: One client for every question: each `httpx.get` would read all certificates of the world anew.
_HTTP = httpx.Client(timeout=20, trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0))


def until(
    what: str, ready: Callable[[], Found | None], *, seconds: float = PATIENCE_SECONDS, every: float = 1.0
) -> Found:
    """What `ready` returns once it is truthy; AssertionError if it never is. Each question costs the server time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if found := ready():
                return found
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """The server, the process that serves, and the API between them."""

    home: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _running: dict[str, Warm] = field(default_factory=dict)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def start_server(self) -> None:
        self._start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        until("the server", lambda: _HTTP.get(f"{self.api}/ready").is_success, every=0.3)

    def start_serving(self) -> None:
        self._start("serving", "flows.cli.app", "serve")

    def kill(self, name: str) -> None:
        """SIGKILL for the server or the serving process, and nobody else."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(30)

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self._running.clear()

    def said(self, name: str) -> str:
        """What a process has printed."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def deployment(self, name: str) -> str:
        """The id of a deployment once it is served."""

        def found() -> str | None:
            answer = _HTTP.post(f"{self.api}/deployments/filter", json={})
            if (ended := self._running["serving"].poll()) is not None:
                raise AssertionError(f"serving ended with {ended}: {self.said('serving')[-2000:]}")
            every = answer.json() if answer.is_success else []
            return next((str(d["id"]) for d in every if d["name"] == name and d["status"] == "READY"), None)

        return until(f"the deployment {name}", found)

    def begin(self, deployment: str, request: Mapping[str, object]) -> str:
        """Start a run as a person does in the UI; its id."""
        where = f"{self.api}/deployments/{self.deployment(deployment)}/create_flow_run"
        asked = {"parameters": {"request": request}, "state": {"type": "SCHEDULED"}, "idempotency_key": str(request)}

        def begun() -> str | None:
            answer = _HTTP.post(where, json=asked)  # 503 while its database is busy
            return str(answer.json()["id"]) if answer.is_success else None

        return until("the beginning of the run", begun)

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """Every run of a flow that somebody began, oldest first; the schedule's own future ones are left out."""
        answer = _HTTP.post(
            f"{self.api}/flow_runs/filter",
            json={"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC", "limit": 200},
        )
        return [r for r in answer.raise_for_status().json() if not r["auto_scheduled"]]

    def states(self, flow: str) -> list[str]:
        return [str(r["state_type"]) for r in self.runs(flow)]

    def progress(self, run: str) -> float:
        """How far a run says it is, in per cent."""
        asked = {"artifacts": {"flow_run_id": {"any_": [run]}, "type": {"any_": ["progress"]}}}
        answer = _HTTP.post(f"{self.api}/artifacts/filter", json=asked)
        return max(float(a["data"]) for a in answer.raise_for_status().json())

    def slots_taken(self) -> int:
        answer = _HTTP.post(f"{self.api}/v2/concurrency_limits/filter", json={})
        return sum(int(limit["active_slots"]) for limit in answer.raise_for_status().json())

    def _start(self, name: str, module: str, *words: str) -> None:
        self._running[name] = Warm(module, *words, env=self.environment, output=self.home / f"{name}.log")


@contextmanager
def served(home: Path, environment: Mapping[str, str]) -> Iterator[Served]:
    """A server with its own database and file-backed leases, and a process that serves every deployment."""
    new_home(home)
    port = free_port()
    settings = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HOLDFAST_"))},
        **environment,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "DO_NOT_TRACK": "1",
    }
    both = Served(home, settings, port)
    try:
        both.start_server()
        both.start_serving()
        yield both
    finally:
        both.stop()
