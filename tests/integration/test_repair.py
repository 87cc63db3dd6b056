"""A month repaired as a data team does it: one council, one step, one fault at a time, on a made-up region."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from expectations.fates import Fate
from features.errors import StoreError
from flows import monthly
from flows.cli.demo import settings_for
from flows.extracts.landing import LandedFile
from flows.mail import approval
from flows.month import inputs, steps
from flows.orchestration import tasks
from flows.orchestration.doctor import examine
from flows.orchestration.embedded import quiet_flows
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.run_report import to_text
from flows.settings.settings import ClaimSettings
from flows.store.claims import INTAKE, Owner, claims_since, free, take_claim, wall_clock
from flows.store.local import LocalStore
from flows.store.port import DamagedObject, StoreRefuses
from flows.store.processes import this_process
from tests.integration import small_region
from tests.prefect_homes import using

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

MONTH = small_region.LAST
CODES = ("Z01", "Z02", "Z03", "Z04")


@dataclass
class Region:
    """A region whose month has been read and not yet sent; each test has a copy."""

    folder: Path

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store")

    def state(self, **request: object) -> Any:
        from flows.settings.run_form import RunRequest

        asked = RunRequest.model_validate({"month": str(MONTH), "as_of": date(2026, 11, 20), **request})
        with quiet_flows():
            return monthly.monthly(asked, return_state=True)

    def run(self, **request: object) -> RunOutcome:
        return monthly.result_of(self.state(**request))

    def mailed(self) -> list[str]:
        """Codes of the councils whose director has a message in the outbox, one for each message."""
        keys = [p.name for p in (self.folder / "outbox").glob("*.eml")]
        return sorted(c for key in keys for c in CODES if f".{c}.r" in key)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        return {o.name: self.store.read(o.name) for o in self.store.list(prefix)}


def use(folder: Path, patch: pytest.MonkeyPatch) -> Region:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        patch.delenv(name)
    for name, value in settings_for(folder).items():
        patch.setenv(name, value)
    return Region(folder)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("region")
    small_region.make(folder / "landing")
    with pytest.MonkeyPatch.context() as patch:
        use(folder, patch).run(steps="check only", reason="first look")
    yield folder


@pytest.fixture
def region(read_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Region:
    shutil.copytree(read_once, tmp_path, dirs_exist_ok=True)
    return use(tmp_path, monkeypatch)


def failing_for(code: str, real: Callable[..., Any], council_of: Callable[..., str]) -> Callable[..., Any]:
    """The step, but with a fault of our own at one council."""

    def step(*given: Any, **more: Any) -> Any:
        if council_of(*given) == code:
            raise ValueError("a name that must not be told")
        return real(*given, **more)

    return step


def test_checking_alone_publishes_and_mails_nothing(region: Region) -> None:
    assert region.objects("validation/")
    assert region.objects("alerts/") == {}
    assert region.mailed() == []
    outcome = region.run(steps="check only")
    assert outcome.headline == "October 2026: read and checked, nothing scored"
    assert "Sorrelmere (Z01): Workforce: not received." in to_text(outcome)


def test_a_month_whose_validation_pages_were_lost_gets_them_again_and_nobody_a_second_message(region: Region) -> None:
    region.run()
    pages, mailed = region.objects("validation/"), region.mailed()
    gone = [n for n in pages if n.startswith(("validation/2026-10/councils/", "validation/2026-10/data-docs/"))]
    for name in gone:
        region.store.delete(name)
    said = {f.name: f.what for f in examine(region.store).findings}
    assert {*said} == {*gone} and all("`holdfast run --month 2026-10`" in what for what in said.values())
    region.run(reason="as the doctor says")
    again = region.objects("validation/2026-10/")
    assert {n: c for n, c in again.items() if "/councils/" in n} == {n: pages[n] for n in gone if "/councils/" in n}
    linked = re.findall(r'href="([^"#:]+\.html)"', again["validation/2026-10/index.html"].decode())
    assert {f"validation/2026-10/{page}" for page in linked} <= {*again}
    assert not examine(region.store).findings
    assert region.mailed() == mailed
    editions = region.objects("months/2026-10/")
    region.run(reason="all is there")
    assert region.objects("months/2026-10/") == editions


def test_a_rehearsal_scores_and_leaves_the_store_as_it_was(region: Region) -> None:
    before = {n: c for n, c in region.objects().items() if not n.startswith("claims/")}
    outcome = region.run(steps="rehearse")
    assert [c.la_code for c in outcome.councils] == list(CODES)
    assert {n: c for n, c in region.objects().items() if not n.startswith("claims/")} == before
    assert region.mailed() == []


def test_one_council_from_scoring_then_all_gives_no_duplicates(region: Region) -> None:
    region.run(councils=["Z02"], steps="from scoring", reason="one council")
    assert region.mailed() == ["Z02"]
    assert set(region.objects("alerts/")) == {
        f"alerts/2026-10/Z02.{e}" for e in ("json", "message.html", "message.txt")
    }
    assert "runs/2026-10/success.json" not in region.objects("runs/"), "one council is not the month"
    region.run(steps="from scoring", reason="everyone")
    region.run(councils=["Z02"], reason="again")
    assert region.mailed() == list(CODES)
    assert json.loads(region.objects("runs/")["runs/2026-10/success.json"])["councils"] == 4
    page = region.objects("region/")["region/2026-10/index.html"].decode()
    assert page.count('<li class="council"') == 4, "the page shows the others as they stand"


def test_a_month_is_not_decided_over_one_that_nobody_ran(region: Region) -> None:
    region.run(month="2026-08", steps="from scoring", send="no")
    state = region.state(steps="from scoring")
    assert state.is_failed() and "October 2026 cannot be decided before September 2026" in state.message
    assert region.objects("alerts/2026-10/") == {} and region.mailed() == []


def test_sending_alone_sends_what_is_published_and_scores_nothing(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "run it from scoring" in region.run(steps="from sending").note
    region.run(send="no", steps="from scoring")
    assert region.mailed() == []
    monkeypatch.setattr(steps, "decide_month", lambda *_: pytest.fail("nothing is to be decided"))
    outcome = region.run(steps="from sending", councils=["Z01"])
    assert region.mailed() == ["Z01"]
    assert outcome.mail.sent_now == 2
    region.run(steps="from sending")
    assert region.mailed() == list(CODES)


def test_an_unknown_council_or_a_month_to_come_stops_the_run_before_anything_is_written(
    region: Region,
) -> None:
    before = region.objects()
    for given, said in (
        ({"councils": ["999"]}, "No council 999 reports for October 2026"),
        ({"month": "2199-01"}, "January 2199 has not ended"),
    ):
        state = region.state(**given)
        assert state.is_failed()
        assert said in state.message
    assert region.objects() == before


def test_a_fault_in_reading_one_council_is_that_councils_and_mended_by_the_next_run(
    read_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(read_once / "landing", tmp_path / "landing")
    region = use(tmp_path, monkeypatch)

    def council(_landing: object, files: Sequence[LandedFile]) -> str:
        return files[0].council.la_code

    with monkeypatch.context() as broken:
        broken.setattr(inputs, "read_files", failing_for("Z03", inputs.read_files, council))
        state = region.state(send="no")
    outcome = state.result()
    assert (state.name, state.type.value) == ("Completed", "COMPLETED")
    assert "faults at single councils" in str(state.message)
    assert "Z03" not in {c.la_code for c in outcome.councils}, "nothing is decided of what we could not read"
    (fault, *_) = outcome.faults
    assert "Fennickmere (Z03): reading 2026-" in fault
    assert "a fault in Holdfast (ValueError in test_repair.py, line" in fault
    everything = b"".join(c for n, c in region.objects().items() if not n.startswith("received/"))
    assert b"a name that must not be told" not in everything
    (fennickmere,) = [f for f in outcome.files or () if f.name == "Fennickmere"]
    assert "caseload" not in {str(f.kind) for f in fennickmere.of(Fate.MISSING)}

    mended = region.run(send="no")
    assert mended.faults == ()
    assert "a fault in Holdfast" not in to_text(mended)


def test_a_council_whose_folder_we_may_not_read_hears_nothing_of_it_and_the_data_team_does(
    read_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(read_once / "landing", tmp_path / "landing")
    region, real = use(tmp_path, monkeypatch), LocalStore.read

    def read(self: LocalStore, name: str) -> bytes:
        if "/Z03/" in name and name.endswith(".csv"):
            raise StoreRefuses(f"Could not read “{name}” in s3://our-bucket/landing (AccessDenied).")
        return real(self, name)

    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "read", read)
        outcome = region.run()
    assert any("Fennickmere (Z03)" in fault and "s3://our-bucket" in fault for fault in outcome.faults)
    mailed = {p.name: message_from_bytes(p.read_bytes(), policy=default) for p in (tmp_path / "outbox").glob("*.eml")}
    assert not [name for name in mailed if ".Z03." in name], "neither its director nor its data officer"
    told = {name for name, mail in mailed.items() if "s3://our-bucket" in mail.get_body(("plain",)).get_content()}
    assert told == {name for name in mailed if ".run." in name}, "the data team alone"
    shown = [n for n, c in region.objects().items() if b"our-bucket" in c]
    assert {n.partition("/")[0] for n in shown} <= {"months", "ledger"}, "on no page"


@pytest.mark.parametrize(
    ("fault", "times"), [(StoreError("away"), 4), (StoreRefuses("denied"), 1), (DamagedObject("cut off"), 1)]
)
def test_what_waiting_does_not_cure_is_said_at_once(
    region: Region, monkeypatch: pytest.MonkeyPatch, fault: StoreError, times: int
) -> None:
    asked = []

    def fails(*_: object) -> None:
        asked.append(fault)
        raise fault

    monkeypatch.setattr(inputs, "due_now", fails)
    monkeypatch.setattr(tasks.find_due_task, "retry_delay_seconds", [0, 0, 0])
    state = region.state()
    assert state.is_failed() and str(fault) in state.message
    assert len(asked) == times


def test_a_run_that_was_taken_over_while_it_read_publishes_and_mails_nothing(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = monthly.take_in_news

    def taken_over(*given: Any) -> Any:
        other = Owner("another run", "", this_process())
        free(region.store, MONTH, other, wall_clock())
        take_claim(region.store, MONTH, other, wall_clock(), ClaimSettings())
        return real(*given)

    monkeypatch.setattr(monthly, "take_in_news", taken_over)
    state = region.state()
    assert state.is_failed() and "another took its place" in state.message
    assert region.objects("alerts/") == {} and region.mailed() == []


@pytest.mark.parametrize("step", ["publish_alert", "deliver_council"])
def test_a_fault_in_publishing_or_sending_to_one_council_stops_nobody_else(
    region: Region, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def council(*given: Any) -> str:
        code: str = given[1].la_code if step == "publish_alert" else given[2].la_code
        return code

    with monkeypatch.context() as broken:
        broken.setattr(tasks, step, failing_for("Z03", getattr(tasks, step), council))
        state = region.state(steps="from scoring")
    assert "1 fault at single councils" in str(state.message)
    assert region.mailed() == ["Z01", "Z02", "Z04"]
    (fault,) = state.result().faults
    assert fault.startswith("Fennickmere (Z03): " + ("publishing" if step == "publish_alert" else "sending"))
    region.run(councils=["Z03"], steps="from scoring" if step == "publish_alert" else "from sending")
    assert region.mailed() == list(CODES)


def test_a_step_that_fails_everywhere_is_a_failed_run(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a name that must not be told")

    monkeypatch.setattr(tasks, "publish_alert", broken)
    state = region.state(steps="from scoring")
    assert state.is_failed()
    assert "Publishing failed at every council" in state.message
    assert "a name" not in state.message


def test_a_backfill_goes_oldest_first_shows_its_progress_and_mails_nobody(
    region: Region, one_prefect_server: str
) -> None:
    from prefect.artifacts import Artifact

    from flows.backfill import BackfillRequest, backfill

    began = wall_clock()
    first = MONTH.plus(-2)
    with using(one_prefect_server):
        request = BackfillRequest(first=str(first), last=str(MONTH), reason="corrected files")
        state = backfill(request, return_state=True)
        progress = Artifact.get("backfill")
    assert (state.name, state.message) == ("Completed", f"{first} to {MONTH}: decided")
    assert progress is not None and float(str(progress.data)) == 100
    assert region.mailed() == []
    decided = [name.split("/")[1] for name in region.objects("alerts/") if name.endswith("/Z01.json")]
    assert decided == [str(first.plus(n)) for n in range(3)]
    claims = [c for c in claims_since(region.store, began) if c.of != INTAKE]
    # While a month is decided, the month before is held as well.
    first_held = list(dict.fromkeys(c.of for c in sorted(claims, key=lambda c: c.since)))
    assert [m for m in first_held if m >= str(first)] == [str(first.plus(n)) for n in range(3)]
    assert all(c.released for c in claims)


def test_holding_and_deciding_without_a_server(region: Region) -> None:
    state = region.state(steps="from scoring", send="hold for approval")
    assert "messages wait for approval" in str(state.message)
    assert region.mailed() == []
    region.run(steps="from scoring", reason="an ordinary run meanwhile")
    assert region.mailed() == [], "nothing goes around an approval"

    def approve(*words: str) -> str:
        from flows.cli.app import app

        done = CliRunner().invoke(app, ["approve", "--month", "2026-10", *words])
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output

    listed = approve()
    assert "4 messages of October 2026 have waited for approval" in listed
    assert all(code in listed for code in CODES)
    shown = {m.message_key for m in approval.pending(region.store)[0].messages}
    said = approve("--decision", "hold some", "--council", "Z04", "--reason", "to be checked", "--by", "J. Marsh")
    assert "J. Marsh decided" in said
    assert "Held: Z04." in said
    assert region.mailed() == ["Z01", "Z02", "Z03"]
    outcome = region.run(steps="from scoring", reason="an ordinary run after it")
    assert region.mailed() == ["Z01", "Z02", "Z03"]
    assert [c.la_code for c in outcome.councils if c.held] == ["Z04"]
    sent = {n.removeprefix("ledger/").removesuffix("/message.eml") for n in region.objects("ledger/2026-10/Z")}
    assert {n for n in sent if n.count("/") == 3} == {k for k in shown if "/Z04/" not in k}

    from flows.cli.app import app

    released = CliRunner().invoke(
        app, ["release", "--month", "2026-10", "--reason", "checked", "--by", "J. Marsh", "--council", "Z04"]
    )
    assert released.exit_code == 0, released.output
    assert region.mailed() == list(CODES)


def test_cancelling_sends_nothing_until_it_is_released(region: Region) -> None:
    from flows.cli.app import app

    region.run(steps="from scoring", send="hold for approval")
    assert not any("/files/" in n for n in region.objects("ledger/")), "data officers wait with the month"
    words = ["approve", "--month", "2026-10", "--decision", "cancel", "--reason", "the feed is broken", "--by", "J. M."]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Nothing was sent." in done.output
    assert not any("/files/" in n for n in region.objects("ledger/"))
    region.run(steps="from scoring")
    assert region.mailed() == []
    again = CliRunner().invoke(app, words)
    assert "No message of October 2026 waits for approval. J. M. decided" in str(again.exception)
