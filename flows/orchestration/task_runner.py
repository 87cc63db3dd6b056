"""Where a run's tasks for single councils run: in threads of the run, or on an existing Dask cluster."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from features.errors import SettingsError
from flows.settings.settings import Settings
from flows.settings.settings import TaskRunner as Chosen


class ByTheSettings(ThreadPoolTaskRunner[Any]):
    """A task runner that is chosen when a run begins, not when the flow is written or deployed."""

    def duplicate(self) -> ByTheSettings:
        """What the run works with: itself anew, or a cluster's."""
        try:
            settings = Settings.load()
        except SettingsError:
            # The run's first step says in its state what is wrong with them.
            return cast(ByTheSettings, super().duplicate())
        if settings.task_runner is Chosen.DASK:
            return cast(ByTheSettings, on_the_cluster(settings.dask_address))
        return cast(ByTheSettings, super().duplicate())


#: For a flow's decorator.
BY_THE_SETTINGS = cast("TaskRunner[PrefectFuture[Any]]", ByTheSettings())


#: Prefect's `quote` for an argument that goes to another process, perhaps by way of a scheduler. `quote` is a tuple,
#: and Python's way of pickling tuples would wrap its value once more on every way. No two parcels have the same
#: token; else Dask would hash what is in them.
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

    # A scheduler that sees its first task imports Holdfast, and answers nobody for the seconds which that takes.
    dask.config.set({"distributed.comm.timeouts.connect": _PATIENCE, "distributed.comm.timeouts.tcp": _PATIENCE})

    class OnTheCluster(DaskTaskRunner):
        def submit(self, task: Any, parameters: dict[str, Any], *more: Any, **named: Any) -> Any:
            parcels = {n: Parcel(v.unquote()) if isinstance(v, quote) else v for n, v in parameters.items()}
            return super().submit(task, parcels, *more, **named)

    return OnTheCluster(address=address)
