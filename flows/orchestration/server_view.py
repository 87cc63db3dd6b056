"""What a Prefect server knows of Holdfast's deployments and runs, and the few changes that the watchdog makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import httpx

from features.errors import HoldfastError

#: The tag on every deployment of Holdfast.
TAG = "holdfast"

#: Words in Prefect's failure message of a run that lost its server. Holdfast's own steps raise none of these errors.
SERVER_WENT = re.compile(
    r"encountered an exception: ("
    r"(Connect|Read|Write|Pool|RemoteProtocol|LocalProtocol|Close)(Error|Timeout)"
    # Raised by a task whose request for a concurrency slot got no answer. We set no limits that it could mean.
    r"|ConcurrencySlotAcquisitionError|PrefectHTTPStatusError: Server error)\b"
)


class ServerAway(HoldfastError):
    """The Prefect server does not answer, or refuses our login."""

    exit_code = 22


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A flow run that is not finished."""

    id: str
    name: str
    flow: str
    deployment_id: str
    state: str
    """SCHEDULED, PENDING, RUNNING, CANCELLING, CRASHED or FAILED."""
    since: datetime
    """When it entered this state."""
    expected: datetime
    """Its scheduled start."""
    parameters: Mapping[str, Any]
    tags: tuple[str, ...]
    last_event: datetime | None = None
    """The run's newest event that the server has."""
    began: datetime | None = None
    """When it started; None if it has not."""


@dataclass(frozen=True, slots=True)
class SeenDeployment:
    """A deployment as the server has it."""

    name: str
    id: str
    paused: bool
    schedules: int
    active_schedules: int
    next_runs: tuple[datetime, ...] = ()


