"""Worlds by the thousand, for processes of their own: each makes the scenes once and remembers what is pure."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import lru_cache

from tests.simulation.month import Scene, Truth, play, scene, undisturbed, wrong_in
from tests.simulation.remember import simulated
from tests.simulation.scored import scored_scene
from tests.simulation.world import Schedule, scheduled

SCENES = {"a new group": scene, "scored": scored_scene}
_FOR_GOOD = ExitStack()


@lru_cache
def _remember() -> None:
    _FOR_GOOD.enter_context(simulated())


@lru_cache
def _made(name: str) -> tuple[Scene, Truth]:
    _remember()
    here = SCENES[name]()
    return here, undisturbed(here)


def wrong_with(here: Scene, truth: Truth, schedule: Schedule) -> str:
    """What does not hold after a schedule, with the schedule; empty if all does."""
    world, ends = play(here, schedule)
    said = wrong_in(world, ends, truth)
    return "\n".join([str(schedule), f"ended: {ends}", *said]) if said else ""


def failing(here: Scene, truth: Truth, seeds: range) -> str:
    """The first seed in whose world something does not hold; empty if there is none."""
    for seed in seeds:
        if said := wrong_with(here, truth, scheduled(seed, truth.steps)):
            return f"seed {seed}\n{said}"
    return ""


def worlds(name: str, first: int, last: int) -> tuple[str, float]:
    """`failing` in a scene, and the processor time that the worlds took."""
    here, truth = _made(name)
    began = time.process_time()
    said = failing(here, truth, range(first, last))
    return (f"{name}, {said}" if said else ""), time.process_time() - began
