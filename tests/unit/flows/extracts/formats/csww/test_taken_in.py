"""Birth date, gender, ethnicity and registration number are nowhere after the door.

Returns are taken in with reports and Data Docs; `test_csww_nowhere_after.py` (integration) does the same with a run.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl
import pytest
from typer.testing import CliRunner

from features.councils import Council, write_register
from features.months import Month
from features.registry import Kind
from flows.cli.app import app
from flows.month.inputs import check_months_of, due_now, reader
from flows.settings.settings import Settings
from flows.store.context import begin
from flows.store.manifest import Manifest
from tests.unit.flows.extracts.formats.csww.planted import MARKERS, as_text, found_in, returns

SEPTEMBER = Month(2025, 9)
CODES = ("301", "302", "303")
SENT = datetime(2025, 10, 3, 9, tzinfo=UTC).timestamp()


@dataclass
class After:
    """What taking three councils' returns in left behind."""

    manifest: Manifest
    texts: dict[str, str]
    workforce: pl.DataFrame


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> After:
    folder = tmp_path_factory.mktemp("planted")
    kinds = (Kind.WORKFORCE, Kind.ESTABLISHMENT)
    councils = [Council(c, f"Made-up {c}", Month(2015, 1), expects=kinds) for c in CODES]
    paths = []
    for council, content in zip(councils, returns(CODES, 2025), strict=True):
        path = folder / "landing" / str(SEPTEMBER) / council.folder / "csww.xml"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (SENT, SENT))
        paths.append(path)
    (folder / "landing/register.csv").write_text(write_register(councils))
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        context = begin(
            Settings.load(landing=str(folder / "landing"), store=str(folder / "store")),
            SEPTEMBER,
            now=datetime(2025, 10, 20, 9, tzinfo=UTC),
            as_of=date(2025, 10, 20),
        )
        due = due_now(context)
        reads = [reader(context)([f for f in due[0].files if f.council.la_code == c]) for c in CODES]
        (taken,) = check_months_of(context, due, [[r for read in reads for r in read]], reports=True)
    checked = CliRunner().invoke(app, ["check", *map(str, paths), "--html", str(folder / "report.html")])
    assert checked.exit_code == 12, "one of them is damaged"
    stored = [p for p in sorted((folder / "store").rglob("*")) if p.is_file()]
    texts = {p.relative_to(folder).as_posix(): as_text(p.read_bytes()) for p in (*stored, folder / "report.html")}
    texts |= {"printed": checked.output, "errors": str(checked.exception)}
    (table,) = (p for p in stored if p.name == "workforce.parquet")
    return After(taken.manifest, texts, pl.read_parquet(table))


def test_the_return_was_taken_in_and_the_others_refused(after: After) -> None:
    """Otherwise nothing would be proved."""
    outcomes = {(e.la_code, e.kind): e.outcome for e in after.manifest.extracts}
    assert [outcomes["301", k] for k in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN)] == ["accepted"] * 3
    assert {o for (la, _), o in outcomes.items() if la != "301"} == {"refused"}
    assert after.workforce.height == 34 and after.workforce["worker_ref"].n_unique() == 34
    assert any(n.endswith(".html") and n.startswith("store/validation/") for n in after.texts)


def test_no_marker_is_anywhere(after: After) -> None:
    assert found_in(after.texts) == []


def test_the_search_would_find_them() -> None:
    good, *_ = returns(CODES, 2025)
    found = {hit.partition(" in ")[0] for hit in found_in({"return": good.decode()})}
    assert len(found) == 5 and found <= set(MARKERS)


def test_the_bytes_of_a_return_are_not_kept(after: After) -> None:
    assert not [n for n, text in after.texts.items() if "<CSWWWorker>" in text]
    assert all(n.endswith(".rows.parquet") for n in after.texts if n.startswith("store/received/"))
    logs = [json.loads(text) for name, text in after.texts.items() if name.startswith("store/submissions/")]
    records = [record for log in logs for record in log["records"]]
    assert len(records) == 9
    assert all(record["kept"] is not (record["outcome"] == "refused") for record in records)
