"""Any object of the store truncated, emptied, flipped or of another shape: a sentence with its name and what to do.

The objects are those of the small store of 0.1.0, and of every other kind one that is made here. Who reads them are
the functions that runs, commands and the watchdog read them with.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.batch import FAILURES
from features.councils import read_register
from features.errors import HoldfastError, ModelError
from features.frames import REASONS, counts_schema
from features.months import Month
from features.registry import Kind
from flows.alerts.council import standing_alerts
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import latest_alert, previous_alerts
from flows.extracts.rotate_key import require_key
from flows.extracts.submissions import read_submissions
from flows.mail import approval
from flows.orchestration.look import look
from flows.settings.settings import Settings
from flows.store import DamagedObject, LocalStore
from flows.store.claims import Owner, claims_since, damaged_claims, free, held_claims, latest_claim
from flows.store.editions import RECORDS_KEPT_FROM, History, records_kept_from
from flows.store.ledger import Ledger
from flows.store.processes import this_process
from models.registry.versions import load
from tests.unit.models.conftest import install_shipped

INPUT = Path(__file__).parents[3] / "input" / "store-0.1.0.tar.xz"
OCTOBER = Month(2026, 10)
CUTOFF = date(2026, 11, 20)
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
KEY = b"a key that is used in tests alone, nowhere else"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with an object of every kind."""
    place = tmp_path_factory.mktemp("damage")
    with tarfile.open(INPUT) as archive:
        archive.extractall(place, filter="data")
    made = LocalStore(place / "store")
    history = History(made)
    october = history.as_of(OCTOBER, CUTOFF)
    assert october is not None
    tables = {f"counts-{k}": history.table(october, f"counts-{k}", counts_schema(k)) for k in _KINDS}
    tables |= {"reasons": history.table(october, "reasons", REASONS), "failures": FAILURES.to_frame()}
    made.delete(f"{october.prefix}manifest.json")
    history = History(made)
    history.write(october, tables)
    approval.open_round(made, (), month=OCTOBER, cutoff=CUTOFF, since=NOW, flow_run_id="0f", reason="looked at first")
    (waits,) = [approval.latest_round(made, OCTOBER)]
    assert waits is not None
    approval.wait_as(made, waits, "0f", CUTOFF)
    made.replace("releases/2026-10/20261127T090000Z.json", json.dumps({"at": NOW.isoformat(), "councils": []}).encode())
    made.replace(RECORDS_KEPT_FROM, b'{"month": "2026-06"}')
    install_shipped(made, CUTOFF)
    return made


_KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)


def _editions(store: LocalStore) -> None:
    history = History(store)
    for month in (OCTOBER.plus(-2), OCTOBER.plus(-1), OCTOBER):
        if (manifest := history.as_of(month, CUTOFF)) is not None:
            for kind in _KINDS:
                history.table(manifest, f"counts-{kind}", counts_schema(kind))
            history.table(manifest, "reasons", REASONS)
            history.table(manifest, "failures", FAILURES)
        history.fault(month, CUTOFF, ".*")


def _alerts(store: LocalStore) -> None:
    for folder in ("Z01", "Z02", "Z03"):
        for month in (OCTOBER, OCTOBER.plus(-1)):
            latest_alert(store, month, folder)
    previous_alerts(store, OCTOBER, {"Z01", "Z02", "Z03"})


def _ledger(store: LocalStore) -> None:
    ledger = Ledger(store)
    for month in (OCTOBER.plus(-1), OCTOBER):
        for entry in ledger.month(month):
            ledger.address(entry)
            ledger.create(entry.key, "<a@b>", ["dcs@sorrelmere.example"], b"Message-ID: <a@b>\n\nx", NOW)
        ledger.told(month)


def _claims(store: LocalStore) -> None:
    held_claims(store)
    damaged_claims(store)
    claims_since(store, datetime.min.replace(tzinfo=UTC))
    for of in (OCTOBER, OCTOBER.plus(-1), "intake"):
        latest_claim(store, of)


def _approvals(store: LocalStore) -> None:
    approval.pending(store)
    approval.held_councils(store, OCTOBER)
    approval.asked_by(store, "0f")


#: First part of a name -> who reads what lies there.
READERS: dict[str, Callable[[LocalStore], object]] = {
    "months": _editions,
    "alerts": _alerts,
    "ledger": _ledger,
    "claims": _claims,
    "approvals": _approvals,
    "releases": _approvals,
    "submissions": lambda store: [read_submissions(store, OCTOBER.plus(-n)) for n in range(3)],
    "pseudonyms": lambda store: require_key(store, KEY),
    "retention": records_kept_from,
    "models": lambda store: load(store, "ilacs-below-good"),
}


SHAPES = {"empty": b"", "list": b"[]", "object": b"{}", "null": b"null", "number": b"7", "deep": b"[" * 20_000}


def harmed(content: bytes, how: str, at: int) -> bytes | None:
    """The content after one harm; None for an object that is deleted."""
    at %= max(len(content), 1)
    match how:
        case "cut off":
            return content[:at]
        case "flipped":
            return content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
        case "gone":
            return None
        case _:
            return SHAPES[how]


