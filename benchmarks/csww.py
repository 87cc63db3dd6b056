"""Times checking a made-up workforce return of any size, against a bare `iterparse` of the same file.

    python -m benchmarks.csww [--megabytes 200] [--council 600] [--seed 7]

Each stage runs in a process of its own, so that its peak memory is measured alone. The bare loop is the standard
library's, written in C. It builds each element and drops it without looking at it. After that, a council's month is
read as a run reads it: the three extracts of a return with `--council` workers.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from xml.etree.ElementTree import iterparse

from features.councils import Council
from features.months import Month
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.csww.reader import read
from flows.extracts.formats.csww.stream import Stream
from flows.extracts.formats.csww.validate import validate
from flows.extracts.formats.known import BY_FORM
from flows.extracts.reading.table import Limits
from flows.sample_region import generate, region
from flows.sample_region.csww_writer import september_returns

SEPTEMBER = Month(2025, 9)
STAGES = ("bare", "stream", "check")
_BEGIN, _END = b"  <CSWWWorker>", b"</Message>"


def write_return(path: Path, megabytes: float, seed: int) -> None:
    """Write a return of this size: the made-up councils' workers repeatedly, each time with different numbers."""
    made = region(12, 12, seed, SEPTEMBER)
    whole = next(content for _, content in september_returns(list(generate(made))))
    head, _, rest = whole.partition(_BEGIN)
    workers = _BEGIN + rest.removesuffix(_END + b"\n")
    with path.open("wb") as file:
        file.write(head)
        for copy in range(max(1, round(megabytes * 1e6 / len(workers)))):
            file.write(workers.replace(b"<SWENo>SW1000", f"<SWENo>SW{copy + 1_000}".encode()))
        file.write(_END + b"\n")


def bare(path: Path) -> int:
    """Build every element, and drop it with its worker. Returns the number of workers."""
    workers = 0
    events = iterparse(path, events=("start", "end"))
    _, root = next(events)
    for event, element in events:
        if event == "end" and element.tag == "CSWWWorker":
            workers += 1
            root.clear()
    return workers


def stage(name: str, path: Path) -> None:
    """Run one stage and print its time and memory as JSON."""
    began, cpu = perf_counter(), process_time()
    if name == "bare":
        workers = bare(path)
    elif name == "stream":
        stream = Stream(path, path.name)
        workers = sum(chunk.height for chunk in stream.chunks())
    else:
        workers = validate(path, path.name).totals.workers
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(  # noqa: T201
        json.dumps({"workers": workers, "seconds": perf_counter() - began, "cpu": process_time() - cpu, "peak": peak})
    )


def a_month(workers: int, seed: int) -> float:
    """Seconds to read the three extracts of one council's return of about this many workers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "csww.xml"
        write_return(path, workers * 600 / 1e6, seed)
        content = path.read_bytes()
    council = Council(validate(content, "csww.xml").la_code or "", "made-up", Month(2015, 1))
    received = datetime(2025, 11, 1, tzinfo=UTC)
    times = []
    for _ in range(3):
        began = perf_counter()
        for kind in BY_FORM[Form.CSWW].kinds:
            read(content, Asked("csww.xml", kind, council, SEPTEMBER, bytes(32), received, Limits()))
        times.append(perf_counter() - began)
    return min(times)


def main(arguments: list[str] | None = None) -> int:
    """Write the file, time the stages, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--council", type=int, default=600, help="workers of the council whose month is read")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.stage:
        stage(asked.stage, asked.file)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "return.xml"
        write_return(path, asked.megabytes, asked.seed)
        found = {}
        for name in STAGES:
            command = [sys.executable, "-m", "benchmarks.csww", "--stage", name, "--file", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name] = json.loads(done.stdout)
        size = path.stat().st_size / 1e6
    print(f"{size:,.0f} MB, {found['check']['workers']:,} workers")  # noqa: T201
    print(f"{'stage':<8}{'seconds':>10}{'cpu s':>10}{'peak MB':>10}{'x bare':>10}")  # noqa: T201
    for name, one in found.items():
        ratio = one["cpu"] / found["bare"]["cpu"]
        print(f"{name:<8}{one['seconds']:>10.1f}{one['cpu']:>10.1f}{one['peak']:>10.0f}{ratio:>10.1f}")  # noqa: T201
    print(f"A council's month ({asked.council} workers, three extracts): {a_month(asked.council, asked.seed):.2f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
