"""The folder the documents' commands run in: a small made-up region with a year behind it.

python -m tests.docs.region FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from features.months import Month
from tests.docs.examples import EXAMPLES

COUNCILS, MONTHS, SEED, LAST = 4, 13, 7, Month(2026, 10)

SETTINGS = """\
environment = "demo"
landing = "landing"
store = "store"

[mail]
outbox = "outbox"
"""


def make(folder: Path) -> None:
    """Fill `folder`, which is the current one; the settings are read from it."""
    from flows.orchestration import embedded
    from flows.sample_region import sample_extracts

    embedded.configure()
    (folder / "holdfast.toml").write_text(SETTINGS, encoding="utf-8")
    sample_extracts(folder / "landing", COUNCILS, MONTHS, SEED, LAST)
    (folder / "examples").mkdir()
    for maker in EXAMPLES.values():
        maker(folder / "examples")

    from flows.backfill import BackfillRequest, backfill
    from flows.monthly import monthly, result_of
    from flows.settings.run_form import RunRequest, Send

    before = LAST.plus(-1)
    with embedded.quiet_flows():
        backfill(BackfillRequest(first=str(LAST.plus(1 - MONTHS)), last=str(before), decide_from=str(before)))
        state = monthly(RunRequest(month=str(LAST), send=Send.YES), return_state=True)
    result_of(state)


if __name__ == "__main__":
    make(Path(sys.argv[1]).absolute())