class ServerView(Protocol):
    """What Holdfast needs of a server. Every method raises ServerAway if it does not answer."""

    def deployments(self) -> Sequence[SeenDeployment]:
        """Every deployment of Holdfast's flows that is on the server."""

    def unfinished(self) -> Sequence[SeenRun]:
        """Runs of deployments that are pending, running or being cancelled."""

    def crashed(self, since: datetime) -> Sequence[SeenRun]:
        """Runs of deployments that since `since` crashed, or failed because the server went away."""

    def late(self, before: datetime) -> Sequence[SeenRun]:
        """Runs that should have started before `before` and have not."""

    def begun_late(self, since: datetime, by: timedelta) -> Sequence[SeenRun]:
        """Scheduled runs that started after `since`, and more than `by` after their scheduled time."""

    def begin_again(self, run: SeenRun, parameters: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Create a new run of the same deployment and return its id. Repeated calls create only one."""

    def end(self, run: SeenRun, *, message: str, tags: Sequence[str]) -> None:
        """Set a run to Crashed, or to Cancelled if it was being cancelled, and tag it."""


class PrefectView:
    """The server that Prefect's settings name."""

    def __init__(self) -> None:
        from prefect.settings import PREFECT_API_URL

        url = PREFECT_API_URL.value()
        if not url:
            raise ServerAway("No Prefect server is named. Set PREFECT_API_URL.")
        self.url = str(url)

    def deployments(self) -> list[SeenDeployment]:
        from prefect.client.schemas.filters import FlowRunFilter
        from prefect.client.schemas.sorting import FlowRunSort

        with self._client() as client:
            found = []
            for one in _own(client):
                scheduled = client.read_flow_runs(
                    flow_run_filter=FlowRunFilter.model_validate(
                        {"deployment_id": {"any_": [one.id]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
                    ),
                    sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                    limit=50,
                )
                found.append(
                    SeenDeployment(
                        name=one.name,
                        id=str(one.id),
                        paused=one.paused,
                        schedules=len(one.schedules),
                        active_schedules=sum(s.active for s in one.schedules),
                        next_runs=tuple(r.expected_start_time for r in scheduled if r.expected_start_time),
                    )
                )
        return found

    def unfinished(self) -> list[SeenRun]:
        with self._client() as client:
            return [
                self._seen(client, run, with_events=True)
                for run in self._runs(client, {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}})
            ]

    def crashed(self, since: datetime) -> list[SeenRun]:
        asked = {"state": {"type": {"any_": ["CRASHED", "FAILED"]}}, "end_time": {"after_": since.isoformat()}}
        with self._client() as client:
            return [
                self._seen(client, run, with_events=False)
                for run in self._runs(client, asked)
                if run.state.type.value == "CRASHED" or SERVER_WENT.search(run.state.message or "")
            ]

    def late(self, before: datetime) -> list[SeenRun]:
        asked = {
            "state": {"type": {"any_": ["SCHEDULED"]}, "name": {"any_": ["Scheduled", "Late"]}},
            "expected_start_time": {"before_": before.isoformat()},
        }
        with self._client() as client:
            return [self._seen(client, run, with_events=False) for run in self._runs(client, asked)]

    def begun_late(self, since: datetime, by: timedelta) -> list[SeenRun]:
        with self._client() as client:
            begun = self._runs(client, {"start_time": {"after_": since.isoformat()}})
            return [
                self._seen(client, run, with_events=False)
                for run in begun
                if run.auto_scheduled
                and run.start_time is not None
                and run.expected_start_time is not None
                and run.start_time - run.expected_start_time > by
            ]

    def begin_again(self, run: SeenRun, parameters: Mapping[str, Any], tags: Sequence[str]) -> str:
        with self._client() as client:
            made = client.create_flow_run_from_deployment(
                UUID(run.deployment_id),
                parameters=dict(parameters),
                tags=tags,
                idempotency_key=f"again-{run.id}",
            )
        return str(made.id)

    def end(self, run: SeenRun, *, message: str, tags: Sequence[str]) -> None:
        from prefect.states import Cancelled, Crashed

        with self._client() as client:
            client.update_flow_run(UUID(run.id), tags=tags)
            if run.state not in ("CRASHED", "FAILED"):
                state = Cancelled if run.state == "CANCELLING" else Crashed
                client.set_flow_run_state(UUID(run.id), state(message=message))

    def _client(self) -> AbstractContextManager[Any]:
        return _answering(self.url)

    def _runs(self, client: Any, asked: dict[str, Any]) -> list[Any]:
        from prefect.client.schemas.filters import FlowRunFilter

        own = [str(d.id) for d in _own(client)]
        if not own:
            return []
        wanted = FlowRunFilter.model_validate({**asked, "deployment_id": {"any_": own}})
        return list(client.read_flow_runs(flow_run_filter=wanted, limit=200))

    def _seen(self, client: Any, run: Any, *, with_events: bool) -> SeenRun:
        return SeenRun(
            id=str(run.id),
            name=run.name,
            flow=client.read_flow(run.flow_id).name,
            deployment_id=str(run.deployment_id),
            state=run.state.type.value,
            since=run.state.timestamp,
            expected=run.expected_start_time or run.created,
            parameters=run.parameters,
            tags=tuple(run.tags),
            last_event=_last_event(client, run) if with_events else None,
            began=run.start_time,
        )


def _own(client: Any) -> list[Any]:
    """The deployments with Holdfast's tag. A server may be shared, and other teams' runs must be left alone."""
    from prefect.client.schemas.filters import DeploymentFilter

    ours = DeploymentFilter.model_validate({"tags": {"all_": [TAG]}})
    found: list[Any] = []
    while page := client.read_deployments(deployment_filter=ours, limit=200, offset=len(found)):
        found += page
    return found


def _last_event(client: Any, run: Any) -> datetime | None:
    """The time of the run's newest event, which is its heartbeat if it has run for a while."""
    from prefect.events.filters import EventFilter, EventOccurredFilter, EventResourceFilter

    since = run.start_time or run.expected_start_time or run.created
    page = client.read_events(
        EventFilter(
            occurred=EventOccurredFilter(since=since - timedelta(days=1)),
            resource=EventResourceFilter(id=[f"prefect.flow-run.{run.id}"]),
        ),
        limit=1,
    )
    return page.events[0].occurred if page.events else None


@contextmanager
def _answering(url: str) -> Iterator[Any]:
    """Prefect's client. Every way in which the server can fail to answer is raised as ServerAway."""
    from prefect.client.orchestration import get_client

    try:
        with get_client(sync_client=True) as client:
            yield client
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise ServerAway(
                f"The Prefect server at {url} refuses us. Set PREFECT_API_AUTH_STRING to its user:password."
            ) from None
        raise ServerAway(f"The Prefect server at {url} answers with an error ({status}).") from None
    except (httpx.TransportError, RuntimeError) as error:
        raise ServerAway(f"The Prefect server at {url} does not answer ({type(error).__name__}).") from None
