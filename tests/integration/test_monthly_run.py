"""The whole job on a made-up region, through the real flow: run it, run it again, restate, look everywhere for refs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.alerts.alert import Alert
from flows.alerts.state import Band
from flows.cli.demo import settings_for
from flows.orchestration.embedded import quiet_flows
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.run_report import to_text

LAST = Month(2026, 10)
MONTHS = 4
CUTOFF = date(2026, 11, 20)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@dataclass
class Region:
    folder: Path

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self, **request: object) -> RunOutcome:
        from flows.monthly import monthly, result_of
        from flows.settings.run_form import RunRequest

        asked = RunRequest.model_validate({"month": str(LAST), "as_of": CUTOFF, **request})
        with quiet_flows():
            return result_of(monthly(asked, return_state=True))

    def alert(self, folder: str, month: Month = LAST) -> Alert:
        return Alert.from_bytes((self.store / f"alerts/{month}/{folder}.json").read_bytes())

    def objects(self) -> dict[str, bytes]:
        """Everything in the store and the outbox, by name."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for root in (self.store, self.folder / "outbox")
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A region of 12 councils, run once; its last month has a broken file, personal data, a late and a restated one."""
    from flows.sample_region import sample_extracts

    folder = tmp_path_factory.mktemp("region")
    sample_extracts(folder / "landing", 12, MONTHS, 7, LAST)
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        for name, value in settings_for(folder).items():
            patch.setenv(name, value)
        yield Region(folder)


@pytest.fixture(scope="module")
def first(region: Region) -> RunOutcome:
    return region.run(reason="first")


def test_every_council_is_decided_and_the_broken_ones_are_named(region: Region, first: RunOutcome) -> None:
    assert len(first.councils) == 12
    said = to_text(first)
    assert "Eddarkwold (Z11)" in said
    assert "workforce.csv" in said
    assert "date_of_birth" in said
    assert "Culverstow (Z10): " in said and ", late" in said
    assert {c.la_code for c in first.councils if c.band is not Band.NOT_SCORED} >= {"Z01", "Z02", "Z04", "Z07 / Z08"}


def test_what_a_person_can_put_right_is_a_sentence_in_the_runs_state(region: Region) -> None:
    from flows.monthly import monthly
    from flows.settings.run_form import RunRequest

    with quiet_flows():
        state = monthly(RunRequest(month="2026-10", councils=["999"], as_of=CUTOFF), return_state=True)
    assert state.is_failed()
    assert "No council 999 reports for October 2026" in str(state.message)


def test_alert_objects_carry_their_provenance(region: Region, first: RunOutcome) -> None:
    alert = region.alert("Z07-Z08")
    assert alert.la_code == "Z07 / Z08"
    sent = region.landing / "2026-10" / "Z07-Z08"
    assert set(alert.provenance.extracts) == {p.name.split(".")[0] for p in sent.iterdir()}
    assert all(len(mark) == 64 for mark in alert.provenance.extracts.values())
    assert alert.provenance.code_version
    assert alert.score.model_version


def test_a_second_run_writes_nothing_new_and_mails_nobody_again(region: Region, first: RunOutcome) -> None:
    before = region.objects()
    again = region.run(reason="again")
    after = region.objects()
    assert again.mail.sent_now == 0
    changed = {n for n in after if before.get(n) != after[n] and not n.startswith("store/claims/")}
    # The region page shows what each stage of the run took, and the list of what must be there has the page's hash.
    assert changed <= {f"store/region/{LAST}/index.html", f"store/runs/{LAST}/kept.json"}


def test_data_officers_hear_of_their_own_files_and_directors_messages_do_not_count_them(
    region: Region, first: RunOutcome
) -> None:
    keys = {n for n in region.objects() if n.startswith(f"store/ledger/{LAST}/") and n.endswith("message.eml")}
    officers = {n.split("/")[4] for n in keys if "/files/" in n}
    assert officers >= {"Z11", "Z13"}
    broken = next(content for n, content in region.objects().items() if "/files/Z11/" in n and n.endswith(".eml"))
    assert b"To: data@eddarkwold.example" in broken
    to_directors = {n.split("/")[3] for n in keys} - {"files", "run"}
    assert first.mail.sent_now == len(to_directors)


def test_of_what_was_received_only_tables_of_the_contracts_columns_are_kept(region: Region, first: RunOutcome) -> None:
    kept = {path.relative_to(region.store): path for path in (region.store / "received").rglob("*") if path.is_file()}
    for name, path in kept.items():
        kind = Kind(name.name.partition("-")[0])
        assert path.name.endswith(".rows.parquet")
        schema = dict(pl.read_parquet_schema(path))
        assert schema.pop("submission") == pl.String()
        assert schema == dict(EXTRACTS[kind].schema), name
    logs = [json.loads(path.read_bytes()) for path in (region.store / "submissions").rglob("*.json")]
    named = {record["table"] for log in logs for record in log["records"] if record["kept"]}
    assert {f"received/{name.relative_to('received').as_posix()}" for name in kept} == named
    sent = {p.read_bytes() for p in region.landing.glob("20*/*/*") if p.is_file()}
    assert not sent & {p.read_bytes() for p in region.store.rglob("*") if p.is_file()}


def test_no_reference_of_a_worker_or_a_case_is_anywhere(region: Region, first: RunOutcome) -> None:
    rows = pl.read_csv(region.landing / "2026-10/Z01/caseload.csv", infer_schema=False)
    refs = set(rows["case_ref"].head(50)) | set(rows["allocated_worker_ref"].drop_nulls().head(50))
    marks = [ref.encode() for ref in sorted(refs)]
    leaks = [name for name, content in region.objects().items() if any(mark in content for mark in marks)]
    assert leaks == []


def test_what_was_refused_for_personal_data_left_no_value_behind(region: Region, first: RunOutcome) -> None:
    rows = pl.read_csv(region.landing / "2026-10/Z13/caseload.csv", infer_schema=False)
    births = [value.encode() for value in rows["date_of_birth"].drop_nulls().unique().head(20)]
    assert births
    refused = [n for n, c in region.objects().items() if "Z13" in n and any(b in c for b in births)]
    assert refused == []


def test_a_late_extract_becomes_a_correction_and_an_earlier_cutoff_does_not_see_it(
    region: Region, first: RunOutcome
) -> None:
    original = region.landing / "2026-10/Z11/workforce.csv"
    # September's workers a month later: with last month's cases and days lost it would be last month's file.
    table = pl.read_csv(region.landing / "2026-09/Z11/workforce.csv", infer_schema=False).head(-3)
    later = [pl.col(pl.String).replace("2026-09-30", "2026-10-31"), pl.lit("3").alias("working_days_lost")]
    resent = region.landing / "2026-10/Z11/workforce.resent.csv"
    table.with_columns(later[0]).with_columns(later[1]).write_csv(resent)
    came = datetime(2026, 11, 18, 9, tzinfo=UTC).timestamp()
    os.utime(resent, (came, came))

    unseen = region.run(as_of=date(2026, 11, 13), reason="as known before")
    assert "Eddarkwold (Z11)" in to_text(unseen)

    seen = region.run(reason="resent")
    assert "workforce.csv: the file is not text" not in to_text(seen)
    assert original.exists(), "the landing folder is never written to"
    manifests = sorted((region.store / "months/2026-10").glob("*/manifest.json"))
    assert len(manifests) == 2
    newest = json.loads(manifests[-1].read_text())
    record = next(e for e in newest["extracts"] if (e["la_code"], e["kind"]) == ("Z11", "workforce"))
    assert record["outcome"] == "accepted"
    assert record["restates"]
