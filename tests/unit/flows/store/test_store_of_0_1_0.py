"""A small store as version 0.1.0 wrote it (three councils, three months): every later version reads it."""

import tarfile
from datetime import date
from pathlib import Path

import pytest

from features.councils import read_register
from features.errors import StoreError
from features.frames import REASONS, counts_schema
from features.months import Month
from features.registry import Kind
from flows.alerts.publish import latest_alert
from flows.extracts.checking import RECORD_KINDS
from flows.month.take_in import months_due
from flows.store import DamagedObject, LocalStore
from flows.store.claims import latest_claim
from flows.store.editions import History
from flows.store.ledger import Ledger, Status

INPUT = Path(__file__).parents[3] / "input" / "store-0.1.0.tar.xz"
MONTHS = [Month(2026, 8), Month(2026, 9), Month(2026, 10)]
CUTOFF = date(2026, 11, 20)


@pytest.fixture
def kept(tmp_path: Path) -> tuple[LocalStore, LocalStore]:
    with tarfile.open(INPUT) as archive:
        archive.extractall(tmp_path, filter="data")
    return LocalStore(tmp_path / "landing"), LocalStore(tmp_path / "store")


def test_its_months_are_read_and_nothing_is_due(kept: tuple[LocalStore, LocalStore]) -> None:
    landing, store = kept
    history, register = History(store), read_register(landing.read("register.csv").decode(), "register.csv")
    manifests = [m for month in MONTHS if (m := history.as_of(month, CUTOFF)) is not None]
    assert [m.edition for m in manifests] == [1, 1, 1] and all(m.tables is None for m in manifests)
    for kind in RECORD_KINDS:
        counted = history.tables(manifests, f"counts-{kind}", counts_schema(kind))
        assert counted.height == 9, kind
    assert not history.tables(manifests, "reasons", REASONS).is_empty()
    assert months_due(landing, History(store), register, MONTHS, lambda _: CUTOFF) == []


def test_its_alerts_ledger_and_claims_are_read(kept: tuple[LocalStore, LocalStore]) -> None:
    _, store = kept
    for folder in ("Z01", "Z02", "Z03"):
        assert latest_alert(store, MONTHS[2], folder) is not None
    told = Ledger(store).told(MONTHS[1])
    assert {t.status for t in told} == {Status.SENT} and len(told) == 7
    claim = latest_claim(store, MONTHS[2])
    assert claim is not None and claim.released


def test_a_table_that_it_must_have_is_missed(kept: tuple[LocalStore, LocalStore]) -> None:
    landing, store = kept
    register = read_register(landing.read("register.csv").decode(), "register.csv")
    store.delete("months/2026-08/0001/counts-workforce.parquet")
    history = History(store)
    (manifest,) = history.editions(MONTHS[0])
    with pytest.raises(DamagedObject, match="counts-workforce"):
        history.table(manifest, "counts-workforce", counts_schema(Kind.WORKFORCE))
    (due,) = months_due(landing, History(store), register, MONTHS, lambda _: CUTOFF)
    assert due.month == MONTHS[0] and not due.needs_pages


def test_a_manifest_that_is_lost_is_missed(kept: tuple[LocalStore, LocalStore]) -> None:
    landing, store = kept
    register = read_register(landing.read("register.csv").decode(), "register.csv")
    store.delete("months/2026-08/0001/manifest.json")
    with pytest.raises(StoreError, match=r"manifest\.json is not.*holdfast run --month 2026-08"):
        History(store).as_of(MONTHS[0], CUTOFF)
    due = months_due(landing, History(store), register, MONTHS, lambda _: CUTOFF)
    assert [one.month for one in due] == MONTHS[:2], "0.1.0 did not write down what the second was compared with"
    assert due[0].replaces is None and not due[1].needs_pages
