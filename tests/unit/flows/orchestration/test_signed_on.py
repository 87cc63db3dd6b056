"""An approval is given by whoever has signed on, where a proxy says who that is; else by the name that was typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from flows.orchestration.signed_on import SignedOn
from tests.integration.local_server import clean_environment, free_port, until
from tests.prefect_homes import new_home

ANSWER = {"run_input": {"decision": "send all", "councils": [], "reason": "", "by": "typed"}}
RESUME = f"/api/flow_runs/{uuid4()}/resume"


async def _echo(request: Request) -> Response:
    return Response(await request.body())


def posted(path: str, content: bytes, **headers: str) -> bytes:
    """What arrives at the server behind."""
    app = SignedOn(Starlette(routes=[Route("/{rest:path}", _echo, methods=["POST"])]))
    return TestClient(app).post(path, content=content, headers=headers).content


@pytest.mark.parametrize("header", ["X-Forwarded-Email", "X-Forwarded-User"])
def test_the_signed_on_person_decides_whatever_was_typed(header: str) -> None:
    got = json.loads(posted(RESUME, json.dumps(ANSWER).encode(), **{header: "j.marsh@group.example"}))
    assert got["run_input"] == {**ANSWER["run_input"], "by": "j.marsh@group.example"}


def test_without_a_proxy_the_typed_name_stays() -> None:
    content = json.dumps(ANSWER).encode()
    assert posted(RESUME, content) == content


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run_input": null}'])
def test_what_is_no_answer_reaches_the_server_unchanged(content: bytes) -> None:
    assert posted(RESUME, content, **{"X-Forwarded-Email": "j.marsh@group.example"}) == content


def test_no_other_request_is_touched() -> None:
    content = json.dumps(ANSWER).encode()
    assert posted("/api/flow_runs/filter", content, **{"X-Forwarded-Email": "j.marsh@group.example"}) == content


@pytest.mark.soak
@pytest.mark.integration
def test_prefects_server_runs_inside_it(tmp_path: Path) -> None:
    new_home(tmp_path)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.orchestration.signed_on", str(port)],
        env=clean_environment(PREFECT_HOME=str(tmp_path), DO_NOT_TRACK="1"),
    )
    try:
        address = f"http://127.0.0.1:{port}"
        until("an answer", lambda: httpx.get(f"{address}/api/ready", timeout=5).is_success)
        assert "Prefect" in httpx.get(f"{address}/v2/", timeout=30, follow_redirects=True).text
    finally:
        server.terminate()
        server.wait(30)
