"""What goes and what stays, by name and month; the deletion itself in a folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import SettingsError
from features.months import Month
from flows.settings.settings import RetentionSettings
from flows.store import LocalStore
from flows.store.editions import records_kept_from
from flows.store.retention import KeptContent, Periods, content_of, delete_planned, plan

LAST = Month(2026, 10)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MARKER = b"a marker that must be gone"

NAMES = (
    "received/{month}/370/workforce-0c1f3a9be210.rows.parquet",
    "months/{month}/0001/workforce.parquet",
    "months/{month}/0001/caseload.parquet",
    "months/{month}/0002/workforce.parquet",
    "months/{month}/0001/state-workforce.parquet",
    "months/{month}/0001/counts-workforce.parquet",
    "months/{month}/0001/manifest.json",
    "validation/{month}/councils/370.html",
    "submissions/{month}/370/workforce-0c1f3a9be210.json",
    "alerts/{month}/370.json",
    "ledger/{month}/370/r1/new_watch/message.eml",
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Three months, each with one of everything, and things that have no month."""
    made = LocalStore(tmp_path / "store")
    for back in range(3):
        for name in NAMES:
            made.replace(name.format(month=LAST.plus(-back)), MARKER)
    made.replace("models/ilacs-below-good/2023-12-15/model.json", b"kept")
    made.replace("published/months/2014-09/0001/return.parquet", b"public")
    return made


@pytest.fixture
def landing(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "landing")
    for back in range(3):
        made.replace(f"{LAST.plus(-back)}/370/workforce.csv", MARKER)
    made.replace("register.csv", b"kept")
    return made


def names(store: LocalStore) -> list[str]:
    return [s.name for s in store.everything()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("received/2026-10/370/workforce-0c1f3a9be210.rows.parquet", KeptContent.RECORDS),
        ("received/2026-10/370/workforce-0c1f3a9be210.csv", KeptContent.COPIES),
        ("received/2026-10/370/workforce-0c1f3a9be210.parquet", KeptContent.COPIES),
        ("received/2026-10/370/.holdfast-part-0123456789abcdef", KeptContent.RECORDS),
        ("months/2026-10/0001/workforce.parquet", KeptContent.RECORDS),
        ("months/2026-10/0001/caseload.parquet", KeptContent.RECORDS),
        ("months/2026-10/0001/failures.parquet", KeptContent.RECORDS),
        ("months/2026-10/0001/.holdfast-part-0123456789abcdef", KeptContent.RECORDS),
        ("months/2026-10/0001/state-caseload.parquet", KeptContent.STATES),
        ("months/2026-10/0001/establishment.parquet", KeptContent.FIGURES),
        ("months/2026-10/0001/return.parquet", KeptContent.FIGURES),
        ("months/2026-10/0001/counts-caseload.parquet", KeptContent.FIGURES),
        ("months/2026-10/0001/manifest.json", KeptContent.FIGURES),
        ("submissions/2026-10/370/caseload-0c1f3a9be210.json", KeptContent.FIGURES),
        ("ledger/2026-10/370/r1/new_watch/message.eml", KeptContent.ALERTS),
        ("claims/2026-10/000001.json", KeptContent.ALERTS),
    ],
)
def test_every_kind_of_object_has_its_period(name: str, content: KeptContent) -> None:
    assert content_of(name) == (content, Month(2026, 10))


@pytest.mark.parametrize(
    "name", ["models/a/b.json", "claims/intake/000001.json", "retention/x.json", "reference/a.csv"]
)
def test_what_has_no_month_is_never_deleted(name: str) -> None:
    assert content_of(name) is None


def test_only_records_older_than_their_period_go_and_the_month_before_leaves_its_pseudonyms(
    store: LocalStore, landing: LocalStore
) -> None:
    before = names(store)
    planned = plan(store, landing, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=False)
    assert {s.name for s in planned.stored} == {
        *(NAMES[i].format(month=m) for m in ("2026-08", "2026-09") for i in (0, 1, 2, 3, 7)),
        NAMES[4].format(month="2026-08"),
    }
    assert names(store) == before
    assert "records: 2026-08 to 2026-09, 10 objects" in planned.to_text()


