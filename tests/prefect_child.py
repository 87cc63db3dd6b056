"""Prefect's server with everything that a server which stays has, for `tests.prefect_homes`; ends with its parent."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import threading
from pathlib import Path


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    Path(sys.argv[1]).write_text(str(door.getsockname()[1]))
    import uvicorn
    from prefect.server.api.server import create_app

    from flows.orchestration.signed_on import SignedOn

    # As it runs behind a sign-on proxy: whoever no proxy names is not touched.
    app = SignedOn(create_app(ephemeral=True, final=True))
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[door])


if __name__ == "__main__":
    main()
