"""`holdfast server` as a process of its own, and a client that is let in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.prefect_homes import new_home

PATIENCE_SECONDS = 300

#: One client for every question: each `httpx.get` would read all certificates of the world anew.
_HTTP = httpx.Client(timeout=20, trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0))


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**given: str) -> dict[str, str]:
    """This environment without what the tests themselves were started with."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HOLDFAST_"))}
    return {**kept, **given}


def until(what: str, ready: Callable[[], Any]) -> Any:
    """What `ready` returns once it is truthy; an AssertionError if it never is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if found := ready():
                return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not happen within {PATIENCE_SECONDS} s")


@dataclass
class Server:
    """The command in a folder of its own, with settings of the test."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        return self.folder / "server"

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    @property
    def login(self) -> tuple[str, str]:
        return "holdfast", (self.home / "password").read_text().strip()

    def start(self) -> None:
        """Return once the deployments are on the server."""
        command = [sys.executable, "-m", "flows.cli.app", "server", "--port", str(self.port), "--home", str(self.home)]
        new_home(self.home)
        with (self.folder / "said.txt").open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=clean_environment(**self.settings), stdout=out, stderr=subprocess.STDOUT
            )
        until("serving", lambda: "Serving " in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said
        until("every deployment", lambda: len(self.post("deployments/filter")) >= 5)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it as a person or the system would; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(90)

    def get(self, path: str) -> Any:
        """What the API answers to someone let in."""
        return _HTTP.get(f"{self.address}/api/{path}", auth=self.login).raise_for_status().json()

    def post(self, path: str, **content: Any) -> Any:
        """The same for a question with content, which needs a token against forged requests."""
        api, who = f"{self.address}/api", self.login
        token = _HTTP.get(f"{api}/csrf-token", params={"client": "tests"}, auth=who).raise_for_status().json()["token"]
        headers = {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": "tests"}
        return _HTTP.post(f"{api}/{path}", json=content, headers=headers, auth=who).raise_for_status().json()

    def until_state(self, run: str, name: str) -> None:
        """Until a run is in the state of this name."""

        def reached() -> bool:
            time.sleep(1)  # each question costs the server as much as a step of the run
            state = self.get(f"flow_runs/{run}")["state"]
            assert state["name"] == name or state["type"] not in ("FAILED", "CRASHED"), state["message"]
            return bool(state["name"] == name)

        until(f"{run} {name}", reached)

    def deployment(self, name: str) -> Any:
        """One deployment as the server keeps it."""
        return next(d for d in self.post("deployments/filter") if d["name"] == name)
