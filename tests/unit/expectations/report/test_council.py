"""What people read: complete, offline, and without a value."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from rich.console import Console

from expectations.accepted import Accepted
from expectations.batch import PROBLEMS, Batch, CheckHistory, Outcome
from expectations.fates import CouncilFiles, files_as_checked
from expectations.report.council import CouncilReport, as_html, as_json, council_report, measures_needing, show
from expectations.report.data_docs import clean, site
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER, Row, batch_of, check_batch, frame_of, large_rows, record_rows

REF, CASE_REF = 8_123_456_789_012_345_678, 7_987_654_321_098_765_432
#: What is planted -> how it might be written somewhere.
MARKERS = (
    str(REF),
    str(CASE_REF),
    "8.1234567890123",
    "7.9876543210987",
    "QQMARKERTEAM",
    "QQMARKERCODE",
    "1931-05-17",
    "17/05/1931",
    "-14109",
    "34865",
    "73.19",
    "7319",
    "187313",
    "187,313",
)


def _planted() -> dict[Kind, list[Row]]:
    """A council every column of which holds a marker, each of them wrong."""
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:40]:
        worker |= {
            "worker_ref": REF,
            "org_role": "QQMARKERCODE",
            "fte": 7319,
            "role_start_date": date(1931, 5, 17),
            "role_end_date": date(1931, 5, 17),
            "reason_leave": "QQMARKERCODE",
            "leaver_destination": "QQMARKERCODE",
            "cases": 187_313,
            "working_days_lost": 187_313,
            "team": "QQMARKERTEAM",
        }
    for case in rows[Kind.CASELOAD][10:40]:
        case |= dict.fromkeys((n for n in case if n.endswith("_date")), date(1931, 5, 17))
        case |= {
            "case_ref": CASE_REF,
            "allocated_worker_ref": REF,
            "team": "QQMARKERTEAM",
            "case_status": "QQMARKERCODE",
            "worker_changes_12m": 187_313,
            "previous_cp_plans": 187_313,
        }
    return rows


def report_of(batch: Batch, outcome: Outcome, la_code: str, name: str = "") -> CouncilReport:
    return council_report(batch, outcome, files_as_checked(batch, outcome, la_code, name))


def both(batch: Batch, outcome: Outcome) -> list[CouncilFiles]:
    return [files_as_checked(batch, outcome, la_code) for la_code in sorted({la for la, _ in outcome.checked})]


@pytest.fixture(scope="module")
def planted() -> tuple[Batch, Outcome]:
    batch = batch_of({"901": _planted(), "902": record_rows()})
    return batch, check_batch(batch)


def test_no_value_leaves_in_reports_pages_or_records(planted: tuple[Batch, Outcome]) -> None:
    batch, outcome = planted
    assert outcome.failures.height > 20
    told = {name: page.decode() for name, page in site(batch, outcome, both(batch, outcome)).items()}
    told["failures"] = str(outcome.failures.to_dicts())
    told["not run"] = str(outcome.not_run.to_dicts())
    told["results"] = str([s.results for s in outcome.suites])
    console = Console(file=io.StringIO(), width=200)
    show(report_of(batch, outcome, "901"), console)
    told["terminal"] = console.file.getvalue()  # type: ignore[attr-defined]
    for where, text in told.items():
        for marker in MARKERS:
            assert marker not in text, (marker, where)


def test_no_value_is_logged_or_printed(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        check_batch(batch_of({"901": _planted()}))
    printed = capsys.readouterr()
    for marker in MARKERS:
        assert marker not in caplog.text
        assert marker not in printed.out + printed.err


def test_no_network_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    batch = batch_of({"901": record_rows()})
    found = check_batch(batch)
    assert site(batch, found, both(batch, found))


class _Loads(HTMLParser):
    """Everything a browser would fetch or follow, and whether tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [v or "" for n, v in attrs if n in ("href", "src", "srcset", "action", "data", "poster")]
        assert not [n for n, _ in attrs if n.startswith("on")]
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_load_nothing_and_link_only_to_each_other(planted: tuple[Batch, Outcome]) -> None:
    batch, outcome = planted
    pages = site(batch, outcome, both(batch, outcome))
    assert [n for n in pages if n.startswith("data-docs/")] == [
        "data-docs/workforce-static.html",
        "data-docs/establishment-static.html",
        "data-docs/caseload-static.html",
        "data-docs/all-extracts-dynamic.html",
    ]
    for name, page in pages.items():
        text = page.decode()
        assert "//" not in re.sub(r"<!doctype[^>]*>", "", text), name
        assert "url(" not in text
        assert "@import" not in text
        if not name.endswith(".html"):
            continue
        loads = _Loads()
        loads.feed(text)
        assert loads.open == []
        assert not loads.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
        folder = name.rpartition("/")[0]
        for address in loads.addresses:
            target = re.sub(r"[^/]+/\.\./", "", f"{folder}/{address}".lstrip("/"))
            assert target in pages, (name, address)
        assert '<html lang="en-GB">' in text
        assert 'name="viewport"' in text


