"""The submission log: written once, read back whole, restatements and lateness found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from expectations.fates import Fate
from features.months import Month
from features.registry import Kind
from flows.extracts.submissions import (
    Submission,
    read_submissions,
    record_submissions,
)
from flows.store import DamagedObject, LocalStore
from tests.unit.flows.extracts.conftest import record_submission

OCTOBER = Month(2026, 10)
FIRST = Submission(
    month=OCTOBER,
    la_code="314 / 318",
    kind=Kind.WORKFORCE,
    sha256="aa" * 32,
    size=120,
    name="workforce.csv",
    received=datetime(2026, 11, 4, 9, 0, tzinfo=UTC),
    outcome=Fate.ACCEPTED,
)
TABLE = pl.DataFrame({"worker_ref": [1, 2], "fte": [100, 80]})
SECOND = replace(FIRST, sha256="bb" * 32, received=datetime(2026, 11, 12, 9, 0, tzinfo=UTC), name="workforce.2.csv")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def _contents(store: LocalStore) -> dict[str, bytes]:
    return {o.name: store.read(o.name) for o in store.list()}


def test_a_record_is_read_back_equal(store: LocalStore) -> None:
    refused = replace(FIRST, outcome=Fate.REFUSED, reason="Kingston …: the file is empty. Send it again.", kept=False)
    assert record_submission(store, refused) == refused
    assert read_submissions(store, OCTOBER) == [refused]
    assert [o.name for o in store.list()] == ["submissions/2026-10/log-0001.json"]


def test_recording_again_changes_nothing(store: LocalStore) -> None:
    for submission in (FIRST, SECOND):
        record_submission(store, submission, TABLE)
    before = _contents(store)
    for submission in (FIRST, SECOND, FIRST):
        record_submission(store, submission, TABLE)
    assert _contents(store) == before


def test_a_month_is_one_object_of_records_and_one_table_a_kind(store: LocalStore) -> None:
    """Whatever the number of councils: a bucket is asked for each object."""
    others = [(replace(FIRST, la_code=str(code)), TABLE) for code in range(300, 310)]
    caseload = replace(FIRST, kind=Kind.CASELOAD, sha256="cc" * 32)
    record_submissions(store, OCTOBER, [*others, (caseload, TABLE), (SECOND, None)])
    names = [o.name for o in store.list()]
    assert len(names) == 3
    assert names[-1] == "submissions/2026-10/log-0001.json"
    kept = pl.read_parquet(store.read(read_submissions(store, OCTOBER)[0].table))
    assert kept.height == 20
    assert kept["submission"].unique().to_list() == ["aa" * 6]
    assert record_submissions(store, OCTOBER, others) == [s for s in read_submissions(store, OCTOBER) if s.table][:10]
    assert [o.name for o in store.list()] == names


def test_a_record_of_0_1_0_is_read_and_a_later_one_counts(store: LocalStore) -> None:
    old = (
        '{"month": "2026-10", "la_code": "314 / 318", "extract": "workforce", "sha256": "%s", "size": 120, '
        '"name": "workforce.csv", "received": "2026-11-04T09:00:00+00:00", "outcome": "accepted", "reason": null, '
        '"supersedes": null, "kept": true}'
    )
    store.create("submissions/2026-10/314-318/workforce-aaaaaaaaaaaa.json", (old % ("aa" * 32)).encode())
    assert read_submissions(store, OCTOBER) == [FIRST]
    assert record_submission(store, SECOND).supersedes == FIRST.sha256
    judged = record_submission(store, replace(FIRST, outcome=Fate.QUARANTINED, reason="All rows repeat."))
    assert read_submissions(store, OCTOBER)[0] == judged


def test_a_resubmission_supersedes_the_one_before(store: LocalStore) -> None:
    other_kind = replace(FIRST, kind=Kind.CASELOAD, sha256="cc" * 32)
    third = replace(FIRST, sha256="dd" * 32, received=datetime(2026, 11, 20, tzinfo=UTC))
    stored = [record_submission(store, s) for s in (FIRST, other_kind, SECOND, third)]
    assert [s.supersedes for s in stored] == [None, None, FIRST.sha256, SECOND.sha256]


def test_the_same_content_sent_again_keeps_its_first_time(store: LocalStore) -> None:
    record_submission(store, FIRST)
    again = record_submission(store, replace(FIRST, received=SECOND.received, name="workforce.again.csv"))
    assert again.received == FIRST.received
    assert [s.supersedes for s in read_submissions(store, OCTOBER)] == [None]


def test_a_later_decision_replaces_the_outcome_and_nothing_else(store: LocalStore) -> None:
    record_submission(store, FIRST)
    record_submission(store, replace(FIRST, outcome=Fate.QUARANTINED, reason="All rows repeat."))
    assert read_submissions(store, OCTOBER) == [replace(FIRST, outcome=Fate.QUARANTINED, reason="All rows repeat.")]


def test_a_table_is_kept_once_and_again_if_the_file_is_read_otherwise(store: LocalStore) -> None:
    first = record_submission(store, FIRST, TABLE)
    assert record_submission(store, FIRST, TABLE) == first
    again = record_submission(store, FIRST, TABLE.with_columns(fte=pl.lit(50)))
    assert [o.name for o in store.list("received/")] == [again.table]
    assert pl.read_parquet(store.read(again.table))["fte"].to_list() == [50, 50]
    assert read_submissions(store, OCTOBER) == [again]


def test_another_pseudonym_key_alone_keeps_no_other_table(store: LocalStore) -> None:
    first = record_submission(store, FIRST, TABLE)
    assert record_submission(store, FIRST, TABLE.with_columns(pl.col("worker_ref") * 7 + 3)) == first
    other = record_submission(store, FIRST, TABLE.with_columns(worker_ref=pl.Series([1, None])))
    assert other.read_as != first.read_as, "another column was read as the reference"


@pytest.mark.parametrize("name", ["log-0001", "370/workforce-aaaaaaaaaaaa"])
def test_a_record_that_is_none_is_named(store: LocalStore, name: str) -> None:
    store.create(f"submissions/2026-10/{name}.json", b"{}")
    with pytest.raises(DamagedObject, match=f"{name}.json” in the store cannot be read"):
        read_submissions(store, OCTOBER)


def test_days_are_londons() -> None:
    summer, winter = datetime(2026, 6, 30, 23, 30, tzinfo=UTC), datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert replace(FIRST, received=summer).day == date(2026, 7, 1)
    assert replace(FIRST, received=winter).day == date(2026, 11, 30)
