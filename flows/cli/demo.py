"""`make demo`: the main job with embedded defaults, from an empty folder, on a region that does not exist."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import SettingsError
from features.months import Month
from flows.month.workers import reading_process

if TYPE_CHECKING:
    from flows.orchestration.outcome import RunOutcome

#: The made-up region's last month, and how many months its councils have lived through.
LAST_MONTH = Month(2026, 10)
MONTHS = 36
COUNCILS = 12
SEED = 7
#: How many months the demo's run looks back: enough for yearly rates a year ago and for two years of charts.
LOOKED_BACK = 25
FIRST_MONTH = LAST_MONTH.plus(1 - LOOKED_BACK)
#: How many earlier months have their alerts published too, so that the last month has something to compare with.
DECIDED_BEFORE = 3


def settings_for(folder: Path) -> dict[str, str]:
    """The environment of a demo in a folder. Everything stays in the folder, and nothing leaves the machine."""
    file = folder / "holdfast.toml"
    return {
        "HOLDFAST_ENVIRONMENT": "demo",
        "HOLDFAST_LANDING": str(folder / "landing"),
        "HOLDFAST_STORE": str(folder / "store"),
        "HOLDFAST_MAIL__OUTBOX": str(folder / "outbox"),
        "HOLDFAST_MAIL__CONTACT_NAME": "Asha Bell",
        "HOLDFAST_MAIL__CONTACT_TELEPHONE": "01632 960 123",
        "HOLDFAST_CONFIG": str(file) if file.exists() else "",
        "HOLDFAST_INGEST__HISTORY_MONTHS": str(LOOKED_BACK),
    }


def settings_to_click(folder: Path) -> dict[str, str]:
    """The same for a server with the UI. Its monthly run does the made-up region's last month.

    Raises SettingsError if there is no demo in the folder.
    """
    if not (folder / "landing" / "register.csv").exists():
        raise SettingsError(
            f"Nothing is configured and there is no demo in {folder}. Run `holdfast demo`, or write holdfast.toml."
        )
    return {**settings_for(folder), "HOLDFAST_SCHEDULE__FIXED_MONTH": str(LAST_MONTH)}


def make_region(landing: Path) -> None:
    """Write the made-up region's register, and the extracts of the months that the demo looks back at."""
    from flows.sample_region import generate, region
    from flows.sample_region.landing import write_landing

    made = region(COUNCILS, MONTHS, SEED, LAST_MONTH)
    write_landing(landing, made, (one for one in generate(made) if one.month >= FIRST_MONTH))


def _import_the_rest() -> None:
    """Import Great Expectations, for the last month's pages, and Prefect while the region is being made."""
    from expectations.passing import check, engine  # noqa: F401

    engine.load_great_expectations()
    import flows.backfill  # noqa: F401


def run_demo(folder: Path, say: Callable[[str], None]) -> RunOutcome:
    """Make the region, take in its history and run its last month. Starts afresh each time. `say` shows progress."""
    from flows.orchestration import embedded

    shutil.rmtree(folder, ignore_errors=True)
    os.environ.update(settings_for(folder))
    # A dozen councils are too few rows to divide, and a process beside this one reads.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    from flows.store.progress import showing_progress

    embedded.configure()
    say(f"Making up a region ({COUNCILS} councils that do not exist, {LOOKED_BACK} months)")
    before = LAST_MONTH.plus(-1)
    with reading_process() as pool, ThreadPoolExecutor(1) as here, showing_progress(say):
        # This process waits for the other at first, so it reads every third month itself.
        readers: Iterator[Executor] = cycle((pool, pool, here))
        region = pool.submit(make_region, folder / "landing")
        _import_the_rest()
        from flows.month import inputs
        from flows.month.portions import begin_reading, take_in_portions
        from flows.settings.settings import Settings
        from flows.store.context import begin

        region.result()
        context = begin(Settings.load(), before, now=datetime.now(UTC), as_of=None)
        say(f"Taking in {FIRST_MONTH} to {before}, as each month's run would have seen it")
        take_in_portions(
            inputs.due_in_history(context, FIRST_MONTH, before),
            lambda one: begin_reading(one, next(readers), inputs.reader(context)),
            lambda portion: inputs.check_months_of(context, portion.retried(), portion.reads, reports=False),
            prepare=lambda: None,
        )

    from flows.backfill import BackfillRequest, backfill
    from flows.monthly import monthly, result_of
    from flows.settings.run_form import RunRequest, SendNow

    with embedded.quiet_flows(), showing_progress(say):
        backfill(
            BackfillRequest(
                first=str(LAST_MONTH.plus(-DECIDED_BEFORE)),
                last=str(before),
                send=SendNow.YES,
                reason="history for the demo",
            )
        )
        say(f"Running {LAST_MONTH.in_words}")
        state = monthly(RunRequest(month=str(LAST_MONTH), reason="demo"), return_state=True)
    return result_of(state)
