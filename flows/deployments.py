"""Every deployment in one list: which flow, when, with which limits.

Schedules are in London's time, so that a morning run does not move by an hour in summer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Schedule

from flows.monthly import monthly

TIMEZONE = "Europe/London"

#: 07:00 on the 11th weekday of the month. Extracts are due on the 5th working day; bank holidays move
#: the 11th weekday to no earlier than the 8th working day (Easter in April, two days in May).
ON_THE_ELEVENTH_WEEKDAY = (
    "DTSTART:20260101T070000\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=11;BYHOUR=7;BYMINUTE=0;BYSECOND=0"
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment; `flow` with parameters `parameters`, on `rrule` if any."""

    name: str
    flow: Flow[..., Any]
    description: str
    rrule: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    def build(self, **changes: Any) -> RunnerDeployment:
        """The deployment as Prefect takes it; `changes` override, for example the schedule in a test."""
        schedule = Schedule(rrule=self.rrule, timezone=TIMEZONE) if self.rrule else None
        given: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
            "tags": list(self.tags),
            "schedules": [schedule] if schedule else None,
            # A second run waits: cancelling it would lose a month if a dead run still holds the slot.
            "concurrency_limit": ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        }
        build = cast(Callable[..., RunnerDeployment], self.flow.to_deployment)
        return build(**{**given, **changes})


DEPLOYMENTS: tuple[Deployment, ...] = (
    Deployment(
        name="monthly",
        flow=monthly,
        description="Reads the last complete month's extracts, checks, measures, scores, alerts.",
        rrule=ON_THE_ELEVENTH_WEEKDAY,
        tags=("holdfast",),
    ),
)
