"""Times `holdfast run` as a user starts it, as a whole process: imports, Prefect, month and mail.

    python -m benchmarks.whole_runs [--councils 153 12] [--months 24]

Earlier months are in the store, as counts of the same made-up region. For each size it runs the last month, and then
the same month again, when nothing is new. Prints seconds by the clock and of processor, and peak memory, of the
process with its children.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.monthly_run import LAST, prepared
from flows.sample_region import region


@dataclass(frozen=True)
class Cost:
    """What a process and its children took."""

    seconds: float
    processor: float
    peak_gib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare each size, run it twice, print. Stops at the first run that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, nargs="+", default=[153, 12])
    parser.add_argument("--months", type=int, default=24)
    options = parser.parse_args(arguments)
    print(f"{'`holdfast run`, whole process':44}{'seconds':>9}{'processor s':>13}{'GiB':>7}")  # noqa: T201
    for councils in options.councils:
        with tempfile.TemporaryDirectory() as folder:
            context = prepared(Path(folder), region(councils, options.months + 1, 1, LAST))
            chosen = {
                "HOLDFAST_LANDING": context.settings.landing,
                "HOLDFAST_STORE": context.settings.store,
                "HOLDFAST_MAIL__OUTBOX": str(Path(folder) / "outbox"),
                "PREFECT_HOME": str(Path(folder) / "prefect"),
            }
            for what in ("a warm month", "the same month again"):
                cost = measured([sys.executable, "-m", "flows.cli.app", "run", "--month", str(LAST)], chosen)
                named = f"{councils} councils, {what}"
                print(f"{named:44}{cost.seconds:9.1f}{cost.processor:13.1f}{cost.peak_gib:7.2f}", flush=True)  # noqa: T201
    return 0


def measured(command: Sequence[str], chosen: dict[str, str]) -> Cost:
    """Run a command to its end with these settings. Raises CalledProcessError with its output if it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    done = subprocess.run(command, env=os.environ | chosen, capture_output=True, text=True, check=False)
    seconds, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, processor, after.ru_maxrss / 2**20)


if __name__ == "__main__":
    raise SystemExit(main())
