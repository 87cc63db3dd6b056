import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.fates import Fate
from features.errors import StoreError
from features.frames import counts_schema
from features.months import Month
from features.registry import Kind
from flows.store import AlreadyThere, DamagedObject, LocalStore, Store, store_at
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest, manifest_to_bytes

AUGUST = Month(2026, 8)
TABLE, SCHEMA = "counts-establishment", counts_schema(Kind.ESTABLISHMENT)
PACK = "counts.pack"


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


def test_a_count_that_an_edition_was_stored_without_is_null_and_any_other_column_is_missed(store: Store) -> None:
    history, whole = History(store), counts(1000, date(2026, 9, 3))
    before = history.write(edition(1, date(2026, 9, 3)), {TABLE: whole.drop("agency_fte")})
    read = History(store).table(before, TABLE, SCHEMA)
    assert read.schema == SCHEMA
    assert (read["vacancy_fte"].to_list(), read["agency_fte"].to_list()) == ([1000], [None])
    spoiled = history.write(edition(2, date(2026, 9, 4)), {TABLE: whole.drop("known_from")})
    with pytest.raises(DamagedObject, match="not of the shape"):
        History(store).table(spoiled, TABLE, SCHEMA)


def test_a_table_is_read_once_by_a_process_and_left_behind_on_the_way_to_another(store: Store) -> None:
    history, manifest = History(store), edition(1, date(2026, 9, 3))
    manifest = history.write(manifest, {"workforce": counts(1000, manifest.known_to)})
    read = history.tables([manifest], "workforce", SCHEMA)
    elsewhere = pickle.loads(pickle.dumps(history))
    store.delete(f"{manifest.prefix}workforce.parquet")
    assert history.tables([manifest], "workforce", SCHEMA).equals(read)
    with pytest.raises(DamagedObject):
        elsewhere.tables(elsewhere.editions(AUGUST), "workforce", SCHEMA)


def with_a_pack(store: Store, manifest: Manifest) -> Manifest:
    """The edition as it was written while its small tables were an object of their own."""
    tables = {n: replace(t, file=t.file.replace("manifest.json", PACK)) for n, t in (manifest.tables or {}).items()}
    store.create(manifest.prefix + PACK, manifest.pack)
    older = replace(manifest, tables=tables, pack=b"")
    store.replace(f"{manifest.prefix}manifest.json", manifest_to_bytes(older))
    return older


def test_small_tables_take_one_request_with_their_manifest_and_are_read_from_an_earlier_pack(store: Store) -> None:
    written = counts(1000, date(2026, 9, 3))
    manifest = History(store).write(edition(1, date(2026, 9, 3)), {TABLE: written})
    assert [o.name for o in store.list()] == [f"{manifest.prefix}manifest.json"]
    for _ in range(2):
        history = History(store)
        assert history.tables(history.editions(AUGUST), TABLE, SCHEMA).equals(written)
        if manifest.pack:
            manifest = with_a_pack(store, manifest)


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


def test_what_a_crash_left_without_a_manifest_does_no_harm(store: Store) -> None:
    store.replace(f"months/2026-08/0001/{PACK}", b"half")
    history = History(store)
    assert history.editions(AUGUST) == []
    history.write(edition(1, date(2026, 9, 3)), {TABLE: counts(1000, date(2026, 9, 3))})
    assert history.tables(history.editions(AUGUST), TABLE, SCHEMA).height == 1


def test_a_lost_answer_to_the_manifest_is_found_out(store: Store) -> None:
    """The manifest is written, its answer lost, the step tried again: what was remembered before it must not count."""
    history, manifest = History(LosesAnswers(store, "manifest.json")), edition(1, date(2026, 9, 3))
    assert history.as_of(AUGUST, date(2026, 9, 3)) is None
    with pytest.raises(StoreError, match="did not answer"):
        history.write(manifest, {TABLE: counts(1000, manifest.known_to)})
    history.write(manifest, {TABLE: counts(1000, manifest.known_to)})
    assert history.as_of(AUGUST, date(2026, 9, 3)) == manifest


def test_an_edition_is_seen_though_only_other_months_had_been_looked_at(store: Store) -> None:
    history, manifest = History(store), edition(1, date(2026, 9, 3))
    assert history.editions(AUGUST.plus(-1)) == []
    history.write(manifest, {})
    assert history.editions(AUGUST) == [manifest]


def test_a_run_that_dies_never_spoils_the_tables_of_one_that_lives(store: Store) -> None:
    """Both take the month in, and one of them dies between its tables and its manifest."""

    class Overtaken(LocalStore):
        def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
            if name.endswith("manifest.json"):
                with pytest.raises(StoreError, match="died"):
                    History(Dies(self.root)).write(manifest, {"workforce": counts(1450, manifest.known_to)})
            super().create(name, content, content_type=content_type)

    class Dies(LocalStore):
        def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
            if name.endswith("manifest.json"):
                raise StoreError("It died here.")
            super().create(name, content, content_type=content_type)

    assert isinstance(store, LocalStore)
    manifest = edition(1, date(2026, 9, 3))
    History(Overtaken(store.root)).write(manifest, {"workforce": counts(1000, manifest.known_to)})
    (kept,) = History(store).editions(AUGUST)
    assert History(store).table(kept, "workforce", SCHEMA)["vacancy_fte"].to_list() == [1000]


