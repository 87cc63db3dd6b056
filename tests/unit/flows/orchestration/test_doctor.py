"""The doctor on a small real store: nothing is missed, nothing is invented, and a copy of the store passes."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.months import Month
from flows.alerts.alert import Alert
from flows.alerts.together import keep_together
from flows.orchestration import doctor
from flows.orchestration.doctor import examine
from flows.orchestration.restore import mend
from flows.store import LocalStore
from flows.store.editions import History
from flows.store.kept import nothing_lost, watched

INPUT = Path(__file__).parents[3] / "input" / "store-0.1.0.tar.xz"
OCTOBER = Month(2026, 10)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """The store of 0.1.0 with one month of which the hashes are known."""
    place = tmp_path_factory.mktemp("doctor")
    with tarfile.open(INPUT) as archive:
        archive.extractall(place, filter="data")
    store = LocalStore(place / "store")
    history = History(store)
    (manifest,) = history.editions(OCTOBER)
    tables = {
        o.name.rpartition("/")[2].removesuffix(".parquet"): pl.read_parquet(store.read(o.name))
        for o in store.list(manifest.prefix)
        if o.name.endswith(".parquet")
    }
    store.purge(list(store.everything(manifest.prefix)))
    History(store).write(manifest, tables)
    return store


def test_a_store_in_order_has_no_findings(whole: LocalStore) -> None:
    found = examine(whole)
    assert found.findings == ()
    assert found.headline.startswith("All is in order")
    assert examine(whole, OCTOBER).findings == ()


def test_a_copy_of_the_store_passes(whole: LocalStore, tmp_path: Path) -> None:
    """As documented: everything copied with its names, in whatever order, and looked at; also over what is damaged."""
    copy = LocalStore(tmp_path / "copy")
    for one in whole.list():
        copy.replace(one.name, whole.read(one.name))
    for name in [o.name for o in whole.list("months/")]:
        copy.delete(name) if name.endswith("manifest.json") else copy.replace(name, whole.read(name)[1:])
    assert examine(copy).findings
    shutil.copytree(whole.root, copy.root, dirs_exist_ok=True)
    copy.create("exports/2026-11-02T090000.json", b'{"by": "J. Marsh"}')
    assert examine(copy).findings == ()


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_is_found(whole: LocalStore, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([o.name for o in whole.list()]))
    how = data.draw(st.sampled_from(["empty", "cut off"]))
    content = whole.read(name)
    if how == "cut off" and name.endswith((".html", ".txt")):
        return
    whole.replace(name, b"" if how == "empty" else content[: len(content) // 2])
    try:
        found = examine(whole)
    finally:
        whole.replace(name, content)
    said = {f.name for f in found.findings}
    assert name in said or name.endswith("/message.eml") and how == "cut off", f"{name} {how}: {said}"
    assert all("`holdfast" in f.what or "estore" in f.what for f in found.findings), found.to_text()


@pytest.mark.parametrize("table", ["workforce.parquet", "manifest.json", "failures.parquet", "state-workforce.parquet"])
def test_a_flipped_bit_and_a_lost_table_are_found(whole: LocalStore, table: str) -> None:
    name = f"months/2026-10/0001/{table}"
    content = whole.read(name)
    for harm in (content[:40] + bytes([content[40] ^ 4]) + content[41:], None):
        whole.delete(name) if harm is None else whole.replace(name, harm)
        (finding,) = examine(whole, OCTOBER).findings
        assert finding.name == name and "holdfast run --month 2026-10" in finding.what and not finding.may_go
        whole.replace(name, content)


def test_an_alert_is_compared_with_the_hash_beside_its_copy(whole: LocalStore, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    name = "alerts/2026-10/Z01.json"
    alert = Alert.from_bytes(store.read(name))
    content = alert.to_bytes()
    assert content != store.read(name), "0.1.0 wrote the same alert in other bytes"
    keep_together(store, OCTOBER, [alert])
    assert examine(store, OCTOBER).findings == ()
    store.replace(name, content)
    keep_together(store, OCTOBER, [alert])
    assert examine(store, OCTOBER).findings == ()
    at = content.index(b'"2026-10"') + 2
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert Alert.from_bytes(flipped) != Alert.from_bytes(content), "it parses, and says something else"
    store.replace(name, flipped)
    (finding,) = examine(store, OCTOBER).findings
    assert finding.name == name and "its hash differs" in finding.what
    found = mend(store, examine(store, OCTOBER), OCTOBER)
    assert "restored from its copy in runs/2026-10/alerts.json" in found.to_text()
    assert store.read(name) == content and flipped in [store.read(o.name) for o in store.list("set-aside/2026-10/")]
    store.delete(name)
    (missing,) = examine(store, OCTOBER).findings
    assert missing.name == name and "is missing" in missing.what
    mend(store, examine(store))
    assert examine(store).findings == ()


@pytest.mark.parametrize("folder", ["ledger/2026-10", "answers", "goals", "alerts/2026-10", "validation/2026-10"])
def test_a_whole_folder_that_is_gone_is_found(whole: LocalStore, tmp_path: Path, folder: str) -> None:
    """As are objects that changed places, each whole in itself."""
    store = LocalStore(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    store.create("answers/2026-09/Z01/1.json", b"{}")
    store.create("goals/Z01/1.json", b"{}")
    store.replace("validation/2026-10/index.html", b"<p>one")
    seen = watched(store)
    with nothing_lost(seen, OCTOBER):
        for name in ("validation/2026-10/index.html", "validation/2026-10/summary.html"):
            seen.replace(name, name.encode())
    assert examine(store).findings == ()
    gone = {o.name for o in store.list(f"{folder}/")}
    shutil.rmtree(store.root / folder)
    if folder.startswith("validation"):
        store.replace("validation/2026-10/index.html", b"validation/2026-10/summary.html")
    found = examine(store)
    assert gone == {f.name for f in found.findings}
    assert gone and all("`holdfast" in f.what or "estore" in f.what for f in found.findings), found.to_text()


def test_a_month_whose_runs_are_gone_is_found(whole: LocalStore, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    shutil.rmtree(store.root / "runs/2026-09")
    (finding,) = examine(store).findings
    assert finding.name == "runs/2026-09/success.json" and "holdfast run --month 2026-09" in finding.what


def test_the_marker_of_another_month_or_another_object_in_its_place_is_found(whole: LocalStore) -> None:
    one, *others = (o.name for o in whole.list("runs/") if o.name.endswith("success.json"))
    for other in (others[0], one.replace("success", "alerts")):
        content = whole.read(one)
        whole.replace(one, whole.read(other) if whole.info(other) else b'{"alerts": {}}')
        assert one in {f.name for f in examine(whole).findings}
        whole.replace(one, content)


def test_a_lost_table_of_0_1_0_is_found_too(whole: LocalStore) -> None:
    name = "months/2026-09/0001/counts-caseload.parquet"
    content = whole.read(name)
    whole.delete(name)
    (finding,) = examine(whole).findings
    whole.replace(name, content)
    assert finding.name == name and "holdfast run --month 2026-09" in finding.what


def test_repair_lays_aside_what_may_go_and_nothing_else(whole: LocalStore, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    store.replace("alerts/2026-10/Z01.json", b"{")
    store.replace("months/2026-10/0001/workforce-0123456789ab.parquet", b"left by a run")
    store.replace("what/is/this", b"?")
    store.replace("ledger/2026-09/Z01/r1/not_scored/message.eml", b"")
    found = mend(store, examine(store))
    assert {f.name: bool(f.laid_aside) for f in found.findings} == {
        "alerts/2026-10/Z01.json": True,
        "ledger/2026-09/Z01/r1/not_scored/message.eml": False,
        "months/2026-10/0001/workforce-0123456789ab.parquet": True,
        "what/is/this": False,
    }
    assert store.read(next(f.laid_aside for f in found.findings if f.laid_aside)) in (b"{", b"left by a run")
    assert {f.name for f in examine(store).findings} == {
        "ledger/2026-09/Z01/r1/not_scored/message.eml",
        "what/is/this",
    }


def test_an_edition_whose_place_was_taken_is_laid_aside_whole(whole: LocalStore, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    history = History(store)
    (manifest,) = history.editions(OCTOBER)
    history.write(replace(manifest, edition=2), {})
    store.delete(f"{manifest.prefix}failures.parquet")
    (finding,) = mend(store, examine(store)).findings
    assert finding.laid_aside == "set-aside/2026-10/"
    assert examine(store).findings == ()
    assert [m.edition for m in History(store).editions(OCTOBER)] == [2]


def test_the_page_on_s3_names_every_folder_of_a_store() -> None:
    page = (Path(__file__).parents[4] / "docs" / "s3.md").read_text(encoding="utf-8")
    assert [f for f in (*doctor._KNOWN, doctor.SET_ASIDE) if f"{f}/" not in page] == []
