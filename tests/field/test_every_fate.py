"""A month in which every fate of a file occurs; every surface says the same of it."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from expectations.fates import CouncilFiles, Fate
from features.errors import CheckFailed, ExtractError
from flows.alerts.council import validation_facts
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact, alert_letter
from flows.alerts.letter.render import render_letter
from flows.cli.app import app
from flows.extracts.check_files import CheckedFiles, check_files
from flows.extracts.landing import LandedFile
from flows.mail.month_mail import MonthMail
from flows.mail.officers import data_officer_message
from flows.mail.parts import parts_as_text
from flows.mail.why import Chain, chain
from flows.month import inputs, steps
from flows.month.take_in import read_files
from flows.orchestration import artifacts
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.reporting import outcome_of
from flows.orchestration.run_report import to_json, to_markdown, to_message, to_text
from flows.store.context import RunContext
from tests.field.region import ARRIVED, LAST, FieldRegion, Ran

CONTACT = Contact()
LATE = ARRIVED + 7 * 86_400

#: What is planted, by council and extract.
PLANTED = {
    ("Z01", "workforce"): Fate.REFUSED,
    ("Z01", "establishment"): Fate.ACCEPTED,
    ("Z01", "caseload"): Fate.QUERIES,
    ("Z02", "workforce"): Fate.IN_PART,
    ("Z02", "establishment"): Fate.QUERIES,
    ("Z02", "caseload"): Fate.ACCEPTED,
    ("Z03", "workforce"): Fate.PERSONAL,
    ("Z03", "establishment"): Fate.MISSING,
    ("Z03", "caseload"): Fate.QUARANTINED,
    ("Z04", "workforce"): Fate.UNREAD,
    ("Z04", "establishment"): Fate.UNREAD,
    ("Z04", "caseload"): Fate.UNREAD,
}


def plant(region: FieldRegion) -> None:
    region.put("Z01", "workforce", b"\x00\x01 no table at all")
    cases = region.table("Z01", "caseload")
    region.put("Z01", "caseload", cases.with_columns(case_status=cases["case_status"].scatter(0, "z")))
    workers = region.table("Z02", "workforce")
    region.put("Z02", "workforce", workers.with_columns(working_days_lost=_emptied(workers["working_days_lost"])))
    late = region.file("Z02", "establishment")
    os.utime(late, (LATE, LATE))
    again = region.file("Z02", "caseload")
    first = again.with_name(f"caseload.first{again.suffix}")
    first.write_bytes(again.read_bytes().replace(b"\n", b"\r\n"))
    os.utime(first, (ARRIVED - 3600, ARRIVED - 3600))
    region.put("Z03", "workforce", region.table("Z03", "workforce").with_columns(date_of_birth=pl.lit("01/02/1980")))
    region.file("Z03", "establishment").unlink()
    doubled = region.table("Z03", "caseload")
    region.put("Z03", "caseload", doubled.with_columns(case_ref=pl.lit("C1")))


def _emptied(column: pl.Series) -> pl.Series:
    return column.scatter(range(0, column.len(), 3), None)


@dataclass(frozen=True)
class Everything:
    """The month as it came out, and all that was said of it."""

    context: RunContext
    ran: Ran
    files: dict[str, CouncilFiles]
    outcome: RunOutcome
    region: FieldRegion


@pytest.fixture(scope="module")
def month(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    region = field_region.copy(tmp_path_factory.mktemp("fates") / "region")
    plant(region)
    with pytest.MonkeyPatch.context() as patch:

        def refused(landing: Any, files: Sequence[LandedFile], **given: Any) -> Any:
            if files[0].council.la_code == "Z04":
                raise OSError("could not open s3://a-bucket/of-ours")
            return read_files(landing, files, **given)

        patch.setattr(inputs, "read_files", refused)
        ran = region.run()
    context = region.context()
    manifest, failures = steps.files_as_known(context.history, LAST, context.cutoff)
    files = {c.la_code: council_files(manifest, failures, c, LAST) for c in context.register.councils}
    outcome = outcome_of(
        context, [p.alert for p in ran.published], manifest, failures, MonthMail(storm=ran.alerting.storm)
    )
    return Everything(context, ran, files, outcome, region)


def plain(text: str) -> str:
    """Words alone: no tags, entities, Markdown escapes or line breaks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)).replace("\\|", "|"))


def test_every_fate_occurs_and_is_what_was_planted(month: Everything) -> None:
    found = {(code, str(f.kind)): f.fate for code, council in month.files.items() for f in council.files}
    assert found == PLANTED
    assert set(found.values()) == set(Fate)
    by_kind = {(code, str(f.kind)): f for code, council in month.files.items() for f in council.files}
    assert by_kind["Z02", "establishment"].late
    assert by_kind["Z02", "caseload"].restated
    assert by_kind["Z02", "workforce"].withheld == ("working_days_lost",)


def test_the_officer_reads_each_file_and_never_in_order_of_a_file_that_is_not(month: Everything) -> None:
    for council in month.context.register.councils:
        files = month.files[council.la_code]
        notes = validation_facts(month.ran.alerting.failures, council, LAST).notes
        message = data_officer_message(council, files, notes, CONTACT)
        said = plain(message.text)
        assert message.subject.endswith(files.headline)
        assert files.verdict in said
        assert all(f.detail in said for f in files.files)
        assert ("in order" in said) == all(f.fate is Fate.ACCEPTED for f in files.files)
        assert "s3://" not in said
    assert not month.files["Z04"].to_put_right, "a fault of ours asks nothing of the council"


