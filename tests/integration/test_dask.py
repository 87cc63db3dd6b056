"""Councils mapped over an existing Dask cluster: the same bytes as in the run's own threads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# The cluster's scheduler lives in this process and must know what runs its tasks before it has work.
import flows.orchestration.cluster  # noqa: F401
from flows.store import store_at
from tests.conftest import REPOSITORY
from tests.integration import small_region
from tests.integration.local_server import clean_environment

if TYPE_CHECKING:
    from distributed import LocalCluster

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.soak]

#: What says when something was done, or how long it took, and so differs from run to run.
_TIMES = ("region/", "ledger/", "claims/")
_LIST = "/kept.json"


@pytest.fixture(scope="module")
def cluster(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A worker process on the loopback address, as an existing cluster would be: the run only knows its address."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
        env={"PREFECT_API_URL": prefect_api, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
    ) as started:
        yield started


def outcome(prefect_api: str, home: Path, settings: dict[str, str], *words: str) -> dict[str, bytes]:
    """Run a command in a process of its own; every object it made, by name."""
    environment = clean_environment(
        PREFECT_API_URL=prefect_api, PREFECT_HOME=str(home), PYTHONPATH=str(REPOSITORY), **settings
    )
    command = [sys.executable, "-m", "flows.cli.app", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    store = store_at(settings["HOLDFAST_STORE"])
    return {o.name: store.read(o.name) for o in store.list()}


def begun(cluster: LocalCluster) -> Counter[str]:
    """How often each task was begun on the cluster so far."""
    return Counter({name: tasks.state_counts["processing"] for name, tasks in cluster.scheduler.task_prefixes.items()})


def listed(made: dict[str, bytes]) -> set[tuple[str, str]]:
    """What the lists of the months' objects say, with hashes."""
    lists = [json.loads(content)["objects"] for name, content in made.items() if name.endswith(_LIST)]
    return {one for objects in lists for one in objects.items()}


_RUN = ["run", "--month", str(small_region.LAST), "--as-of", small_region.AS_OF]


def backfill(first: str) -> list[str]:
    last = str(small_region.LAST)
    return ["backfill", "--first", first, "--last", last, "--decide-from", last]


@pytest.mark.parametrize(
    ("words", "workers", "on_workers"),
    [
        (backfill(str(small_region.LAST)), 1, {"take_in_group_task", "publish_council"}),
        (_RUN, 2, {"read_council_task", "publish_council"}),
        (backfill("2026-08"), 2, {"take_in_group_task", "publish_council"}),
    ],
)
def test_the_same_on_workers_is_the_same_byte_for_byte(
    cluster: LocalCluster, prefect_api: str, tmp_path: Path, words: list[str], workers: int, on_workers: set[str]
) -> None:
    """A catch-up of one month on one worker, which is not cut; a month; a catch-up that is cut by councils."""
    cluster.scale(workers)
    cluster.wait_for_workers(workers)
    landing = tmp_path / "landing"
    councils = small_region.make(landing)
    made, before = {}, begun(cluster)
    for name, more in (
        ("threads", {}),
        ("dask", {"HOLDFAST_TASK_RUNNER": "dask", "HOLDFAST_DASK_ADDRESS": cluster.scheduler_address}),
    ):
        settings = small_region.settings(landing, str(tmp_path / name), councils) | {
            "HOLDFAST_MAIL__TRANSPORT": "outbox",
            "HOLDFAST_MAIL__OUTBOX": str(tmp_path / f"outbox-{name}"),
        }
        made[name] = outcome(prefect_api, tmp_path / "home", {**settings, **more}, *words)
        if name == "threads":
            assert begun(cluster) == before
    there = begun(cluster) - before
    assert on_workers <= set(there), there

    assert set(made["threads"]) == set(made["dask"])
    assert any(name.startswith("alerts/") for name in made["dask"])
    different = {name for name, content in made["dask"].items() if content != made["threads"][name]}
    assert not {name for name in different if not name.startswith(_TIMES) and not name.endswith(_LIST)}
    # What a worker wrote is found by the next run.
    of_councils = {one for one in listed(made["threads"]) if one[0].startswith(("alerts/", "region/", "ledger/"))}
    assert listed(made["threads"]) - of_councils <= listed(made["dask"])
