"""`make demo`: the main job on embedded defaults, from an empty folder, on a region that does not exist."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from features.months import Month
from flows.outcome import RunOutcome
from flows.progress import shown

#: The made-up region's last month, and how many months of history it has.
LAST_MONTH = Month(2026, 10)
MONTHS = 36
COUNCILS = 12
SEED = 7
#: Months before the last whose alerts are published too, so that the last one has something to compare with.
DECIDED_BEFORE = 5


def settings_for(folder: Path) -> dict[str, str]:
    """The environment of a demo in a folder: everything inside it, nothing leaves the machine."""
    return {
        "HOLDFAST_ENVIRONMENT": "demo",
        "HOLDFAST_LANDING": str(folder / "landing"),
        "HOLDFAST_STORE": str(folder / "store"),
        "HOLDFAST_MAIL__OUTBOX": str(folder / "outbox"),
        "HOLDFAST_CONFIG": str(folder / "holdfast.toml"),
    }


def run_demo(folder: Path, say: Callable[[str], None]) -> RunOutcome:
    """Make the region, take in its history, run its last month. Begins afresh each time; `say` shows progress."""
    from flows import embedded
    from flows.sample_region import sample_extracts

    shutil.rmtree(folder, ignore_errors=True)
    os.environ.update(settings_for(folder))
    embedded.configure()
    say(f"Making up a region ({COUNCILS} councils that do not exist, {MONTHS} months) while Prefect starts, embedded")
    with ThreadPoolExecutor(1) as starting:
        server = starting.submit(embedded.warm_up)
        sample_extracts(folder / "landing", COUNCILS, MONTHS, SEED, LAST_MONTH)
        server.result()

    from flows.backfill import BackfillRequest, backfill
    from flows.monthly import monthly, result_of
    from flows.request import RunRequest, Send

    first, before = LAST_MONTH.plus(1 - MONTHS), LAST_MONTH.plus(-1)
    with embedded.quiet_flows(), shown(say):
        say(f"Taking in {first} to {before}, as each month's run would have seen it")
        backfill(
            BackfillRequest(
                first=str(first),
                last=str(before),
                decide_from=str(LAST_MONTH.plus(-DECIDED_BEFORE)),
                send=Send.YES,
                reason="history for the demo",
            )
        )
        say(f"Running {LAST_MONTH.in_words}")
        state = monthly(RunRequest(month=str(LAST_MONTH), reason="demo"), return_state=True)
    return result_of(state)
