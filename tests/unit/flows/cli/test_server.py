"""Before a server is started, what it would need is looked at, and what is missing is a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.councils import Council, write_register
from features.errors import HoldfastError
from features.months import Month
from flows.cli.app import app


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """What was started instead of a real server."""
    servers: list[object] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_LANDING", "landing")
    monkeypatch.setenv("HOLDFAST_STORE", "store")
    monkeypatch.setattr("flows.orchestration.local_server.run_server", lambda server, *_: servers.append(server))
    return servers


def refusal() -> str:
    done = CliRunner().invoke(app, ["server"])
    assert isinstance(done.exception, HoldfastError)
    return str(done.exception)


def test_what_is_missing_is_said_before_anything_starts(started: list[object]) -> None:
    assert "There is no folder" in refusal()
    Path("landing").mkdir()
    assert "There is no council register" in refusal()
    Path("landing/register.csv").write_text(write_register([]))
    assert "lists no council yet" in refusal()
    assert not started


def test_with_all_of_it_the_server_starts(started: list[object]) -> None:
    Path("landing").mkdir()
    Path("landing/register.csv").write_text(write_register([Council("991", "Ashcombe", Month(2024, 1))]))
    assert CliRunner().invoke(app, ["server"]).exit_code == 0
    assert len(started) == 1