HARMS = ("cut off", "flipped", "gone", "empty", "list", "object", "null", "number", "deep")


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_object_is_a_sentence_with_its_name_and_what_to_do(store: LocalStore, data: st.DataObject) -> None:
    _try(store, data)


@pytest.mark.soak
@given(data=st.data())
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_objects_at_length(store: LocalStore, data: st.DataObject) -> None:
    _try(store, data)


def _try(store: LocalStore, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from(sorted(READERS)))
    name = data.draw(st.sampled_from([o.name for o in store.list(f"{first}/") if not o.name.endswith((".md", ".txt"))]))
    how, at = data.draw(st.sampled_from(HARMS)), data.draw(st.integers(0, 10**6))
    content = store.read(name)
    after = harmed(content, how, at)
    store.delete(name) if after is None else store.replace(name, after)
    before = {o.name for o in store.list()}
    try:
        READERS[first](store)
    except HoldfastError as error:
        said = str(error)
        folder = name.rpartition("/")[0]
        assert name in said or (after is None and folder in said), f"{name}, {how}: {said}"
        if not isinstance(error, ModelError):
            assert re.search(r"`holdfast \w+|[Rr]estore", said), f"{name}, {how}: {said}"
    finally:
        for made in {o.name for o in store.list()} - before:
            store.delete(made)
        store.replace(name, content)


@pytest.mark.parametrize("first", sorted(READERS))
def test_whole_objects_are_read(store: LocalStore, first: str) -> None:
    READERS[first](store)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_the_watchdog_outlives_whatever_it_reads(store: LocalStore, content: bytes) -> None:
    """Each object it looks at damaged in turn: it says so in a notice and looks at the rest."""
    names = ["runs/2026-10/success.json", *(o.name for o in store.list("approvals/")), "claims/2026-10/000001.json"]
    at = Settings(store=store.url, landing=store.url)
    for name in names:
        kept = store.read(name)
        store.replace(name, content)
        twin = "approvals/2026-10/1/pending.json"
        try:
            notices, _ = look(at, NOW, view=None, expected=())
        finally:
            store.replace(name, kept)
        told = " ".join(n.to_text() for n in notices)
        if name.startswith("approvals/") and name != "approvals/2026-10/1/decision.json":
            assert twin not in told, "what is held is known from its copy"
        else:
            assert name in told, f"{name}: {told}"


def test_a_damaged_alert_is_one_councils_fault(store: LocalStore) -> None:
    register = read_register(LocalStore(store.root.parent / "landing").read("register.csv").decode(), "register.csv")
    kept = store.read("alerts/2026-10/Z02.json")
    store.replace("alerts/2026-10/Z02.json", kept[:100])
    faults: list[str] = []
    made = standing_alerts(store, register.councils, OCTOBER, Contact(), faults)
    store.replace("alerts/2026-10/Z02.json", kept)
    assert [p.alert.la_code for p in made] == ["Z01", "Z03"]
    (said,) = faults
    assert said.startswith("Quarrenmere (Z02): “alerts/2026-10/Z02.json”")


def test_held_stays_held_when_its_note_is_lost(store: LocalStore) -> None:
    names = [o.name for o in store.list("approvals/")]
    kept = {name: store.read(name) for name in names}
    waits = approval.latest_round(store, OCTOBER)
    for name in names:
        store.delete(name)
        assert approval.latest_round(store, OCTOBER) == waits
        store.replace(name, kept[name])
    store.delete("approvals/2026-10/1/copy.json")
    store.delete("approvals/2026-10/1/pending.json")
    assert approval.latest_round(store, OCTOBER) == waits
    for name in names:
        store.replace(name, kept[name])


def test_a_round_of_which_nothing_can_be_read_holds_the_month(store: LocalStore) -> None:
    kept = {o.name: store.read(o.name) for o in store.list("approvals/")}
    for name, content in kept.items():
        store.replace(name, content[:40])
    with pytest.raises(DamagedObject, match="approvals/2026-10/1/"):
        approval.held_councils(store, OCTOBER)
    for name, content in kept.items():
        store.replace(name, content)


def test_a_lost_key_record_is_a_fault_where_months_were_made_with_a_key(store: LocalStore) -> None:
    kept = store.read("pseudonyms/key.json")
    store.delete("pseudonyms/key.json")
    with pytest.raises(HoldfastError, match=r"pseudonyms/key.json.*missing.*Restore"):
        require_key(store, KEY)
    with pytest.raises(HoldfastError):
        store.read("pseudonyms/key.json")
    store.replace("pseudonyms/key.json", kept)


def test_any_damaged_claim_can_be_freed(store: LocalStore) -> None:
    kept = store.read("claims/2026-09/000001.json")
    store.replace("claims/2026-09/000001.json", b"")
    assert free(store, Month(2026, 9), Owner("ada: damaged", "", this_process()), NOW)
    assert damaged_claims(store) == []
    store.delete("claims/2026-09/000002.json")
    store.replace("claims/2026-09/000001.json", kept)
