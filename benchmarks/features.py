"""Times the feature stage on a made-up England, against a floor, DuckDB and pandas.

    python -m benchmarks.features [--councils 153] [--months 24] [--seed 1] [--data DIR] [--repeat 3]

Each stage runs in a process of its own, so that its peak memory is measured alone. The best of the repeats counts.
The floor is a bare Polars streaming scan and sum of the columns that the counts read. DuckDB and pandas make the
same counts from the same files. Before times are compared, all counts are checked to be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import polars as pl

from benchmarks.rivals import Tables, duckdb_counts, pandas_counts, path_of
from features.comparing.panel import compute_features
from features.councils import Register, read_register, write_register
from features.counting.records import READ_COLUMNS, count_side_by_side
from features.frames import NATIONAL
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures, monthly_points
from features.months import Month, month_range
from features.registry import EXTRACTS, FieldType, Kind
from flows.sample_region import as_canonical, generate, region

LAST = Month(2026, 10)
KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
#: A prototype's seconds for one more month of England, and the megabytes of Parquet it scanned and summed a second.
_PROTOTYPE_SECONDS, _PROTOTYPE_SCANS = 0.19, 720
#: From this many megabytes on, a scan takes longer than starting it.
_ENOUGH_TO_COMPARE = 100
STAGES = ("floor", "features", "counts", "duckdb", "pandas", "one_month")
THREADS = int(os.environ.get("POLARS_MAX_THREADS", str(os.cpu_count() or 1)))


def write_data(folder: Path, councils: int, months: int, seed: int) -> int:
    """Write the made-up region's canonical extracts, one file per extract and month, as the monthly job stores them."""
    made = region(councils, months, seed, LAST)
    (folder / "register.csv").write_text(write_register(made.register.councils), encoding="utf-8")
    rows = 0
    for monthly in generate(made):
        for kind, frame in monthly.frames.items():
            canonical = _pseudonymised(as_canonical(frame, kind), kind)
            rows += canonical.height
            canonical.write_parquet(
                path_of(folder, kind, monthly.month),
                compression="zstd",
                compression_level=3,
                statistics=True,
                row_group_size=131_072,
            )
    return rows


