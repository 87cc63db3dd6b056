"""A scene in which councils are scored: a year of figures, a month before that was decided and told, and a new month.

In the new month one council gets worse, one sends no workforce file, and two have nothing new to hear of.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import polars as pl

from expectations.fates import Fate
from features.councils import write_register
from features.counting.records import RECEIVED, count
from features.months import Month, nth_working_day
from features.registry import Kind
from flows.extracts.rotate_key import KEY_NAME, fingerprint_of
from flows.sample_region import MonthFrames, as_canonical, generate, region, write_month
from flows.store import Store
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest
from flows.store.reading import sealed
from tests.simulation.month import KEY, MONTH, MemoryLanding, Scene, run_month, scene_of
from tests.simulation.world import Seat, World

COUNCILS, MONTHS, SEED = 4, 16, 1
_BEFORE = MONTH.plus(-1)
_LEFT_OUT = f"{MONTH}/Z02/workforce"
_KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)


def scored_scene() -> Scene:
    """The scene, from the beginning of the new month on. To be called within `simulated`."""
    made = region(COUNCILS, MONTHS, SEED, MONTH)
    world = World()
    seat = Seat(world, (), lambda: None, lambda: None)
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder)
        (landing / "register.csv").write_text(write_register(made.register.councils), encoding="utf-8")
        seat.create(KEY_NAME, sealed(KEY_NAME, {"key": fingerprint_of(KEY)}))
        states: dict[Kind, pl.DataFrame | None] = {}
        for frames in generate(made):
            if frames.month >= _BEFORE:
                write_month(landing, made, frames)
            else:
                _counted(History(cast(Store, seat)), frames, states)
        files = {
            p.relative_to(landing).as_posix(): (p.read_bytes(), datetime.fromtimestamp(p.stat().st_mtime, UTC))
            for p in landing.rglob("*")
            if p.is_file() and _LEFT_OUT not in p.as_posix()
        }
    here = scene_of(MemoryLanding(files))
    early = {n: file for n, file in files.items() if not n.startswith(f"{MONTH}/")}
    last_month = replace(here, landing=MemoryLanding(early), month=_BEFORE, cutoff=date(2026, 10, 20))
    ended, _ = run_month(last_month, world, (), "early")
    assert ended == "done", ended
    assert world.mailed, "the month before had nothing to tell"
    return replace(here, base={name: content for name, (content, _) in world.objects.items()})


def _counted(history: History, frames: MonthFrames, states: dict[Kind, pl.DataFrame | None]) -> None:
    """A month of which only the figures are kept, as a run would have counted them."""
    known = nth_working_day(frames.month.plus(1), 3)
    tables: dict[str, pl.DataFrame] = {}
    records: list[ExtractRecord] = []
    for kind in _KINDS:
        rows = as_canonical(frames.frames[kind], kind)
        codes = rows["la_code"].unique().sort().to_list()
        received = pl.DataFrame([(c, known, "0" * 64) for c in codes], schema=RECEIVED, orient="row")
        counted = count(kind, rows, frames.month, states.get(kind), received)
        states[kind] = counted.state
        tables[f"counts-{kind}"] = counted.counts
        records += [
            ExtractRecord(c, kind, Fate.ACCEPTED, due=known, received=known, first_received=known, sha256="0" * 64)
            for c in codes
        ]
    history.write(Manifest(Month.parse(str(frames.month)), 1, "counted", known, tuple(records), {}), tables)
