"""Prefect's server as a child of the process that needs it. It ends with its parent.

Prefect can start such a child itself, but it imports its whole server into the parent first, and starts only when
the first flow is called. This one starts at once. It also ends when its parent is killed, because its standard
input then closes. It prints its port, listens on the loopback address only, and serves no UI and no schedules.
Nobody can look at it, so it does not record what happened to each task: that would be most of its work.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

#: Services that handle every event (several per task) for the UI and for automations, neither of which exists here.
_NOT_WANTED = ("SERVICES_EVENT_PERSISTER", "SERVICES_TASK_RUN_RECORDER", "SERVICES_TRIGGERS")

#: Nobody uses blocks here. Registering them imports every installed integration of Prefect.
_NO_BLOCKS = ("REGISTER_BLOCKS_ON_START", "MEMOIZE_BLOCK_AUTO_REGISTRATION")

#: Added to the server's niceness. It has time: the run reads and imports a good deal before its first request.
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
        os.environ[f"PREFECT_SERVER_{service}_ENABLED"] = "false"
    for setting in _NO_BLOCKS:
        os.environ[f"PREFECT_SERVER_{setting}"] = "false"
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True, final=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[door])


if __name__ == "__main__":
    main()
