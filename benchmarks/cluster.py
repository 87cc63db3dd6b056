"""Times a catch-up on a real Dask cluster on this machine, with one worker and with two; its tables must be the same.

    python -m benchmarks.cluster [--councils 48] [--months 24] [--seed 1] [--workers 1 2]

The cluster and a Prefect server are there before the command starts, as they would be at a user's. Seconds are by the
clock and include the command's own start. Give no more workers than the machine has cores; what more workers would gain
is worked out by `benchmarks.workers`. Processor seconds are those of the run with its reading process, of the workers,
of Dask's scheduler and of Prefect's server; on one machine they share its cores. Exit code 1 if the tables of any two
stores differ.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import psutil

from benchmarks.catch_up import LAST, catch_up, digest, environment
from flows.orchestration.embedded import configure
from flows.sample_region import sample_extracts

if TYPE_CHECKING:
    from distributed import LocalCluster

_START_SECONDS = 300
#: What Prefect's server and the workers would write between the rows. The log of the runs on the server is as it is.
_QUIET = {"PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the region, catch up in one process and on each cluster, print a row for each."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=48)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch, prefect_test_harness(_START_SECONDS):
        folder, api = Path(scratch), str(PREFECT_API_URL.value())
        server = psutil.Process().children(recursive=True)
        sample_extracts(folder / "landing", options.councils, options.months, options.seed, LAST)
        print(f"{options.councils} councils, {options.months} months, {os.cpu_count()} cores")  # noqa: T201
        print(f"{'':9}{'':9}{'':25}  {'':9}  processor seconds of")  # noqa: T201
        print("workers  seconds  times as fast as the first  task runs    run  workers  scheduler  server  digest")  # noqa: T201
        found: dict[int, tuple[float, str]] = {}
        for workers in (0, *options.workers):
            with cluster(workers, folder, api) as there:
                settings = environment(folder / "landing", folder / f"store-{workers}") | {"PREFECT_API_URL": api}
                if there is not None:
                    settings |= {"HOLDFAST_TASK_RUNNER": "dask", "HOLDFAST_DASK_ADDRESS": there.scheduler_address}
                of_cluster = [p for p in psutil.Process().children(recursive=True) if p not in server]
                parties = (of_cluster, [psutil.Process()], server)
                before, runs, began = [processor(p) for p in parties], task_runs(), perf_counter()
                run, _ = catch_up(LAST.plus(1 - options.months), LAST, settings)
                found[workers] = perf_counter() - began, digest(folder / f"store-{workers}")
                spent = [run, *(processor(p) - was for p, was in zip(parties, before, strict=True))]
            first = found.get(options.workers[0], found[workers])[0]
            faster = f"{first / found[workers][0]:.1f}" if workers else "in the run's own processes"
            shares = "{:5.1f}  {:7.1f}  {:9.1f}  {:6.1f}".format(*spent)
            row = f"{workers or '-':>7}  {found[workers][0]:7.1f}  {faster:26}  {task_runs() - runs:9}  {shares}"
            print(f"{row}  {found[workers][1]}", flush=True)  # noqa: T201
    return len({of for _, of in found.values()}) - 1


def processor(processes: Sequence[psutil.Process]) -> float:
    """The processor seconds that they have used so far."""
    return sum(used.user + used.system for used in (process.cpu_times() for process in processes))


def task_runs() -> int:
    """How many task runs the Prefect server knows of."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return int(client.request("POST", "/task_runs/count").json())


def cluster(workers: int, folder: Path, api: str) -> AbstractContextManager[LocalCluster | None]:
    """A cluster of so many worker processes on the loopback address; none for 0."""
    if not workers:
        return nullcontext()
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(folder / "dask"),
        env={"PREFECT_API_URL": api, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


if __name__ == "__main__":
    configure()
    os.environ.update(_QUIET)
    raise SystemExit(main())
