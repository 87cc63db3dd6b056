"""The copies of a month's alerts: what has no copy of its own bytes is read from its object."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.alerts.letter.compose import Contact
from flows.alerts.publish import publish_alert
from flows.alerts.together import MonthAlerts, keep_together, recorded_copy, recorded_hashes
from flows.store.local import LocalStore
from flows.store.reading import digest
from tests.unit.flows.alerts.examples import MONTH, alert, score

PLACE = f"alerts/{MONTH}/991"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def test_the_latest_revision_is_read_with_and_without_its_copy(store: LocalStore) -> None:
    first = alert(score(0.8))
    second = first.model_copy(update={"revision": 2})
    for name, one in ((f"{PLACE}.json", first), (f"{PLACE}.r2.json", second)):
        store.create(name, one.to_bytes(), content_type="application/json")
    assert MonthAlerts(store, MONTH).folders == ["991"]
    assert MonthAlerts(store, MONTH).latest("991") == second
    assert MonthAlerts(store, MONTH).latest("992") is None
    keep_together(store, MONTH, [second])
    (name,) = recorded_hashes(store, MONTH)
    assert recorded_hashes(store, MONTH)[name] == digest(second.to_bytes())
    assert recorded_copy(store, MONTH, name) == second.to_bytes()
    assert recorded_copy(store, MONTH, f"{PLACE}.json") is None
    standing = MonthAlerts(store, MONTH).standing("991")
    assert standing is not None
    assert (standing.alert, len(standing.objects)) == (second, 2)


def test_an_alert_written_in_other_bytes_gets_no_copy(store: LocalStore) -> None:
    one = alert(score(0.8))
    store.create(f"{PLACE}.json", one.to_bytes() + b"\n", content_type="application/json")
    keep_together(store, MONTH, [one])
    assert recorded_hashes(store, MONTH) == {}


def test_a_councils_new_copy_takes_the_place_of_its_old_and_leaves_the_others(store: LocalStore) -> None:
    one = alert(score(0.8))
    for code, revision in (("991", 1), ("992", 1), ("991", 2)):
        kept = one.model_copy(update={"la_code": code, "folder": code, "revision": revision})
        name = f"alerts/{MONTH}/{code}{'' if revision == 1 else '.r2'}.json"
        store.create(name, kept.to_bytes(), content_type="application/json")
        keep_together(store, MONTH, [kept])
    assert sorted(recorded_hashes(store, MONTH)) == [f"{PLACE}.r2.json", f"alerts/{MONTH}/992.json"]


def test_a_council_without_an_alert_has_no_copy_and_one_with_a_copy_has(store: LocalStore) -> None:
    published = publish_alert(store, alert(score(0.6)), Contact())
    alone = MonthAlerts(store, MONTH).standing("991")
    assert alone is not None and not alone.copied
    keep_together(store, MONTH, [published.alert])
    there = MonthAlerts(store, MONTH)
    one, nobody = there.standing("991"), there.standing("992")
    assert one is not None and one.copied and one.alert == published.alert
    assert nobody is not None and (nobody.alert, nobody.objects, nobody.copied) == (None, frozenset(), False)
