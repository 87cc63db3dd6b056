"""A Prefect server for one machine, secure by default: loopback only, with a password, without telemetry.

`holdfast server` starts two processes, Prefect's server and `holdfast serve`, and stops both.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx

from features.errors import HoldfastError, SettingsError
from flows.orchestration import embedded

HOST = "127.0.0.1"
USER = "holdfast"

#: How long a start may take. The first one creates the database, which takes half a minute on a slow machine.
START_SECONDS = 300
STOP_SECONDS = 30


class ServerError(HoldfastError):
    """The local server did not start, or ended without being asked to."""

    exit_code = 17


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Where the server listens and where it keeps its data."""

    port: int
    home: Path
    """Prefect's own folder: database, leases, log, password. Kept across restarts."""

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def password_file(self) -> Path:
        return self.home / "password"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


def password(server: LocalServer) -> tuple[str, bool]:
    """The server's password, and whether this call created it. Only this user can read its file."""
    server.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(server.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = server.password_file.read_text(encoding="ascii").strip()
        if server.password_file.stat().st_mode & 0o077 or len(kept) < 16:
            raise SettingsError(
                f"{server.password_file} is short or can be read by others. Delete it: the next start makes a new one."
            ) from None
        return kept, False
    made = secrets.token_urlsafe(24)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{made}\n")
    return made, True


def server_environment(server: LocalServer, secret: str) -> dict[str, str]:
    """Prefect's settings for the server and for everything that talks to it."""
    login = f"{USER}:{secret}"
    return {
        **embedded.ALWAYS,
        "PREFECT_HOME": str(server.home),
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(server.port),
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_API_AUTH_STRING": login,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{server.address},http://localhost:{server.port}",
        # If leases were in memory, a server restart would lose them, and the slot of a run that died would never be
        # freed: the month would wait for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_API_URL": f"{server.address}/api",
        "PREFECT_API_AUTH_STRING": login,
    }


def _require_free(server: LocalServer) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, server.port))
        except OSError:
            raise ServerError(
                f"Port {server.port} is taken, perhaps by a Prefect server that already runs. "
                "Stop it, or choose another with --port."
            ) from None


def _end_with_parent() -> None:
    """In a child process on Linux: ask the kernel for a signal to stop when the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _start(command: list[str], environment: Mapping[str, str], log: Path | None) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own. Ctrl-C then reaches only the parent, which stops its children in order."""
    out = log.open("ab") if log else None
    try:
        return subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT if out else None,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
    finally:
        if out:
            out.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end. If it does not, kill its whole group after a while."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(server: LocalServer, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if any(process.poll() is not None for process in processes):
            break
        try:
            if httpx.get(f"{server.address}/api/ready", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise ServerError(f"Prefect's server did not start. What it said is in {server.log}.")


class _Stopped(Exception):
    """A person or the system asked the server to stop."""


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """End the block in an orderly way on Ctrl-C, TERM or a closed terminal."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except _Stopped:
        # Ignore further signals: a second Ctrl-C must not leave a process behind.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise
    finally:
        if not isinstance(sys.exception(), _Stopped):
            for number, handler in before.items():
                signal.signal(number, handler)


def run_server(server: LocalServer, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Start the server and serve the deployments on it until stopped. `environment` is added to this process's own.

    Raises ServerError if the port is taken, or if one of the two processes ends without being asked to.
    """
    _require_free(server)
    secret, is_new = password(server)
    known = {**os.environ, **environment, **server_environment(server, secret)}
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with _stopped_by_signal():
            say("Starting Prefect's server ...")
            command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(server.port)]
            processes.append(_start(command, known, server.log))
            # `serve` waits for the server, and loads the deployments meanwhile.
            processes.append(_start([sys.executable, "-m", "flows.cli.app", "serve"], known, None))
            _wait_until_ready(server, processes)
            say(_welcome(server, secret if is_new else None))
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
            which = "Prefect's server" if processes[0].poll() is not None else "What serves the deployments"
            raise ServerError(f"{which} ended by itself. What the server said is in {server.log}.")
    except _Stopped:
        say("Stopping ...")
    finally:
        for process in reversed(processes):
            _stop(process)
    say("Stopped. Everything is kept; the same command starts it again.")


def _welcome(server: LocalServer, new_secret: str | None) -> str:
    """The text shown once the server is up: its address and how to log in."""
    lines = [
        f"Prefect: {server.address}",
        f"The page asks for a password in one box: write user and password into it, as {USER}:<password>.",
        f"The password is in {server.password_file}.",
    ]
    if new_secret is not None:
        lines.append(f"It was made just now and is shown this once. For the box: {USER}:{new_secret}")
    return "\n".join([*lines, "Ctrl-C stops everything.", ""])