def test_files_that_0_1_0_kept_as_they_came_go_whatever_their_month(store: LocalStore, landing: LocalStore) -> None:
    copies = [f"received/{LAST}/370/workforce-0c1f3a9be210.{ending}" for ending in ("csv", "parquet", "xlsx")]
    for name in copies:
        store.create(name, MARKER)
    planned = plan(store, landing, Periods.counted_back(LAST, RetentionSettings()), with_landing=False)
    assert sorted(s.name for s in planned.stored) == sorted(copies)
    assert "files kept as they came by 0.1.0: 2026-10, 3 objects" in planned.to_text()
    delete_planned(store, landing, planned, at=NOW, by="data team lead", reason="0.2.0 keeps tables alone")
    assert [n for n in names(store) if n.startswith(f"received/{LAST}")] == [NAMES[0].format(month=LAST)]


def test_what_is_deleted_is_gone_and_written_down_without_a_value(store: LocalStore, landing: LocalStore) -> None:
    (store.root / "months/2026-08/0001/.holdfast-part-0123456789abcdef").write_bytes(MARKER)
    planned = plan(store, landing, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=True)
    record = delete_planned(store, landing, planned, at=NOW, by="data team lead", reason="period over")
    kept = [s for s in store.everything() if s.name.split("/")[1] in ("2026-08", "2026-09")]
    assert {content_of(s.name)[0] for s in kept if content_of(s.name)} == {  # type: ignore[index]
        KeptContent.FIGURES,
        KeptContent.ALERTS,
        KeptContent.STATES,
    }
    assert names(landing) == ["2026-10/370/workforce.csv", "register.csv"]
    assert records_kept_from(store) == LAST
    written = json.loads(store.read(record))
    assert written["state"] == "done"
    assert {d["content"]: d["objects"] for d in written["deleted"]} == {
        "records": 11,
        "states of the month before": 1,
        "landing": 2,
    }
    assert "370" not in json.dumps(written)
    again = plan(store, landing, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=True)
    assert not again.going


def test_alerts_and_figures_go_after_their_own_periods(store: LocalStore, landing: LocalStore) -> None:
    periods = Periods(records=LAST, alerts=Month(2026, 9), figures=LAST)
    delete_planned(
        store, landing, plan(store, landing, periods, with_landing=False), at=NOW, by="lead", reason="period over"
    )
    left = {n.split("/")[0] for n in names(store) if "/2026-08/" in n}
    assert left == set()
    assert {n.split("/")[0] for n in names(store) if "/2026-09/" in n} == {"months", "alerts", "ledger"}
    assert "models/ilacs-below-good/2023-12-15/model.json" in names(store)
    assert "published/months/2014-09/0001/return.parquet" in names(store)


def test_deleting_needs_a_name_and_a_reason(store: LocalStore, landing: LocalStore) -> None:
    planned = plan(store, landing, Periods.counted_back(LAST, RetentionSettings(), 1), with_landing=False)
    before = names(store)
    with pytest.raises(SettingsError, match="--by and --reason"):
        delete_planned(store, landing, planned, at=NOW, by=" ", reason="period over")
    assert names(store) == before


def test_months_once_closed_stay_closed(store: LocalStore, landing: LocalStore) -> None:
    for keep in (1, 3):
        planned = plan(store, landing, Periods.counted_back(LAST, RetentionSettings(), keep), with_landing=False)
        delete_planned(store, landing, planned, at=NOW.replace(minute=keep), by="lead", reason="period over")
    assert records_kept_from(store) == LAST


def test_the_last_month_is_never_deleted() -> None:
    with pytest.raises(SettingsError, match="last complete month"):
        Periods.counted_back(LAST, RetentionSettings(), 0)
