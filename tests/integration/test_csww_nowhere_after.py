"""Birth date, gender, ethnicity and registration number are nowhere after the door.

Returns with planted markers go through a whole run as a process of its own; then everything that is there
afterwards is read: store, outbox, Data Docs, what was printed, and Prefect's own files.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from features.councils import read_register
from features.months import Month
from flows.demo import settings_for
from flows.sample_region import generate, region, write_landing
from tests.unit.flows.extracts.csww.made_up import IN_POST, csww, header, message, record, vacancies, worker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

LAST = Month(2025, 9)
#: What only the planted records say. Codes of gender are single digits, so they are planted where none may stand.
BIRTH_DATE, NUMBER, UNIVERSITY, ETHNICITY, GENDER = "1961-07-23", "86753094", "Zebedee College", "MWBA", "Nonbinaryx"
MARKERS = (BIRTH_DATE, BIRTH_DATE.replace("-", ""), "23/07/1961", NUMBER, UNIVERSITY, ETHNICITY, GENDER)
PLANTED = {
    **IN_POST,
    "SWENo": f"SW{NUMBER}",
    "PersonBirthDate": BIRTH_DATE,
    "Ethnicity": ETHNICITY,
    "QualInst": UNIVERSITY,
    "GenderCurrent": GENDER,
}


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
                found[name] = _text(path.read_bytes())
        return found


def _text(content: bytes) -> str:
    if content.startswith(b"PAR1"):
        return json.dumps(pl.read_parquet(io.BytesIO(content)).to_dicts(), default=str, ensure_ascii=False)
    return content.decode("latin-1")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> After:
    """Three councils: one sends a return that is taken in, one a damaged one, one another council's."""
    folder = tmp_path_factory.mktemp("planted")
    made = region(3, 1, 5, LAST)
    write_landing(folder / "landing", made, generate(made))
    known = read_register((folder / "landing/register.csv").read_text(), "register.csv").councils
    usual = [worker(PLANTED, SWENo=f"SW{NUMBER}{n:02}") for n in range(33)]
    whole = {"Year": "2025", "ReferenceDate": "2025-09-30"}
    good = csww(
        *usual, worker(PLANTED, FTE30=UNIVERSITY, OrgRole=ETHNICITY, Cases30=NUMBER), LEA=known[0].la_code, **whole
    )
    damaged = good[: len(good) // 2].replace(b"</CSWWWorker>\n", f"<{ETHNICITY}>{NUMBER}</{GENDER}>".encode(), 1)
    others = message(header(LEA=UNIVERSITY, **whole), vacancies(NumberOfVacancies=NUMBER), record(worker(PLANTED)))
    for council, content in zip(known, (good, damaged, others), strict=True):
        place = folder / "landing" / str(LAST) / council.folder
        for kind in ("workforce", "establishment"):
            for file in place.glob(f"{kind}.*"):
                file.unlink()
        (place / "csww.xml").write_bytes(content)
        when = made.last.plus(1).first_day.strftime("%s")
        os.utime(place / "csww.xml", (int(when), int(when)))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HOLDFAST_", "PREFECT_"))}
    environment |= settings_for(folder) | {"PREFECT_HOME": str(folder / "prefect")}
    printed = ""
    commands = [
        ["run", "--month", str(LAST), "--as-of", "2025-10-20"],
        ["check", *(str(p) for p in sorted(folder.rglob("csww.xml"))), "--html", str(folder / "report.html")],
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *command],
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


def test_the_return_was_taken_in_and_the_others_refused(after: After) -> None:
    """Otherwise nothing would be proved."""
    tables = [n for n in after.texts() if n.endswith("/workforce.parquet")]
    assert len(tables) == 1
    frame = pl.read_parquet(after.folder / tables[0])
    assert frame.height >= 30
    log = [t for n, t in after.texts().items() if "/submissions/" in n and "csww.xml" in t]
    assert sum('"outcome": "refused"' in t for t in log) >= 4
    assert sum('"outcome": "refused"' not in t for t in log) == 3, "workforce, establishment and return of the first"


def test_no_marker_is_anywhere(after: After) -> None:
    for name, text in after.texts().items():
        for marker in MARKERS:
            found = re.search(rf"(?<![A-Za-z0-9]){re.escape(marker)}", text)
            assert found is None and (len(marker) < 6 or marker not in text), f"{marker} in {name}"


def test_the_bytes_of_a_return_are_not_kept(after: After) -> None:
    assert not [n for n in after.texts() if n.startswith("store/received/") and n.endswith(".xml")]
    assert not [n for n, t in after.texts().items() if "<CSWWWorker>" in t]


def test_the_submission_log_says_that_they_were_not(after: After) -> None:
    kept = [t for n, t in after.texts().items() if "/submissions/" in n and "csww.xml" in t]
    assert kept and all('"kept": false' in t for t in kept)
