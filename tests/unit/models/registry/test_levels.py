"""A level is fed in any order and any portions, read as of a day, and alone reproduces what is served."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ModelError
from features.frameworks import FRAMEWORKS, ILACS_2026
from models.registry.levels import FedJudgement, at_known_level, fed_judgements, feed
from models.registry.shipped import shipped_model
from models.score import LevelKnown
from models.scorer import inputs
from tests.unit.models.registry.test_versions import Memory

MODEL = shipped_model()
CODES = sorted(MODEL.standing)[:40]
FROM = date(2026, 1, 10)


def _judged(number: int, below_good: bool = False) -> FedJudgement:
    return FedJudgement(FROM + timedelta(days=3 * number), CODES[number % len(CODES)], below_good)


def test_what_is_fed_is_served_and_said() -> None:
    store = Memory()
    moved, new = feed(store, MODEL, [_judged(i, True) for i in range(12)], date(2026, 3, 1), "an analyst")
    assert new == 12
    back = at_known_level(store, MODEL)
    assert back.level_known() == moved.level_known()
    assert back.estimator.level.mean > MODEL.estimator.level.mean
    known = back.level_known()
    assert known is not None and (known.judgements, known.to) == (306, _judged(11).published)


def test_the_model_file_of_a_level_alone_gives_what_is_served() -> None:
    store = Memory()
    moved, _ = feed(store, MODEL, [_judged(i, i % 2 == 0) for i in range(6)], date(2026, 3, 1), "an analyst")
    (name,) = [n for n in store.objects if n.endswith(".skops")]
    alone = skops.io.loads(store.objects[name], trusted=["models.learning.classifier.BelowGoodClassifier"])
    frame = pl.DataFrame({c: np.linspace(0.05, 3.0, 20) for c in MODEL.columns})
    x = inputs(frame, list(alone.feature_names_in_))
    assert np.array_equal(alone.predict_proba(x)[:, 2:].sum(axis=1), moved.outlook(frame).below_good)


@given(st.permutations(range(10)), st.integers(0, 10), st.lists(st.booleans(), min_size=10, max_size=10))
def test_portions_and_order_do_not_matter(order: list[int], cut: int, poor: list[bool]) -> None:
    judged = [_judged(i, poor[i]) for i in order]
    at_once, in_parts = Memory(), Memory()
    feed(at_once, MODEL, judged, date(2026, 3, 1), "x")
    feed(in_parts, MODEL, judged[:cut], date(2026, 2, 1), "x")
    feed(in_parts, MODEL, judged[cut:] + judged[:3], date(2026, 3, 1), "x")
    one, other = (at_known_level(s, MODEL).estimator.level for s in (at_once, in_parts))
    assert one == other


def test_fed_again_nothing_moves_and_nothing_is_written() -> None:
    store = Memory()
    feed(store, MODEL, [_judged(1)], date(2026, 3, 1), "x")
    before = dict(store.objects)
    moved, new = feed(store, MODEL, [_judged(1)], date(2026, 4, 1), "y")
    near = FedJudgement(_judged(1).published + timedelta(days=4), _judged(1).la_code, False)
    assert (new, feed(store, MODEL, [near], date(2026, 4, 1), "y")[1]) == (0, 0)
    assert store.objects == before and moved.level_known() == at_known_level(store, MODEL).level_known()


@pytest.mark.parametrize(("days", "code", "new"), [(31, 1, 0), (-31, 1, 0), (32, 1, 1), (-32, 1, 1), (31, 2, 1)])
def test_statements_within_a_month_are_of_one_inspection(days: int, code: int, new: int) -> None:
    store, first = Memory(), FedJudgement(date(2026, 6, 1), CODES[1], True)
    feed(store, MODEL, [first], date(2026, 8, 1), "x")
    other = FedJudgement(first.published + timedelta(days=days), CODES[code], True)
    assert feed(store, MODEL, [other], date(2026, 8, 2), "x")[1] == new


def test_what_came_on_the_last_day_that_the_model_was_taught_is_not_new() -> None:
    last = MODEL.estimator.level.to
    assert last is not None
    for days, new in ((0, 0), (1, 1)):
        judgement = FedJudgement(last + timedelta(days=days), CODES[0], True)
        assert feed(Memory(), MODEL, [judgement], date(2026, 8, 1), "x")[1] == new


@pytest.mark.parametrize(("published", "new"), [(date(2027, 5, 30), 1), (date(2027, 5, 31), 0)])
def test_an_unnamed_framework_is_that_of_the_usual_first_day(published: date, new: int) -> None:
    """Nobody has declared a framework for inspections begun after March 2027."""
    assert feed(Memory(), MODEL, [FedJudgement(published, CODES[0], True)], date(2027, 10, 1), "x")[1] == new


def test_a_level_is_named_by_its_day_and_number_and_says_what_was_fed() -> None:
    store = Memory()
    feed(store, MODEL, [_judged(1, True), replace(_judged(2), framework="ILACS")], date(2026, 3, 1), "an analyst")
    (name,) = [n for n in store.objects if n.endswith(".json")]
    assert name.endswith("/levels/2026-03-01-002.json")
    kept = json.loads(store.objects[name])
    assert kept["judgements"] == [["2026-01-13", CODES[1], True, ""], ["2026-01-16", CODES[2], False, "ILACS"]]
    store.objects["models/another/1/card.json"] = b"[]"
    assert fed_judgements(store) == {_judged(1, True), replace(_judged(2), framework="ILACS")}
    assert store.objects[name].startswith(b'{\n "format": 1,\n "written": "2026-03-01",\n "by": "an analyst",')
    assert at_known_level(store, MODEL, date(2026, 3, 1)) != MODEL, "from the day itself"
    assert at_known_level(store, MODEL, date(2026, 2, 28)) == MODEL
    for key, value in (("format", 2), ("skops", None), ("judgements", None)):
        spoilt = {k: v for k, v in {**kept, key: value}.items() if v is not None}
        store.objects[name] = json.dumps(spoilt).encode()
        with pytest.raises(ModelError, match="does not hold what it should"):
            at_known_level(store, MODEL)


def test_a_month_run_again_reads_the_level_of_its_own_day() -> None:
    store = Memory()
    feed(store, MODEL, [_judged(1, True)], date(2026, 3, 1), "x")
    early = at_known_level(store, MODEL, date(2026, 3, 31)).estimator.level
    feed(store, MODEL, [_judged(i, True) for i in range(2, 9)], date(2026, 4, 20), "x")
    assert at_known_level(store, MODEL, date(2026, 3, 31)).estimator.level == early
    assert at_known_level(store, MODEL, date(2026, 2, 1)) == MODEL
    assert at_known_level(store, MODEL).estimator.level.judgements == MODEL.estimator.level.judgements + 8


@pytest.mark.parametrize(
    "judgement",
    [
        FedJudgement(date(2025, 1, 1), CODES[0], True),
        FedJudgement(date(2026, 5, 1), "000", True),
        FedJudgement(date(2027, 9, 1), CODES[0], True),
        FedJudgement(date(2026, 5, 1), CODES[0], True, "SIF"),
        FedJudgement(date(2026, 5, 1), CODES[0], True, "never declared"),
    ],
)
def test_what_the_model_was_taught_what_it_does_not_know_and_what_nobody_declared_moves_nothing(
    judgement: FedJudgement,
) -> None:
    assert feed(Memory(), MODEL, [judgement], date(2027, 10, 1), "x")[1] == 0


@pytest.mark.parametrize(
    ("level_of", "judgements", "framework"), [("ILACS", 296, "ILACS"), ("Renewed 2027", 1, "Renewed 2027")]
)
def test_a_framework_continues_the_level_or_begins_its_own(
    level_of: str, judgements: int, framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = replace(ILACS_2026, name="Renewed 2027", first_started=date(2027, 4, 1), level_of=level_of)
    monkeypatch.setattr("features.frameworks.FRAMEWORKS", (*FRAMEWORKS, renewed))
    store = Memory()
    first = [FedJudgement(date(2027, 9, 1), CODES[0], True, "Renewed 2027"), FedJudgement(FROM, CODES[1], False)]
    _, new = feed(store, MODEL, first, date(2027, 10, 1), "x")
    back = at_known_level(store, MODEL)
    assert new == 2
    assert back.level_known() == LevelKnown(judgements, date(2027, 9, 1), framework)
    late = FedJudgement(date(2027, 9, 20), CODES[2], True, "ILACS 2026")
    moved, _ = feed(store, MODEL, [late], date(2027, 10, 2), "x")
    assert (moved.estimator.level == back.estimator.level) is (level_of != "ILACS"), "a late report of the old level"


def test_an_altered_level_is_refused() -> None:
    store = Memory()
    feed(store, MODEL, [_judged(1)], date(2026, 3, 1), "x")
    (name,) = [n for n in store.objects if n.endswith(".skops")]
    store.objects[name] += b" "
    with pytest.raises(ModelError, match="fingerprint differs"):
        at_known_level(store, MODEL)
