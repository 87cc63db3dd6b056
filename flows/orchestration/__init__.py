"""Everything but the flows that uses Prefect: tasks, artifacts, faults, servers, schedules."""

#: The modules that other rooms may import, besides the package itself; the others are private.
DOOR = (
    "artifacts",
    "ask",
    "doctor",
    "embedded",
    "ends",
    "export_after",
    "failures",
    "faults",
    "health",
    "local_server",
    "log_lines",
    "look",
    "outcome",
    "owner",
    "refresh_news",
    "restore",
    "run_report",
    "schedules",
    "send",
    "serve",
    "server_view",
    "stages",
    "task_runner",
    "tasks",
)
