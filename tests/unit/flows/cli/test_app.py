"""The command line: exit codes and sentences, no tracebacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import CheckFailed, ExtractError, HoldfastError, SettingsError
from flows.cli.app import app
from flows.cli.app import main as cli_main
from flows.orchestration import embedded

ESTABLISHMENT = "la_code,reference_date,vacancy_fte,agency_fte,agency_headcount,agency_cover_fte\n"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    return CliRunner()


def written(name: str, rows: str) -> str:
    Path(name).write_text(ESTABLISHMENT + rows)
    return name


def test_a_usable_file_exits_with_0(runner: CliRunner) -> None:
    result = runner.invoke(app, ["check", written("establishment.csv", "370,2026-10-31,12.5,20.0,22,11.0\n")])
    assert result.exit_code == 0, result.output
    assert "Used" in result.output


def test_an_error_exits_with_20_and_says_what_it_withholds(runner: CliRunner) -> None:
    result = runner.invoke(
        app, ["check", written("establishment.csv", "370,2026-10-31,-12.5,20.0,22,11.0\n"), "--html", "report.html"]
    )
    assert result.exit_code == CheckFailed.exit_code, result.output
    assert "vacancy_fte" in result.output
    page = Path("report.html").read_text()
    assert "-12.5" not in page
    assert "-12.5" not in result.output


def test_a_file_that_cannot_be_used_exits_with_12(runner: CliRunner) -> None:
    Path("workforce.csv").write_bytes(b"\x00\x01\x02 not a table")
    result = runner.invoke(app, ["check", "workforce.csv", "--council", "370", "--month", "2026-10"])
    assert result.exit_code == ExtractError.exit_code
    assert "Not used: workforce.csv" in result.output


def test_council_and_month_are_read_from_the_file(runner: CliRunner) -> None:
    result = runner.invoke(app, ["check", written("establishment.csv", "370,30/09/2026,1,2,3,1\n")])
    assert "September 2026" in result.output
    assert "370" in result.output


def test_a_persons_error_is_one_sentence_and_its_exit_code(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["holdfast", "check", "nowhere.csv"])
    with pytest.raises(SystemExit) as left:
        cli_main()
    assert left.value.code == ExtractError.exit_code
    said = capsys.readouterr().err
    assert said.startswith("holdfast: ")
    assert "Traceback" not in said


def test_a_month_that_is_none_is_refused_before_work_starts(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["holdfast", "check", "establishment.csv", "--month", "2026-13"])
    with pytest.raises(SystemExit) as left:
        cli_main()
    assert left.value.code == HoldfastError.exit_code
    assert "YYYY-MM" in capsys.readouterr().err


def test_sample_extracts_writes_the_landing_layout(runner: CliRunner) -> None:
    result = runner.invoke(app, ["sample-extracts", "made-up", "--councils", "3", "--months", "2", "--seed", "1"])
    assert result.exit_code == 0, result.output
    months = sorted(p.name for p in Path("made-up").iterdir() if p.is_dir())
    assert months == ["2026-09", "2026-10"]
    assert Path("made-up/register.csv").exists()


def test_beside_a_foreign_folder_of_flows_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flows").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="a folder flows/ of its own"):
        embedded.configure()
