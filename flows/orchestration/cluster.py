"""Sends tasks to an existing Dask cluster, with less around each than Prefect's own runner for Dask.

That one sends Prefect's settings with every task, and for every task the worker makes the settings and two clients of
the server anew, which takes longer than publishing a council. Here a worker keeps them while a run's tasks come.
"""

from __future__ import annotations

import pickle
from contextvars import Context, copy_context
from functools import cached_property, lru_cache, partial
from typing import Any
from uuid import uuid4

import cloudpickle
import dask
from prefect.context import FlowRunContext, SettingsContext, SyncClientContext, TagsContext
from prefect.task_engine import run_task_sync
from prefect.utilities.annotations import quote
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from flows.orchestration.task_runner import Parcel

_PATIENCE = "300s"


class OnTheCluster(DaskTaskRunner):
    """A task runner for the scheduler at an address."""

    def __enter__(self) -> Any:
        # At its first task the scheduler imports Holdfast, and for those seconds it answers nobody.
        dask.config.set({"distributed.comm.timeouts.connect": _PATIENCE, "distributed.comm.timeouts.tcp": _PATIENCE})
        begin: Any = super().__enter__
        return begin()

    def submit(self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None) -> Any:
        """Send the task with its parameters in one piece, which nobody looks into on the way; futures go beside it."""
        run, run_id = FlowRunContext.get(), uuid4()
        later = {
            name: value.wrapped_future for name, value in parameters.items() if isinstance(value, PrefectDaskFuture)
        }
        now = {name: value for name, value in parameters.items() if name not in later}
        work = {
            "task": task,
            "task_run_id": run_id,
            "parameters": {n: Parcel(v.unquote()) if isinstance(v, quote) else v for n, v in now.items()},
            "dependencies": dependencies or {n: collect_task_run_inputs_sync(v) for n, v in parameters.items()},
            "context": {
                "flow_run_context": run.serialize() if run else {},
                "tags_context": TagsContext.get().serialize(),
            },
        }
        before = self._optimize_futures(wait_for) if wait_for else None
        client: Any = self.client
        sent = client.submit(
            run_task_there, self._settings, cloudpickle.dumps(work), later, before, key=f"{task.fn.__name__}-{run_id}"
        )
        return PrefectDaskFuture(wrapped_future=sent, task_run_id=run_id)

    @cached_property
    def _settings(self) -> bytes:
        """Prefect's settings in this run."""
        settings = SettingsContext.get()
        return pickle.dumps(settings.serialize() if settings else {})


def run_task_there(settings: bytes, work: bytes, later: dict[str, Any], wait_for: Any) -> Any:
    """Run a task on a worker; its state. `later`: those of its parameters that other tasks made."""
    given = pickle.loads(work)
    given["parameters"] |= later
    run: Any = partial(run_task_sync, **given, wait_for=wait_for, return_type="state")
    return _settings_and_client(settings).copy().run(run)


@lru_cache(maxsize=1)
def _settings_and_client(settings: bytes) -> Context:
    """A context with a run's Prefect settings and a client for its server, which stays open."""
    around = copy_context()
    around.run(SettingsContext(**pickle.loads(settings)).__enter__)
    around.run(SyncClientContext().__enter__)
    return around
