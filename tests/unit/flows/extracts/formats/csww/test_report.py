"""`holdfast check return.xml`: the report, its sentences and its exit codes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from expectations.batch import Severity
from expectations.report.council import as_html
from features.errors import ReferenceDataError
from features.months import Month
from flows.cli.app import app
from flows.extracts.formats.csww.report import ReturnReport, check_return
from flows.extracts.formats.csww.validate import validate
from tests.unit.flows.extracts.formats.csww.made_up import (
    AGENCY,
    DAY,
    IN_POST,
    LEFT,
    Worker,
    csww,
    header,
    message,
    record,
    vacancies,
    worker,
)


def council(*more: Worker) -> bytes:
    """A return in which nothing is wrong: rates within what councils have."""
    usual = [worker(SWENo=f"SW{n}") for n in range(20)]
    leaver = worker(LEFT, RoleStartDate="2018-01-01")
    return csww(*usual, worker(AGENCY), leaver, *more)


def check(folder: Path, content: bytes, **options: object) -> ReturnReport:
    path = folder / "return.xml"
    path.write_bytes(content)
    return check_return(path, **options)  # type: ignore[arg-type]


def printed(report: ReturnReport) -> str:
    console = Console(width=200, record=True, file=StringIO())
    report.show(console)
    return console.export_text()


def test_a_good_return(tmp_path: Path) -> None:
    report = check(tmp_path, council())
    assert report.errors == report.refused == 0
    assert report.validation is not None and report.validation.findings == ()
    assert report.title == "Workforce return return.xml: council 301, year to 30 September 2022"
    assert report.verdict.endswith("rules: nothing to put right.") and report.verdict.startswith("22 records checked")


def test_what_is_wrong_is_named_by_rule_worker_and_line(tmp_path: Path) -> None:
    content = council(worker(SWENo="SW98", StartOrigin=None), worker(SWENo="SW99", StartOrigin=None, OrgRole="6"))
    report = check(tmp_path, content)
    assert report.validation is not None
    found = {f.code: f for f in report.validation.findings}
    assert set(found) == {"CSWW-W112", "CSWW-W201", "CSWW-W217"}
    lines = content.decode().split("\n")
    starts = [n for n, line in enumerate(lines, start=1) if "<CSWWWorker>" in line]
    assert found["CSWW-W201"].where == f"workers 23 (line {starts[22]:,}), 24 (line {starts[23]:,})"
    assert found["CSWW-W217"].where == f"worker 24 (line {starts[23]:,})"
    text = printed(report)
    assert "RoleStartDate is given but StartOrigin is missing. Say where the worker came from" in text
    assert "[CSWW-W201]" in text and "2 rules are broken" in report.verdict


def test_of_many_records_twenty_are_named(tmp_path: Path) -> None:
    report = check(tmp_path, csww(*(worker(SWENo=f"SW{n}", GenderCurrent="X") for n in range(1_500))))
    assert report.validation is not None
    found = next(f for f in report.validation.findings if f.code == "CSWW-W005")
    assert found.workers == 1_500 and len(found.numbers) == 20
    assert found.where.endswith("and 1,480 more")


def test_the_chunk_makes_no_difference() -> None:
    content = csww(*(worker(SWENo=f"SW{n % 40}", OrgRole=str(n % 9)) for n in range(300)))
    assert validate(content, "return.xml", chunk=1) == validate(content, "return.xml")


def test_errors_come_before_queries() -> None:
    found = validate(council(worker(SWENo=None, OrgRole="6")), "return.xml").findings
    severities = [f.severity for f in found]
    assert severities == sorted(severities, key=list(Severity).index) and len(set(severities)) > 1


def test_the_rates_stand_in_the_report_with_their_formulas(tmp_path: Path) -> None:
    report = check(tmp_path, council())
    values = {line.label: line.value for line in report.rate_lines}
    assert values == {
        "Vacancy rate": "17.9%",
        "Agency rate": "5.9%",
        "Turnover in 12 months": "not given",
        "Turnover in 12 months (people)": "5.0%",
        "Caseload per worker": "20.0",
        "Sickness absence in 12 months": "2.3%",
    }
    note = next(line.note for line in report.rate_lines if line.label == "Turnover in 12 months")
    assert note.startswith("cannot be had") and "estimate" in note and note.endswith("5.0%")
    assert "vacancy_fte / (vacancy_fte + inpost_fte)" in printed(report)


def test_a_header_behind_the_workers_is_found(tmp_path: Path) -> None:
    workers = [record(worker(SWENo=f"SW{n}")) for n in range(300)]
    report = check(tmp_path, message(vacancies(), *workers, header()))
    assert report.validation is not None and report.validation.reference_date == DAY
    assert "CSWW-S01" in {f.code for f in report.validation.findings}


def test_without_a_reference_date_the_month_must_be_given(tmp_path: Path) -> None:
    content = csww(worker(), ReferenceDate=None)
    assert "gives no ReferenceDate" in check(tmp_path, content).verdict
    report = check(tmp_path, content, month=Month(2022, 9))
    assert report.validation is not None and report.validation.reference_date == DAY
    assert "CSWW-H04" in {f.code for f in report.validation.findings}


def test_another_council_or_month_than_asked_for_is_refused(tmp_path: Path) -> None:
    assert "another council than 370" in check(tmp_path, council(), council="370").verdict
    assert "another month than September 2023" in check(tmp_path, council(), month=Month(2023, 9)).verdict
    assert check(tmp_path, council(), council="301 / 302", month=Month(2022, 9)).refused == 0


def test_a_year_without_rules_of_its_own_says_so(tmp_path: Path) -> None:
    content = csww(worker(), Year="2025", ReferenceDate="2025-09-30")
    assert "The return is of 2025. It is checked by the rules of the 2022 collection" in printed(
        check(tmp_path, content)
    )


def test_the_page_loads_nothing_and_says_the_same(tmp_path: Path) -> None:
    report = check(tmp_path, council(worker(SWENo="SW98", StartOrigin=None)))
    page = as_html(report).decode()
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
    for text in (report.title, "CSWW-W201", "Worker 23", "17.2%", "Official rates this return will produce"):
        assert text in page


def test_a_refused_file_has_a_page_too(tmp_path: Path) -> None:
    report = check(tmp_path, b"no XML")
    assert report.refused == 1 and "the file is no XML" in as_html(report).decode()
    assert "the file is no XML" in printed(report)


def test_no_value_of_a_record_is_ever_shown(tmp_path: Path) -> None:
    """Every element wrong, with a marker as its value: the report names rules, and no marker."""
    markers = {name: f"Marker{n}" for n, name in enumerate(IN_POST)}
    report = check(tmp_path, council(worker(markers), worker(markers)).replace(b"<LEA>301", b"<LEA>Marker"))
    text = printed(report) + as_html(report).decode()
    assert report.errors > 15
    assert "Marker" not in text and "SW98" not in text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (council(), 0),
        (council(worker(SWENo="SW98", OrgRole="6")), 0),
        (council(worker(SWENo="SW98", StartOrigin=None)), 20),
        (b"<Message/>", 12),
    ],
    ids=["good", "a query", "an error", "no return"],
)
def test_exit_codes(tmp_path: Path, content: bytes, code: int) -> None:
    path, page = tmp_path / "return.xml", tmp_path / "report.html"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["check", str(path), "--html", str(page)])
    assert result.exit_code == code, result.output
    assert page.read_bytes().startswith(b"<!doctype html>")


class TestRealFiles:
    def test_the_sample_of_the_sector(self, samples: Path) -> None:
        """Made by chance, so that its records contradict each other in known places."""
        report = check_return(samples / "csww_return_2022.xml")
        assert report.validation is not None and report.validation.totals.workers == 30
        found = {f.code: f for f in report.validation.findings}
        assert found["CSWW-W112"].numbers == (20,)
        assert found["CSWW-W202"].numbers == (2, 11, 22)
        assert "NoAgencyFTE is 59.82, and the agency workers in post come to 9.49 FTE" in found["CSWW-C01"].says
        assert report.validation.rule_set.note is None, "the sample is of the year the rules were written for"

    @pytest.mark.parametrize(
        ("release", "year"),
        [("csww_headline_measures_2017_to_2022.csv", 2021), ("csww_indicators_2017_to_2023.csv", 2021)],
    )
    def test_beside_what_dfe_published(self, samples: Path, public_data: Path, release: str, year: int) -> None:
        report = check_return(samples / "csww_return_2022.xml", published=public_data / release)
        assert report.published is not None and report.published.day.year == year, "never the year of the return itself"
        assert report.published_in == "DfE, September 2021"
        assert report.validation is not None
        assert {"CSWW-P01", "CSWW-P02"} <= {f.code for f in report.validation.findings}
        assert [line.published for line in report.rate_lines][0] == "20.9%"

    def test_a_council_that_dfe_does_not_publish(self, tmp_path: Path, public_data: Path) -> None:
        content = csww(worker(), LEA="999")
        report = check(tmp_path, content, published=public_data / "csww_indicators_2017_to_2023.csv")
        assert report.published is None and "none of this council before" in (report.not_compared or "")

    def test_a_joint_return_is_found_under_either_code(self, tmp_path: Path, public_data: Path) -> None:
        content = csww(worker(), LEA="318")
        report = check(tmp_path, content, published=public_data / "csww_indicators_2017_to_2023.csv")
        assert report.published is not None


def test_published_figures_that_are_not_there(tmp_path: Path) -> None:
    assert "give DfE's file with --published" in printed(check(tmp_path, council()))
    with pytest.raises(ReferenceDataError, match="There is no file"):
        check(tmp_path, council(), published=tmp_path / "none.csv")
