"""A whole monthly run as a process of its own, to be killed at an object it is about to write or has just written.

`python -m tests.integration.whole_run 2026-10 2026-11-20 before:ledger/.*sent[.]json:2` runs the month through
the command line and dies before it writes its second such object; without a third argument it runs to its end.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import Any

from flows.store.s3 import S3Store


def die_at(moment: str) -> None:
    """Let this process die at the n-th object whose name matches: `before:<pattern>:<n>` or `after:…`."""
    when, _, rest = moment.partition(":")
    pattern, _, number = rest.rpartition(":")
    left = [int(number)]
    put = S3Store._put

    def counted(self: S3Store, name: str, *given: Any, **more: Any) -> None:
        here = re.fullmatch(pattern, name) is not None
        left[0] -= here
        last = here and left[0] == 0
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        put(self, name, *given, **more)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    S3Store._put = counted  # type: ignore[method-assign]


def main(month: str, as_of: str, moment: str = "") -> None:
    if moment:
        die_at(moment)
    from flows.cli.app import app

    app(["run", "--month", month, "--as-of", as_of])


if __name__ == "__main__":
    main(*sys.argv[1:])
