"""A source refreshed week after week: unchanged, a new year, another column, a changed layout, a server in trouble."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import SettingsError
from flows.orchestration.refresh_news import tell_data_team
from flows.published.due import advice, retraining_due
from flows.published.outcome import RefreshOutcome
from flows.published.refresh import SourceOutcome, SourceStatus, chosen, downloader, refresh_source
from flows.published.shelf import Shelf
from flows.settings.published_sources import ReferenceSettings, ReferenceSource
from flows.settings.settings import Settings
from flows.store import LocalStore
from models.registry.shipped import shipped_model
from tests.unit.flows.alerts.faults import Postbox
from tests.unit.flows.published.published import WORKFORCE, reports, yearly
from tests.unit.flows.published.web import Web, cut, file, status, without_length

MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
DATA_SET = "0a1b2c3d-0000-4000-8000-0123456789ab"


class Source:
    """One source of the web server, refreshed into one store."""

    def __init__(self, store: LocalStore, **source: str) -> None:
        self.store, self.shelf = store, Shelf(store)
        api = source.pop("api", "http://127.0.0.1:9/v1")
        self.source = ReferenceSource.model_validate({"name": "workforce", "holds": "workforce", **source})
        self.settings = ReferenceSettings(sources=(self.source,), api=api, attempts=1, read_seconds=5)
        self.at = MONDAY - WEEK

    def next_week(self) -> SourceOutcome:
        self.at += WEEK
        return refresh_source(self.shelf, downloader(self.settings), self.settings, self.source, self.at)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_first_then_unchanged_then_a_new_year(web: Web, store: LocalStore) -> None:
    url = web.serve(
        "/csww.csv", file(yearly([2023, 2024])), file(yearly([2023, 2024])), file(yearly([2023, 2024, 2025]))
    )
    source = Source(store, url=url)
    first = source.next_week()
    assert (first.status, first.sentence) == (SourceStatus.FIRST, "workforce: stored. 150 councils, 2023, 2024.")
    objects = [o.name for o in store.list()]
    second = source.next_week()
    assert (second.status, second.sentence) == (SourceStatus.UNCHANGED, "workforce: unchanged since 2026-03-02.")
    assert [o.name for o in store.list()] == objects, "nothing new is written"
    third = source.next_week()
    assert third.status is SourceStatus.RELEASE
    assert third.sentence == "workforce: new release. New: figures for 2025. Rows: 300 before, 450 now."
    assert third.version is not None
    assert third.version.id.startswith("2026-03-16-")
    assert third.version.replaces == first.version.id if first.version else False
    assert source.shelf.in_use("workforce") == (third.version,)


def test_a_new_column_is_taken_and_told(web: Web, store: LocalStore) -> None:
    wider = yearly([2024], (*WORKFORCE, "agency_cost"))
    source = Source(store, url=web.serve("/csww.csv", file(yearly([2024])), file(wider)))
    source.next_week()
    found = source.next_week()
    assert found.status is SourceStatus.REVISED
    assert "New column: agency_cost." in found.sentence
    assert source.shelf.read(source.shelf.in_use("workforce")[0]) == wider


def test_a_changed_layout_is_refused_and_the_old_file_stays(web: Web, store: LocalStore) -> None:
    changed = yearly([2024, 2025]).replace(b"vacancy_fte", b"vacant_posts_fte", 1)
    source = Source(store, url=web.serve("/csww.csv", file(yearly([2024])), file(changed)))
    first = source.next_week()
    found = source.next_week()
    assert found.status is SourceStatus.REFUSED
    assert "no column “vacancy_fte”" in found.sentence
    assert found.sentence.endswith("New column: vacant_posts_fte. Column gone: vacancy_fte.")
    assert found.version == first.version
    assert source.shelf.in_use("workforce") == (first.version,)
    noted = json.loads(store.read(f"reference/workforce/refused/{found.refused}.json"))
    assert noted["reason"] == found.sentence
    again = source.next_week()
    assert again.refused == found.refused, "the same file is noted once"
    assert len([o for o in store.list("reference/workforce/refused/")]) == 1


@pytest.mark.parametrize(
    ("wrong", "outcome", "words"),
    [
        (status(404), SourceStatus.NOT_FETCHED, "has nothing at this address"),
        (status(500), SourceStatus.NOT_FETCHED, "in trouble"),
        (file(b"<html>moved</html>", "text/html"), SourceStatus.NOT_FETCHED, "a web page instead of the file"),
        (file(b"<!doctype html>moved", "text/csv"), SourceStatus.REFUSED, "is a web page"),
        (cut(yearly([2024, 2025]), 9000), SourceStatus.NOT_FETCHED, "broke off"),
        (without_length(yearly([2024, 2025])[:-3]), SourceStatus.REFUSED, "last line has no end"),
        (
            without_length(b"".join(yearly([2024, 2025]).splitlines(True)[:211])),
            SourceStatus.REFUSED,
            "2025 has 60 councils",
        ),
        (file(yearly([2024, 2025])[:-40]), SourceStatus.REFUSED, "number of cells"),
        (file(yearly([2023])), SourceStatus.REFUSED, "it is an older release"),
        (file(yearly([2024], ("cases",))), SourceStatus.REFUSED, "not recognised as DfE’s workforce figures"),
        (file(b"time_period\n"), SourceStatus.REFUSED, "not recognised"),
    ],
)
def test_whatever_comes_instead_of_the_file_the_old_one_stays(
    web: Web, store: LocalStore, wrong: object, outcome: SourceStatus, words: str
) -> None:
    good = yearly([2024])
    source = Source(store, url=web.serve("/csww.csv", file(good), wrong, file(good)))  # type: ignore[arg-type]
    first = source.next_week()
    found = source.next_week()
    assert (found.status, found.trouble) == (outcome, True)
    stays = f"The version of {first.version.id[:10]} stays in use" if first.version else "?"
    assert (stays in found.sentence) == (outcome is SourceStatus.NOT_FETCHED)
    assert words in found.sentence
    assert source.shelf.in_use("workforce") == (first.version,)
    assert source.next_week().status is SourceStatus.UNCHANGED


def test_a_source_by_hand_is_not_fetched(store: LocalStore) -> None:
    found = Source(store, name="lait", holds="lait").next_week()
    assert (found.status, found.trouble) == (SourceStatus.BY_HAND, False)
    assert "`holdfast reference add lait FILE`" in found.sentence


def versions(*listed: tuple[str, str, str], state: str = "Published") -> bytes:
    results = [
        {"version": v, "published": day, "status": state, "timePeriods": {"start": "2017", "end": end}}
        for v, day, end in listed
    ]
    return json.dumps({"paging": {"page": 1, "totalPages": 1}, "results": results}).encode()


def test_a_data_set_is_asked_for_by_version(web: Web, store: LocalStore) -> None:
    one, two = ("1.9", "2025-02-27T09:30:00+00:00", "2024"), ("1.10", "2026-02-26T09:30:00+00:00", "2025")
    path = f"/v1/data-sets/{DATA_SET}"
    web.serve(f"{path}/versions", *(file(versions(*v), "application/json") for v in ((one,), (one,), (one, two))))
    web.serve(f"{path}/csv", file(yearly([2024])), file(yearly([2024, 2025])))
    source = Source(store, data_set=DATA_SET, api=f"http://127.0.0.1:{web.port}/v1")
    first = source.next_week()
    assert first.version is not None
    assert (first.status, first.version.release) == (SourceStatus.FIRST, "1.9")
    assert source.next_week().status is SourceStatus.UNCHANGED
    third = source.next_week()
    assert third.status is SourceStatus.RELEASE
    fetched = [a for a in web.asked if "/csv" in a]
    assert fetched == [f"{path}/csv?dataSetVersion=1.9", f"{path}/csv?dataSetVersion=1.10"], "1.10 is newer than 1.9"


def test_a_pinned_data_set_stays_and_says_that_a_newer_one_is_out(web: Web, store: LocalStore) -> None:
    path = f"/v1/data-sets/{DATA_SET}"
    web.serve(
        f"{path}/versions", file(versions(("1.0", "", "2024"), ("2.0", "2026-02-26", "2025")), "application/json")
    )
    web.serve(f"{path}/csv", file(yearly([2024])))
    source = Source(store, data_set=DATA_SET, version="1.0", api=f"http://127.0.0.1:{web.port}/v1")
    for expected in (SourceStatus.FIRST, SourceStatus.UNCHANGED):
        found = source.next_week()
        assert found.status is expected
        assert found.sentence.endswith(
            "Version 2.0 of the data set is out, published 2026-02-26, with figures to 2025; the settings pin 1.0. "
            "Change the pin to take it."
        )
    assert {a for a in web.asked if "/csv" in a} == {f"{path}/csv?dataSetVersion=1.0"}


def test_a_deprecated_version_is_read_and_said(web: Web, store: LocalStore) -> None:
    path = f"/v1/data-sets/{DATA_SET}"
    web.serve(f"{path}/versions", file(versions(("2.0", "", "2024"), state="Deprecated"), "application/json"))
    web.serve(f"{path}/csv", file(yearly([2024])))
    source = Source(store, data_set=DATA_SET, api=f"http://127.0.0.1:{web.port}/v1")
    for expected in (SourceStatus.FIRST, SourceStatus.UNCHANGED):
        found = source.next_week()
        assert found.status is expected
        assert (
            "Version 2.0 of the data set is deprecated: the publisher will take it away. It was read." in found.sentence
        )


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (b"[]", "has another form"),
        (b'{"results": [{"name": "no version"}]}', "has another form"),
        (b"{", "has another form"),
        (versions(("1.0", "", ""), state="Withdrawn"), "no published version"),
    ],
)
def test_an_api_that_answers_otherwise_is_a_sentence(web: Web, store: LocalStore, listing: bytes, words: str) -> None:
    web.serve(f"/v1/data-sets/{DATA_SET}/versions", file(listing, "application/json"))
    found = Source(store, data_set=DATA_SET, api=f"http://127.0.0.1:{web.port}/v1").next_week()
    assert found.status is SourceStatus.NOT_FETCHED
    assert words in found.sentence and "No version of it is stored yet" in found.sentence


def test_unknown_sources_are_named() -> None:
    settings = ReferenceSettings(sources=(ReferenceSource.model_validate({"name": "lait", "holds": "lait"}),))
    with pytest.raises(SettingsError, match="No source is called csww. The settings know lait."):
        chosen(settings, ["csww"])
    with pytest.raises(SettingsError, match=r"\[\[reference\.sources\]\]"):
        chosen(ReferenceSettings())


def told(source: Source, found: SourceOutcome, box: Postbox) -> tuple[str, ...]:
    said = advice(shipped_model(), retraining_due(shipped_model(), source.shelf.in_use("workforce")))
    return tell_data_team(source.store, box, Settings.load(), RefreshOutcome((found,), said), source.at)


@pytest.fixture
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOLDFAST_CONFIG", "")


@pytest.mark.usefixtures("_settings")
def test_the_data_team_is_told_of_a_release_once(web: Web, store: LocalStore) -> None:
    source = Source(store, url=web.serve("/csww.csv", file(yearly([2024])), file(yearly([2024, 2025]))))
    box = Postbox()
    assert told(source, source.next_week(), box) == (), "a first version is no news"
    found = source.next_week()
    assert told(source, found, box) == ("The data team was told: New release: workforce; retraining is due.",)
    assert told(source, found, box) == ()
    assert told(source, source.next_week(), box) == ()
    ((address, message_id, content),) = box.received
    assert address == "data-team@holdfast.example"
    assert message_id.startswith("<holdfast.2026-03.reference.workforce-")
    text = content.decode()
    assert "New: figures for 2025." in text
    assert "workforce: figures for 2025." in text


@pytest.mark.usefixtures("_settings")
def test_a_release_stored_by_a_run_that_died_is_told_by_the_next(web: Web, store: LocalStore) -> None:
    source = Source(store, url=web.serve("/csww.csv", file(yearly([2024])), file(yearly([2024, 2025]))))
    source.next_week()
    source.next_week()  # stored, and then nobody was told
    box = Postbox()
    found = source.next_week()
    assert found.status is SourceStatus.UNCHANGED
    told(source, found, box)
    assert len(box.received) == 1
    source.at += 2 * WEEK
    fresh = Postbox()
    told(source, replace(found), fresh)
    assert fresh.received == []


@pytest.mark.usefixtures("_settings")
def test_trouble_is_told_once_a_month(web: Web, store: LocalStore) -> None:
    source = Source(store, url=web.serve("/csww.csv", file(yearly([2023])), status(404)))
    source.next_week()
    box = Postbox()
    for _ in range(4):  # 9, 16, 23 and 30 March
        told(source, source.next_week(), box)
    assert len(box.received) == 1
    assert b"workforce: the version of 2026-03-02." in box.received[0][2].replace(b"=\r\n", b"")
    told(source, source.next_week(), box)  # 6 April
    assert len(box.received) == 2


@pytest.mark.usefixtures("_settings")
def test_a_network_that_is_away_is_one_message(store: LocalStore) -> None:
    box = Postbox()
    lost = [SourceOutcome(f"file-{i}", SourceStatus.NOT_FETCHED, f"file-{i}: not reached.") for i in range(5)]
    tell_data_team(store, box, Settings.load(), RefreshOutcome(tuple(lost), ""), MONDAY)
    tell_data_team(store, box, Settings.load(), RefreshOutcome(tuple(lost[::-1]), ""), MONDAY + WEEK)
    ((_, _, content),) = box.received
    assert b"Subject: Published files not refreshed: file-0, file-1, file-2" in content
    assert all(f"file-{i}: not reached." in content.decode() for i in range(5))


def test_retraining_is_due_for_what_the_model_has_not_seen(web: Web, store: LocalStore) -> None:
    model = shipped_model()
    seen = reports([("kent", "04/07/19"), ("essex", "15/12/23")])
    later = reports([("kent", "04/07/19"), ("essex", "15/12/23"), ("hull", "04/07/26")])
    source = Source(store, holds="reports", name="reports", url=web.serve("/r.csv", file(seen), file(later)))
    source.next_week()
    assert retraining_due(model, source.shelf.in_use("reports")) == ()
    assert advice(model, ()).startswith("Retraining is not due: ilacs-below-good ")
    source.next_week()
    due = retraining_due(model, source.shelf.in_use("reports"))
    assert due == ("reports: 1 judgement published after 2025-12-16, the last of 2026-07-04.",)
    said = advice(model, due)
    assert said.startswith("Retraining is due.")
    assert "holdfast train --data DIR --store" in said
    trained = replace(model, run={**model.run, "data": {"r.csv": source.shelf.in_use("reports")[0].sha256}})
    assert retraining_due(trained, source.shelf.in_use("reports")) == (), "a model trained on the file knows it"


def test_the_text_names_what_needs_a_look_first() -> None:
    fine = SourceOutcome("a", SourceStatus.UNCHANGED, "a: unchanged.")
    bad = SourceOutcome("b", SourceStatus.REFUSED, "b: refused.")
    outcome = RefreshOutcome((fine, bad), "Retraining is not due.")
    assert outcome.to_text().splitlines() == [
        "2 published files: 1 refused, 1 unchanged.",
        "  b: refused.",
        "  a: unchanged.",
        "Retraining is not due.",
    ]
    assert not outcome.nothing_worked
    assert RefreshOutcome((bad, SourceOutcome("c", SourceStatus.BY_HAND, "c")), "").nothing_worked
    assert [row["outcome"] for row in outcome.to_table()] == ["refused", "unchanged"]
