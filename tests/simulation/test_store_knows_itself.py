"""Whatever is lost, altered or changes places in a store after two months, the doctor names it, or it is harmless.

And a run in such a store says nothing false: it puts right what it can, or it stops and says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.months import Month
from flows.alerts.answers import Goal, Reply, record_answer, record_goal
from flows.orchestration.doctor import examine
from flows.settings.answer_form import AnswerKind
from flows.store import Store
from tests.simulation.month import MONTH, Scene, Truth, run_month, undisturbed
from tests.simulation.remember import simulated
from tests.simulation.scored import scored_scene
from tests.simulation.world import START, Seat, World

#: What may go without a word: claims of runs that have ended, the probe of a store, and lists and copies that the next
#: run makes anew from what is there.
HARMLESS = re.compile(r"claims/.+|probe/.+|runs/[^/]+/(kept|alerts)\.json")


@pytest.fixture(scope="module")
def here() -> Iterator[Scene]:
    with simulated():
        made = scored_scene()
        world = made.world()
        seat = cast(Store, Seat(world, (), lambda: None, lambda: None))
        said = {"by": "the director", "on": date(2026, 10, 21)}
        record_answer(seat, Reply(folder="Z03", month=MONTH.plus(-1), kind=AnswerKind.KNOWN, words="Yes.", **said))
        goal = {"measure": "caseload_fte", "level": 15.0, "by_month": Month(2027, 6), "set_by": "the director"}
        record_goal(seat, Goal(folder="Z01", on=date(2026, 10, 21), month=MONTH.plus(-1), **goal), MONTH.plus(-1))
        yield Scene(**{**vars(made), "base": {n: c for n, (c, _) in world.objects.items()}})


@pytest.fixture(scope="module")
def truth(here: Scene) -> Truth:
    return undisturbed(here)


def _harmed(objects: Mapping[str, bytes], data: st.DataObject) -> dict[str, bytes]:
    """The store after one accident."""
    harmed = dict(objects)
    folders = sorted({n.rpartition("/")[0] for n in objects} | {n.partition("/")[0] for n in objects})
    how = data.draw(st.sampled_from(["gone", "cut off", "flipped", "swapped", "folder gone"]))
    if how == "folder gone":
        folder = data.draw(st.sampled_from(folders))
        return {n: c for n, c in objects.items() if not n.startswith(f"{folder}/")}
    name = data.draw(st.sampled_from(sorted(objects)))
    content = objects[name]
    where = data.draw(st.integers(0, max(len(content) - 1, 0)))
    if how == "gone":
        del harmed[name]
    elif how == "cut off":
        harmed[name] = content[:where]
    elif how == "flipped" and content:
        harmed[name] = (
            content[:where] + bytes([content[where] ^ 1 << data.draw(st.integers(0, 7))]) + content[where + 1 :]
        )
    else:
        like = [n for n in sorted(objects) if n.partition("/")[0] == name.partition("/")[0]]
        other = data.draw(st.sampled_from(like))
        harmed[name], harmed[other] = objects[other], content
    return harmed


def _named(name: str, found: set[str]) -> bool:
    """Whether a finding is about the object, its edition or its month."""
    return any(name == f or (f.endswith("/") and name.startswith(f)) for f in found) or (
        name.startswith("months/") and any(f.rpartition("/")[0] == name.rpartition("/")[0] for f in found)
    )


def _same(now: bytes | None, before: bytes) -> bool:
    """Whether an object says the same: white space in JSON says nothing, nor does the name of the object's hash."""
    if now == before or now is None:
        return now == before
    try:
        one, other = json.loads(now), json.loads(before)
        seal = other.get("object_sha256")
        one, other = ({k: v for k, v in said.items() if v != seal} for said in (one, other))
        return bool(one == other)
    except (ValueError, AttributeError):
        return False


def accident(here: Scene, truth: Truth, data: st.DataObject) -> None:
    harmed = _harmed(truth.objects, data)
    touched = {n for n, c in truth.objects.items() if not _same(harmed.get(n), c)}
    world = World({n: (c, START) for n, c in harmed.items()})
    health = examine(cast(Store, Seat(world, (), lambda: None, lambda: None)))
    found = {f.name for f in health.findings}
    missed = [n for n in touched if not HARMLESS.fullmatch(n) and not _named(n, found)]
    gone_runs = [n for n in missed if n.startswith("runs/") and f"{n.rpartition('/')[0]}/success.json" in found]
    assert not {*missed} - {*gone_runs}, f"{missed}: {health.to_text()}"
    assert all("`holdfast" in f.what or "estore" in f.what for f in health.findings), health.to_text()
    ended, _ = run_month(here, world, (), "after")
    for address, message_id, content in world.mailed:
        assert truth.inbox.get((address, message_id)) == content, f"{ended}: {address} got {message_id}: {missed}"


def test_a_store_in_order_has_no_findings(truth: Truth) -> None:
    world = World({n: (c, START) for n, c in truth.objects.items()})
    assert examine(cast(Store, Seat(world, (), lambda: None, lambda: None))).findings == ()


@given(data=st.data())
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
def test_whatever_happens_to_a_store_is_named_and_nothing_false_is_said(here: Any, truth: Any, data: Any) -> None:
    accident(here, truth, data)


def _alike(objects: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Every two objects of one kind: of one folder, whose file names differ in numbers and hashes alone."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for name in sorted(objects):
        first, last = name.partition("/")[0], name.rpartition("/")[2]
        kinds.setdefault((first, re.sub(r"[0-9a-f]{12,}|\d+", "*", last)), []).append(name)
    return [(one, other) for names in kinds.values() for one in names for other in names if one != other]


def _found(objects: Mapping[str, bytes]) -> set[str]:
    world = World({n: (c, START) for n, c in objects.items()})
    return {f.name for f in examine(cast(Store, Seat(world, (), lambda: None, lambda: None))).findings}


def _misplaced(objects: Mapping[str, bytes], one: str, other: str) -> str:
    """What is not named after an object was laid over another of its kind, and after both changed places."""
    for now in ({other: objects[one]}, {other: objects[one], one: objects[other]}):
        found = _found({**objects, **now})
        if missed := [n for n in now if not _same(now[n], objects[n]) and not _named(n, found)]:
            return f"{now.keys()}: {missed} of {found}"
    return ""


#: What says by itself whose it is. Pages, and tables by their hashes, are told by the lists of what runs wrote.
_OF_ITSELF = re.compile(r"(?!validation/).+\.json")


@pytest.mark.parametrize("every", [83, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])])
def test_an_object_in_the_place_of_another_of_its_kind_is_named(truth: Truth, every: int) -> None:
    pairs = _alike(truth.objects)
    assert {n.partition("/")[0] for pair in pairs for n in pair} >= {"alerts", "claims", "ledger", "months", "runs"}
    for pair in pairs[::every]:
        assert not (said := _misplaced(truth.objects, *pair)), said
    alone = {n: c for n, c in truth.objects.items() if not n.endswith("/kept.json")}
    for pair in [p for p in pairs if _OF_ITSELF.fullmatch(p[0]) and {*p} <= {*alone}][::every]:
        assert not (said := _misplaced(alone, *pair)), f"without the lists: {said}"


@pytest.mark.soak
@pytest.mark.timeout(7200)
@given(data=st.data())
@settings(max_examples=2000, deadline=None, suppress_health_check=[*HealthCheck])
def test_whatever_happens_to_a_store_is_named_two_thousand_times(here: Any, truth: Any, data: Any) -> None:
    accident(here, truth, data)