def test_pages_are_the_same_for_the_same_month() -> None:
    first, second = (
        site(batch, found, both(batch, found))
        for batch in (batch_of({"901": _planted()}), batch_of({"901": _planted()}))
        for found in [check_batch(batch)]
    )
    assert first == second


def test_data_docs_are_great_expectations_own(planted: tuple[Batch, Outcome]) -> None:
    batch, outcome = planted
    page = site(batch, outcome, both(batch, outcome))["data-docs/workforce-static.html"].decode()
    assert "Observed Value" in page
    assert "Fails where fte is not between 0 and 1." in page
    assert '<span class="failed">Failed</span>' in page
    assert '<span class="passed">Passed</span>' in page
    assert "% unexpected" in page
    assert "Table of Contents" not in page


def test_a_share_of_failures_is_of_all_rows_as_it_says(planted: tuple[Batch, Outcome]) -> None:
    batch, outcome = planted
    pages = site(batch, outcome, both(batch, outcome))
    found = 0
    for name, page in pages.items():
        if name.startswith("data-docs/") and "static" in name:
            words = " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())
            for count, share, rows in re.findall(
                r"([\d,]+) unexpected values found\. ≈?([\d.]+)% of ([\d,]+) total", words
            ):
                failed, all_rows = (int(n.replace(",", "")) for n in (count, rows))
                assert float(share) == pytest.approx(100 * failed / all_rows, abs=0.01)
                found += 1
    assert found


def test_cleaning_keeps_the_table_and_drops_the_rest() -> None:
    page = (
        '<head><title>t</title><link href="https://cdn.example/x.css"></head><body onload="x()">'
        '<nav><a href="https://a.example">Home</a></nav><script>alert(1)</script><img src="//b.example/l.png">'
        '<table style="background:url(x)" class="c"><tr><td colspan="2">1 &lt; 2 <a href="https://c.example">c</a>'
        '<i class="fas text-danger"></i></td></tr></table><footer>Subscribe</footer>'
    )
    assert clean(page) == ('<table><tr><td colspan="2">1 &lt; 2 c<span class="failed">Failed</span></td></tr></table>')


def test_cleaning_takes_only_the_part_asked_for() -> None:
    page = '<div><h4>Menu</h4></div><div class="x part"><div><p>Yes</p></div><p>and</p></div><div><p>No</p></div>'
    assert clean(page, within="part") == "<div><div><p>Yes</p></div><p>and</p></div>"


def test_a_report_says_what_failed_what_to_do_and_what_it_withholds(planted: tuple[Batch, Outcome]) -> None:
    batch, outcome = planted
    report = report_of(batch, outcome, "901", "Ashcombe")
    assert report.title == "Checks of October 2026: Ashcombe (901)"
    assert report.files.verdict.startswith("Not used: workforce.csv and caseload.csv.")
    document = json.loads(as_json([report]))["901"]
    assert list(document) == sorted(document)
    assert document["verdict"] == report.files.verdict
    assert {f["check"] for f in document["failures"]} >= {"workforce.fte.range", "caseload.case_ref.unique"}
    sound = report_of(batch, outcome, "902")
    assert sound.files.verdict == "Used. Nothing to put right."
    assert [f.state for f in sound.files.files] == ["used", "used", "used"]
    assert "Ashcombe" not in as_html(sound).decode()


