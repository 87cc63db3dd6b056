"""Chooses where the tasks for single councils run: in threads of the run, or on an existing Dask cluster."""

from __future__ import annotations

from typing import Any, cast

from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from features.errors import SettingsError
from flows.settings.settings import Settings
from flows.settings.settings import TaskRunner as Chosen


class ByTheSettings(ThreadPoolTaskRunner[Any]):
    """A task runner that is chosen when a run starts, not when the flow is declared or deployed."""

    def duplicate(self) -> ByTheSettings:
        """The task runner for one run: a new one of this kind, or Dask's if the settings name a cluster."""
        try:
            settings = Settings.load()
        except SettingsError:
            # The run's first step reports in its state what is wrong with the settings.
            return cast(ByTheSettings, super().duplicate())
        if settings.task_runner is Chosen.DASK:
            from flows.orchestration.cluster import OnTheCluster

            return cast(ByTheSettings, OnTheCluster(address=settings.dask_address))
        return cast(ByTheSettings, super().duplicate())


#: Enough to wait for a store and for Python at once. A thread for each council would only wait for the others.
_THREADS = 8

#: The task runner to name in a flow's decorator.
BY_THE_SETTINGS = cast("TaskRunner[PrefectFuture[Any]]", ByTheSettings(max_workers=_THREADS))


def own_threads() -> ThreadPoolTaskRunner[Any]:
    """Threads of the run itself, for tasks that are done sooner than they could be sent to a cluster."""
    return ThreadPoolTaskRunner(max_workers=_THREADS)


def workers() -> int | None:
    """How many tasks of the current run a cluster does at once; None if they are done in the run's own threads.

    A cluster whose workers are still to come does 0.
    """
    run = FlowRunContext.get()
    client = getattr(run.task_runner, "client", None) if run is not None else None
    return sum(client.nthreads().values()) if client is not None else None


#: Prefect's `quote` for what goes to another process. `quote` is a tuple, and Python's pickling of tuples would wrap
#: its value once more at every hop.
Parcel: Any = type("Parcel", (quote,), {"__slots__": (), "__getnewargs__": lambda self: (self[0],)})
