"""Field cases, part A: what is wrong at one council is that council's, and the others end as if it were not there."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import StoreError
from flows.month import apart as apart_module
from flows.month.edition import TakenIn
from flows.store.editions import History
from tests.field.region import LAST, FieldRegion, Ran

HIT = "Z02"
KINDS = ("workforce", "caseload", "establishment")
NASTY = ("", " ", "#N/A", "1.23457E+11", "-1", "1e308", "nan", "31/02/2026", "\t", "Ω" * 300, "=1+1", "0.0.0", "x\ny")


#: What cannot be read, each at a council of its own; the fourth council's files are sound.
UNREADABLE = {"Z01": "", "Z02": "1.23457E+11", "Z03": "#N/A"}


@pytest.mark.parametrize(("kind", "column"), [("caseload", "case_ref"), ("workforce", "worker_ref")])
def test_one_key_that_cannot_be_read_costs_its_row_only(
    field_region: FieldRegion, undisturbed: Ran, tmp_path: Path, kind: str, column: str
) -> None:
    spoiled = field_region.copy(tmp_path / "region")
    for la_code, value in UNREADABLE.items():
        table = spoiled.table(la_code, kind)
        cells = table[column].to_list()
        spoiled.put(la_code, kind, table.with_columns(pl.Series(column, [value, *cells[1:]])))
    ran = spoiled.run()
    assert ran.faults == ()
    for la_code in UNREADABLE:
        assert set(ran.fate(la_code).values()) == {"accepted"}
        found = ran.taken.outcome.failures.filter(la_code=la_code, extract=kind, column=column)
        said = found.select(pl.col("row_numbers").list.first(), "effect").rows()
        assert (2, "the cells or rows are left out") in said
        counted, sound = counts(ran, la_code, kind), counts(undisturbed, la_code, kind)
        # One row fewer, and of each count at most that one.
        assert all(
            sound[name] - counted[name] in (0, 1) for name in ("open_cases", "inpost_headcount") if name in sound
        )
    untouched = {name for name in undisturbed.objects if name.startswith("Z04/")}
    assert {n: ran.objects[n] for n in untouched} == {n: undisturbed.objects[n] for n in untouched}


def counts(ran: Ran, la_code: str, kind: str) -> dict[str, int]:
    rows = pl.read_csv(ran.objects[f"{la_code}/{kind}"])
    return dict(zip(rows.columns, rows.row(0), strict=True))


def test_exchanged_reference_columns_end_nobodys_month(
    field_region: FieldRegion, undisturbed: Ran, tmp_path: Path
) -> None:
    spoiled = field_region.copy(tmp_path / "region")
    names = {"case_ref": "allocated_worker_ref", "allocated_worker_ref": "case_ref"}
    spoiled.put(HIT, "caseload", spoiled.table(HIT, "caseload").rename(names))
    ran = spoiled.run()
    assert ran.of_others(HIT) == undisturbed.of_others(HIT)
    assert ran.fate(HIT)["caseload"] == "quarantined"


def test_keys_that_cannot_be_read_weigh_as_empty_ones(field_region: FieldRegion, tmp_path: Path) -> None:
    spoiled = field_region.copy(tmp_path / "region")
    shares = {"Z02": 0.5, "Z03": 1.0}
    for la_code, share in shares.items():
        table = spoiled.table(la_code, "workforce")
        many = int(share * table.height)
        refs = ["1.23E+11"] * many + table["worker_ref"].to_list()[many:]
        spoiled.put(la_code, "workforce", table.with_columns(pl.Series("worker_ref", refs)))
    taken = spoiled.take_in()
    for la_code in shares:
        (record,) = [e for e in taken.manifest.of(la_code) if e.kind == "workforce"]
        assert record.outcome == "quarantined"
        assert "worker_ref" in (record.reason or "")


Spoil = Callable[[FieldRegion], None]


@st.composite
def spoils(draw: st.DrawFn) -> Spoil:
    """Something wrong with one file of the council: its cells, its columns, its rows or its bytes."""
    kind = draw(st.sampled_from(KINDS))
    what = draw(st.sampled_from(("cells", "exchange", "drop", "double", "cut", "bytes", "nothing")))
    seed = draw(st.integers(0, 10_000))
    values = draw(st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), min_size=1, max_size=4))
    share = draw(st.sampled_from((0.0, 0.01, 0.3, 1.0)))

    def spoil(region: FieldRegion) -> None:
        table = region.table(HIT, kind)
        names = table.columns
        one, two = names[seed % len(names)], names[(seed // 7) % len(names)]
        if what == "cells":
            many = max(1, int(share * table.height))
            cells = [values[i % len(values)] for i in range(many)] + table[one].to_list()[many:]
            region.put(HIT, kind, table.with_columns(pl.Series(one, cells, dtype=pl.String)))
        elif what == "exchange":
            region.put(HIT, kind, table.rename({one: two, two: one}) if one != two else table)
        elif what == "drop":
            region.put(HIT, kind, table.drop(one))
        elif what == "double":
            region.put(HIT, kind, pl.concat([table, table.head(seed % table.height + 1)]))
        else:
            content = region.file(HIT, kind).read_bytes()
            at = seed % len(content)
            middle = {"cut": b"", "bytes": bytes([seed % 256]) * 3, "nothing": b""}[what]
            rest = content[at:] if what == "bytes" else b""
            region.put(HIT, kind, b"" if what == "nothing" else content[:at] + middle + rest)

    return spoil


def _in_place(change: Callable[[Path], object]) -> Callable[[Path, Path], None]:
    """Something else in the place of the council's file."""

    def put(file: Path, _folder: Path) -> None:
        file.unlink()
        change(file)

    return put


