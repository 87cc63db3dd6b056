"""The doctor: reads the whole store, or one month of it, and reports objects that are damaged, missing or orphaned.

Every finding names the object and the command that restores it. `move_aside` does only what is safe: it moves objects
that a run makes anew, or that belong to nothing, to `set-aside/`. A person can move them back from there.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial

import polars as pl

from features.errors import ModelError, StoreError
from features.months import Month
from flows.alerts.alert import Alert
from flows.alerts.order import success_name
from flows.alerts.together import alert_at, recorded_hashes
from flows.extracts.rotate_key import KEY_NAME
from flows.extracts.submissions import read_submissions, submissions_of
from flows.mail.approval_form import Pending, Ruling
from flows.orchestration.health import DoctorFinding, Health
from flows.published.shelf import Shelf
from flows.store import AlreadyThere, DamagedObject, ObjectMissing, Store
from flows.store.claims import damaged_claims
from flows.store.editions import History, records_kept_from
from flows.store.kept import forget, kept, kept_months, lost
from flows.store.ledger import Ledger
from flows.store.reading import digest, parsed, read_kept, remedy, unsealed
from flows.store.retention import CONTENTS
from models.registry.versions import PREFIX as MODELS
from models.registry.versions import load, versions

#: The folder for objects that were set aside. It is split by month, so that retention applies to it as elsewhere.
SET_ASIDE = "set-aside"

#: Folders whose objects are written whole by each run (or put there by a person); a later run writes them anew.
_WRITTEN_ANEW = ("region", "validation", "runs", "reconciliation")
_KNOWN = (
    *CONTENTS,
    *_WRITTEN_ANEW,
    "models",
    "reference",
    "pseudonyms",
    "retention",
    "answers",
    "goals",
    "exports",
    "published",
    "probe",
)
_ALERT = re.compile(r"alerts/\d{4}-\d{2}/[^./]+\.(r\d+\.)?json")
#: A file's bytes, as 0.1.0 kept them; and the table of all councils' files of one kind.
_RECEIVED = re.compile(r"received/(?P<month>[^/]+)/(?P<folder>[^/]+)/\w+-(?P<sha>[0-9a-f]{12})\.\w+")
_RECEIVED_TABLE = re.compile(r"received/[^/]+/[^/]+\.parquet")
_TABLE = re.compile(r"(?P<edition>months/(?P<month>[^/]+)/\d{4}/)(?P<file>[^/]+\.(?:parquet|pack))")
_READERS = 8


def examine(store: Store, month: Month | None = None) -> Health:
    """Read every object of the store, or of one month. Writes nothing."""
    names = [o.name for o in store.list() if _belongs_to(o.name, month)]
    there = set(names)
    hashes = _kept_by_runs(store, month)
    with ThreadPoolExecutor(_READERS) as pool:
        looked_at = pool.map(lambda name: list(_one(store, name, there, hashes.get(name, ""))), names)
        found = [f for each in looked_at for f in each]
    months = sorted({m for name in names if (m := month_of(name)) is not None})
    for one in months:
        found += _edition_findings(store, one, there)
        found += _received_findings(store, one, there)
        found += _alert_findings(store, one)
    if month is None:
        found += _whole_store(store, there)
    found += _lost(store, hashes, there)
    once = {f.name: f for f in reversed(found)}
    return Health(len(names), tuple(once[name] for name in sorted(once)))


def move_aside(store: Store, health: Health) -> Health:
    """Set aside what is safe to move. Returns the same findings, each with the place it was moved to."""
    done = tuple(_laid_aside(store, f) if f.may_go and not f.done else f for f in health.findings)
    forget(store, (f"{f.whole}manifest.json" if f.whole else f.name for f in done if f.laid_aside))
    return Health(health.objects, done)


def _laid_aside(store: Store, finding: DoctorFinding) -> DoctorFinding:
    # The manifest goes last: if the move is cut off, the edition is still found damaged.
    names = sorted((o.name for o in store.list(finding.whole)), key=lambda n: n.endswith("manifest.json"))
    target = ""
    for name in names if finding.whole else [finding.name]:
        month = month_of(name)
        with suppress(ObjectMissing):
            content = store.read(name)
            target = f"{SET_ASIDE}/{month or 'no-month'}/{digest(content)[:12]}-{name.replace('/', '_')}"
            with suppress(AlreadyThere):
                store.create(target, content)
            store.delete(name)
    return replace(finding, laid_aside=f"{target.rpartition('/')[0]}/" if finding.whole else target)


def _belongs_to(name: str, month: Month | None) -> bool:
    return not name.startswith(f"{SET_ASIDE}/") and (month is None or month_of(name) == month)


def month_of(name: str) -> Month | None:
    """The month that an object belongs to by its name; None for others."""
    parts = name.split("/")
    if len(parts) < 3 or not re.fullmatch(r"\d{4}-\d{2}", parts[1]):
        return None
    return Month.parse(parts[1])


def _kept_by_runs(store: Store, month: Month | None) -> dict[str, str]:
    """Name -> hash of everything that runs wrote down; the latest month says it of objects of no month."""
    found: dict[str, str] = {}
    for one in kept_months(store):
        with suppress(DamagedObject):  # found as an object
            found |= kept(store, one)
    return {name: sha for name, sha in found.items() if _belongs_to(name, month)}


def _lost(store: Store, hashes: Collection[str], there: Collection[str]) -> Iterator[DoctorFinding]:
    """Objects that a run left in the store and that are gone; and months of which nothing says how their runs ended."""
    for name in lost(store, hashes, there):
        yield DoctorFinding(name, f"“{name}” is missing in the store, although a run left it there. {remedy(name)}")
    for month in sorted({n.split("/")[1] for n in there if _ALERT.fullmatch(n)}):
        if not any(n.startswith(f"runs/{month}/") for n in there):
            name = f"runs/{month}/success.json"
            yield DoctorFinding(name, f"“{name}” is missing in the store, although there are alerts. {remedy(name)}")


def _one(store: Store, name: str, there: Collection[str], sha256: str) -> Iterator[DoctorFinding]:
    """What is wrong with one object, judged without the others."""
    first = name.partition("/")[0]
    if first not in _KNOWN:
        yield DoctorFinding(
            name, f"“{name}” in the store is nothing that Holdfast knows. Look what it is, and take it away."
        )
        return
    if first == "months" or (first == "models" and name.count("/") > 1):
        return  # read with its edition, or its model
    try:
        read_kept(store, name, _parser(name), sha256)
    except ObjectMissing:
        return
    except StoreError as error:
        yield DoctorFinding(name, str(error), may_go=first in _WRITTEN_ANEW or first in ("alerts", "submissions"))
        return
    if match := _RECEIVED.fullmatch(name):
        prefix = f"submissions/{match['month']}/{match['folder']}/"
        if digest(store.read(name))[:12] != match["sha"]:
            yield DoctorFinding(name, f"“{name}” in the store is not the file that was received. {remedy(name)}")
        elif not any(n.startswith(prefix) and n.endswith(f"-{match['sha']}.json") for n in there):
            what = f"“{name}” in the store has no record of a submission: a run was cut off. "
            yield DoctorFinding(name, what + f"`holdfast run --month {match['month']}` records it.")


def _parser(name: str) -> Callable[[bytes], object]:
    if _ALERT.fullmatch(name):
        return alert_at(name, Alert.from_bytes)
    if name.startswith("submissions/"):
        return partial(submissions_of, name)
    if name.startswith("approvals/"):
        record = Ruling if name.endswith("/decision.json") else Pending
        return lambda content: record.model_validate(unsealed(content, name))
    if (month := month_of(name)) is not None and name == success_name(month):
        return lambda content: _marker_of(month, name, content)
    if name.endswith(".json"):
        return partial(_json_object, name)
    if name.endswith(".parquet"):
        return lambda content: pl.read_parquet(io.BytesIO(content))
    return bytes


def _marker_of(month: Month, name: str, content: bytes) -> object:
    marker = unsealed(content, name)
    if marker["month"] != str(month):
        raise ValueError("another month's")
    return marker


def _json_object(name: str, content: bytes) -> object:
    found = unsealed(content, name)
    if not isinstance(found, (dict, list)) or not found and content.strip() != b"{}":
        raise ValueError("no object")
    return found


def _edition_findings(store: Store, month: Month, there: Collection[str]) -> Iterator[DoctorFinding]:
    """Manifests that cannot be read, tables that are missing or altered, and tables that belong to no edition."""
    history = History(store)
    listed: set[str] = set()
    of_month = sorted(n for n in there if n.startswith(f"months/{month}/"))
    newest = history.next_number(month) - 1
    for manifest in history.editions(month):
        tables = manifest.tables
        names = list(tables or {})
        if tables is None:
            own = (n.removeprefix(manifest.prefix) for n in of_month if n.startswith(manifest.prefix))
            names = sorted(
                {n.removesuffix(".parquet") for n in own if n.endswith(".parquet")} | {*history.listed(manifest)}
            )
        for table in names:
            name = manifest.prefix + (tables[table].file if tables is not None else f"{table}.parquet")
            listed.add(name)
            try:
                content = history.content(manifest, table)
                if content is not None:
                    parsed(name, content, lambda c: pl.read_parquet(io.BytesIO(c)))
            except DamagedObject as error:
                yield _of_edition(name, str(error), manifest.edition, newest)
    for number, fault in history.damaged(month).items():
        yield _of_edition(f"months/{month}/{number:04d}/manifest.json", str(fault), number, newest)
    finished = {m.prefix for m in history.editions(month)}
    damaged = {f"months/{month}/{number:04d}/" for number in history.damaged(month)}
    for name in of_month:
        match = _TABLE.fullmatch(name)
        if match is None or name in listed or match["edition"] in damaged:
            continue
        if match["edition"] in finished:
            what = f"“{name}” in the store belongs to no edition: a run was cut off. "
            yield DoctorFinding(name, f"{what}`holdfast doctor --repair` lays it aside.", may_go=True)
        else:
            manifest_name = f"{match['edition']}manifest.json"
            what = (
                f"“{manifest_name}” is missing in the store: a run was cut off, or it was lost. {remedy(manifest_name)}"
            )
            yield DoctorFinding(manifest_name, what)
    if not of_month and any(n.startswith(f"submissions/{month}/") for n in there):
        name = f"months/{month}/"
        yield DoctorFinding(
            name, f"“{name}” is empty in the store, although files of the month came. {remedy(name + 'x/y')}"
        )


def _received_findings(store: Store, month: Month, there: Collection[str]) -> Iterator[DoctorFinding]:
    """Tables of received files that the submission log names and that are gone, or that it does not name."""
    try:
        named = {s.table for s in read_submissions(store, month) if s.table}
    except DamagedObject:  # found as an object
        return
    kept_from = records_kept_from(store)
    if kept_from is None or month >= kept_from:
        for name in sorted(named - {*there}):
            yield DoctorFinding(name, f"“{name}” is missing in the store, although the log names it. {remedy(name)}")
    for name in sorted(n for n in there if _RECEIVED_TABLE.fullmatch(n) and month_of(n) == month and n not in named):
        what = f"“{name}” in the store has no record of a submission: a run was cut off. "
        yield DoctorFinding(name, f"{what}`holdfast doctor --repair` lays it aside.", may_go=True)


def _alert_findings(store: Store, month: Month) -> Iterator[DoctorFinding]:
    """Alerts that are missing or not what was published: their hashes are beside their copies."""
    for name, sha256 in recorded_hashes(store, month).items():
        try:
            read_kept(store, name, bytes, sha256)
        except ObjectMissing:
            yield DoctorFinding(name, f"“{name}” is missing in the store, although it was published. {remedy(name)}")
        except DamagedObject as error:
            yield DoctorFinding(name, str(error), may_go=True)


def _of_edition(name: str, what: str, number: int, newest: int) -> DoctorFinding:
    """A fault in an edition. If there is a later edition, no run reads this one any more and all of it may go."""
    if number == newest:
        return DoctorFinding(name, what)
    later = f"Edition {newest} has taken its place; `holdfast doctor --repair` lays edition {number} aside."
    return DoctorFinding(name, f"{what} {later}", may_go=True, whole=name.rpartition("/")[0] + "/")


def _whole_store(store: Store, there: Collection[str]) -> Iterator[DoctorFinding]:
    """Faults outside any one month: claims, the key's record, the ledger's messages, models, published files."""
    for said in damaged_claims(store):
        name = said.partition("“")[2].partition("”")[0]
        yield DoctorFinding(name, said)
    if KEY_NAME not in there and any(re.search(r"/(state-)?(workforce|caseload)[^/]*\.parquet$", n) for n in there):
        yield DoctorFinding(KEY_NAME, f"“{KEY_NAME}” is missing in the store. {remedy(KEY_NAME)}")
    ledger = Ledger(store)
    for name in sorted(n for n in there if n.startswith("ledger/") and n.endswith("/message.eml")):
        try:
            ledger.message(name.removeprefix("ledger/").removesuffix("/message.eml"))
        except StoreError as error:
            yield DoctorFinding(name, str(error))
    for model in sorted({n.split("/")[1] for n in there if n.startswith(f"{MODELS}/") and n.count("/") > 1}):
        for version in versions(store, model):
            try:
                load(store, model, version)
            except ModelError as error:
                yield DoctorFinding(f"{MODELS}/{model}/{version}/", str(error))
    shelf = Shelf(store)
    for source in shelf.sources():
        try:
            for kept in shelf.in_use(source):
                shelf.read(kept)
        except StoreError as error:
            yield DoctorFinding(f"reference/{source}/", str(error))
