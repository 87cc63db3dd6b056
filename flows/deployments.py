"""Every deployment in one list: which flow, when, with which parameters and limits.

`holdfast serve` serves this list and `prefect.yaml` is generated from it; a test checks that the two agree.
Schedules are in London time, so that a morning run does not move by an hour in summer.

Retries belong to the tasks (`PATIENT_STEP` in `flows.orchestration.tasks`): they try again if the store does not
answer, but not if a person must put something right. A run that was cut off is restarted by the keeper or the
watchdog, by hand or by the next schedule, and finishes what was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from features.errors import SettingsError
from features.months import LONDON, london_day
from flows.orchestration.schedules import on_working_day
from flows.orchestration.server_view import TAG
from flows.settings.settings import ScheduleSettings, Settings

#: One run of each deployment at a time. A second one waits; if it were cancelled, a dead run that held the slot would
#: cost a month.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def _monthly(schedule: ScheduleSettings, today: date) -> list[Schedule]:
    return on_working_day(schedule.monthly_working_day, schedule.monthly_at, today.year)


def _monthly_parameters(schedule: ScheduleSettings) -> dict[str, Any]:
    month = {"month": schedule.fixed_month} if schedule.fixed_month else {}
    return {"request": {**month, "send": schedule.monthly_send.value}}


def _cron(line: str) -> list[Schedule]:
    if not line.strip():
        return []
    try:
        return [Schedule(cron=line, timezone=LONDON.key)]
    except ValueError:
        raise SettingsError(
            f"schedule: “{line}” is not a cron line. Write five fields, for example 0 9 * * 1-5, or nothing."
        ) from None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment. `entrypoint` is the flow as `module.function`: it runs the installed package, not a checkout."""

    name: str
    entrypoint: str
    description: str
    when: Callable[[ScheduleSettings, date], list[Schedule]] = lambda _schedule, _today: []
    parameters: Callable[[ScheduleSettings], Mapping[str, Any]] = lambda _schedule: {}

    @property
    def flow(self) -> Flow[..., Any]:
        return cast("Flow[..., Any]", load_flow_from_entrypoint(self.entrypoint, use_placeholder_flow=False))

    def build(self, schedule: ScheduleSettings, today: date, **changes: Any) -> RunnerDeployment:
        """The deployment in Prefect's form. `changes` override its fields, for example the schedule in a test."""
        when = self.when(schedule, today)
        given: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters(schedule)),
            "tags": [TAG],
            "schedules": when or None,
            "concurrency_limit": ONE_AT_A_TIME,
            "entrypoint_type": EntrypointType.MODULE_PATH,
        }
        build = cast(Callable[..., RunnerDeployment], self.flow.to_deployment)
        return build(**{**given, **changes})


DEPLOYMENTS: tuple[Deployment, ...] = (
    Deployment(
        name="monthly",
        entrypoint="flows.monthly.monthly",
        description="Reads the last complete month’s extracts, checks, measures, scores, alerts. Each year has a "
        "rule with its own days, because a rule cannot know bank holidays; “Upcoming” shows the next ones.",
        when=_monthly,
        parameters=_monthly_parameters,
    ),
    Deployment(
        name="backfill",
        entrypoint="flows.backfill.backfill",
        description="Computes a range of months, oldest first; sends nothing unless told. Started by hand.",
    ),
    Deployment(
        name="train",
        entrypoint="flows.train.train",
        description="Trains the model on the published record and keeps it beside the present one. Started by hand, "
        "when the reference refresh says that new figures are out.",
    ),
    Deployment(
        name="reference-refresh",
        entrypoint="flows.refresh.reference_refresh",
        description="Downloads the published files, checks and stores them, and says when retraining is due.",
        when=lambda schedule, _today: _cron(schedule.reference_refresh),
    ),
    Deployment(
        name="watchdog",
        entrypoint="flows.watchdog.watchdog",
        description="Looks whether the month was run, begins again what died, and tells the data team what needs a "
        "person.",
        when=lambda schedule, _today: _cron(schedule.watchdog),
    ),
    Deployment(
        name="doctor",
        entrypoint="flows.doctor.doctor",
        description="Reads everything in the store and tells the data team what is damaged, missing or belongs to "
        "nothing.",
        when=lambda schedule, _today: _cron(schedule.doctor),
    ),
    Deployment(
        name="answer",
        entrypoint="flows.answer.answer",
        description="A form: what a director or officer replied to a message, or a goal of the council’s own. The next "
        "message says it back.",
    ),
)


def built(schedule: ScheduleSettings, today: date) -> list[RunnerDeployment]:
    """Every deployment in the list, ready to be served or deployed."""
    return [deployment.build(schedule, today) for deployment in DEPLOYMENTS]


def expected_deployments(settings: Settings, now: datetime) -> list[tuple[str, bool]]:
    """The name of every deployment, and whether these settings give it a schedule."""
    return [(d.name, d.when(settings.schedule, london_day(now)) != []) for d in DEPLOYMENTS]


def next_runs(schedule: ScheduleSettings, now: datetime) -> Sequence[tuple[str, datetime | None]]:
    """Each deployment's name and next start by the rules of the server; None if it is only started by hand."""
    from prefect.server.schemas.schedules import CronSchedule, RRuleSchedule

    found: list[tuple[str, datetime | None]] = []
    for deployment in DEPLOYMENTS:
        when = deployment.when(schedule, london_day(now))
        dates = []
        for one in when:
            known = (
                RRuleSchedule(rrule=one.rrule, timezone=one.timezone)
                if one.rrule
                else CronSchedule(cron=one.cron or "", timezone=one.timezone)
            )
            dates += asyncio.run(known.get_dates(1, start=now.astimezone(UTC)))
        found.append((deployment.name, min(dates, default=None)))
    return found
