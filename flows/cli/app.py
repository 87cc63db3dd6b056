"""`holdfast`: the commands of this room on one application. Each is thin: it reads settings and clock once, calls one
function, prints one text; what takes long to import is imported by the command that needs it.
"""

from __future__ import annotations

import sys

from features.errors import HoldfastError
from flows.cli import (  # noqa: F401
    alerts,
    answers,
    approval,
    doctor,
    export,
    extracts,
    init,
    models,
    month,
    papers,
    published,
    repair,
    retention,
    scorecard,
    server,
)
from flows.cli.root import app


def main() -> None:
    """Run a command; an error a person can put right is one sentence and an exit code, not a traceback."""
    try:
        app()
    except HoldfastError as error:
        print(f"holdfast: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
