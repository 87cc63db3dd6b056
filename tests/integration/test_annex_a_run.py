"""A council that sends Annex A, through a whole run and `holdfast check` as processes of their own.

Its cases are taken in, and nothing of a person is in what they left behind: store, outbox, reports, Data Docs, what
was printed, and Prefect's own files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from expectations.batch import ROWS_PER_LIST
from features.months import Month
from features.registry import Kind
from flows.alerts.alert import Alert
from flows.cli.demo import settings_for
from flows.sample_region import as_sent, generate, region, write_landing
from tests.unit.flows.extracts.formats.annex_a.marked import found_in, marked_workbook

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900), pytest.mark.soak]

LAST = Month(2026, 10)


@dataclass
class After:
    """What the run and the check left behind."""

    folder: Path
    council: str
    printed: str

    @property
    def objects(self) -> list[Path]:
        landing = self.folder / "landing"
        return [p for p in sorted(self.folder.rglob("*")) if p.is_file() and landing not in p.parents]


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> After:
    """Three councils; the first sends a marked workbook in the place of its cases, the second one that is damaged."""
    folder = tmp_path_factory.mktemp("marked")
    made = region(3, 1, 7, LAST)
    (frames,) = generate(made)
    write_landing(folder / "landing", made, [frames])
    for number, one in enumerate(made.councils[:2]):
        council = one.council
        cases = frames.frames[Kind.CASELOAD].filter(pl.col("la_code") == council.la_code)
        content = marked_workbook([as_sent(cases, Kind.CASELOAD)], LAST)
        place = folder / "landing" / str(LAST) / council.folder
        (old,) = place.glob("caseload.*")
        times = (old.stat().st_atime, old.stat().st_mtime)
        old.unlink()
        (place / "annex_a.xlsx").write_bytes(content if number == 0 else content[: len(content) // 2])
        os.utime(place / "annex_a.xlsx", times)
    first = made.councils[0].council.folder
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    environment |= settings_for(folder) | {"PREFECT_HOME": str(folder / "prefect")}
    printed = ""
    workbook = folder / "landing" / str(LAST) / first / "annex_a.xlsx"
    for command in (
        ["run", "--month", str(LAST), "--as-of", "2026-11-20"],
        ["check", str(workbook), "--html", str(folder / "report.html")],
    ):
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
    return After(folder, first, printed)


def test_the_council_is_taken_in_with_its_cases(after: After) -> None:
    cases = pl.concat([pl.read_parquet(p) for p in after.objects if p.name == "caseload.parquet"])
    assert cases.filter(pl.col("file_row") > ROWS_PER_LIST).height > 1_000
    alert = Alert.from_bytes((after.folder / f"store/alerts/{LAST}/{after.council}.json").read_bytes())
    assert "caseload" in alert.provenance.extracts


def test_the_reports_say_how_the_workbook_was_read(after: After) -> None:
    pages = [p.read_text(encoding="utf-8") for p in after.objects if p.suffix == ".html"]
    assert sum("Annex A list 6 (Children in Need) read from sheet" in page for page in pages) >= 2
    assert "Annex A list 6 (Children in Need) read from" in " ".join(after.printed.split())


def test_no_marker_is_anywhere(after: After) -> None:
    assert len(after.objects) > 20
    assert found_in(after.printed.encode()) == []
    for path in after.objects:
        assert found_in(path.read_bytes()) == [], path.relative_to(after.folder)
        if path.suffix == ".parquet":
            assert found_in(pl.read_parquet(path).write_json().encode()) == [], path.relative_to(after.folder)


def test_no_workbook_is_kept(after: After) -> None:
    assert not [p for p in after.objects if p.suffix == ".xlsx"]
    assert not [p for p in after.objects if p.read_bytes().startswith(b"PK")]
    logs = [json.loads(p.read_bytes()) for p in after.objects if "submissions" in p.parts]
    ours = [record for log in logs for record in log["records"] if "annex_a.xlsx" in record["name"]]
    assert [record["kept"] for record in ours] == [False, False]
