"""An SSD folder in the landing store: one submission, taken in with no trace of what must not be held."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.councils import Council, Register, write_register
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Form
from flows.extracts.landing import list_month
from flows.month.inputs import check_months_of, due_now, reader
from flows.sample_region import as_sent, generate, region
from flows.sample_region.ssd import MARKER, ssd_tables
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import begin

from ...conftest import OCTOBER

_SENT = datetime(2026, 11, 4, 9, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def tables() -> dict[str, bytes]:
    """One council's tables of October 2026, each with columns of personal data filled with the marker."""
    made = region(1, 1, 7, OCTOBER)
    (frames,) = generate(made)
    own = {k: as_sent(f, k) for k, f in frames.frames.items()}
    return ssd_tables(own[Kind.CASELOAD], own[Kind.WORKFORCE], OCTOBER)


def _land(folder: Path, files: dict[str, bytes], expects: tuple[Kind, ...]) -> Council:
    council = Council("370", "Barnsley", Month(2015, 1), expects=expects)
    place = folder / "2026-10" / "370" / "ssd"
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
        os.utime(place / name, (_SENT, _SENT))
    (folder / "register.csv").write_text(write_register([council]))
    return council


def test_a_folder_is_one_submission_of_the_tables_that_are_read(tmp_path: Path, tables: dict[str, bytes]) -> None:
    council = _land(tmp_path, tables, (Kind.CASELOAD,))
    found = list_month(LocalStore(tmp_path), OCTOBER, Register((council,)))
    assert found.unrecognised == ()
    assert [(f.kind, f.form) for f in found.files] == [(Kind.CASELOAD, Form.SSD), (Kind.WORKFORCE, Form.SSD)]
    assert "2026-10/370/ssd/ssd_person.csv" not in found.files[0].parts
    assert "2026-10/370/ssd/ssd_involvements.csv" in found.files[0].parts


def test_what_the_ssd_knows_of_workers_never_stands_in_for_their_own_extract(
    tmp_path: Path, tables: dict[str, bytes]
) -> None:
    council = _land(tmp_path, tables, (Kind.WORKFORCE, Kind.CASELOAD))
    landing = LocalStore(tmp_path)
    assert [f.kind for f in list_month(landing, OCTOBER, Register((council,))).files] == [Kind.CASELOAD]
    earlier = tmp_path / "2026-10" / "370" / "workforce.csv"
    earlier.write_text("an extract of its own, sent before the tables")
    os.utime(earlier, (_SENT - 90_000, _SENT - 90_000))
    sends_it_unasked = Register((replace(council, expects=(Kind.CASELOAD,)),))
    counting = {f.kind: f.filename for f in list_month(landing, OCTOBER, sends_it_unasked).files}
    assert counting == {Kind.CASELOAD: "ssd", Kind.WORKFORCE: "workforce.csv"}


def test_no_marker_is_anywhere_after_it_was_taken_in(
    tmp_path: Path, tables: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, registration numbers and outcome texts stand in the tables, and nowhere in the store: no page, no log."""
    for name in [n for n in os.environ if re.match("HOLDFAST_", n)]:
        monkeypatch.delenv(name)
    assert sum(MARKER.encode() in part for part in tables.values()) >= 3
    _land(tmp_path / "landing", tables, (Kind.CASELOAD,))
    context = begin(
        Settings.load(landing=str(tmp_path / "landing"), store=str(tmp_path / "store")),
        OCTOBER,
        now=datetime(2026, 11, 20, 9, tzinfo=UTC),
        as_of=date(2026, 11, 16),
    )
    due = due_now(context)
    reads = [reader(context)(due[0].files)]
    (taken,) = check_months_of(context, due, reads, reports=True)
    assert {(e.kind, e.outcome) for e in taken.manifest.extracts} == {
        (Kind.CASELOAD, "accepted"),
        (Kind.WORKFORCE, "accepted"),
    }
    stored = sorted(p for p in (tmp_path / "store").rglob("*") if p.is_file())
    person = pl.read_csv(tables["ssd_cin_episodes.csv"])["cine_person_id"][0]
    worker = pl.read_csv(tables["ssd_professionals.csv"])["prof_professional_id"][0]
    assert len(stored) > 5
    for path in stored:
        shown = [path.read_bytes()]
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            shown.append(frame.write_json().encode())
        for content in shown:
            for forbidden in (MARKER, person, worker, "cine_person_id"):
                assert forbidden.encode() not in content, path.relative_to(tmp_path)
