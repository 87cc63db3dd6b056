"""One landed file taken in: kept or not, accepted or refused, the run going on either way."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from expectations.fates import Fate
from features.councils import Register
from features.errors import PersonalDataRefused, SettingsError, UnreadableExtract
from flows.extracts.landing import list_month
from flows.extracts.reading.table import Limits
from flows.extracts.receive import Received, receive_file
from flows.store import LocalStore
from tests.unit.flows.extracts.conftest import record_submission

from .conftest import BARNSLEY, KEY, OCTOBER, WORKFORCE, as_csv, rows_of


def _receive(
    tmp_path: Path, content: bytes, *, key: bytes = KEY, limits: Limits | None = None
) -> tuple[Received, list[str]]:
    landing, store = LocalStore(tmp_path / "landing"), LocalStore(tmp_path / "store")
    landing.create("2026-10/370/workforce.csv", content)
    (file,) = list_month(landing, OCTOBER, Register((BARNSLEY,))).files
    received = receive_file(landing, file, key=key, limits=limits)
    record_submission(store, received.submission, received.table)
    assert landing.read(file.name) == content
    return received, [o.name for o in store.list("received/")]


def test_a_good_file_is_kept_and_accepted(tmp_path: Path) -> None:
    received, kept = _receive(tmp_path, WORKFORCE.encode())
    assert received.extract is not None
    assert received.error is None
    assert received.submission.outcome is Fate.ACCEPTED
    assert received.extract.sha256 == received.submission.sha256
    assert received.submission.received == received.file.modified == received.extract.received
    assert [name.startswith("received/2026-10/workforce-") for name in kept] == [True]
    table = pl.read_parquet(LocalStore(tmp_path / "store").read(kept[0]))
    assert table.drop("submission").equals(received.extract.frame)
    assert table["worker_ref"].dtype == pl.UInt64() and table["team"].str.contains("^[0-9a-f]{8}$").all()


def test_of_a_broken_file_the_reason_is_kept_and_nothing_else(tmp_path: Path) -> None:
    received, kept = _receive(tmp_path, WORKFORCE[:-60].encode())
    assert received.extract is None
    assert isinstance(received.error, UnreadableExtract)
    assert received.submission.outcome is Fate.REFUSED
    assert received.submission.reason == str(received.error)
    assert received.submission.kept is False
    assert kept == []


def test_personal_data_is_not_kept(tmp_path: Path) -> None:
    rows = [[*r, extra] for r, extra in zip(rows_of(), ["Surname", "MarkerA", "MarkerB", "MarkerC"], strict=True)]
    received, kept = _receive(tmp_path, as_csv(rows).encode())
    assert isinstance(received.error, PersonalDataRefused)
    assert received.submission.kept is False
    assert kept == []
    assert "Marker" not in f"{received.submission} {received.error}"


def test_a_file_larger_than_any_extract_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = LocalStore(tmp_path / "landing")
    landing.create("2026-10/370/workforce.csv", b"x" * 2000)
    (file,) = list_month(landing, OCTOBER, Register((BARNSLEY,))).files
    monkeypatch.setattr(landing, "read", lambda name: pytest.fail(f"{name} was loaded"))
    received = receive_file(landing, file, key=KEY, limits=Limits(max_bytes=1000))
    assert received.submission.outcome is Fate.REFUSED
    assert received.submission.kept is False
    assert "which no council's extract reaches" in str(received.error)
    again = receive_file(landing, file, key=KEY, limits=Limits(max_bytes=1000))
    assert again.submission == received.submission


def test_a_fault_of_the_settings_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        _receive(tmp_path, WORKFORCE.encode(), key=b"short")