def test_what_another_run_wrote_meanwhile_is_seen(store: Store) -> None:
    history, manifest = History(store), edition(1, date(2026, 9, 3))
    assert history.as_of(AUGUST, date(2026, 9, 3)) is None
    History(store).write(manifest, {})
    history.write(manifest, {})
    assert history.as_of(AUGUST, date(2026, 9, 3)) == manifest


@pytest.mark.parametrize("harm", [None, b"", b"PAR1", b"{}"])
def test_a_table_that_is_not_what_was_written_is_named(store: Store, harm: bytes | None) -> None:
    manifest = History(store).write(
        edition(1, date(2026, 9, 3)), {TABLE: counts(1000, date(2026, 9, 3)), "workforce": counts(1, date(2026, 9, 3))}
    )
    manifest = with_a_pack(store, manifest)
    for name in (TABLE, "workforce"):
        file = manifest.prefix + (PACK if name == TABLE else f"{name}.parquet")
        content = store.read(file)
        store.delete(file) if harm is None else store.replace(file, harm)
        history = History(store)
        with pytest.raises(DamagedObject, match=f"{file}.*holdfast run --month 2026-08"):
            history.table(manifest, name, SCHEMA)
        assert file in history.fault(AUGUST, date(2026, 9, 3))
        store.replace(file, content)
        assert not History(store).fault(AUGUST, date(2026, 9, 3))


@given(st.sampled_from([TABLE, "workforce"]), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_never_reads_as_another_value(store: Store, table: str, data: st.DataObject) -> None:
    """Of a table in the pack of an earlier version, and of one that lies alone."""
    frame = counts(1000, date(2026, 9, 3))
    manifest = History(store).write(edition(1, date(2026, 9, 3)), {TABLE: frame, "workforce": frame})
    if manifest.pack and store.info(f"{manifest.prefix}{PACK}") is None:
        with_a_pack(store, manifest)
    (manifest,) = History(store).editions(AUGUST)
    file = f"{manifest.prefix}{PACK if table == TABLE else 'workforce.parquet'}"
    whole = store.read(file)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    store.replace(file, whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :])
    with pytest.raises(DamagedObject):
        History(store).table(manifest, table, SCHEMA)
    store.replace(file, whole)


def test_a_table_the_edition_never_had_has_no_rows(store: Store) -> None:
    manifest = History(store).write(edition(1, date(2026, 9, 3)), {})
    assert History(store).table(manifest, TABLE, SCHEMA).is_empty()


def test_a_bad_manifest_is_never_passed_over_for_an_older_edition(store: Store) -> None:
    history = History(store)
    for manifest in (edition(1, date(2026, 9, 3)), edition(2, date(2026, 11, 5))):
        history.write(manifest, {})
    store.replace("months/2026-08/0002/manifest.json", b'{"month": "2026-08"')
    history = History(store)
    with pytest.raises(DamagedObject, match="0002/manifest.json"):
        history.as_of(AUGUST, date(2026, 11, 5))
    assert history.standing(AUGUST, date(2026, 11, 5)) == edition(1, date(2026, 9, 3))
    history.write(edition(history.next_number(AUGUST), date(2026, 11, 5)), {})
    latest = history.as_of(AUGUST, date(2026, 11, 5))
    assert latest is not None and latest.edition == 3


def test_a_lost_manifest_leaves_its_number_free_only_at_the_top(store: Store) -> None:
    history = History(store)
    for manifest in (edition(1, date(2026, 9, 3)), edition(2, date(2026, 11, 5))):
        history.write(manifest, {"workforce": counts(1000, manifest.known_to)})
    store.delete("months/2026-08/0001/manifest.json")
    assert History(store).next_number(AUGUST) == 3
    store.delete("months/2026-08/0002/manifest.json")
    assert History(store).next_number(AUGUST) == 1
    with pytest.raises(StoreError, match="manifest.json is not"):
        History(store).as_of(AUGUST, date(2026, 11, 5))
    again = History(store).write(edition(1, date(2026, 11, 9)), {TABLE: counts(1450, date(2026, 11, 9))})
    assert History(store).tables([again], TABLE, SCHEMA)["vacancy_fte"].to_list() == [1450]


class LosesAnswers(LocalStore):
    """A folder whose answer to the first write of each object with this ending is lost after it took place."""

    def __init__(self, store: Store, ending: str) -> None:
        assert isinstance(store, LocalStore)
        super().__init__(store.root)
        self._ending = ending

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        super().create(name, content, content_type=content_type)
        if name.endswith(self._ending):
            self._ending = "no more"
            raise StoreError(f"The store did not answer when “{name}” was written.")
