"""Times a national month end to end, with validation, without Prefect: from files in a folder to published alerts.

    python -m benchmarks.monthly_run [--councils 153] [--months 24] [--seed 1]

Earlier months are put into the store as counts of the same made-up region. The last month, and the one before it
(untimed, for its state and its alerts), are run from files as councils would send them. Each of the three has a process
of its own, so that the last one's memory is that of the month alone; imports are done before its clock starts. Prints
seconds by stage, peak memory, and the limits that the project has set itself: 6 s in the stages, and 0.8 GiB.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import process_time
from typing import Any, cast

import polars as pl

from expectations.fates import Fate
from features.councils import write_register
from features.counting.records import RECEIVED, count
from features.frames import NATIONAL
from features.months import Month, nth_working_day
from features.registry import Kind
from flows.alerts.council import Decided
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert
from flows.alerts.together import MonthAlerts, keep_together
from flows.month import inputs
from flows.month.edition import TakenIn
from flows.month.measure import measure
from flows.month.score import load_model, score_councils
from flows.month.steps import decide_month, write_region_page
from flows.sample_region import Region, as_canonical, generate, region, write_month
from flows.settings.settings import Settings
from flows.store import Store
from flows.store.context import RunContext, Stopwatch, begin
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest

LAST = Month(2026, 10)
LIMIT_SECONDS, LIMIT_GIB = 6, 0.8
#: As many as a run reads and publishes with.
THREADS = 8
KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare, run once, print. Always returns 0, as it only measures and does not test the limits."""
    options = _options(arguments)
    if options.step == "prepare":
        prepared(options.folder, region(options.councils, options.months + 1, options.seed, LAST))
    elif options.step == "before":
        _run(replace(opened(options.folder), month=LAST.plus(-1)))
    elif options.step == "last":
        return _last(options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            for step in ("prepare", "before", "last"):
                sys.stdout.write(in_a_process(step, Path(folder), options.councils, options.months, options.seed))
    return 0


def in_a_process(step: str, folder: Path, councils: int, months: int, seed: int = 1) -> str:
    """Do one step in a process of its own and return what it prints. Raises CalledProcessError if it fails.

    A process takes over its parent's peak memory when it starts. So whoever measures one must not have prepared it.
    """
    sizes = ["--councils", str(councils), "--months", str(months), "--seed", str(seed)]
    command = [sys.executable, "-m", "benchmarks.monthly_run", "--step", step, "--folder", str(folder), *sizes]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _last(options: argparse.Namespace) -> int:
    _warm_up()
    began = _peak_gib()
    context, asked = _counted(replace(opened(options.folder), clock=_Clock()))
    rows = _run(context)
    peak = _peak_gib()
    first = [one.requests for one in asked]
    _run(replace(context, history=History(context.store), clock=Stopwatch()))
    again = [one.requests - before for one, before in zip(asked, first, strict=True)]
    clock, work = context.clock.seconds, cast(_Clock, context.clock).processor
    total, worked = sum(clock.values()), sum(work.values())
    print(f"{options.councils} councils, {LAST.in_words}, {options.months} months of history, {rows:,} rows")  # noqa: T201
    for stage, seconds in clock.items():
        print(f"  {stage:<16} {seconds:6.1f} s  {work[stage]:6.1f} s of processor  {work[stage] / worked:4.0%}")  # noqa: T201
    print(f"  together         {total:6.1f} s  {worked:6.1f} s of processor; the limit is {LIMIT_SECONDS} s")  # noqa: T201
    print(  # noqa: T201
        f"  requests to store and landing, without mail: {sum(first)} ({first[1]} of them to the landing), the same "
        f"month again {sum(again)} ({again[1]})"
    )
    print(f"  peak memory {peak:.2f} GiB of {LIMIT_GIB} GiB ({began:.2f} GiB before the run began)")  # noqa: T201
    return 0


def _warm_up() -> None:
    """Run a month of two councils: what is imported on the way is not a cost of the month's stages."""
    with tempfile.TemporaryDirectory() as folder:
        _run(prepared(Path(folder), region(2, 3, 1, LAST)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--councils", type=int, default=153)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", choices=("prepare", "before", "last"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _peak_gib() -> float:
    """The most memory this process has had resident. `getrusage` would count that of the process which started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 2**20 if found else float("nan")


def opened(folder: Path) -> RunContext:
    """A run of the last month on what `prepared` has laid into the folder."""
    landing, store, outbox = (str(folder / name) for name in ("landing", "store", "outbox"))
    settings = Settings.load(landing=landing, store=store, mail={"outbox": outbox})
    return begin(settings, LAST, now=datetime(2026, 11, 20, 7, tzinfo=UTC), as_of=None)


def prepared(folder: Path, made: Region) -> RunContext:
    """Make a landing folder with the last two months and a store with the others, and take in the month before."""
    landing = folder / "landing"
    landing.mkdir()
    (landing / "register.csv").write_text(write_register(made.register.councils), encoding="utf-8")
    context = opened(folder)
    before: dict[Kind, pl.DataFrame | None] = {}
    for frames in generate(made):
        if frames.month >= LAST.plus(-1):
            write_month(landing, made, frames)
            continue
        tables: dict[str, pl.DataFrame] = {}
        known = nth_working_day(frames.month.plus(1), 3)
        codes: list[str] = []
        for kind in KINDS:
            canonical = as_canonical(frames.frames[kind], kind)
            codes = canonical["la_code"].unique().sort().to_list()
            received = pl.DataFrame([(c, known, "0" * 64) for c in codes], schema=RECEIVED, orient="row")
            counted = count(kind, canonical, frames.month, before.get(kind), received)
            before[kind] = counted.state
            tables[f"counts-{kind}"] = counted.counts
        context.history.write(_edition(frames.month, codes, known), tables)
    earlier = replace(context, month=LAST.plus(-1), clock=Stopwatch())
    take_in(earlier)
    return context


def _edition(month: Month, codes: Sequence[str], known: date) -> Manifest:
    extracts = tuple(
        ExtractRecord(code, kind, Fate.ACCEPTED, due=known, received=known, first_received=known, sha256="0" * 64)
        for code in codes
        for kind in KINDS
    )
    return Manifest(month, 1, "benchmark", known, extracts, {})


class _Clock(Stopwatch):
    """Measures processor seconds too, which other load on the machine affects less."""

    def __init__(self) -> None:
        super().__init__()
        self.processor: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the times that the block takes to a stage."""
        began = process_time()
        with super().stage(name):
            yield
        self.processor[name] = self.processor.get(name, 0.0) + process_time() - began


class _Counted:
    """A store that counts its calls, each of which would be a request to a bucket."""

    def __init__(self, inner: Store) -> None:
        self._inner, self.url, self.requests = inner, inner.url, 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def asked(*given: Any, **named: Any) -> Any:
            self.requests += 1
            return method(*given, **named)

        return asked


def _counted(context: RunContext) -> tuple[RunContext, tuple[_Counted, _Counted]]:
    asked = _Counted(context.store), _Counted(context.landing)
    store, landing = (cast(Store, one) for one in asked)
    return replace(context, store=store, landing=landing, history=History(store)), asked


def take_in(context: RunContext) -> list[TakenIn]:
    due = [d for d in inputs.due_now(context) if d.month == context.month]
    if not due:
        return []
    with context.clock.stage("read"), ThreadPoolExecutor(THREADS) as pool:
        councils = due[0].by_council()
        reads = [r for found in pool.map(lambda files: inputs.reader(context)(files), councils) for r in found]
    return inputs.check_months_of(context, due, [reads], reports=True)


def _run(context: RunContext) -> int:
    clock = context.clock
    taken = take_in(context)
    model = load_model(context.settings, context.store)
    with clock.stage("measure"):
        measured = measure(
            context.history,
            context.register,
            context.month,
            context.cutoff,
            model.reference.select(list(NATIONAL)),
            history_months=context.settings.ingest.history_months,
            usual_cutoff=context.usual_cutoff,
        )
    with clock.stage("score"):
        scores = score_councils(model, measured, context.register, context.month, context.cutoff)
    with clock.stage("decide"):
        every = context.register.valid_in(context.month)
        by = inputs.deciding(context)
        decided = decide_month(context.store, context.register, every, measured, scores, by)
        alerting = inputs.to_publish(context, decided, measured)
    contact = Contact.of(context.settings)
    with clock.stage("publish"), ThreadPoolExecutor(THREADS) as pool:
        there = MonthAlerts(context.store, context.month)

        def publish(one: Decided) -> Published:
            return publish_alert(context.store, alerting.alert_of(one), contact, there.standing(one.council.folder))

        published = list(pool.map(publish, alerting.decided))
        keep_together(context.store, context.month, (one.alert for one in published))
    with clock.stage("pages"):
        write_region_page(context.store, every, context.month, alerting, "", published, clock.seconds)
    return int(taken[-1].manifest.checks["rows"]) if taken else 0


if __name__ == "__main__":
    raise SystemExit(main())
