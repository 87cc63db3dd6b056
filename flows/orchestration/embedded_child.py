"""Prefect's server as a child of the process that needs it; it ends with its parent.

Prefect can start such a child itself, but imports its whole server into the parent first and begins only when the
first flow is called. Here it starts at once, and it ends too when the parent is killed: its standard input
closes. It prints its port, listens on the loopback address only, and serves no pages and no schedules. Nobody can
look at it, so it does not write down what happened to each task, which would take more of it than the rest.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

#: What the server does with every event, several a task, for pages and automations that this one does not have.
_NOT_WANTED = ("EVENT_PERSISTER", "TASK_RUN_RECORDER", "TRIGGERS")

#: It has time: the run has to read and import before it asks for anything.
_NICE = 12


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve Prefect's API until standard input closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(_NICE)
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)  # noqa: T201
    for service in _NOT_WANTED:
        os.environ[f"PREFECT_SERVER_SERVICES_{service}_ENABLED"] = "false"
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True, final=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[door])


if __name__ == "__main__":
    main()
