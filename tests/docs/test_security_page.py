"""What docs/security.md promises, tried on a year of a made-up region."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.frames import NATIONAL
from features.months import Month
from flows.cli import init
from flows.extracts.pseudonyms import pseudonyms
from flows.month import inputs
from flows.month.measure import Measured, measure
from flows.month.score import load_model, score_councils
from flows.settings.settings import RetentionSettings, Settings
from flows.store.context import DEMO_KEY, RunContext, begin
from flows.store.retention import Periods, delete_planned, plan
from models.score import Score
from tests.docs.pages import REPOSITORY

LAST = Month.parse(init.LAST)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEEP = 3


def context(folder: Path) -> RunContext:
    settings = Settings(landing=str(folder / "landing"), store=str(folder / "store"))
    return begin(settings, LAST, now=NOW, as_of=None)


def said(folder: Path) -> tuple[Measured, dict[str, Score]]:
    """Everything that is said of the last month."""
    run = context(folder)
    model = load_model(run.settings, run.store)
    measured = measure(
        run.history,
        run.register,
        run.month,
        run.cutoff,
        model.reference.select(list(NATIONAL)),
        history_months=run.settings.ingest.history_months,
        usual_cutoff=run.usual_cutoff,
    )
    return measured, score_councils(model, measured, run.register, run.month, run.cutoff)


def retain(folder: Path) -> None:
    run = context(folder)
    periods = Periods.counted_back(LAST, RetentionSettings(), KEEP)
    planned = plan(run.store, run.landing, periods, with_landing=True)
    delete_planned(run.store, run.landing, planned, at=NOW, by="lead", reason="period over")


def references(file: Path, column: str) -> set[str]:
    return set(pl.read_csv(file, infer_schema=False)[column].drop_nulls().to_list())


@pytest.fixture
def gone_by(page_folder: Path) -> str:
    """The reference of a worker of Z01 who left before the first month whose pseudonyms stay."""
    files = sorted(page_folder.glob("landing/*/Z01/workforce.csv"))
    first_state = LAST.plus(-KEEP)
    old = [f for f in files if Month.parse(f.parts[-3]) < first_state]
    young = [f for f in files if Month.parse(f.parts[-3]) >= first_state]
    left = references(old[0], "worker_ref").difference(*(references(f, "worker_ref") for f in [*old[3:], *young]))
    return min(left)


def contents(folder: Path) -> Iterator[bytes]:
    return (p.read_bytes() for part in ("store", "landing") for p in (folder / part).rglob("*") if p.is_file())


def tables_with(folder: Path, pseudonym: int) -> list[str]:
    """Tables of the store in which a pseudonym stands."""
    found = []
    for path in sorted((folder / "store").rglob("*.parquet")):
        frame = pl.read_parquet(io.BytesIO(path.read_bytes()))
        numbers = [c for c, t in frame.schema.items() if t == pl.UInt64]
        if any((frame[c] == pseudonym).any() for c in numbers):
            found.append(path.name)
    return found


@pytest.mark.soak
def test_a_person_whose_time_is_over_stands_nowhere_any_more(page_folder: Path, gone_by: str) -> None:
    (hashed,) = pseudonyms(pl.Series([gone_by]), la_code="Z01", key=DEMO_KEY.encode()).to_list()
    assert any(gone_by.encode() in content for content in contents(page_folder))
    assert "workforce.parquet" in tables_with(page_folder, hashed)
    retain(page_folder)
    assert not any(gone_by.encode() in content for content in contents(page_folder))
    assert tables_with(page_folder, hashed) == []


@pytest.mark.soak
def test_what_is_said_of_this_month_is_the_same_without_the_rows_of_months_ago(page_folder: Path) -> None:
    before, scores = said(page_folder)
    retain(page_folder)
    after, again = said(page_folder)
    assert again == scores
    assert any(s.not_scored is None for s in scores.values())
    assert_frame_equal(after.features, before.features)
    assert_frame_equal(after.measures, before.measures)
    assert inputs.due_now(context(page_folder)) == []


@pytest.mark.soak
def test_the_page_names_every_place_in_the_store(page_folder: Path) -> None:
    retain(page_folder)
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    places = {p.name for p in (page_folder / "store").iterdir()}
    assert {p for p in places if f"`{p}/`" not in text} == set()
    assert places >= {"received", "months", "submissions", "validation", "alerts", "ledger", "retention", "pseudonyms"}


def test_the_page_gives_the_periods_of_the_settings() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    for name, value in RetentionSettings():
        assert f"| `{name}` | {value} |" in text
