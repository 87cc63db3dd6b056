"""SSD tables pulled out of a real PostgreSQL, in its own schema and a read-only transaction."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from features.councils import Council
from features.months import Month
from flows.extracts.formats.ssd.sql import pull
from flows.extracts.formats.ssd.tables import TABLES
from flows.store import LocalStore

pytestmark = pytest.mark.integration

_BARNSLEY = Council("370", "Barnsley", Month(2015, 1))


@pytest.fixture(scope="module")
def postgres(program: Callable[[str, str], str]) -> Iterator[str]:
    """The address of an empty cluster of its own, as SQLAlchemy writes it."""
    tools = Path(program("pg_ctl", "postgresql")).resolve().parent
    # PostgreSQL does not run as root, and its folder must be its account's.
    account = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="holdfast-postgres-"))
    shutil.chown(folder, account)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(tool: str, *arguments: str) -> None:
        subprocess.run([tools / tool, *arguments], user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "-D", f"{folder}/data", "-U", "reader", "--auth=trust", "--no-sync", "--no-instructions")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            yield f"postgresql+asyncpg://reader@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_schema_of_a_postgres_database(tmp_path: Path, postgres: str, program: Callable[[str, str], str]) -> None:
    script = ["CREATE SCHEMA ssd_development"]
    for table in TABLES:
        columns = [f"{c} VARCHAR(48)" for c in (*table.keys, *table.codes)] + [f"{c} TIMESTAMP" for c in table.dates]
        script.append(f"CREATE TABLE ssd_development.{table.name} ({', '.join(columns)}, pers_surname TEXT)")
    script.append(
        "INSERT INTO ssd_development.ssd_cin_episodes "
        "VALUES ('R1', 'P1', 'N', '2026-10-05 09:30', NULL, 'Planted-Marker')"
    )
    script.append("INSERT INTO ssd_development.ssd_professionals VALUES ('W1', '0.8', 'Planted-Marker')")
    subprocess.run(
        [program("psql", "postgresql-client"), postgres.replace("+asyncpg", ""), "-q", "-v", "ON_ERROR_STOP=1"],
        input=";\n".join(script).encode(),
        check=True,
    )
    (tmp_path / "landing").mkdir()
    landing = LocalStore(tmp_path / "landing")
    readonly: list[object] = []

    def ask(*given: object) -> None:
        if "ssd_cin_episodes" in str(given[2]) and not readonly:
            readonly.append(given[0].exec_driver_sql("SHOW transaction_read_only").scalar())  # type: ignore[attr-defined]

    event.listen(Engine, "after_cursor_execute", ask)
    try:
        pulled = pull(postgres, "ssd_development", landing, _BARNSLEY, Month(2026, 10))
    finally:
        event.remove(Engine, "after_cursor_execute", ask)
    assert readonly == ["on"]
    assert pulled.rows["ssd_cin_episodes"] == 1
    assert pulled.missing == {}
    assert all(b"Planted-Marker" not in landing.read(o.name) for o in landing.list())
    assert pull(postgres, "ssd_development", landing, _BARNSLEY, Month(2026, 10)).unchanged
