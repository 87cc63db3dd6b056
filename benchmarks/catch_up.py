"""Times a cold catch-up through the real command, from files in a folder: does its memory grow with the months?

    python -m benchmarks.catch_up [--councils 12 50 153] [--months 6 24 120] [--seed 1]

For every pair a made-up region is taken in by `holdfast backfill` into an empty store, and its last month is decided.
Prints processor seconds, in all and for each month, and peak memory of the command with the reading process that it
starts. Memory is the sum of what each process has resident, so shared pages count more than once. The digest covers
every table of the store: if it is the same before and after a change, so are the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from features.months import Month
from flows.sample_region import sample_extracts

LAST = Month(2026, 10)
LIMIT_SECONDS, LIMIT_GB = 150, 1.5
_LOOKS_A_SECOND = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the regions, catch up, print a row for each. Always returns 0, as it only measures."""
    options = _options(arguments)
    print("councils  months    rows read  processor s  a month  seconds  peak GB  digest")  # noqa: T201
    for councils in options.councils:
        with tempfile.TemporaryDirectory() as folder:
            landing = Path(folder) / "landing"
            sample_extracts(landing, councils, max(options.months), options.seed, LAST)
            for months in options.months:
                print(_row(councils, months, landing, Path(folder) / f"store-{months}"), flush=True)  # noqa: T201
    print(f"Limits for 153 councils and 24 months: {LIMIT_SECONDS} s of processor, {LIMIT_GB} GB.")  # noqa: T201
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, nargs="+", default=[12, 50, 153])
    parser.add_argument("--months", type=int, nargs="+", default=[6, 24, 120])
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def _row(councils: int, months: int, landing: Path, store: Path) -> str:
    first = LAST.plus(1 - months)
    began = time.perf_counter()
    processor, peak = catch_up(first, LAST, environment(landing, store))
    seconds = time.perf_counter() - began
    row = f"{councils:8}  {months:6}  {_rows(store):11,}  {processor:11.1f}  {processor / months:7.2f}  "
    row += f"{seconds:7.1f}  {peak / 1e9:7.2f}  "
    row += digest(store)
    shutil.rmtree(store)
    return row


def environment(landing: Path, store: Path) -> dict[str, str]:
    """The settings of a region that is nobody's, without whatever this process was started with."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_API_URL"))},
        "HOLDFAST_ENVIRONMENT": "demo",
        "HOLDFAST_LANDING": str(landing),
        "HOLDFAST_STORE": str(store),
        "HOLDFAST_MAIL__OUTBOX": str(store.parent / "outbox"),
        "HOLDFAST_CONFIG": "",
    }


def command(first: Month, last: Month) -> list[str]:
    """The catch-up as a person would start it."""
    asked = ["--first", str(first), "--last", str(last), "--decide-from", str(last)]
    return [sys.executable, "-c", "from flows.cli.app import main; main()", "backfill", *asked]


def catch_up(first: Month, last: Month, settings: dict[str, str]) -> tuple[float, int]:
    """Run it to its end: processor seconds and the greatest memory in bytes, of all its processes together."""
    before = os.times()
    # Into a file: a pipe that nobody empties would stop a long catch-up.
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command(first, last), env=settings, stderr=said, stdout=subprocess.DEVNULL) as child,
    ):
        peak = 0
        while child.poll() is None:
            peak = max(peak, resident(child.pid))
            time.sleep(1 / _LOOKS_A_SECOND)
        said.seek(0)
        if child.returncode:
            raise SystemExit(f"the catch-up ended with {child.returncode}: {said.read().decode()[-2000:]}")
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system,
        peak,
    )


def resident(pid: int) -> int:
    """Resident memory of a process and everything it started, in bytes."""
    total = 0
    try:
        own = psutil.Process(pid)
        for process in [own, *own.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        return 0
    return total


def digest(store: Path) -> str:
    """A hash of every table of every edition, by name."""
    found = hashlib.sha256()
    for file in sorted(store.glob("months/*/*/manifest.json")):
        tables = json.loads(file.read_bytes())["tables"]
        lines = [f"{file.parent.relative_to(store)} {name} {tables[name]['sha256']}\n" for name in sorted(tables)]
        found.update("".join(lines).encode())
    return found.hexdigest()[:12]


def _rows(store: Path) -> int:
    manifests = (json.loads(file.read_bytes()) for file in store.glob("months/*/*/manifest.json"))
    return sum(int(manifest["checks"]["rows"]) for manifest in manifests)


if __name__ == "__main__":
    raise SystemExit(main())
