"""Where a run's tasks for single councils run: in threads of the run, or on an existing Dask cluster."""

from __future__ import annotations

from typing import Any, cast

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from features.errors import SettingsError
from flows.settings import Settings
from flows.settings import TaskRunner as Chosen


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
            return cast(ByTheSettings, _on_the_cluster(settings.dask_address))
        return cast(ByTheSettings, super().duplicate())


def _on_the_cluster(address: str) -> TaskRunner[Any]:
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(address=address)


#: For a flow's decorator.
BY_THE_SETTINGS = cast("TaskRunner[PrefectFuture[Any]]", ByTheSettings())