def _pseudonymised(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Replace references by 64 bits in no order, like those of a keyed hash, and sort the rows by their key."""
    references = [f.name for f in EXTRACTS[kind].fields if f.type is FieldType.REFERENCE]
    hashed = [pl.when(pl.col(n).is_not_null()).then(pl.col(n).hash(seed=7)).alias(n) for n in references]
    return frame.with_columns(hashed).sort("la_code", *(k for k in EXTRACTS[kind].key if k != "la_code"))


def floor(folder: Path, months: list[Month]) -> None:
    """Scan and sum the columns that the counts read, and do nothing else."""
    for kind in KINDS:
        schema = EXTRACTS[kind].schema
        sums = [
            pl.col(n).str.len_bytes().sum() if schema[n] == pl.String else pl.col(n).to_physical().sum()
            for n in READ_COLUMNS[kind]
        ]
        paths = [path_of(folder, kind, m) for m in months]
        pl.scan_parquet(paths).select(sums).collect(engine="streaming")


def counted(folder: Path, months: list[Month]) -> Tables:
    """All counts by the product's own functions, with the state passed on. The next month is read meanwhile."""
    state: dict[Kind, pl.DataFrame | None] = {}
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(_read, folder, months[0])
        for month, following in zip(months, [*months[1:], None], strict=True):
            frames = ahead.result()
            if following is not None:
                ahead = reader.submit(_read, folder, following)
            found = count_side_by_side(frames, month, state, _received(frames, month))
            state = {kind: one.state for kind, one in found.items()}
            yield from ((kind, month, one.counts) for kind, one in found.items())


def _read(folder: Path, month: Month) -> dict[Kind, pl.DataFrame]:
    scans = [pl.scan_parquet(path_of(folder, k, month)).select(READ_COLUMNS[k]) for k in KINDS]
    return dict(zip(KINDS, pl.collect_all(scans), strict=True))


def _received(frames: dict[Kind, pl.DataFrame], month: Month) -> dict[Kind, pl.DataFrame]:
    """The submission log. Here it says that every council with an establishment row has sent every extract.

    A run is told so by the files' names, and the rivals need no log, so it is not looked for in the rows.
    """
    log = frames[Kind.ESTABLISHMENT].select(
        "la_code",
        pl.lit(month.plus(1).first_day).alias("known_from"),
        pl.lit("0" * 64).alias("extract_sha256"),
    )
    return dict.fromkeys(frames, log)


def features_of(counts: Iterable[tuple[Kind, Month, pl.DataFrame]], folder: Path, months: list[Month]) -> pl.DataFrame:
    """Inputs, measures and features of the months asked for, from counts of any number of months."""
    by_kind: dict[Kind, list[pl.DataFrame]] = {kind: [] for kind in KINDS}
    held = set()
    for kind, month, frame in counts:
        by_kind[kind].append(frame)
        held.add(month)
    return from_counts({k: pl.concat(f) for k, f in by_kind.items()}, _register(folder), min(held), months)


def from_counts(
    counts: dict[Kind, pl.DataFrame], register: Register, first: Month, months: list[Month]
) -> pl.DataFrame:
    """Counts -> inputs -> measures -> features."""
    inputs, reasons = build_inputs(counts, register, first, max(months))
    measures = compute_measures(inputs, reasons)
    national = measures.filter(pl.col("value").is_not_null(), pl.col("month") == measures["month"].max()).select(
        "measure",
        pl.lit(date(2000, 9, 30)).alias("period_end"),
        pl.lit(date(2001, 2, 20)).alias("known_from"),
        "value",
    )
    points = monthly_points(inputs)
    return compute_features(
        measures, register.neighbours_frame(), national.select(list(NATIONAL)), months, points=points
    )


def _register(folder: Path) -> Register:
    path = folder / "register.csv"
    return read_register(path.read_text(encoding="utf-8"), path.name)


def one_month(folder: Path, months: list[Month]) -> Callable[[], object]:
    """One more month from what is stored: the counts of earlier months, and the state of the last."""
    *earlier, last = months
    stored = folder / "stored"
    stored.mkdir(exist_ok=True)
    by_kind: dict[Kind, list[pl.DataFrame]] = {kind: [] for kind in KINDS}
    for kind, _, frame in counted(folder, earlier):
        by_kind[kind].append(frame)
    for kind in KINDS:
        pl.concat(by_kind[kind]).write_parquet(stored / f"counts-{kind}.parquet")
    frames = _read(folder, earlier[-1])
    for kind, one in count_side_by_side(frames, earlier[-1], {}, _received(frames, earlier[-1])).items():
        if one.state is not None:
            one.state.write_parquet(stored / f"state-{kind}.parquet")

    def run() -> None:
        with ThreadPoolExecutor(1) as disk:
            states = {kind: stored / f"state-{kind}.parquet" for kind in KINDS}
            before = {kind: disk.submit(pl.read_parquet, path) for kind, path in states.items() if path.exists()}
            held = {kind: disk.submit(pl.read_parquet, stored / f"counts-{kind}.parquet") for kind in KINDS}
            register = disk.submit(_register, folder)
            frames = _read(folder, last)
            state = {kind: read.result() for kind, read in before.items()}
            new = count_side_by_side(frames, last, state, _received(frames, last))
            written = [
                disk.submit(one.state.write_parquet, stored / f"next-{kind}.parquet")
                for kind, one in new.items()
                if one.state is not None
            ]
            counts = {kind: pl.concat([held[kind].result(), new[kind].counts]) for kind in KINDS}
            features = from_counts(counts, register.result(), months[0], [last])
            features.write_parquet(stored / "features.parquet")
        for state in written:
            state.result()

    return run


def run_stage(stage: str, folder: Path, months: list[Month], repeat: int) -> None:
    """Run one stage in this process and print its best seconds and its peak memory as JSON."""
    keep: Callable[[Tables], None] = lambda tables: _keep(tables, folder / f"{stage}-counts.parquet")  # noqa: E731
    work: dict[str, Callable[[], object]] = {
        "floor": lambda: floor(folder, months),
        "counts": lambda: keep(counted(folder, months)),
        "features": lambda: features_of(counted(folder, months), folder, months),
        "duckdb": lambda: keep(duckdb_counts(folder, months, THREADS)),
        "pandas": lambda: keep(pandas_counts(folder, months)),
    }
    run = one_month(folder, months) if stage == "one_month" else work[stage]
    seconds, processor = [], []
    for _ in range(repeat):
        begin, worked = perf_counter(), process_time()
        run()
        seconds.append(perf_counter() - begin)
        processor.append(process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": min(seconds), "processor": min(processor), "peak_mib": peak}) + "\n")


def _keep(tables: Tables, path: Path) -> None:
    rows = [
        frame.unpivot([n for n in frame.columns if frame.schema[n] == pl.Int64], index="la_code").with_columns(
            month=pl.lit(month.last_day)
        )
        for _, month, frame in tables
    ]
    pl.concat(rows).select("la_code", "month", "variable", "value").sort("la_code", "month", "variable").write_parquet(
        path
    )


def main(arguments: list[str] | None = None) -> int:
    """Generate, run every stage, compare, print. Exit code 1 if any count differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--councils", type=int, default=153)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each stage; the best one counts")
    parser.add_argument("--data", type=Path, help="folder to keep the made-up extracts in, and to find them again")
    parser.add_argument("--stage", choices=("make", *STAGES), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.stage == "make":
        sys.stdout.write(json.dumps(write_data(options.data, options.councils, options.months, options.seed)))
        return 0
    months = list(month_range(LAST.plus(1 - options.months), LAST))
    if options.stage:
        run_stage(options.stage, options.data, months, options.repeat)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        return _compare(options, options.data or Path(scratch), months)


def _compare(options: argparse.Namespace, folder: Path, months: list[Month]) -> int:
    say = sys.stdout.write
    folder.mkdir(parents=True, exist_ok=True)
    begin = perf_counter()
    if not path_of(folder, Kind.CASELOAD, months[0]).exists():
        rows = int(_stage("make", folder, options))
        say(f"made up {rows:,} rows of {options.councils} councils in {options.months} months ")
        say(f"in {perf_counter() - begin:.1f} s (not counted)\n")
    measured = {stage: _measure(stage, folder, options) for stage in STAGES}
    tables = {s: pl.read_parquet(folder / f"{s}-counts.parquet") for s in ("counts", "duckdb", "pandas")}
    unequal = [s for s in ("duckdb", "pandas") if not tables[s].equals(tables["counts"])]
    say(f"\n{THREADS} threads; best of {options.repeat}; peak memory includes Python and the libraries\n\n")
    say(f"{'':50}{'seconds':>9}{'× floor':>9}{'processor s':>13}{'× floor':>9}{'MiB':>7}\n")
    base = measured["floor"]
    for stage in STAGES:
        m = measured[stage]
        wall, work = m["seconds"] / base["seconds"], m["processor"] / base["processor"]
        say(f"{_TITLES[stage]:50}{m['seconds']:9.2f}{wall:9.1f}{m['processor']:13.2f}{work:9.1f}{m['peak_mib']:7.0f}\n")
    for rival in ("duckdb", "pandas"):
        times = [measured[rival][of] / measured["counts"][of] for of in ("seconds", "processor")]
        say(f"the counts in {rival}: {times[0]:.1f} times as long as ours, {times[1]:.1f} times the processor time\n")
    ratio = measured["features"]["seconds"] / base["seconds"]
    say(f"the feature stage takes {ratio:.1f} times the floor; the aim is 2.5 at most\n")
    say(f"one more month takes {measured['one_month']['seconds']:.2f} s; the aim is 0.13 s, a prototype took ")
    say(f"{_PROTOTYPE_SECONDS} s for England\n")
    size = sum(path_of(folder, kind, m).stat().st_size for kind in KINDS for m in months) / 1e6
    if size >= _ENOUGH_TO_COMPARE:
        passed = size / base["seconds"]
        say(
            f"(the prototype's floor passed {_PROTOTYPE_SCANS} MB a second, this one's {passed:.0f}, at which the same "
        )
        say(f"month would take it {_PROTOTYPE_SECONDS * _PROTOTYPE_SCANS / passed:.2f} s)\n")
    say(
        f"all {tables['counts'].height:,} counts equal\n" if not unequal else f"COUNTS DIFFER in {', '.join(unequal)}\n"
    )
    return 1 if unequal else 0


_TITLES = {
    "floor": "floor: scan and sum the columns that are read",
    "features": "feature stage: counts, inputs, measures, features",
    "counts": "  of it the counts",
    "duckdb": "the same counts in DuckDB SQL",
    "pandas": "the same counts in pandas",
    "one_month": "one more month from stored state, with features",
}


def _measure(stage: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_stage(stage, folder, options))
    return found


def _stage(stage: str, folder: Path, options: argparse.Namespace) -> str:
    """Run a stage in a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.features", "--stage", stage, "--data", str(folder)]
    repeat = 1 if stage == "pandas" else options.repeat
    for name, value in (("councils", options.councils), ("months", options.months), ("seed", options.seed)):
        command += [f"--{name}", str(value)]
    return subprocess.run([*command, "--repeat", str(repeat)], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    raise SystemExit(main())