def test_withheld_columns_name_the_measures() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:20]:
        worker["working_days_lost"] = None
    batch = batch_of({"901": rows})
    report = report_of(batch, check_batch(batch), "901")
    assert [(w.column, w.measures) for w in report.withheld] == [
        ("working_days_lost", ("Sickness absence in 12 months",))
    ]
    assert report.files.verdict == "Used in part: 1 error withholds figures. Please put it right and send again."
    assert measures_needing(Kind.RETURN, "vacancy_fte") == (
        "Vacancy rate",
        "Vacancies covered by agency staff",
    )
    assert measures_needing(Kind.RETURN, "reference_date") == ()


def test_the_first_twenty_rows_are_named_and_the_rest_counted() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:40]:
        worker["fte"] = 3700
    batch = batch_of({"901": rows})
    (item,) = [i for i in report_of(batch, check_batch(batch), "901").items if i.column == "fte"]
    assert item.rows == 30
    assert item.row_numbers == tuple(range(12, 32))
    assert item.where.endswith("30, 31 and 10 more")


def test_one_file_is_checked_by_itself() -> None:
    rows = record_rows()[Kind.CASELOAD]
    rows[1]["case_status"] = "z"
    frame = frame_of(Kind.CASELOAD, rows, "901")
    absent = frozenset({("901", Kind.CASELOAD, "team")})
    batch = Batch(
        OCTOBER, {Kind.CASELOAD: frame}, PROBLEMS.to_frame(), absent, {("901", Kind.CASELOAD): "my cases.csv"}
    )
    outcome = check_batch(batch)
    assert set(outcome.failures["check"]) == {"caseload.case_status.code", "caseload.team.absent"}
    assert set(outcome.failures["file"]) == {"my cases.csv"}
    assert "caseload.allocated_worker_ref.unknown" in outcome.not_run["check"].to_list()


def test_accepted_and_expired_entries_are_shown() -> None:
    rows = large_rows()
    rows[Kind.WORKFORCE][10]["org_role"] = "9"
    batch = batch_of({"901": rows})
    held = Accepted("workforce.org_role.code", "901", "*", "*", "New payroll.", "data team lead", OCTOBER)
    old = replace(held, check="caseload.*", expires=Month(2026, 1))
    outcome = check_batch(batch, CheckHistory(), (held, old))
    pages = site(batch, outcome, both(batch, outcome), (held, old))
    assert "Accepted (1)" in pages["councils/901.html"].decode()
    assert "Accepted by data team lead until October 2026: New payroll." in pages["councils/901.html"].decode()
    assert "Acceptances that have run out" in pages["index.html"].decode()
    console = Console(file=io.StringIO(), width=100)
    show(report_of(batch, outcome, "901"), console)
    assert "Accepted (1)" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_terminal_shows_the_verdict_then_each_list_with_its_lines_inset() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:20]:
        worker["working_days_lost"] = None
    batch = batch_of({"901": rows}, notes={("901", Kind.WORKFORCE): ("Read by its mapping.",)})
    console = Console(file=io.StringIO(), width=500)
    show(report_of(batch, check_batch(batch), "901"), console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("Checks of October 2026")
    assert lines[1] == "Used in part: 1 error withholds figures. Please put it right and send again."
    at = lines.index("Errors (1)")
    assert lines[at + 1].startswith("  workforce.csv: ") and lines[at + 4] == "  [workforce.working_days_lost.missing]"
    assert lines[at + 2].startswith("  Row") and lines[at + 3].startswith("  Effect: the figures that need the column")
    at = lines.index("Withheld until put right")
    assert lines[at - 1] == "" and lines[at + 1] == "  workforce working_days_lost: Sickness absence in 12 months"
    assert lines[lines.index("How the files were read") + 1] == "  workforce.csv: Read by its mapping."
    (table,) = [line for line in lines if line.startswith("workforce.csv ")]
    assert table.split()[:2] == ["workforce.csv", "100"] and table.endswith(" used in part; 1 error")
