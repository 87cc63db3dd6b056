"""`holdfast`: the application with all commands. Each command is thin: it reads settings and clock once, calls one
function and prints one text. A command imports for itself whatever takes long to import.
"""

from __future__ import annotations

import sys

from features.errors import HoldfastError
from flows.cli import (  # noqa: F401
    alerts,
    answers,
    approval,
    desk,
    doctor,
    export,
    extracts,
    init,
    map,
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
    """Run a command. An error that a person can put right gives a sentence and an exit code, not a traceback."""
    try:
        app()
    except HoldfastError as error:
        print(f"holdfast: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