def test_the_director_reads_the_same_of_each_file(month: Everything) -> None:
    told = [p for p in month.ran.published if p.alert.kind is not None]
    assert told
    for published in told:
        alert, files = published.alert, month.files[published.alert.la_code]
        letter = render_letter(alert_letter(alert, CONTACT), key="k", la_code=alert.la_code, month=LAST)
        assert all(f.sentence in plain(letter.text) for f in files.files)
        assert "s3://" not in letter.text
        assert [s.fate.state for s in alert.submissions] == [f.state for f in files.files]


def test_the_run_the_team_and_prefect_read_the_same(month: Everything) -> None:
    outcome = month.outcome
    text, markdown = plain(to_text(outcome)), plain(to_markdown(outcome))
    letter, table = (
        plain(to_message(outcome, CONTACT).text),
        plain(artifacts.validation_markdown(month.context, outcome)),
    )
    document = {f["la_code"]: f for f in json.loads(to_json(outcome))["files"]}
    for code, files in month.files.items():
        assert f"| {files.errors} | {files.queries} | {files.verdict} |" in table
        assert document[code]["verdict"] == files.verdict
        for file in files.files:
            if file.remarkable:
                assert all(file.detail in form for form in (text, markdown, letter))
                assert f"{file.kind} ({file.state})" in table
    assert all(f.errors for files in month.files.values() for f in files.unused), (
        "a refused file is no file without errors"
    )


def test_the_pages_read_the_same(month: Everything) -> None:
    store = month.context.store
    index = plain(store.read(f"validation/{LAST}/index.html").decode())
    documents = json.loads(store.read(f"validation/{LAST}/reports.json"))
    for code, files in month.files.items():
        page = plain(store.read(f"validation/{LAST}/councils/{code}.html").decode())
        document = documents[code]
        assert files.verdict in page
        assert f"{files.name} {files.errors} {files.queries} {files.verdict}" in index
        assert all(f.state in page for f in files.files)
        assert [f["state"] for f in document["files"]] == [f.state for f in files.files]
        assert (document["verdict"], document["errors"]) == (files.verdict, files.errors)
    steps.write_region_page(
        store, month.context.register.councils, LAST, month.ran.alerting, "", month.ran.published, {}
    )
    region = plain(store.read(f"region/{LAST}/index.html").decode())
    for files in month.files.values():
        assert (f"Files: {files.headline}" in region) == files.to_put_right


def test_the_desk_says_the_same_of_the_files_that_can_be_checked_there(month: Everything) -> None:
    for code in ("Z01", "Z02", "Z03"):
        files, folder = month.files[code], month.region.landing / str(LAST) / code
        (checked,) = check_files(
            [p for p in sorted(folder.iterdir()) if ".first" not in p.name], council=code, month=LAST
        )
        assert isinstance(checked, CheckedFiles)
        desk = {f.kind: f for f in checked.report.files.files}
        for file in files.files:
            if file.fate is not Fate.MISSING:
                # Comparisons with earlier months are made in a run only, so a run may have more queries.
                assert desk[file.kind].fate.used == file.fate.used
                assert desk[file.kind].errors == file.errors
        console = Console(file=io.StringIO(), width=300)
        checked.show(console)
        assert checked.report.files.verdict in plain(console.file.getvalue())  # type: ignore[attr-defined]


def test_the_exit_code_of_check_is_the_worst_fate(
    month: Everything, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = {"Z01": ExtractError.exit_code, "Z02": CheckFailed.exit_code}
    for code, exit_code in expected.items():
        folder = month.region.landing / str(LAST) / code
        files = [str(p) for p in sorted(folder.iterdir()) if ".first" not in p.name]
        asked = ["check", *files, "--council", code, "--month", str(LAST)]
        said = CliRunner().invoke(app, [*asked, "--json"])
        assert said.exit_code == exit_code
        (document,) = json.loads(said.stdout)
        desk = {f["extract"]: f for f in document["files"]}
        assert all(desk[f.kind]["errors"] == f.errors for f in month.files[code].files)


def test_why_tells_the_chain(month: Everything) -> None:
    chains: dict[str, Chain] = {
        c.la_code: chain(month.context.store, month.context.history, c, LAST) for c in month.context.register.councils
    }
    for code, found in chains.items():
        files, said = month.files[code], plain(parts_as_text(found.title, found.parts()))
        assert files.verdict in said
        assert all(f.detail in said for f in files.files)
        if code == "Z04":
            assert found.alert is None
            assert "nothing is decided; the next run reads it again" in said
            continue
        if code == "Z04":
            assert found.alert is None, "nobody decides about a council whose files we could not read"
            continue
        assert found.alert is not None
        assert all(rule in said for rule in found.alert.decision.because)
        document = json.loads(found.to_json())
        assert document["decision"]["band"] == found.alert.decision.band.value
    in_part = parts_as_text("", chains["Z02"].parts())
    assert "workforce working_days_lost: Sickness absence in 12 months" in in_part
    assert "workforce.working_days_lost" in in_part
    refused = {label for label, _, since in chains["Z01"].missing if since == LAST}
    assert "Caseload per worker" in refused
    assert "no score" in parts_as_text("", chains["Z01"].parts())
