"""Generates `prefect.yaml` from the list of deployments, so that there is only one list."""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml
from prefect.schedules import Schedule

from flows.deployments import DEPLOYMENTS, ONE_AT_A_TIME, Deployment
from flows.orchestration.embedded import ALWAYS
from flows.orchestration.server_view import TAG
from flows.settings.settings import ScheduleSettings

WORK_POOL = "holdfast"
#: What a worker's runs need, as it starts them with its own environment: retries while the server is away, and signs
#: of life, and logs.
_NEEDED = (
    "PREFECT_CLIENT_MAX_RETRIES",
    "PREFECT_CLIENT_RETRY_EXTRA_CODES",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
    "PREFECT_LOGGING_EXTRA_LOGGERS",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW",
)

_HEADER = """\
# Generated from flows/deployments.py: holdfast deployments --write prefect.yaml
# Put the deployments on a server:           prefect work-pool create holdfast --type process
#                                            prefect --no-prompt deploy --all
# Run what it schedules:                     prefect worker start --pool holdfast --type process
# The code is the installed package, so nothing is pulled; Docker and Kubernetes pools: docs/deploying.md
"""


#: A YAML dumper that writes multi-line text as lines.
_Readable: Any = type("_Readable", (yaml.SafeDumper,), {})
_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def prefect_file(schedule: ScheduleSettings, today: date) -> str:
    """The text of `prefect.yaml`: every deployment, in the work pool `holdfast`."""
    content = {
        "name": "holdfast",
        "pull": None,
        "deployments": [_entry(deployment, schedule, today) for deployment in DEPLOYMENTS],
    }
    return _HEADER + str(yaml.dump(content, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=118))


def _when(one: Schedule) -> dict[str, Any]:
    kind = {"rrule": one.rrule} if one.rrule else {"cron": one.cron, "day_or": True}
    return {**kind, "timezone": one.timezone, "active": True}


def _entry(deployment: Deployment, schedule: ScheduleSettings, today: date) -> dict[str, Any]:
    return {
        "name": deployment.name,
        "description": deployment.description,
        "entrypoint": deployment.entrypoint,
        "parameters": dict(deployment.parameters(schedule)),
        "tags": [TAG],
        "schedules": [_when(one) for one in deployment.when(schedule, today)],
        "concurrency_limit": {
            "limit": ONE_AT_A_TIME.limit,
            "collision_strategy": ONE_AT_A_TIME.collision_strategy.value,
        },
        "work_pool": {"name": WORK_POOL, "job_variables": {"env": {name: ALWAYS[name] for name in _NEEDED}}},
    }
