"""The refresh as a flow, on the real published files served from this machine: stored, laid out, read, and told of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

import pytest
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State

from features.errors import ModelError
from flows.orchestration.embedded import quiet_flows
from flows.published.shelf import Shelf
from flows.refresh import reference_refresh, refresh_result
from flows.settings.refresh_form import RefreshRequest
from flows.store import LocalStore
from flows.train import train
from models.learning.training import data_hashes
from models.record import read_record
from tests.unit.flows.published.test_contents import KINDS
from tests.unit.flows.published.web import Web, file, running, status

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CSWW = "csww-indicators-2017-to-2023"
C1 = "c1-children-in-need-referrals-and-rereferrals-2013-to-2023"
LAIT = "lait-selected-measures-to-2023"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def home(web: Web, public_data: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store of its own, and settings that name every published file at an address of the web server."""
    folder = tmp_path_factory.mktemp("refresh")
    sources = []
    for path in sorted(p for p in public_data.iterdir() if p.suffix in (".csv", ".ods")):
        name = path.stem.lower().replace("_", "-")[:60]
        holds = next(str(kind) for start, kind in KINDS.items() if path.name.startswith(start))
        sources.append({"name": name, "holds": holds, "url": web.serve(f"/{name}", file(path.read_bytes()))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_CONFIG", "")
        patch.setenv("HOLDFAST_STORE", str(folder / "store"))
        patch.setenv("HOLDFAST_MAIL__OUTBOX", str(folder / "outbox"))
        patch.setenv("HOLDFAST_REFERENCE__SOURCES", json.dumps(sources))
        patch.setenv("HOLDFAST_REFERENCE__ATTEMPTS", "1")
        yield folder


def refresh(**request: object) -> State:
    with quiet_flows():
        return reference_refresh(RefreshRequest.model_validate(request), return_state=True)


def task_states(flow_run: UUID) -> dict[str, str]:
    """Name of each task of a run -> the type of state it ended in."""
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run])))
    return {run.name: run.state.type.value for run in runs if run.state}


def mails(home: Path) -> list[str]:
    return sorted(p.name for p in (home / "outbox").rglob("*.eml")) if (home / "outbox").exists() else []


@pytest.fixture(scope="module")
def first(home: Path) -> State:
    return refresh()


def test_the_first_refresh_stores_every_file(home: Path, first: State) -> None:
    outcome = refresh_result(first)
    assert first.message == "15 published files: 15 stored for the first time."
    assert outcome.advice.startswith("Retraining is not due"), "the shipped model was trained on these very files"
    assert mails(home) == []


def test_what_is_stored_trains_the_same_model_as_the_downloads(home: Path, first: State, public_data: Path) -> None:
    shelf = Shelf(LocalStore(home / "store"))
    shelf.export(home / "laid-out", shelf.sources())
    ours, theirs = read_record(home / "laid-out"), read_record(public_data)
    assert sorted(data_hashes(ours).values()) == sorted(data_hashes(theirs).values())
    assert ours.judgements.drop("sources").equals(theirs.judgements.drop("sources"))
    assert ours.counts.drop("source").equals(theirs.counts.drop("source"))


def test_the_training_flow_left_empty_learns_from_what_is_stored(
    home: Path, first: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def instead(folder: Path, *_: object) -> None:
        raise ModelError(f"{len(list(folder.glob('*.csv')))} CSV and {len(list(folder.glob('*.ods')))} ODS files.")

    monkeypatch.setattr("flows.train.trained", instead)
    with quiet_flows():
        found = train(return_state=True)
    assert found.message == "13 CSV and 2 ODS files."


def test_a_release_a_changed_layout_and_a_lost_file_in_one_week(
    home: Path, first: State, web: Web, public_data: Path
) -> None:
    csww = (public_data / "csww_indicators_2017_to_2023.csv").read_bytes()
    rows = csww.splitlines(keepends=True)
    # The year 2023 once more, as if it were 2025: the form of the next release is what counts here.
    next_year = [b"2025" + r[4:] for r in rows if r.startswith(b"2023,")]
    web.serve(f"/{CSWW}", file(b"".join([rows[0], *next_year, *rows[1:]])))
    c1 = (public_data / "c1_children_in_need_referrals_and_rereferrals_2013_to_2023.csv").read_bytes()
    web.serve(f"/{C1}", file(c1.replace(b"rereferral_count", b"repeat_referrals", 1)))
    web.serve(f"/{LAIT}", status(404))

    found = refresh(reason="the February release")
    outcome = refresh_result(found)

    assert found.message == "15 published files: 1 new release, 1 refused, 1 not fetched, 12 unchanged."
    by_name = {s.source: s.sentence for s in outcome.sources}
    assert by_name[CSWW].startswith(f"{CSWW}: new release. New: figures for 2025.")
    assert "no column “rereferral_count”" in by_name[C1]
    assert "New column: repeat_referrals. Column gone: rereferral_count." in by_name[C1]
    assert "has nothing at this address (status 404)" in by_name[LAIT]
    assert f"{CSWW}: figures for 2025." in outcome.advice

    flow_run = found.state_details.flow_run_id
    assert flow_run is not None
    # The server writes the tasks' states down a moment after the run has ended.
    end = monotonic() + 30
    while len(states := task_states(flow_run)) < 17 or "FAILED" not in states.values():
        assert monotonic() < end, states
        sleep(0.2)
    assert {n for n, s in states.items() if s == "FAILED"} == {f"Fetch and check {C1}", f"Fetch and check {LAIT}"}
    assert len(states) == 17
    table = Artifact.get("published-files")
    assert table is not None
    assert len(json.loads(str(table.data))) == 15
    assert len(mails(home)) == 2, "one for the release, one for what is in trouble"

    again = refresh_result(refresh())
    assert again.headline == "15 published files: 1 refused, 1 not fetched, 13 unchanged."
    assert len(mails(home)) == 2, "nobody is told twice"
    shelf = Shelf(LocalStore(home / "store"))
    assert shelf.read(shelf.in_use(C1)[0]) == c1, "the old file stays in use"


def test_when_nothing_can_be_fetched_the_run_fails_with_a_sentence(home: Path, first: State, web: Web) -> None:
    web.serve(f"/{LAIT}", status(500))
    found = refresh(sources=[LAIT])  # and no other source is asked
    assert found.is_failed()
    assert found.message == "1 published file: 1 not fetched."


def test_an_unknown_source_fails_with_a_sentence(home: Path) -> None:
    found = refresh(sources=["weather"])
    assert found.is_failed()
    assert "No source is called weather" in (found.message or "")


def test_with_nothing_configured_the_scheduled_run_has_nothing_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLDFAST_REFERENCE__SOURCES")
    found = refresh()
    assert found.is_completed()
    assert "No published file is configured" in (found.message or "")
