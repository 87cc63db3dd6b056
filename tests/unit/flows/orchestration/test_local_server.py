"""What `holdfast server` starts with: a password of its own, Prefect's settings, data to click on."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import SettingsError
from flows.cli.demo import LAST_MONTH, settings_to_click
from flows.deployments import DEPLOYMENTS
from flows.orchestration.local_server import LocalServer, password, server_environment
from flows.settings.settings import ScheduleSettings


def test_a_password_is_made_once_and_is_this_users_alone(tmp_path: Path) -> None:
    server = LocalServer(4200, tmp_path / "home")
    first, made = password(server)
    again, made_again = password(server)
    assert (made, made_again) == (True, False)
    assert first == again
    assert len(first) >= 32
    assert server.password_file.stat().st_mode & 0o777 == 0o600
    assert server.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("content", "mode"), [("a password that is long enough", 0o644), ("pqz-17", 0o600)])
def test_a_password_others_can_read_or_guess_is_refused(tmp_path: Path, content: str, mode: int) -> None:
    server = LocalServer(4200, tmp_path)
    server.password_file.write_text(content)
    server.password_file.chmod(mode)
    with pytest.raises(SettingsError, match="Delete it") as refused:
        password(server)
    assert content not in str(refused.value)


def test_two_servers_share_neither_port_nor_folder_nor_origin(tmp_path: Path) -> None:
    one = server_environment(LocalServer(4200, tmp_path / "one"), "x" * 32)
    two = server_environment(LocalServer(4300, tmp_path / "two"), "y" * 32)
    different = {name for name in one if one[name] != two[name]}
    assert different == {
        "PREFECT_HOME",
        "PREFECT_SERVER_API_PORT",
        "PREFECT_SERVER_API_AUTH_STRING",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS",
        "PREFECT_API_URL",
        "PREFECT_API_AUTH_STRING",
    }
    assert one["PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS"] == "http://127.0.0.1:4200,http://localhost:4200"


def test_without_settings_and_demo_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holdfast demo"):
        settings_to_click(tmp_path)


def test_the_demo_s_monthly_run_is_its_last_month_whatever_the_day(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "register.csv").write_text("")
    given = settings_to_click(tmp_path)
    assert given["HOLDFAST_SCHEDULE__FIXED_MONTH"] == str(LAST_MONTH)
    monthly = next(d for d in DEPLOYMENTS if d.name == "monthly")
    asked = monthly.parameters(ScheduleSettings(fixed_month=str(LAST_MONTH)))
    assert asked == {"request": {"month": str(LAST_MONTH), "send": "yes"}}
    assert monthly.parameters(ScheduleSettings()) == {"request": {"send": "yes"}}
