"""What knows Prefect beside the flows: tasks, artifacts, faults, servers, schedules."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "artifacts",
    "ask",
    "doctor",
    "embedded",
    "ends",
    "failures",
    "faults",
    "local_server",
    "look",
    "outcome",
    "owner",
    "refresh_news",
    "run_report",
    "schedules",
    "send",
    "serve",
    "server_view",
    "stages",
    "task_runner",
    "tasks",
)