def _folder_with(file: Path) -> None:
    file.mkdir()
    (file / "workforce.csv").write_bytes(b"a,b\n1,2\n")


def _folder_itself(change: Callable[[Path], object]) -> Callable[[Path, Path], None]:
    def put(_file: Path, folder: Path) -> None:
        shutil.rmtree(folder)
        change(folder)

    return put


#: What may lie in a landing folder instead of a file.
LYING: dict[str, Callable[[Path, Path], object]] = {
    "a link to nothing": _in_place(lambda f: f.symlink_to(f.with_name("gone.csv"))),
    "a link to itself": _in_place(lambda f: f.symlink_to(f)),
    "a link that leads out": _in_place(lambda f: f.symlink_to("/etc/hostname")),
    "a link to another council's file": _in_place(lambda f: f.symlink_to(f.parent.parent / "Z01" / f.name)),
    "a folder": _in_place(Path.mkdir),
    "a folder with a file": _in_place(_folder_with),
    "a pipe": _in_place(os.mkfifo),
    "an unreadable file": lambda file, folder: file.chmod(0),
    "an unreadable folder": lambda file, folder: folder.chmod(0),
    "a council that is a file": _folder_itself(lambda f: f.write_bytes(b"a,b\n1,2\n")),
    "a council that is a link to another": _folder_itself(lambda f: f.symlink_to(f.parent / "Z01")),
    "a council that is a pipe": _folder_itself(os.mkfifo),
    "a name that is not UTF-8": lambda file, folder: file.rename(folder / os.fsdecode(b"workforce.\xff.csv")),
    "a name with a line break": lambda file, folder: file.rename(folder / "workforce.a\nb.csv"),
    "a name in capitals": lambda file, folder: file.rename(folder / file.name.upper()),
}


def _another_shape(path: Path) -> bytes:
    if path.suffix == ".json":
        return b"[{}]"
    out = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(out)
    return out.getvalue()


DAMAGE: dict[str, Callable[[Path, int], object]] = {
    "flipped": lambda path, at: path.write_bytes(_flipped(path.read_bytes(), at)),
    "cut off": lambda path, at: path.write_bytes(path.read_bytes()[: at % path.stat().st_size]),
    "removed": lambda path, at: path.unlink(),
    "of another shape": lambda path, at: path.write_bytes(_another_shape(path)),
}


def _flipped(content: bytes, at: int) -> bytes:
    place = at % len(content)
    return content[:place] + bytes([content[place] ^ (1 << at % 8)]) + content[place + 1 :]


