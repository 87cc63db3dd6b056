"""Reads the needed columns of a council's SSD database and writes them as Parquet tables to the landing folder.

A run never reads a database, because nobody could look at its input again. A pull writes the database's state on that
day into the landing folder, like a file that somebody sent, without the columns of personal data.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from features.councils import Council
from features.errors import SettingsError, UnreadableExtract
from features.months import Month
from flows.extracts.formats.ssd.tables import EPISODES, TABLES, SsdTable
from flows.store import ObjectMissing, Store

_ROWS_AT_ONCE = 20_000

#: How to tell a dialect that nothing may be written; the others rely on the account (SQL Server: a login with
#: `db_datareader` alone).
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull wrote."""

    folder: str
    rows: dict[str, int]
    """Table -> rows."""
    missing: dict[str, str]
    """Table -> why it was left out."""
    unchanged: bool
    """The landing folder already held exactly this."""

    def to_text(self) -> str:
        """One line for each table."""
        lines = [f"  {name}: {rows:,} rows" for name, rows in self.rows.items()]
        lines += [f"  {name}: not taken, it {why}" for name, why in self.missing.items()]
        head = f"{self.folder} already holds exactly these tables." if self.unchanged else f"Written to {self.folder}:"
        return "\n".join([head, *lines])


def pull(url: str, schema: str | None, landing: Store, council: Council, month: Month) -> Pulled:
    """Read the tables in one read-only transaction and put them into `<month>/<council>/ssd/` of the landing.

    Nothing is written before everything has been read, and nothing at all if the landing folder already holds the same.
    Raises SettingsError if the database cannot be reached or read, UnreadableExtract if it has no episodes; neither
    repeats the connection or a value.
    """
    tables, missing = read_database(url, schema)
    if EPISODES not in tables:
        raise UnreadableExtract(
            f"{council.name} ({council.la_code}): the database's table {EPISODES} {missing[EPISODES]}, and without it "
            "there are no cases. Check ssd.schema_name, and that the account may read the table."
        )
    folder = f"{month}/{council.folder}/ssd"
    content = {f"{folder}/{name}.parquet": _parquet(frame) for name, frame in tables.items()}
    there = {o.name for o in landing.list(f"{folder}/")}
    unchanged = there == set(content) and all(_same(landing, name, part) for name, part in content.items())
    if not unchanged:
        for name, part in sorted(content.items()):
            if not _same(landing, name, part):
                landing.replace(name, part)
        for name in sorted(there - set(content)):
            landing.delete(name)
    return Pulled(f"{landing.url}/{folder}", {n: f.height for n, f in tables.items()}, missing, unchanged)


def read_database(url: str, schema: str | None) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    """Table -> its needed columns as text, rows in a fixed order; and tables left out, with the reason."""
    try:
        address = sa.make_url(url)
        if address.get_dialect().is_async:
            return asyncio.run(_read_async(address, schema))
        engine = sa.create_engine(address, poolclass=sa.NullPool)
        with engine.connect().execution_options(**_options(address)) as connection:
            return _read_all(connection, schema)
    except ArgumentError:
        raise SettingsError("ssd.url is no database URL. Write it as SQLAlchemy does: postgresql://…") from None
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SettingsError(
            f"The database driver that ssd.url names is not installed ({error}). Install it beside Holdfast: pyodbc "
            "for SQL Server, psycopg for PostgreSQL."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise SettingsError(
            f"The SSD database could not be read ({type(error).__name__}). Check ssd.url, ssd.schema_name, and that "
            "the account may SELECT from the tables."
        ) from None


async def _read_async(address: URL, schema: str | None) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    engine = create_async_engine(address, poolclass=sa.NullPool)
    async with engine.connect() as plain:
        connection = await plain.execution_options(**_options(address))
        return await connection.run_sync(_read_all, schema)


def _options(address: URL) -> dict[str, object]:
    """All tables from one state of the database, and no writing, if the dialect can guarantee it."""
    if address.get_backend_name() == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {}


def _read_all(connection: Connection, schema: str | None) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    if statement := _READ_ONLY.get(connection.dialect.name):
        connection.execute(sa.text(statement))
    inspector = sa.inspect(connection)
    tables: dict[str, pl.DataFrame] = {}
    missing: dict[str, str] = {}
    for table in TABLES:
        if not inspector.has_table(table.name, schema=schema):
            missing[table.name] = "is not in the database"
            continue
        there = {c["name"].lower(): c["name"] for c in inspector.get_columns(table.name, schema=schema)}
        absent = [c for c in (*table.keys, *table.dates) if c not in there]
        if absent:
            missing[table.name] = f"has no column {', '.join(absent)}"
            continue
        tables[table.name] = _read(connection, table, schema, [(c, there[c]) for c in table.columns if c in there])
    connection.rollback()
    return tables, missing


def _read(
    connection: Connection, table: SsdTable, schema: str | None, columns: Sequence[tuple[str, str]]
) -> pl.DataFrame:
    """One SELECT of the named columns."""
    source = sa.table(table.name, *(sa.column(actual) for _, actual in columns), schema=schema)
    statement = sa.select(*(source.c[actual].label(name) for name, actual in columns))
    types = dict.fromkeys([name for name, _ in columns], pl.String())
    parts = [pl.DataFrame(schema=types)]
    result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(statement)
    for rows in result.partitions():
        parts.append(pl.DataFrame([tuple(map(_text, row)) for row in rows], schema=types, orient="row"))
    return pl.concat(parts).sort(pl.all())


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float | Decimal):
        return format(Decimal(str(value)), "f")
    return str(value)


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", statistics=False)
    return out.getvalue()


def _same(landing: Store, name: str, content: bytes) -> bool:
    try:
        return landing.read(name) == content
    except ObjectMissing:
        return False
