import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from expectations.fates import Fate
from features.frames import counts_schema
from features.months import Month
from features.registry import Kind
from flows.store import AlreadyThere, Store, store_at
from flows.store.editions import ExtractRecord, History, Manifest

AUGUST = Month(2026, 8)
TABLE, SCHEMA = "counts-establishment", counts_schema(Kind.ESTABLISHMENT)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(str(tmp_path))


def edition(number: int, known_to: date) -> Manifest:
    extract = ExtractRecord(
        "Z01", Kind.ESTABLISHMENT, Fate.ACCEPTED, due=date(2026, 9, 7), received=known_to, sha256="ab" * 32, rows=1
    )
    return Manifest(AUGUST, number, f"print-{number}", known_to, (extract,), {"rows": 1.0})


def counts(vacancies: int, known: date) -> pl.DataFrame:
    row = {"la_code": "Z01", "month": AUGUST.last_day, "known_from": known, "extract_sha256": "ab" * 32}
    return pl.DataFrame([{**row, "vacancy_fte": vacancies}]).select(
        *[
            pl.col(n).cast(t) if n in (*row, "vacancy_fte") else pl.lit(None, dtype=t).alias(n)
            for n, t in counts_schema(Kind.ESTABLISHMENT).items()
        ]
    )


def test_a_restatement_received_later_is_not_read_by_an_earlier_cutoff(store: Store) -> None:
    history = History(store)
    first, second = edition(1, date(2026, 9, 3)), edition(2, date(2026, 11, 5))
    for manifest, vacancies in ((first, 1000), (second, 1450)):
        history.write(manifest, {TABLE: counts(vacancies, manifest.known_to)})

    assert history.as_of(AUGUST, date(2026, 9, 2)) is None
    assert history.as_of(AUGUST, date(2026, 11, 4)) == first
    latest = history.as_of(AUGUST, date(2026, 11, 5))
    assert latest == second
    assert history.tables([latest], TABLE, SCHEMA)["vacancy_fte"].to_list() == [1450]


def test_a_table_is_read_once_by_a_process_and_left_behind_on_the_way_to_another(store: Store) -> None:
    history, manifest = History(store), edition(1, date(2026, 9, 3))
    history.write(manifest, {TABLE: counts(1000, manifest.known_to)})
    read = history.tables([manifest], TABLE, SCHEMA)
    elsewhere = pickle.loads(pickle.dumps(history))
    store.delete(f"{manifest.prefix}{TABLE}.parquet")
    assert history.tables([manifest], TABLE, SCHEMA).equals(read)
    assert elsewhere.tables([manifest], TABLE, SCHEMA).is_empty()


def test_an_edition_survives_a_fresh_reader(store: Store) -> None:
    History(store).write(edition(1, date(2026, 9, 3)), {})
    assert History(store).editions(AUGUST) == [edition(1, date(2026, 9, 3))]


def test_writing_the_same_edition_again_changes_nothing(store: Store) -> None:
    for _ in range(2):
        History(store).write(edition(1, date(2026, 9, 3)), {})
    assert len(History(store).editions(AUGUST)) == 1


def test_an_edition_is_never_given_other_content(store: Store) -> None:
    History(store).write(edition(1, date(2026, 9, 3)), {})
    other = replace(edition(1, date(2026, 9, 3)), fingerprint="another")
    with pytest.raises(AlreadyThere):
        History(store).write(other, {})


def test_what_a_crash_left_without_a_manifest_is_written_over(store: Store) -> None:
    store.replace("months/2026-08/0001/counts-establishment.parquet", b"half")
    history = History(store)
    assert history.editions(AUGUST) == []
    history.write(edition(1, date(2026, 9, 3)), {TABLE: counts(1000, date(2026, 9, 3))})
    assert history.tables(history.editions(AUGUST), TABLE, SCHEMA).height == 1