@st.composite
def damages(draw: st.DrawFn) -> Spoil:
    """Something odd in the council's landing folder, or one of its objects in the store damaged."""
    at = draw(st.integers(0, 100_000))
    if draw(st.booleans()):
        lying, kind = LYING[draw(st.sampled_from(sorted(LYING)))], draw(st.sampled_from(KINDS))
        return lambda region: lying(region.file(HIT, kind), region.landing / str(LAST) / HIT)
    damage, of = DAMAGE[draw(st.sampled_from(sorted(DAMAGE)))], draw(st.sampled_from(("received", "submissions")))

    def spoil(region: FieldRegion) -> None:
        for folder in (region.folder / "store" / of / str(month) for month in (LAST, LAST.plus(-1))):
            theirs = sorted(folder.iterdir())
            damage(theirs[at % len(theirs)], at)

    return spoil


def _holds(spoil: Spoil, base: FieldRegion, expected: Ran, folder: Path, *, ours: bool = False) -> None:
    """`ours`: whether a fault of ours may be named."""
    spoiled = base.copy(folder)
    spoil(spoiled)
    ran = spoiled.run()
    assert ran.of_others(HIT) == expected.of_others(HIT)
    assert all(f"({HIT})" in fault for fault in ran.faults)
    assert ours or ran.faults == (), "what a council sends is no fault of ours"


@pytest.fixture(scope="module")
def recorded(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> FieldRegion:
    """The last month was taken in by a run that died before it wrote the edition."""
    region = field_region.copy(tmp_path_factory.mktemp("recorded") / "region")
    region.take_in()
    shutil.rmtree(region.folder / "store" / "months" / str(LAST))
    return region


@settings(max_examples=2)
@given(damage=damages())
def test_whatever_lies_in_one_councils_folders_the_others_bytes_stay(
    recorded: FieldRegion, undisturbed: Ran, tmp_path_factory: pytest.TempPathFactory, damage: Spoil
) -> None:
    _holds(damage, recorded, undisturbed, tmp_path_factory.mktemp("damaged") / "region", ours=True)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=150)
@given(damage=damages())
def test_whatever_lies_in_one_councils_folders_the_others_bytes_stay_at_length(
    recorded: FieldRegion, undisturbed: Ran, tmp_path_factory: pytest.TempPathFactory, damage: Spoil
) -> None:
    _holds(damage, recorded, undisturbed, tmp_path_factory.mktemp("damaged") / "region", ours=True)


@pytest.mark.parametrize(
    "of", ["received", *(pytest.param(n, marks=pytest.mark.soak) for n in ("submissions", "months"))]
)
def test_a_folder_in_the_place_of_a_stored_object_is_named_and_never_read_as_missing(
    recorded: FieldRegion, undisturbed: Ran, tmp_path: Path, of: str
) -> None:
    objects = [p for p in sorted((recorded.folder / "store" / of).rglob("*")) if p.is_file()]
    for number, one in enumerate(objects[-4:] if of != "received" else objects[-1:]):
        spoiled = recorded.copy(tmp_path / str(number))
        path = spoiled.folder / one.relative_to(recorded.folder)
        path.unlink()
        _folder_with(path)
        try:
            assert spoiled.run().objects == undisturbed.objects
        except StoreError as fault:
            assert f"“{one.parent.relative_to(recorded.folder / 'store')}/" in str(fault)
            assert "is a folder" in str(fault) or "manifest was lost" in str(fault)


@settings(max_examples=2)
@given(spoil=spoils())
def test_whatever_one_council_sends_the_others_bytes_stay(
    field_region: FieldRegion, undisturbed: Ran, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil
) -> None:
    _holds(spoil, field_region, undisturbed, tmp_path_factory.mktemp("spoiled") / "region")


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=300)
@given(spoil=spoils())
def test_whatever_one_council_sends_the_others_bytes_stay_at_length(
    field_region: FieldRegion, undisturbed: Ran, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil
) -> None:
    _holds(spoil, field_region, undisturbed, tmp_path_factory.mktemp("spoiled") / "region")


def _in_frames(frame: pl.DataFrame, *_: Any, **__: Any) -> bool:
    return HIT in frame["la_code"]


FAULTS: tuple[tuple[str, str, Callable[..., bool], str], ...] = (
    ("features.counting.records.count_caseload", "counting", _in_frames, "checking"),
    ("flows.month.measure.compute_measures", "measuring", _in_frames, "measuring"),
    (
        "flows.month.score.score_month",
        "scoring",
        lambda model, features, about, *_: HIT in about["la_code"],
        "scoring",
    ),
    ("flows.alerts.council.decide", "deciding", lambda score, **_: score.la_code == HIT, "deciding"),
    ("flows.alerts.facts._facts", "facts", lambda code, *_: code == HIT, "deciding"),
)


