"""Annex A in the landing store: recognised, taken in, its report written, its bytes not kept."""

from __future__ import annotations

import os
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
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import begin

from .examples import OCTOBER
from .marked import found_in, marked_workbook

_SENT = datetime(2026, 11, 4, 9, tzinfo=UTC).timestamp()


def _land(folder: Path, content: bytes) -> Council:
    council = Council("370", "Barnsley", Month(2015, 1), expects=(Kind.CASELOAD,))
    place = folder / "2026-10" / "370"
    place.mkdir(parents=True)
    (place / "annex_a.xlsx").write_bytes(content)
    os.utime(place / "annex_a.xlsx", (_SENT, _SENT))
    (folder / "register.csv").write_text(write_register([council]))
    return council


@pytest.mark.parametrize("damaged", [False, True])
def test_a_marked_workbook_leaves_nothing_of_a_person_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    (frames,) = generate(region(1, 1, 7, OCTOBER))
    content = marked_workbook([as_sent(frames.frames[Kind.CASELOAD].head(400), Kind.CASELOAD)], OCTOBER)
    council = _land(tmp_path / "landing", content[: len(content) // 2] if damaged else content)
    found = list_month(LocalStore(tmp_path / "landing"), OCTOBER, Register((council,)))
    assert [(f.kind, f.form) for f in found.files] == [(Kind.CASELOAD, Form.ANNEX_A)]
    context = begin(
        Settings.load(landing=str(tmp_path / "landing"), store=str(tmp_path / "store")),
        OCTOBER,
        now=datetime(2026, 11, 20, 9, tzinfo=UTC),
        as_of=date(2026, 11, 16),
    )
    due = due_now(context)
    (taken,) = check_months_of(context, due, [reader(context)(due[0].files)], reports=True)
    (record,) = taken.manifest.extracts
    assert record.outcome == ("refused" if damaged else "accepted")
    assert damaged or "Annex A list 6 (Children in Need) read from" in " ".join(record.notes)
    stored = [p for p in sorted((tmp_path / "store").rglob("*")) if p.is_file()]
    assert len(stored) >= 5
    assert not [p for p in stored if p.suffix == ".xlsx" or p.read_bytes().startswith(b"PK")]
    for path in stored:
        assert found_in(path.read_bytes()) == [], path.relative_to(tmp_path)
        if path.suffix == ".parquet":
            assert found_in(pl.read_parquet(path).write_json().encode()) == [], path.relative_to(tmp_path)
    if not damaged:
        pages = [p.read_text(encoding="utf-8") for p in stored if p.suffix == ".html"]
        assert any("How the files were read" in page for page in pages)
