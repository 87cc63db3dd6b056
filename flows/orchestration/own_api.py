"""The few answers that a flow run needs from Prefect's API, given by a thread of the run's own process.

A flow run asks a server a dozen things: to register it, to name it, to accept its states. Prefect's own server would
answer them after six seconds of processor and with a database that nobody looks at. These answers are kept in memory
and end with the process. What only a permanent server can do (deployments, approvals) is refused.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import prefect
from prefect.client.schemas.objects import Artifact, Flow, FlowRun, State
from prefect.client.schemas.responses import OrchestrationResult, SetStateStatus, StateAcceptDetails
from pydantic import BaseModel


class OwnApi:
    """The flow runs of this process, and what Prefect's engine may ask about them."""

    def __init__(self) -> None:
        self._runs: dict[UUID, FlowRun] = {}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, BaseModel | dict[str, Any] | str]:
        """HTTP status and content for a request, as Prefect's server would answer it; 501 for what is not here."""
        match [method, *path.strip("/").split("/")]:
            case ["GET", "admin", "version"]:
                return 200, prefect.__version__
            case ["GET", "admin", "storage"]:
                return 200, {"default_result_storage_block_id": None}
            case ["GET", "csrf-token"]:
                return 422, {"detail": "CSRF protection is disabled."}
            case ["POST", "flows"]:
                return 200, Flow.model_validate(body)
            case ["POST", "flow_runs"]:
                given = {name: value for name, value in body.items() if value is not None}
                run = FlowRun.model_validate({"expected_start_time": datetime.now(UTC), **given})
                self._runs[run.id] = run
                return 201, self._in_state(run, State.model_validate(body["state"]))
            case ["GET", "flow_runs", run]:
                return 200, self._runs[UUID(run)]
            case ["PATCH", "flow_runs", run]:
                self._runs[UUID(run)] = FlowRun.model_validate(self._runs[UUID(run)].model_dump() | body)
                return 204, ""
            case ["POST", "flow_runs", run, "set_state"]:
                state = State.model_validate(body["state"])
                self._in_state(self._runs[UUID(run)], state)
                return 201, OrchestrationResult(state=state, status=SetStateStatus.ACCEPT, details=StateAcceptDetails())
            case ["POST", "artifacts"]:
                return 201, Artifact.model_validate(body)  # shown to nobody
        return 501, {"detail": f"{method} {path} needs a Prefect server: set PREFECT_API_URL."}

    def _in_state(self, run: FlowRun, state: State[Any]) -> FlowRun:
        run.state, run.state_id, run.state_type, run.state_name = state, state.id, state.type, state.name
        run.run_count += state.is_running()
        return run


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and writes the answer. Connections stay open, as Prefect's client expects."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: OwnApi

    def _handle(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        status, content = self.api.answer(self.command, urlsplit(self.path).path.removeprefix("/api"), body)
        said = (content.model_dump_json() if isinstance(content, BaseModel) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if status != 204:
            self.wfile.write(said)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: a run says itself what it does."""


def serve_own_api() -> str:
    """Answer on a free port of the loopback address until the process ends. Returns the API's address."""
    handler = type("_Bound", (_Handler,), {"api": OwnApi()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, name="own-api", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/api"