@pytest.mark.parametrize(("where", "what", "concerns", "named"), FAULTS, ids=[f[1] for f in FAULTS])
def test_a_fault_of_ours_at_one_council_is_named_and_the_others_bytes_stay(
    field_region: FieldRegion,
    read_region: tuple[FieldRegion, TakenIn],
    undisturbed: Ran,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    what: str,
    concerns: Callable[..., bool],
    named: str,
) -> None:
    module, _, name = where.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)

    def breaks(*args: Any, **kwargs: Any) -> Any:
        if concerns(*args, **kwargs):
            raise ZeroDivisionError("a worker's secret")
        return real(*args, **kwargs)

    monkeypatch.setattr(where, breaks)
    # What breaks after the files were taken in goes on from there.
    region, taken = read_region if what != "counting" else (field_region, None)
    copy = region.copy(tmp_path / "region")
    ran = copy.decide(taken or copy.take_in())
    assert ran.of_others(HIT) == undisturbed.of_others(HIT)
    unscored = [p.alert.score.not_scored for p in ran.published if p.alert.la_code == HIT]
    fault, *others = ran.faults or [why or "" for why in unscored]
    assert all("through a fault of ours, so nothing is decided" in one for one in others)
    assert fault.startswith(f"Quarrenmere ({HIT}): {named} failed: a fault in Holdfast (ZeroDivisionError in ")
    assert "secret" not in fault
    if what == "counting":
        assert ran.taken.manifest.fingerprint.endswith("-incomplete"), "the next run tries it again"


def test_a_damaged_alert_of_one_council_is_its_named_fault(
    read_region: tuple[FieldRegion, TakenIn], undisturbed: Ran, tmp_path: Path
) -> None:
    read, taken = read_region
    damaged = read.copy(tmp_path / "region")
    alert = damaged.folder / "store" / "alerts" / "2026-09" / f"{HIT}.json"
    alert.parent.mkdir(parents=True, exist_ok=True)
    alert.write_bytes(b'{"la_code"')
    ran = damaged.decide(taken)
    assert ran.of_others(HIT) == undisturbed.of_others(HIT)
    (fault,) = ran.faults
    assert f"({HIT}): deciding failed: " in fault
    assert "alerts/2026-09/Z02.json" in fault


def test_the_councils_at_fault_are_found_by_halves() -> None:
    tried: list[Sequence[str]] = []

    def step(councils: Sequence[str]) -> str:
        tried.append(councils)
        if {"03", "17"} & set(councils):
            raise ValueError
        return "".join(councils)

    codes = [f"{n:02}" for n in range(20)]
    done = apart_module.run_by_council(codes, step)
    assert sorted(done.faults) == ["03", "17"]
    assert done.result == "".join(c for c in codes if c not in ("03", "17"))
    assert len(tried) < 24


def test_a_fault_at_every_council_is_no_councils_fault() -> None:
    def step(councils: Sequence[str]) -> None:
        raise ValueError

    with pytest.raises(ValueError):
        apart_module.run_by_council(["a", "b", "c"], step)


def test_the_month_is_the_regions_last(undisturbed: Ran) -> None:
    assert undisturbed.taken.manifest.month == LAST
    assert {p.alert.decision.band for p in undisturbed.published} != {"not_scored"}


def test_a_run_killed_before_its_edition_stands_has_told_already(field_region: FieldRegion, tmp_path: Path) -> None:
    """Whoever finds an edition finds its reports: they are written first, and written again if it is not there."""
    killed = field_region.copy(tmp_path / "region")

    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    with pytest.MonkeyPatch.context() as patch:

        def write(*_: Any) -> None:
            raise Killed

        patch.setattr(History, "write", write)
        with pytest.raises(Killed):
            killed.take_in()
    store, report = killed.context().store, f"validation/{LAST}/councils/{HIT}.html"
    assert store.info(report) is not None
    assert killed.context().history.editions(LAST) == []
    store.delete(report)
    killed.take_in()
    assert store.info(report) is not None
