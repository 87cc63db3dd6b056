"""Another pseudonym key: no old pseudonym is left, no count moves, and a run with the wrong key says so."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from features.councils import Register, read_register
from features.errors import SettingsError
from features.months import Month, month_range
from flows.extracts.reading.table import Limits
from flows.extracts.rotate_key import KEY_NAME, Rotated, require_key, rotate
from flows.month import inputs
from flows.sample_region import sample_extracts
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import begin
from flows.store.editions import History

OLD, NEW = b"the key that was used from the start on", b"the key that is used from now on, for good"
LAST, NOW = Month(2026, 10), datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
REFERENCES = ("worker_ref", "allocated_worker_ref", "case_ref")


def settings(folder: Path, key: bytes) -> Settings:
    return Settings(landing=str(folder / "landing"), store=str(folder / "store"), pseudonym_key=SecretStr(key.decode()))


def take_in(folder: Path, key: bytes) -> list[str]:
    """What a run does before it measures; the names of the months that had something new."""
    context = begin(settings(folder, key), LAST, now=NOW, as_of=None)
    due = inputs.due_now(context)
    for one in due:
        reads = [r for files in one.by_council() for r in inputs.reader(context)(files)]
        inputs.check_months_of(context, [one], [reads], reports=False)
    return [str(d.month) for d in due]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two councils and three months, taken in with the old key."""
    folder = tmp_path_factory.mktemp("rotation")
    sample_extracts(folder / "landing", 2, 3, 7, LAST)
    assert take_in(folder, OLD) == ["2026-08", "2026-09", "2026-10"]
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="module")
def after(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rotated]:
    """The same rotated, for tests that only look at it, and what was said of it."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("rotated") / "copy"))
    return folder, rotated(folder)


def parts(folder: Path) -> tuple[LocalStore, LocalStore, Register]:
    register = read_register((folder / "landing/register.csv").read_text(encoding="utf-8"), "register.csv")
    return LocalStore(folder / "landing"), LocalStore(folder / "store"), register


def rotated(folder: Path, old: bytes = OLD, new: bytes = NEW) -> Rotated:
    landing, store, register = parts(folder)
    return rotate(
        landing,
        store,
        register,
        old=old,
        new=new,
        at=NOW,
        by="lead",
        reason="a leaver knew it",
        limits=Limits(),
        say=lambda _: None,
    )


def held(folder: Path, columns: Sequence[str] = REFERENCES) -> set[object]:
    """Every pseudonym in every table of the store, what is kept of received files included."""
    found: set[object] = set()
    for path in (folder / "store").rglob("*.parquet"):
        frame = pl.read_parquet(io.BytesIO(path.read_bytes()))
        for column in columns:
            if column in frame.columns:
                found |= set(frame[column].drop_nulls().to_list())
    return found


def counts(folder: Path) -> dict[str, bytes | None]:
    history = History(LocalStore(folder / "store"))
    every = [m for month in month_range(Month(2026, 8), Month(2026, 10)) for m in history.editions(month)]
    return {
        f"{m.month}/{m.edition:04d}/{t}": history.content(m, t)
        for m in every
        for t in history.listed(m)
        if "counts" in t
        for m in every
        for t in history.listed(m)
        if "counts" in t
    }


def send_again(folder: Path) -> None:
    """One worker of September is left out and three leavers' FTE are set to 0, as the census has them."""
    file = folder / "landing/2026-09/Z01/workforce.csv"
    frame = pl.read_csv(file, infer_schema=False)
    again = frame.slice(1).with_columns(
        pl.when(pl.col("role_end_date").is_not_null()).then(pl.lit("0")).otherwise(pl.col("fte")).alias("fte")
    )
    corrected = file.with_name("workforce.corrected.csv")
    again.write_csv(corrected)
    moment = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
    os.utime(corrected, (moment, moment))


def test_no_old_pseudonym_is_left_and_no_count_has_moved(made: Path, after: tuple[Path, Rotated]) -> None:
    folder, done = after
    before, now = held(made), held(folder)
    assert before.isdisjoint(now)
    assert len(now) == len(before)
    assert done.without_successor == 0
    assert counts(folder) == counts(made)


