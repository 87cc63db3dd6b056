"""What lies in a month's folder: the newest of each kind, the earlier ones, and what is no extract."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from features.councils import Council, Register
from features.months import Month
from features.registry import Kind
from flows.extracts.landing import list_month
from flows.store import LocalStore

OCTOBER = Month(2026, 10)
REGISTER = Register(
    (
        Council("370", "Barnsley", Month(2015, 1)),
        Council("314 / 318", "Kingston and Richmond", Month(2015, 1)),
        Council("909", "Cumbria", Month(2015, 1), valid_to=Month(2023, 3)),
    )
)


def _landing(root: Path, names: dict[str, str]) -> LocalStore:
    """Files with the given times of change."""
    for name, moment in names.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 3)
        changed = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
        os.utime(path, (changed, changed))
    return LocalStore(root)


def test_files_by_council_and_kind(tmp_path: Path) -> None:
    store = _landing(
        tmp_path,
        {
            "2026-10/370/workforce.csv": "2026-11-03",
            "2026-10/370/Caseload.XLSX": "2026-11-04",
            "2026-10/314-318/establishment.parquet": "2026-11-05",
            "2026-09/370/workforce.csv": "2026-10-05",
            "register.csv": "2026-01-01",
        },
    )
    landing = list_month(store, OCTOBER, REGISTER)
    assert [(f.council.la_code, f.kind, f.filename) for f in landing.files] == [
        ("314 / 318", Kind.ESTABLISHMENT, "establishment.parquet"),
        ("370", Kind.CASELOAD, "Caseload.XLSX"),
        ("370", Kind.WORKFORCE, "workforce.csv"),
    ]
    assert landing.files[0].modified == datetime(2026, 11, 5, tzinfo=UTC)
    assert landing.files[0].size == 3
    assert landing.earlier == ()
    assert landing.unrecognised == ()


def test_the_newest_submission_counts_and_the_others_are_kept(tmp_path: Path) -> None:
    store = _landing(
        tmp_path,
        {
            "2026-10/370/workforce.z.csv": "2026-11-03",
            "2026-10/370/workforce.csv": "2026-11-20",
            "2026-10/370/workforce.corrected 2.xlsx": "2026-11-09",
        },
    )
    landing = list_month(store, OCTOBER, REGISTER)
    assert [f.filename for f in landing.files] == ["workforce.csv"]
    assert [f.filename for f in landing.earlier] == ["workforce.z.csv", "workforce.corrected 2.xlsx"]
    assert [f.filename for f in landing.every_file] == [
        "workforce.z.csv",
        "workforce.corrected 2.xlsx",
        "workforce.csv",
    ]


def test_nothing_is_passed_over_in_silence(tmp_path: Path) -> None:
    odd = {
        "2026-10/.DS_Store": "directly in a council's folder",
        "2026-10/370/archive/workforce.csv": "directly in a council's folder",
        "2026-10/370/notes.docx": ".csv, .parquet or .xlsx",
        "2026-10/370/workforce": ".csv, .parquet or .xlsx",
        "2026-10/370/workforce_v2.csv": "kind of extract",
        "2026-10/370/~$workforce.xlsx": "kind of extract",
        "2026-10/371/workforce.csv": "no council in the register",
        "2026-10/314/workforce.csv": "no council in the register",
        "2026-10/909/workforce.csv": "does not report for October 2026",
    }
    landing = list_month(_landing(tmp_path, dict.fromkeys(odd, "2026-11-03")), OCTOBER, REGISTER)
    assert landing.files == ()
    assert {u.name for u in landing.unrecognised} == set(odd)
    for item in landing.unrecognised:
        assert odd[item.name] in item.reason
        assert item.reason.endswith(".")


def test_an_empty_month(tmp_path: Path) -> None:
    landing = list_month(LocalStore(tmp_path), OCTOBER, REGISTER)
    assert (landing.files, landing.earlier, landing.unrecognised) == ((), (), ())
