"""The commands about forms: template, map, pull-ssd, as somebody types them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.councils import Council, write_register
from features.errors import HeaderMismatch, PersonalDataRefused, SettingsError
from features.months import Month
from features.registry import Kind
from flows.cli.app import app
from flows.extracts.formats.ssd.tables import TABLES
from flows.papers.templates import example_rows

_COUNCIL = Council("Z01", "Ashcombe", Month(2015, 1))


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a landing of one council and settings that name it."""
    landing = tmp_path / "landing"
    (landing / "2026-10" / "Z01").mkdir(parents=True)
    (landing / "register.csv").write_text(write_register([_COUNCIL]))
    (tmp_path / "holdfast.toml").write_text('landing = "landing"\nstore = "store"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def _home_made(path: Path, extra: str = "") -> None:
    rows = example_rows(Kind.WORKFORCE).drop("la_code", "reference_date", "leaver_destination", "team")
    words = rows.rename({"worker_ref": "Payroll number", "agency_worker": "Contract type"}).to_dicts()
    for row in words:
        row["Contract type"] = "Agency" if str(row["Contract type"]) == "1" else "Permanent"
    names = [*words[0], *([extra] if extra else [])]
    lines = [",".join("" if r.get(n) is None else str(r.get(n)) for n in names) for r in words]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


def test_a_template_and_its_example(desk: Path) -> None:
    result = _run("template", "establishment")
    assert result.exit_code == 0, result.output
    assert (desk / "establishment.xlsx").is_file()
    assert (desk / "establishment-example.xlsx").is_file()
    assert _run("template", "caseload", "--to", "c.csv").exit_code == 0
    assert (desk / "c.csv").read_text().startswith("la_code,reference_date,case_ref")
    assert _run("template", "shoes").exit_code == 2


def test_a_file_is_mapped_in_a_terminal_and_read_by_it_from_then_on(desk: Path) -> None:
    file = desk / "landing" / "2026-10" / "Z01" / "workforce.csv"
    _home_made(file)
    # The columns, then the two words of the contract type: Enter takes what is proposed.
    result = _run("map", str(file), "--kind", "workforce", "--council", "Z01", "--ask", typed="\n\n")
    assert result.exit_code == 0, result.output
    assert "Every cell could be read." in result.output
    assert "Put the file into the landing as 2026-10/Z01/workforce.csv, and each later month's" in result.output
    saved = desk / "landing" / "mappings" / "Z01" / "workforce.2026-10.toml"
    assert 'worker_ref = "Payroll number"' in saved.read_text()
    from flows.desk.past import landing_of
    from flows.extracts.check_files import check_files
    from flows.settings.settings import Settings

    by_place = check_files([file])[0]
    elsewhere = desk / "list.csv"
    elsewhere.write_bytes(file.read_bytes())
    by_settings = check_files(
        [elsewhere],
        council="Z01",
        month=Month(2026, 11).plus(-1),
        kind=Kind.WORKFORCE,
        landing=landing_of(Settings.load()),
    )[0]
    by_hand = check_files([elsewhere], council="Z01", month=Month(2026, 10), kind=Kind.WORKFORCE, mapping=saved)[0]
    assert (by_place.refused, by_settings.refused, by_hand.refused) == (0, 0, 0)


def test_without_a_terminal_what_is_unsure_is_listed_and_nothing_saved(desk: Path) -> None:
    file = desk / "hr.csv"
    _home_made(file)
    result = _run("map", str(file), "--kind", "workforce", "--council", "Z01", "--month", "2026-10", "--accept-sure")
    assert isinstance(result.exception, HeaderMismatch)
    assert "Which column of hr.csv is worker_ref" in str(result.exception)
    # What it would take is printed, to be corrected and given as answers.
    proposed = str(result.exception).partition("--answers:\n\n")[2]
    (desk / "answers.toml").write_text(proposed)
    asked = ("map", str(file), "--kind", "workforce", "--council", "Z01", "--month", "2026-10")
    assert _run(*asked, "--answers", "answers.toml", "--to", "saved.toml").exit_code == 0
    assert (desk / "saved.toml").read_text() == proposed
    assert not (desk / "landing" / "mappings").exists()


def test_answers_from_a_file(desk: Path) -> None:
    _home_made(desk / "hr.csv")
    (desk / "answers.toml").write_text(
        'kind = "workforce"\nby_folder = ["la_code", "reference_date"]\n'
        '[columns]\nworker_ref = "Payroll number"\nagency_worker = "Contract type"\n'
        '[codes.agency_worker]\nAgency = "1"\nPermanent = "0"\n'
    )
    result = _run(
        "map", "hr.csv", "--kind", "workforce", "--council", "Z01", "--month", "2026-10",
        "--answers", "answers.toml", "--to", "saved.toml",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert (desk / "saved.toml").is_file()


def test_a_session_that_was_cut_off_goes_on_where_it_stopped(desk: Path) -> None:
    _home_made(desk / "hr.csv")
    asked = ("map", "hr.csv", "--kind", "workforce", "--council", "Z01", "--month", "2026-10", "--ask")
    cut = _run(*asked, typed="14=0\n\n")  # the end of what is typed is like Ctrl-C
    assert cut.exit_code == 130
    assert "The answers so far are kept" in cut.output
    assert "agency_worker" in cut.output.rpartition("what does each word mean for")[2]
    kept = desk / "landing" / "mappings" / "Z01" / "workforce.2026-10.toml.answers"
    assert kept.is_file()
    result = _run(*asked, typed="b\n\n\n")
    assert "Going on after 2 answers of an earlier start" in result.output
    assert result.output.count("Is each field read from the right column?") == 1  # asked again only because of b
    assert result.exit_code == 0, result.output
    assert not kept.exists()


def test_columns_of_personal_data_are_named_and_the_file_is_not_mapped(desk: Path) -> None:
    _home_made(desk / "hr.csv", extra="Date of birth")
    result = _run("map", "hr.csv", "--kind", "workforce", "--council", "Z01", "--month", "2026-10", "--ask")
    assert isinstance(result.exception, PersonalDataRefused)
    assert "“Date of birth”" in str(result.exception)


def test_a_check_with_settings_that_cannot_be_used_says_so(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_NO_SUCH_SETTING", "1")
    (desk / "workforce.csv").write_text("a,b\n1,2\n")
    result = _run("check", "workforce.csv", "--council", "Z01", "--month", "2026-10")
    assert "HOLDFAST_NO_SUCH_SETTING" in result.output
    assert "The files are checked by themselves, without the group's records." in result.output
    assert "Checks of October 2026: Council Z01" in result.output


def test_a_month_and_a_council_must_be_known(desk: Path) -> None:
    _home_made(desk / "hr.csv")
    said = _run("map", "hr.csv", "--kind", "workforce", "--council", "Z01")
    assert "--month" in str(said.exception)
    said = _run("map", "hr.csv", "--kind", "workforce", "--council", "Z99", "--month", "2026-10")
    assert "no council Z99" in str(said.exception)


def test_pulling_an_ssd(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("pull-ssd", "--month", "2026-10", "--council", "Z01")
    assert isinstance(_run(*asked).exception, SettingsError)
    with closing(sqlite3.connect(desk / "ssd.db")) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table.name} ({', '.join(f'{c} TEXT' for c in table.columns)})")
        connection.execute("INSERT INTO ssd_cin_episodes VALUES ('R1', 'P1', '2026-10-05', NULL, 'N')")
        connection.commit()
    monkeypatch.setenv("HOLDFAST_SSD__URL", "sqlite:///ssd.db")
    result = _run(*asked)
    assert result.exit_code == 0, result.output
    assert "ssd_cin_episodes: 1 rows" in result.output
    assert (desk / "landing" / "2026-10" / "Z01" / "ssd" / "ssd_cin_episodes.parquet").is_file()
    assert "already holds" in _run(*asked).output
    ahead = _run("pull-ssd", "--month", "2150-01", "--council", "Z01")
    assert "has not ended" in str(ahead.exception)