def test_codes_of_teams_are_replaced_and_names_of_teams_that_stood_in_clear_become_codes(folder: Path) -> None:
    before = held(folder, ["team"])
    kept = next((folder / "store/received/2026-10").rglob("workforce-*.rows.parquet"))
    frame = pl.read_parquet(kept)
    of_010 = frame.with_columns(pl.when(pl.col("team").is_not_null()).then(pl.lit("Jane Smith's team")).alias("team"))
    of_010.write_parquet(kept)
    rotated(folder)
    after = held(folder, ["team"])
    assert before and before.isdisjoint(after) and all(len(str(code)) == 8 for code in after)
    codes = pl.read_parquet(kept).drop_nulls("team").group_by("la_code").agg(pl.col("team").n_unique())
    assert codes["team"].unique().to_list() == [1], "one name, one code in each council"


def test_what_is_kept_of_received_files_is_as_if_it_had_come_with_the_new_key(
    after: tuple[Path, Rotated], tmp_path: Path
) -> None:
    folder, _ = after
    afresh = tmp_path / "afresh"
    shutil.copytree(folder / "landing", afresh / "landing")
    take_in(afresh, NEW)
    tables = {
        place: {p.relative_to(place).as_posix(): p.read_bytes() for p in (place / "store/received").rglob("*.parquet")}
        for place in (folder, afresh)
    }
    assert tables[folder] and tables[folder] == tables[afresh]


def test_a_file_sent_again_after_a_rotation_is_counted_as_without_one(
    folder: Path, after: tuple[Path, Rotated], tmp_path: Path
) -> None:
    other, folder = folder, Path(shutil.copytree(after[0], tmp_path / "rotated"))
    for place, key in ((folder, NEW), (other, OLD)):
        send_again(place)
        assert take_in(place, key) == ["2026-09", "2026-10"]
    assert counts(folder) == counts(other)
    assert any(name.startswith("2026-10/0002/") for name in counts(folder))
    assert held(folder).isdisjoint(held(other))


def test_a_rotation_that_was_cut_off_is_finished_by_the_same_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, counted = held(folder), counts(folder)
    replace, written = LocalStore.replace, []

    def dies(store: LocalStore, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        if name.endswith(".parquet"):
            written.append(name)
            if len(written) > 5:
                raise KeyboardInterrupt
        replace(store, name, content, content_type=content_type)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            rotated(folder)
    for key in (OLD, NEW):
        with pytest.raises(SettingsError, match="begun and did not end"):
            take_in(folder, key)
    with pytest.raises(SettingsError, match="another new key"):
        rotated(folder, new=b"yet another key that nobody has thought of")
    rotated(folder)
    assert before.isdisjoint(held(folder))
    assert counts(folder) == counted
    assert take_in(folder, NEW) == []


def test_a_pseudonym_whose_file_is_gone_matches_nothing_and_its_council_has_no_state(folder: Path) -> None:
    before = held(folder)
    shutil.rmtree(folder / "landing/2026-08/Z01")
    shutil.rmtree(folder / "landing/2026-09/Z01")
    shutil.rmtree(folder / "landing/2026-10/Z01")
    done = rotated(folder)
    assert before.isdisjoint(held(folder))
    assert done.months_without == ("2026-08", "2026-09", "2026-10")
    state = pl.read_parquet(folder / "store/months/2026-10/0001/state-workforce.parquet")
    assert state["la_code"].unique().to_list() == ["Z02"]
    assert "a month of the window is missing" in done.to_text()


def test_a_run_with_another_key_ends_with_a_sentence(folder: Path) -> None:
    with pytest.raises(SettingsError, match="not the one this store was made with"):
        take_in(folder, NEW)
    with pytest.raises(SettingsError, match="nothing was changed"):
        rotated(folder, old=b"a key that was never used for this store")
    with pytest.raises(SettingsError, match="is the old one"):
        rotated(folder, new=OLD)
    assert take_in(folder, OLD) == []


def test_what_is_written_down_tells_nothing_of_a_key(after: tuple[Path, Rotated]) -> None:
    store = LocalStore(after[0] / "store")
    written = [store.read(o.name) for o in store.list("pseudonyms/")]
    assert len(written) == 2
    assert not any(key[:8] in content for key in (OLD, NEW) for content in written)
    assert list(json.loads(store.read(KEY_NAME))) == ["key", "object_name", "object_sha256"]
    require_key(store, NEW)
