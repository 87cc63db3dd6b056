"""Pulling SSD tables out of a database: needed columns, read only, the same bytes for the same rows."""

from __future__ import annotations

import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from features.errors import SettingsError, UnreadableExtract
from features.registry import Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.formats.ssd.sql import pull, read_database
from flows.extracts.formats.ssd.tables import TABLES
from flows.extracts.reading.table import Limits
from flows.sample_region.ssd import MARKER
from flows.store import LocalStore

from ...conftest import BARNSLEY, KEY, OCTOBER, RECEIVED

_FILLED = {
    "ssd_cin_episodes": [
        ("R1", "P1", "2026-10-05 00:00:00", None, "N"),
        ("R2", "P2", "2024-03-01 00:00:00", "2026-10-20 00:00:00", "N"),
    ],
    "ssd_involvements": [
        ("R1", "W1", "2026-10-06 09:30:00", None, "CW", "T1", None, "P1"),
        ("R2", "W2", "2024-03-02 00:00:00", "2026-10-20 00:00:00", "CW", "T1", "LEFTRL", "P2"),
    ],
    "ssd_professionals": [("W1", "0.8"), ("W2", "1")],
}


def _statements(prefix: str = "") -> list[str]:
    """The tables as SSD scripts make them, with a column of personal data each."""
    made = []
    for table in TABLES:
        columns = [f"{c} TEXT" for c in (*table.keys, *table.codes)] + [f"{c} TIMESTAMP" for c in table.dates]
        made.append(f"CREATE TABLE {prefix}{table.name} ({', '.join(columns)}, pers_surname TEXT)")
        for row in _FILLED.get(table.name, []):
            values = ", ".join("NULL" if v is None else f"'{v}'" for v in row)
            made.append(
                f"INSERT INTO {prefix}{table.name} ({', '.join(table.columns)}, pers_surname) "
                f"VALUES ({values}, '{MARKER}')"
            )
    return made


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "ssd.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in _statements():
            connection.execute(statement)
        connection.commit()
    return path


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """Every statement that goes to any database."""
    seen: list[str] = []

    def note(*given: object) -> None:
        seen.append(str(given[2]))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def _landing(tmp_path: Path) -> LocalStore:
    (tmp_path / "landing").mkdir(exist_ok=True)
    return LocalStore(tmp_path / "landing")


def _read(landing: LocalStore) -> pl.DataFrame:
    parts = {o.name.rpartition("/")[2]: landing.read(o.name) for o in landing.list("2026-10/370/ssd/")}
    asked = Asked("ssd", Kind.CASELOAD, BARNSLEY, OCTOBER, KEY, RECEIVED, Limits())
    return read_form(Form.SSD, parts, asked).frame


def test_a_pull_is_read_as_an_extract(tmp_path: Path, database: Path) -> None:
    landing = _landing(tmp_path)
    pulled = pull(f"sqlite:///{database}", None, landing, BARNSLEY, OCTOBER)
    assert pulled.rows["ssd_involvements"] == 2
    frame = _read(landing)
    assert frame.height == 2
    assert frame["allocated_worker_ref"].null_count() == 1
    assert sorted(str(d) for d in frame["referral_date"]) == ["2024-03-01", "2026-10-05"]


def test_no_personal_column_leaves_the_database(tmp_path: Path, database: Path, sent: list[str]) -> None:
    landing = _landing(tmp_path)
    pull(f"sqlite:///{database}", None, landing, BARNSLEY, OCTOBER)
    assert not any("pers_surname" in s and s.upper().startswith("SELECT") for s in sent)
    for found in landing.list():
        content = landing.read(found.name)
        assert MARKER.encode() not in content
        assert "pers_surname" not in pl.read_parquet(io.BytesIO(content)).columns


def test_only_reading_statements_are_sent(database: Path, sent: list[str]) -> None:
    read_database(f"sqlite:///{database}", None)
    assert len(sent) > len(TABLES)
    assert {re.match(r"\w+", s.strip())[0].upper() for s in sent} <= {"SELECT", "PRAGMA"}  # type: ignore[index]
    of_tables = [s for s in sent if s.startswith("SELECT") and "ssd_" in s and "sqlite_master" not in s]
    assert not any("*" in s for s in of_tables)


def test_the_database_itself_refuses_to_be_written(database: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{database}")
    refused: list[str] = []

    def write(connection: sa.Connection, *_: object) -> None:
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            connection.exec_driver_sql("DELETE FROM ssd_involvements")
        refused.append("yes")

    def after(*given: object) -> None:
        if "query_only" in str(given[2]) and not refused:
            write(given[0])  # type: ignore[arg-type]

    event.listen(Engine, "after_cursor_execute", after)
    try:
        read_database(f"sqlite:///{database}", None)
    finally:
        event.remove(Engine, "after_cursor_execute", after)
    assert refused
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM ssd_involvements").scalar() == 2
    engine.dispose()


def test_pulling_again_changes_nothing_until_the_rows_do(tmp_path: Path, database: Path) -> None:
    landing = _landing(tmp_path)
    url = f"sqlite:///{database}"
    assert not pull(url, None, landing, BARNSLEY, OCTOBER).unchanged
    before = {o.name: o.modified for o in landing.list()}
    assert pull(url, None, landing, BARNSLEY, OCTOBER).unchanged
    assert {o.name: o.modified for o in landing.list()} == before
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE ssd_involvements SET invo_professional_id = 'W9' WHERE invo_referral_id = 'R1'")
        connection.commit()
    assert not pull(url, None, landing, BARNSLEY, OCTOBER).unchanged
    changed = {o.name for o in landing.list() if before[o.name] != o.modified}
    assert changed == {"2026-10/370/ssd/ssd_involvements.parquet"}


def test_what_a_database_lacks_is_named(tmp_path: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE ssd_cp_reviews")
        connection.execute("ALTER TABLE ssd_cla_visits DROP COLUMN clav_cla_visit_date")
        connection.commit()
    pulled = pull(f"sqlite:///{database}", None, _landing(tmp_path), BARNSLEY, OCTOBER)
    assert pulled.missing == {
        "ssd_cp_reviews": "is not in the database",
        "ssd_cla_visits": "has no column clav_cla_visit_date",
    }
    assert "ssd_cp_reviews: not taken" in pulled.to_text()


def test_faults_of_the_connection_are_sentences_without_it(tmp_path: Path) -> None:
    landing = _landing(tmp_path)
    for url in (
        "no url",
        "nothing://user:secret@host/db",
        "mssql+pyodbc://user:secret@host/db",
        f"sqlite:///{tmp_path}/secret/missing.db",
    ):
        with pytest.raises(SettingsError) as refused:
            pull(url, None, landing, BARNSLEY, OCTOBER)
        assert "secret" not in str(refused.value)
    with pytest.raises(UnreadableExtract, match="ssd_cin_episodes"):
        pull(f"sqlite:///{tmp_path}/empty.db", None, landing, BARNSLEY, OCTOBER)
    assert list(landing.list()) == []
