"""Part B of the field cases: of what nobody has looked at nothing is kept. And row 2 of part A: odd landings."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from features.councils import Council, Register
from features.months import Month
from flows.extracts.landing import list_month
from flows.extracts.receive import Received, receive_file
from flows.store import LocalStore
from flows.store.names import TABLE_ENDING
from tests.field.region import ARRIVED, LAST, FieldRegion
from tests.unit.flows.extracts.conftest import record_submission

KEY = b"a key of thirty-two bytes or more"
BARNSLEY = Council("370", "Barnsley", Month(2015, 1))
HEADER = (
    "la_code,reference_date,worker_ref,agency_worker,org_role,fte,role_start_date,role_end_date,reason_leave,"
    "leaver_destination,cases,working_days_lost,absent_at_reference_date,team"
)
ROWS = [
    [*f"370,2026-10-31,W{n},0,5,0.8,2020-01-06,,,,14,1.5,0".split(","), team]
    for n, team in enumerate(("North", "South", "Jane Okonedo's team"), start=1)
]
LINES = [HEADER.split(","), *ROWS]
#: What stands in the column Surname of a file that is refused for another reason.
PERSON = ["Surname", "Okonedo", "Quist", "Szabo"]
BIRTHS = ["Date of birth", "1985-03-12", "1990-01-01", "1971-07-30"]
WITH_PERSON = [[*row, name, born] for row, name, born in zip(LINES, PERSON, BIRTHS, strict=True)]


def _csv(rows: list[list[str]], separator: str = ",") -> bytes:
    return "\n".join([*(separator.join(r) for r in rows), ""]).encode()


def _book(rows: list[list[str]], *, second: bool = False, merged: bool = False) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name in ("A", "B")[: 1 + second]:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if merged:
                sheet.merge_range("A2:A3", "370")
    return out.getvalue()


def _received(tmp_path: Path, name: str, content: bytes) -> tuple[Received, LocalStore]:
    landing, store = LocalStore(tmp_path / "landing"), LocalStore(tmp_path / "store")
    landing.create(f"2026-10/370/{name}", content)
    (file,) = list_month(landing, LAST, Register((BARNSLEY,))).files
    received = receive_file(landing, file, key=KEY)
    record_submission(store, received.submission, received.table)
    return received, store


REFUSED_FOR_ANOTHER_REASON: dict[str, tuple[str, bytes]] = {
    "16 bits": ("workforce.csv", _csv(WITH_PERSON).decode().encode("utf-16")),
    "the header in row 3": ("workforce.csv", b"Okonedo\n\n" + _csv(WITH_PERSON)),
    "the header in row 5": ("workforce.csv", b"a\nb\nOkonedo\nd\n" + _csv(WITH_PERSON)),
    "pipes": ("workforce.csv", _csv(WITH_PERSON, "|")),
    "a NUL": ("workforce.csv", _csv(WITH_PERSON).replace(b"W2", b"W\0")),
    "two sheets": ("workforce.xlsx", _book(WITH_PERSON, second=True)),
    "merged cells": ("workforce.xlsx", _book(WITH_PERSON, merged=True)),
    "ragged rows": ("workforce.csv", _csv([*WITH_PERSON, ["370", "x"]])),
    "over 200 columns": ("workforce.csv", _csv([[*r, *["x"] * 250] for r in WITH_PERSON])),
    "too many rows": ("workforce.csv", _csv([WITH_PERSON[0], *WITH_PERSON[1:] * 12_000])),
    "an open quote": ("workforce.csv", _csv(WITH_PERSON).replace(b"W2", b'"W2')),
    "another council's": ("workforce.csv", _csv(WITH_PERSON).replace(b"\n370", b"\n371")),
    "cut off": ("workforce.csv", _csv(WITH_PERSON)[:-15]),
}


@pytest.mark.parametrize("reason", REFUSED_FOR_ANOTHER_REASON)
def test_of_a_file_refused_for_another_reason_nothing_is_kept_either(reason: str, tmp_path: Path) -> None:
    received, store = _received(tmp_path, *REFUSED_FOR_ANOTHER_REASON[reason])
    assert received.extract is None
    assert [o.name.partition("/")[0] for o in store.list()] == ["submissions"]
    (log,) = [store.read(o.name).decode() for o in store.list()]
    assert received.submission.sha256 in log and f'"size": {received.file.size}' in log and '"kept": false' in log
    for value in (*PERSON[1:], "1985", "W1,"):
        assert value not in log


FROM_THE_FIELD = """
Employee Name; Client name; Name of child; NI number; Child's date of birth; Worker DOB; Work email;
Home postcode; Child ethnicity; SWE registration; Next of kin; Sickness reason; Notes; Comments; Bank account;
Emergency contact; Religion; Sexual orientation; Forename(s); Preferred name; Mobile; Addr1; Disability; NINO;
DOB; Sort code
"""


@pytest.mark.parametrize("header", [h.strip() for h in FROM_THE_FIELD.split(";")])
def test_an_extra_column_of_personal_data_refuses_the_file_by_place(header: str, tmp_path: Path) -> None:
    rows = [[*row, value] for row, value in zip(LINES, [header, "qz", "qz", "qz"], strict=True)]
    received, store = _received(tmp_path, "workforce.csv", _csv(rows))
    assert "personal data" in str(received.error) and "column 15 (O)" in str(received.error)
    assert "qz" not in str(received.error)
    assert not [o for o in store.list("received/")]


@pytest.mark.parametrize("value", ["AB123456C", "jane.o@council.example", "SE18 6HQ", "07700 900123", "Jane Smith"])
def test_a_header_that_is_a_value_is_refused_and_not_repeated(value: str, tmp_path: Path) -> None:
    received, _ = _received(tmp_path, "workforce.csv", _csv([[*LINES[0], value], *([*r, "1"] for r in ROWS)]))
    assert "column 15 (O)" in str(received.error)
    assert value not in str(received.error)


def test_a_team_is_a_code_the_same_in_both_extracts_and_months_and_another_elsewhere(tmp_path: Path) -> None:
    received, store = _received(tmp_path, "workforce.csv", _csv(LINES))
    (name,) = [o.name for o in store.list("received/")]
    teams = pl.read_parquet(store.read(name))["team"]
    assert teams.n_unique() == 3 and teams.str.contains("^[0-9a-f]{8}$").all()
    assert received.extract is not None
    other = replace(BARNSLEY, la_code="371")
    landing = LocalStore(tmp_path / "other")
    landing.create("2026-10/371/workforce.csv", _csv(LINES).replace(b"\n370", b"\n371"))
    (file,) = list_month(landing, LAST, Register((other,))).files
    elsewhere = receive_file(landing, file, key=KEY).extract
    assert elsewhere is not None and not set(elsewhere.frame["team"]) & set(teams)


@pytest.mark.skipif(os.name == "nt", reason="rights are of other systems")
def test_everything_an_intake_writes_is_for_its_owner_alone(field_region: FieldRegion, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spoiled = field_region.copy(tmp_path / "region")
        for path in (spoiled.folder / "store").rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        spoiled.run()
    finally:
        os.umask(before)
    store = spoiled.folder / "store"
    lax = [p.relative_to(store) for p in store.rglob("*") if stat.S_IMODE(p.lstat().st_mode) & 0o077]
    assert lax == []
    kept = [p.name for p in (store / "received" / str(LAST)).rglob("*") if p.is_file()]
    assert kept and all(name.endswith(TABLE_ENDING) for name in kept)


ODD: dict[str, Callable[[Path], object]] = {
    "a link to itself": lambda f: (f / "workforce.late.csv").symlink_to(f / "workforce.late.csv"),
    "a link leading out": lambda f: (f / "workforce.out.csv").symlink_to("/etc/hostname"),
    "a pipe": lambda f: os.mkfifo(f / "workforce.pipe.csv"),
    "no UTF-8": lambda f: (f / os.fsdecode(b"workforce.\xff.csv")).write_bytes(b"x"),
    "a line break": lambda f: (f / "workforce.a\nb.csv").write_bytes(b"x"),
    "240 bytes": lambda f: (f / f"workforce.{'x' * 226}.csv").write_bytes(b"x"),
}


@pytest.mark.skipif(os.name == "nt", reason="such things are of other systems")
def test_odd_things_in_one_councils_folder_are_named_and_everything_is_read(
    field_region: FieldRegion, tmp_path: Path
) -> None:
    spoiled = field_region.copy(tmp_path / "region")
    folder = sorted((spoiled.landing / str(LAST)).iterdir())[0]
    before = set(folder.iterdir())
    for put in ODD.values():
        put(folder)
    for odd in set(folder.iterdir()) - before:
        os.utime(odd, (ARRIVED, ARRIVED), follow_symlinks=False)
    taken = spoiled.take_in()
    assert {str(e.outcome) for e in taken.manifest.extracts} == {"accepted"}
    assert len([s for s in taken.manifest.unrecognised if "left alone" in s]) == len(ODD)
    assert all(s.isprintable() for s in taken.manifest.unrecognised)
