"""Times `holdfast run` as a user starts it, as a whole process: imports, Prefect, month and mail.

    python -m benchmarks.whole_runs [--councils 153 12] [--months 24] [--s3]

Earlier months are in the store, as counts of the same made-up region. For each size it runs the last month, and then
the same month again, when nothing is new; at the end `holdfast demo`, from nothing. Prints seconds by the clock and of
processor, and peak memory, of the process with its children. With `--s3` landing and store are in an S3 server on this
machine (moto), and every request that it gets is printed, claims and mail included, with the number of messages.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.bucket import Bucket, counting_bucket
from benchmarks.monthly_run import LAST, in_a_process


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
    parser.add_argument("--s3", action="store_true", help="landing and store in a bucket; count its requests")
    options = parser.parse_args(arguments)
    print(f"{'`holdfast run`, whole process':44}{'seconds':>9}{'processor s':>13}{'GiB':>7}")  # noqa: T201
    for councils in options.councils:
        with tempfile.TemporaryDirectory() as folder, counting_bucket() if options.s3 else nullcontext() as bucket:
            _runs(Path(folder), councils, options.months, bucket)
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "flows.cli.app", "demo", "--folder", f"{folder}/demo"]
        _print("the demo", measured(demo, {"PREFECT_HOME": f"{folder}/prefect"}))
    return 0


def _runs(folder: Path, councils: int, months: int, bucket: Bucket | None) -> None:
    in_a_process("prepare", folder, councils, months)
    outbox = folder / "outbox"
    chosen = {
        "HOLDFAST_LANDING": str(folder / "landing"),
        "HOLDFAST_STORE": str(folder / "store"),
        "HOLDFAST_MAIL__OUTBOX": str(outbox),
        "PREFECT_HOME": str(folder / "prefect"),
    }
    if bucket is not None:
        chosen |= bucket.settings
        for name in ("landing", "store"):
            bucket.fill(name, folder / name)
        # The files are newer there than their month's edition says, and a warm month has alerts of the month before.
        measured([sys.executable, "-m", "flows.cli.app", "run", "--month", str(LAST.plus(-1))], chosen)
        bucket.taken()
    before = len(list(outbox.rglob("*.eml")))
    for what in ("a warm month", "the same month again"):
        cost = measured([sys.executable, "-m", "flows.cli.app", "run", "--month", str(LAST)], chosen)
        mailed = len(list(outbox.rglob("*.eml")))
        asked = bucket.taken() if bucket is not None else {}
        by_method = ", ".join(f"{method} {count}" for method, count in sorted(asked.items()))
        requests = f"  {sum(asked.values())} requests ({by_method}), {mailed - before} messages" if asked else ""
        _print(f"{councils} councils, {what}", cost, requests)
        before = mailed


def _print(what: str, cost: Cost, more: str = "") -> None:
    print(f"{what:44}{cost.seconds:9.1f}{cost.processor:13.1f}{cost.peak_gib:7.2f}{more}", flush=True)  # noqa: T201


def measured(command: Sequence[str], chosen: dict[str, str]) -> Cost:
    """Run a command to its end with these settings. Raises CalledProcessError with its output if it fails."""
    began = perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=os.environ | chosen, stdout=said, stderr=subprocess.STDOUT)
        # Of this process alone: what getrusage says of the children is the peak of the largest one so far.
        _, status, used = os.wait4(process.pid, 0)
        seconds, process.returncode = perf_counter() - began, os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.stderr.write(said.read())
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20)


if __name__ == "__main__":
    raise SystemExit(main())
