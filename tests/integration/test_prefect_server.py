"""`holdfast server`: the pinned set really schedules, on the right days, and nobody gets in without the password.

A month goes from the form of the Prefect UI to the mail in a real browser, on the same server. With a newer fastapi
Prefect's server does not start; with SQLAlchemy 2.1 it looks healthy and schedules nothing.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, expect

from features.months import Month, nth_working_day
from flows.deployments import DEPLOYMENTS
from tests.browser import ui_region
from tests.browser.conftest import browser  # noqa: F401
from tests.browser.prefect_ui import PrefectUi, opened_ui
from tests.browser.ui_journey import journey, served, to_the_mail
from tests.integration.local_server import Server, clean_environment, until

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.timeout(1800)]

#: Prefect's second UI asks its makers' analytics service for its configuration, also with analytics off; it sends
#: nothing with it, and does without an answer.
KNOWN_ELSEWHERE = {"sr-client-cfg.amplitude.com"}
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with its deployments, on a young made-up region of which nothing is read yet."""
    with served(tmp_path_factory.mktemp("server"), months=1) as started:
        yield started


@pytest.fixture
def ui(browser: Browser, server: Server) -> Iterator[PrefectUi]:  # noqa: F811
    with opened_ui(browser, server) as one:
        yield one


def test_nobody_gets_in_without_the_password(server: Server) -> None:
    without = httpx.get(f"{server.address}/api/admin/version", timeout=20, trust_env=False)
    wrong = httpx.get(f"{server.address}/api/admin/version", auth=("holdfast", "x" * 32), timeout=20, trust_env=False)
    assert (without.status_code, wrong.status_code) == (401, 401)
    assert server.get("admin/version")


def test_a_request_without_a_token_is_taken_for_forged(server: Server) -> None:
    forged = httpx.post(
        f"{server.address}/api/deployments/filter", json={}, auth=server.login, timeout=20, trust_env=False
    )
    assert forged.status_code == 403
    assert server.post("deployments/filter")


def test_other_pages_may_not_call_it_from_a_browser(server: Server) -> None:
    def allowed(origin: str) -> str | None:
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = httpx.options(f"{server.address}/api/flows/count", headers=headers, timeout=20, trust_env=False)
        return answer.headers.get("access-control-allow-origin")

    assert allowed("http://elsewhere.example") is None
    assert allowed(server.address) == server.address
    assert allowed(f"http://localhost:{server.port}") == f"http://localhost:{server.port}"


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's list of listening sockets")
def test_it_listens_on_this_machine_alone(server: Server) -> None:
    listening = {
        fields[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for fields in (line.split() for line in Path(table).read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[1].endswith(f":{server.port:04X}")
    }
    assert listening == {f"0100007F:{server.port:04X}"}


def test_nothing_is_sent_anywhere_and_slots_are_kept_on_disk(server: Server) -> None:
    settings = server.get("admin/settings")["server"]
    assert settings["analytics_enabled"] is False
    assert settings["ui"]["show_promotional_content"] is False
    assert settings["concurrency"]["lease_storage"].endswith("lease_storage.filesystem")


def test_the_page_calls_the_port_it_came_from_and_tells_no_secret(server: Server) -> None:
    told = httpx.get(f"{server.address}/ui-settings", timeout=20, trust_env=False)
    assert told.json()["api_url"] == "/api"
    assert server.login[1] not in told.text


def test_the_password_is_this_users_alone_and_is_said_once(server: Server) -> None:
    assert (server.home / "password").stat().st_mode & 0o777 == 0o600
    assert server.said.count(server.login[1]) == 1
    assert str(server.home / "password") in server.said
    assert server.login[1] not in (server.home / "server.log").read_text()


def test_the_monthly_run_is_scheduled_on_the_working_day_at_seven_in_london(server: Server) -> None:
    one = server.deployment("monthly")["id"]

    def scheduled() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = server.post(
            "flow_runs/filter",
            flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}, "deployment_id": {"any_": [one]}},
            sort="EXPECTED_START_TIME_ASC",
        )
        return found

    runs = until("a scheduled run", scheduled)
    for run in runs:
        start = datetime.fromisoformat(run["expected_start_time"]).astimezone(LONDON)
        assert (start.hour, start.minute) == (7, 0), "seven in the morning, summer and winter"
        assert start.date() == nth_working_day(Month.of(start.date()), 11)


def test_no_form_asks_for_a_secret_or_an_address(server: Server) -> None:
    found = server.post("deployments/filter")
    assert {d["name"] for d in found} == {d.name for d in DEPLOYMENTS}
    for deployment in found:
        schema = deployment["parameter_openapi_schema"]
        names = {n for one in schema.get("definitions", {}).values() for n in one.get("properties", {})}
        forbidden = re.compile("key|secret|password|recipient|token|address")
        assert not [n for n in names if forbidden.search(n)], deployment["name"]
    fields = server.deployment("monthly")["parameter_openapi_schema"]["definitions"]["RunRequest"]["properties"]
    assert fields["month"]["title"] == "Month"


def test_a_taken_port_is_a_sentence(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows.cli.app", "server", "--port", str(server.port), "--home", str(tmp_path)]
    second = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(**server.settings), capture_output=True, text=True, timeout=120
    )
    assert second.returncode == 17
    assert "is taken" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_month_is_held_read_and_approved_in_the_browser(ui: PrefectUi, server: Server) -> None:
    to_the_mail(ui, server.folder, look=lambda _name: None)
    assert {urlsplit(address).hostname for address in ui.asked_elsewhere} <= KNOWN_ELSEWHERE


@pytest.mark.soak
def test_a_wrong_month_gets_a_sentence_and_the_journey_of_the_pictures_runs_one_council_again(
    ui: PrefectUi, server: Server
) -> None:
    ui.open_form("monthly")
    for title in ("Month", "Reason", "Published file", "Published record"):
        expect(ui.field(title)).to_be_visible()
    ui.field("Month").fill("2026-13")
    ui.open_run(ui.submit(), "Failed")
    expect(ui.page.get_by_text("“2026-13” is not a month. Write it as YYYY-MM").first).to_be_visible()

    ui_region.make(server.folder / "landing")
    journey(ui, server.folder, look=lambda _name: None)


def children_of(pid: int) -> list[int]:
    """Processes this one has started and not yet waited for."""
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    return not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.soak
def test_killed_and_started_again_the_schedules_are_active(server: Server) -> None:
    before = server.deployment("monthly")
    assert server.process is not None
    group = children_of(server.process.pid)
    assert len(group) == 2, "the server, and what serves the deployments"

    assert server.stop(signal.SIGKILL) == -signal.SIGKILL

    until("the end of the children", lambda: gone(group))
    server.start()
    after = server.deployment("monthly")
    assert after["id"] == before["id"]
    assert after["paused"] is False
    assert {s["active"] for s in after["schedules"]} == {True}
    assert "shown this once" not in server.said


def test_ctrl_c_stops_all_of_it(server: Server) -> None:
    assert server.process is not None
    group = children_of(server.process.pid)
    assert len(group) == 2, "the server, and what serves the deployments"

    assert server.stop(signal.SIGINT) == 0

    assert gone(group)
    assert "Traceback" not in server.said
    assert "Everything is kept" in server.said
