"""The councils of a month, whom it decides about, its page, and the mark that it is done."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.fates import Fate
from features.councils import Council, Register
from features.errors import SettingsError, StoreError
from features.frames import FEATURES_SCHEMA, MEASURES_SCHEMA
from features.frameworks import Judgement
from features.months import Month
from features.registry import Kind
from flows.alerts.council import Deciding, Versions
from flows.alerts.decide import Storm
from flows.alerts.reports import index_name
from flows.month import inputs, steps
from flows.month.count import Ahead, count_month
from flows.month.measure import Measured
from flows.month.steps import (
    Alerting,
    Checking,
    Decisions,
    check_and_store,
    chosen_councils,
    decide_month,
    files_as_known,
    versions_of,
    write_region_page,
    write_success_marker,
)
from flows.sample_region import sample_extracts
from flows.settings.alert_rules import AlertRules
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import Stopwatch, begin
from flows.store.editions import History
from flows.store.manifest import ExtractRecord
from models.registry.shipped import shipped_files, shipped_model
from models.scoring.score_month import unscored
from tests.unit.flows.alerts.examples import alert, score
from tests.unit.flows.month.examples import (
    BARNSLEY,
    CUTOFF,
    DONCASTER,
    OCTOBER,
    REGISTER,
    checked,
    failure,
    failures,
    manifest,
    read,
    record,
)


def test_the_success_marker_is_a_line_ended_text_and_says_what_was_decided(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    versions = SimpleNamespace(known_by="2026-11-20", code="0.2.0", settings="abc")
    alerting: Any = SimpleNamespace(manifest=None, versions=versions, decided=("one", "two"))
    name = write_success_marker(store, Month(2026, 10), alerting, {"held": True})
    assert name == "runs/2026-10/success.json"
    content = store.read(name)
    assert content.endswith(b"}\n")
    said = json.loads(content)
    assert len(said.pop("object_sha256")) == 64 and said.pop("object_name") == name
    assert said == {
        "month": "2026-10",
        "edition": None,
        "known_by": "2026-11-20",
        "code_version": "0.2.0",
        "settings_digest": "abc",
        "councils": 2,
        "held": True,
    }


@pytest.mark.parametrize(
    ("councils", "why"),
    [
        ((), "the register is empty"),
        ((Council("991", "Ashcombe", Month(2026, 11)),), "valid_from and valid_to of its rows leave it out"),
    ],
)
def test_a_month_without_any_council_is_refused_in_a_sentence(councils: tuple[Council, ...], why: str) -> None:
    with pytest.raises(SettingsError, match=f"No council reports for October 2026: .*{why}"):
        chosen_councils(Register(councils), Month(2026, 10), ())


def test_a_month_has_its_reports_before_its_edition_wherever_a_run_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Month(2026, 10)
    sample_extracts(tmp_path / "landing", 2, 1, 1, month)
    monkeypatch.setenv("HOLDFAST_ENVIRONMENT", "demo")
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    settings = Settings(landing=str(tmp_path / "landing"), store=str(tmp_path / "store"))

    def take_in() -> list[Month]:
        context = begin(settings, month, now=datetime(2026, 11, 20, 7, tzinfo=UTC), as_of=None)
        due = inputs.due_now(context)
        reads = [[r for files in one.by_council() for r in inputs.reader(context)(files)] for one in due]
        inputs.check_months_of(context, due, reads, reports=True)
        return [one.month for one in due]

    def cut_off(*_: object) -> None:
        raise StoreError("The store does not answer.")

    with monkeypatch.context() as broken, pytest.raises(StoreError):
        broken.setattr(steps, "write_reports", cut_off)
        take_in()
    assert take_in() == [month], "there is no edition yet, so the next run takes the month in and writes its reports"
    assert LocalStore(tmp_path / "store").info(index_name(month)) is not None
    assert take_in() == []


def test_all_councils_of_the_month_or_those_that_are_named() -> None:
    gone = Council("372", "Rotherham", Month(2020, 1), Month(2026, 9))
    joint = Council("314 / 318", "Kingston and Richmond", Month(2020, 1))
    register = Register((BARNSLEY, DONCASTER, gone, joint))
    assert chosen_councils(register, OCTOBER, ()) == (joint, BARNSLEY, DONCASTER)
    assert chosen_councils(register, OCTOBER, ["371", "314-318"]) == (joint, DONCASTER)
    with pytest.raises(SettingsError, match=r"No council 372, 999 reports for October 2026.*: 314 / 318, 370, 371\."):
        chosen_councils(register, OCTOBER, ["371", "999", "372"])


def measured(*records: ExtractRecord) -> Measured:
    september = manifest(record("371"), month=OCTOBER.plus(-1))
    return Measured(OCTOBER, MEASURES_SCHEMA.to_frame(), FEATURES_SCHEMA.to_frame(), (september, manifest(*records)))


def decided(store: LocalStore, chosen: tuple[Council, ...], *records: ExtractRecord) -> Decisions:
    scores = {c: unscored(c, OCTOBER, shipped_model().ref, "Nothing is known.") for c in ("370", "371")}
    return decide_month(store, REGISTER, chosen, measured(*records), scores, Deciding(AlertRules(), CUTOFF, 11))


def test_the_chosen_councils_are_decided_and_all_have_facts(tmp_path: Path) -> None:
    made = decided(LocalStore(tmp_path), (DONCASTER,))
    assert [d.council for d in made.decided] == [DONCASTER]
    assert set(made.facts) == {"370", "371"} and made.faults == () and not made.storm.held


def test_nothing_is_decided_of_a_council_whose_file_we_could_not_read(tmp_path: Path) -> None:
    """Neither of one that the register does not know, and nobody is told of it."""
    unread = (record("371", Kind.CASELOAD, Fate.UNREAD), record("999", Kind.CASELOAD, Fate.UNREAD))
    made = decided(LocalStore(tmp_path), (BARNSLEY, DONCASTER), *unread)
    assert [d.council for d in made.decided] == [BARNSLEY]
    assert made.faults == (
        "Doncaster (371): its caseload file of October 2026 could not be read through a fault of ours, so nothing is "
        "decided of it. The next run reads it again.",
    )


def test_a_council_that_cannot_be_decided_is_said_and_the_others_are_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("facts_by_council", "previous_alerts", "decide_councils"):
        with monkeypatch.context() as broken:
            broken.setattr(steps, name, failing_at_doncaster(getattr(steps, name)))
            made = decided(LocalStore(tmp_path), (BARNSLEY, DONCASTER))
            alone = decided(LocalStore(tmp_path), (BARNSLEY,))
        assert [d.council for d in made.decided] == [BARNSLEY], name
        assert [f.partition(": a fault")[0] for f in made.faults] == ["Doncaster (371): deciding failed"], name
        assert alone.faults == (), "a council that was not asked about is not told of"


def failing_at_doncaster(call: Any) -> Any:
    def broken(*given: Any, **more: Any) -> Any:
        for one in given:
            asked = {getattr(c, "la_code", c) for c in one} if isinstance(one, tuple | list | set) else ()
            if "371" in asked:
                raise ZeroDivisionError
        return call(*given, **more)

    return broken


def test_what_alerts_record_about_their_run_is_of_the_files_and_not_of_the_day() -> None:
    asked: Any = SimpleNamespace(digest=lambda: "settings", alerts=AlertRules())
    newest = manifest(record("370", day=9), record("370", Kind.CASELOAD, day=4), record("371", Kind.CASELOAD, day=None))
    of: Any = replace(measured(), manifests=(*measured().manifests[:1], replace(newest, known_to=date(2026, 11, 9))))
    made = versions_of(asked, of)
    assert (made.known_by, made.known_of) == ("2026-11-09", {"370": "2026-11-09", "371": "2026-11-04"})
    assert (made.settings, made.rules) == ("settings", AlertRules().digest())
    assert versions_of(asked, replace(of, manifests=())).known_by == "2026-10-31"


def test_a_months_files_as_known_by_the_cut_off(tmp_path: Path) -> None:
    history = History(LocalStore(tmp_path))
    assert files_as_known(history, OCTOBER, CUTOFF)[0] is None
    assert files_as_known(history, OCTOBER, CUTOFF)[1].is_empty()
    found = failures(failure("370", "error"))
    stored = history.write(manifest(record("370")), {"failures": found})
    known, said = files_as_known(history, OCTOBER, CUTOFF)
    assert known == stored and said.equals(found)


def test_one_councils_failures_of_the_month() -> None:
    found = failures(failure("370", "error"), failure("371", "query"), failure("370", "query"))
    made = Alerting((), Storm(held=False, alerting=0, decided=0, reason=""), {}, failures=found)
    assert made.failures_of("370")["severity"].to_list() == ["error", "query"]
    assert made.failures_of("999").is_empty() and made.failures_of("999").schema == found.schema


@pytest.mark.parametrize("reports", [True, False])
def test_months_are_checked_together_then_stored_with_their_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: bool
) -> None:
    """A month without news of its own keeps its pages, and what failed is told."""
    first, second = checked([read(BARNSLEY, Kind.WORKFORCE)]), checked([])
    same = manifest(month=OCTOBER.plus(1), fingerprint="mark")
    second = replace(second, due=replace(second.due, month=OCTOBER.plus(1), replaces=same))
    history, clock = History(LocalStore(tmp_path)), Stopwatch()
    why = {"371": "Doncaster: checking failed."}
    months = [count_month(Ahead(history), first, why), count_month(Ahead(history), second)]
    monkeypatch.setattr(steps, "months_counted", lambda *_: months)
    told: list[str] = []
    monkeypatch.setattr(steps, "write_reports", lambda *given: told.append(str(given[4].month)))
    taken = check_and_store(history, REGISTER, [], [], Checking((), 5, reports), clock)
    assert [str(t.manifest.month) for t in taken] == ["2026-10", "2026-11"]
    assert told == (["2026-10"] if reports else [])
    assert [t.faults for t in taken] == [("Doncaster: checking failed.",), ()]
    assert set(clock.seconds) == {"check and count", "store and report" if reports else "store"}


def region(store: LocalStore, held: str = "", doncaster: Council = DONCASTER) -> str:
    """The page of a month in which Barnsley was decided now, and Doncaster by an earlier run."""
    told, earlier = (alert(score(0.6, la_code=c.la_code), council=c) for c in (BARNSLEY, DONCASTER))
    store.create("alerts/2026-10/371.json", earlier.to_bytes())
    published: Any = SimpleNamespace(alert=told)
    one: Any = SimpleNamespace(score=SimpleNamespace(model=shipped_model().ref))
    versions = Versions("0.2.0+test", "s", "r", "2026-11-20")
    made = Alerting((one,), Storm(held=False, alerting=0, decided=0, reason=""), {}, (), None, versions=versions)
    write_region_page(store, (BARNSLEY, doncaster), OCTOBER, made, held, [published], {"check": 1.0})
    return store.read("region/2026-10/index.html").decode()


def test_the_region_page_says_what_became_of_judgements_if_there_are_any(tmp_path: Path) -> None:
    assert "is of a framework that is not declared" not in region(LocalStore(tmp_path / "none"))
    unknown = replace(DONCASTER, judgements=(Judgement(date(2026, 11, 2), "Attention needed"),))
    assert "is of a framework that is not declared" in region(LocalStore(tmp_path / "one"), doncaster=unknown)


def test_the_region_page_shows_councils_of_this_run_and_of_earlier_ones(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    page = region(store, "Too many at once.")
    assert "Too many at once." in page and "0.2.0+test" in page
    for council in (BARNSLEY, DONCASTER):
        assert council.name in page
        assert f"../../validation/2026-10/councils/{council.folder}.html" in page
        assert f"../../alerts/2026-10/{council.folder}.json" in page
        assert f"../../alerts/2026-10/{council.folder}.message.html" in page
    assert "../../region/2026-10/model-card.md" in page
    card = store.read("region/2026-10/model-card.md").decode()
    assert card.startswith(shipped_files()["card.md"].decode().rstrip())
    assert card.endswith("No judgement has been published since this group's first alert, of October 2026.\n")
