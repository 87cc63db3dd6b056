"""Birth date, gender, ethnicity and registration number are nowhere after the door.

Returns with planted markers go through a whole run as a process of its own; then everything that is there
afterwards is read: store, outbox, Data Docs, what was printed, and Prefect's own files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.councils import read_register
from features.months import Month
from flows.cli.demo import settings_for
from flows.sample_region import generate, region, write_landing
from tests.unit.flows.extracts.formats.csww.planted import as_text, found_in, returns

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900), pytest.mark.soak]

LAST = Month(2025, 9)


@dataclass
class After:
    """What a run left behind."""

    folder: Path
    printed: str

    def texts(self) -> dict[str, str]:
        """Everything but the landing, by name, as text: tables as JSON with every column, the rest as Latin-1."""
        found = {"printed": self.printed}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and not name.startswith("landing/"):
                found[name] = as_text(path.read_bytes())
        return found


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> After:
    """Three councils: one sends a return that is taken in, one a damaged one, one another council's."""
    folder = tmp_path_factory.mktemp("planted")
    made = region(3, 1, 5, LAST)
    write_landing(folder / "landing", made, generate(made))
    known = read_register((folder / "landing/register.csv").read_text(), "register.csv").councils
    for council, content in zip(known, returns([c.la_code for c in known], LAST.year), strict=True):
        place = folder / "landing" / str(LAST) / council.folder
        for kind in ("workforce", "establishment"):
            for file in place.glob(f"{kind}.*"):
                file.unlink()
        (place / "csww.xml").write_bytes(content)
        when = made.last.plus(1).first_day.strftime("%s")
        os.utime(place / "csww.xml", (int(when), int(when)))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    environment |= settings_for(folder) | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "400",
    }
    printed = ""
    commands = [
        ["run", "--month", str(LAST), "--as-of", "2025-10-20"],
        ["check", *(str(p) for p in sorted(folder.rglob("csww.xml"))), "--html", str(folder / "report.html")],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli.app", *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
            cwd=folder,
        )
        assert done.returncode in (0, 12, 20), done.stderr
        printed += done.stdout + done.stderr
    return After(folder, printed)


def logged(after: After) -> list[dict[str, Any]]:
    """The records of returns in the submission log."""
    logs = [json.loads(text) for name, text in after.texts().items() if "/submissions/" in name]
    return [record for log in logs for record in log["records"] if "csww.xml" in record["name"]]


def test_the_return_was_taken_in_and_the_others_refused(after: After) -> None:
    """Otherwise nothing would be proved."""
    tables = [n for n in after.texts() if n.endswith("/workforce.parquet")]
    assert len(tables) == 1
    frame = pl.read_parquet(after.folder / tables[0])
    assert frame.height >= 30
    refused = [record["outcome"] == "refused" for record in logged(after)]
    assert sum(refused) >= 4
    assert refused.count(False) == 3, "workforce, establishment and return of the first"


def test_no_marker_is_anywhere(after: After) -> None:
    assert found_in(after.texts()) == []


def test_the_bytes_of_a_return_are_not_kept(after: After) -> None:
    assert not [n for n in after.texts() if n.startswith("store/received/") and not n.endswith(".rows.parquet")]
    assert not [n for n, t in after.texts().items() if "<CSWWWorker>" in t]


def test_the_submission_log_says_of_which_a_table_is_kept(after: After) -> None:
    assert logged(after)
    assert all(record["kept"] is not (record["outcome"] == "refused") for record in logged(after))
