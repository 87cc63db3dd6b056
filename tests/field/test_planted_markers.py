"""Nothing is kept that nobody has looked at: markers in every place of a file are found nowhere afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.cli.demo import settings_for
from flows.month import inputs
from flows.month.portions import Portion, begin_reading
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import begin
from tests.field.planted import MARK, PLACES, files_below, found_in, mark_of, plant
from tests.field.region import LAST


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A council for each place, which sends one planted file and a good one."""
    folder = tmp_path_factory.mktemp("planted") / "landing"
    made = sample_extracts(folder, len(PLACES), 1, 3, LAST).region
    for file in (folder / str(LAST)).rglob("caseload.*"):
        file.unlink()
    plant(folder, str(LAST), [c.council.folder for c in made.councils])
    came = datetime(2026, 11, 4, 9, tzinfo=UTC).timestamp()
    for file in (folder / str(LAST)).rglob("*.*"):
        os.utime(file, (came, came))
    return folder


def test_every_marker_is_in_the_landing(landing: Path) -> None:
    """Else the search below would find nothing whatever was kept."""
    found = {hit.rpartition(" in ")[0] for hit in found_in(files_below(landing))}
    assert found >= set(PLACES) - {"the name of the sheet that is read"}


def test_no_marker_is_in_the_store_the_pages_the_log_or_a_temporary_folder(
    landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    temporary, store = tmp_path / "temporary", tmp_path / "store"
    temporary.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(temporary))
    settings = Settings.load(environment="demo", landing=str(landing), store=str(store))
    context = begin(settings, LAST, now=datetime(2026, 11, 20, 7, tzinfo=UTC), as_of=date(2026, 11, 20))
    due = inputs.due_now(context)
    with ThreadPoolExecutor(1) as pool:
        reads = [begin_reading(one, pool, inputs.reader(context))() for one in due]
    (taken,) = inputs.check_months_of(context, Portion(due, reads).retried(), reads, reports=True)
    out, err = capfd.readouterr()
    left = {**files_below(store, temporary), "printed": (out + err).encode(), "repr": repr((reads, taken)).encode()}
    assert found_in(left) == []
    fates = {str(e.outcome) for e in taken.manifest.extracts if e.kind == "workforce"}
    assert fates >= {"accepted", "refused"}
    received = [o.name for o in LocalStore(store).list("received/")]
    assert received and all(name.endswith(".rows.parquet") for name in received)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("killed_after", [None, 25.0, 45.0])
def test_no_marker_is_anywhere_after_a_whole_run_nor_after_one_that_was_killed(
    landing: Path, tmp_path: Path, killed_after: float | None
) -> None:
    """Prefect's database, its logs, the outbox and what was printed are looked through as well."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    environment |= settings_for(tmp_path) | {
        "HOLDFAST_LANDING": str(landing),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "400",
        "TMPDIR": str(tmp_path / "temporary"),
    }
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "flows.cli.app", "run", "--month", str(LAST), "--as-of", "2026-11-20"]
    with (tmp_path / "printed").open("wb") as printed:
        run = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=printed, stderr=printed, start_new_session=True
        )
        try:
            if killed_after is not None:
                time.sleep(killed_after)
                os.killpg(run.pid, signal.SIGKILL)
            run.wait(1400)
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
    left = files_below(tmp_path)
    assert left
    assert found_in(left) == []
    if killed_after is None:
        assert any("/outbox/" in name for name in left) and any(name.endswith(".db") for name in left)


def test_the_marks_are_told_apart() -> None:
    assert len({mark_of(place) for place in PLACES}) == len(PLACES) < 77
    assert all(mark_of(place).startswith(MARK) for place in PLACES)
