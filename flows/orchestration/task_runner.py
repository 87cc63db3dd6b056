"""Chooses where the tasks for single councils run: in threads of the run, or on an existing Dask cluster."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

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
            return cast(ByTheSettings, on_the_cluster(settings.dask_address))
        return cast(ByTheSettings, super().duplicate())


#: Enough to wait for a store and for Python at once. A thread for each council would only wait for the others.
_THREADS = 8

#: The task runner to name in a flow's decorator.
BY_THE_SETTINGS = cast("TaskRunner[PrefectFuture[Any]]", ByTheSettings(max_workers=_THREADS))


def workers() -> int | None:
    """How many tasks of the current run a cluster does at once; None if they are done in the run's own threads.

    A cluster whose workers are still to come does 0.
    """
    run = FlowRunContext.get()
    client = getattr(run.task_runner, "client", None) if run is not None else None
    return sum(client.nthreads().values()) if client is not None else None


#: Prefect's `quote` for an argument that goes to another process, perhaps through a scheduler. `quote` is a tuple,
#: and Python's pickling of tuples would wrap its value once more at every hop. Every parcel has a token of its own,
#: as Dask would otherwise hash its contents.
Parcel: Any = type(
    "Parcel",
    (quote,),
    {"__slots__": (), "__getnewargs__": lambda self: (self[0],), "__dask_tokenize__": lambda self: uuid4().hex},
)


_PATIENCE = "300s"


def on_the_cluster(address: str) -> TaskRunner[Any]:
    """Prefect's task runner for the Dask scheduler at `address`."""
    import dask
    from prefect_dask.task_runners import DaskTaskRunner

    # At its first task the scheduler imports Holdfast, and for those seconds it answers nobody.
    dask.config.set({"distributed.comm.timeouts.connect": _PATIENCE, "distributed.comm.timeouts.tcp": _PATIENCE})

    class OnTheCluster(DaskTaskRunner):
        def submit(self, task: Any, parameters: dict[str, Any], *more: Any, **named: Any) -> Any:
            parcels = {n: Parcel(v.unquote()) if isinstance(v, quote) else v for n, v in parameters.items()}
            return super().submit(task, parcels, *more, **named)

        def _optimize_futures(self, expr: Any) -> Any:
            """Look for futures outside parcels only: a parcel holds none, and a search takes longer than its task."""
            search = super()._optimize_futures
            if not isinstance(expr, dict):
                return search(expr)
            return {name: value if isinstance(value, Parcel) else search(value) for name, value in expr.items()}

    return OnTheCluster(address=address)
