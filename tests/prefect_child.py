"""Prefect's server with everything that a server which stays has, for `tests.prefect_homes`; ends with its parent."""

from __future__ import annotations

import os
import socket
import sys
import threading


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)  # noqa: T201
    import uvicorn
    from prefect.server.api.server import create_app

    from flows.orchestration.signed_on import SignedOn

    # As it runs behind a sign-on proxy: whoever no proxy names is not touched.
    app = SignedOn(create_app(ephemeral=True, final=True))
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[door])


if __name__ == "__main__":
    main()
