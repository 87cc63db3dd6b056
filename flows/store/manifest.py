"""The manifest of an edition: what was received from whom, what became of it, and which tables were stored."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import partial

from expectations.fates import Fate
from features.months import Month
from features.registry import Kind
from flows.store.port import ObjectMissing, Store
from flows.store.reading import digest, read_kept, sealed, unsealed


@dataclass(frozen=True, slots=True)
class ExtractRecord:
    """One expected extract of one council and month, and what became of it."""

    la_code: str
    kind: Kind
    outcome: Fate
    """Never QUERIES or IN_PART: `flows.alerts.files` works these out from the checks' findings when asked."""
    due: date
    received: date | None = None
    first_received: date | None = None
    """If it was sent again: when it first came."""
    sha256: str | None = None
    name: str | None = None
    rows: int = 0
    restates: str | None = None
    """Fingerprint of the submission that this one replaces, if its content differs."""
    reason: str | None = None
    """A sentence on why it was refused or quarantined."""
    absent_columns: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    """Fields that validation withheld."""
    notes: tuple[str, ...] = ()

    @property
    def late(self) -> bool:
        came = self.first_received or self.received
        return came is not None and came > self.due


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of an edition, as it was written."""

    file: str
    """Its object. Small tables are in the manifest itself: later months need one request for all they look back on."""
    sha256: str
    size: int
    start: int | None = None
    """Where it begins in a shared object; None if the object is its own."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One edition of one month."""

    month: Month
    edition: int
    fingerprint: str
    """Fingerprint of the submissions used and of the previous month's state. If it is equal, there is nothing to do."""
    known_to: date
    """The day its last extract was received. A run with an earlier cut-off must not read this edition."""
    extracts: tuple[ExtractRecord, ...]
    checks: Mapping[str, float]
    """Statistics of the validation: rows, checks run, errors and failures."""
    unrecognised: tuple[str, ...] = ()
    """Files in the month's folder that were not recognised as extracts, as sentences."""
    tables: Mapping[str, StoredTable] | None = field(default=None, compare=False)
    """Every table by name; None in version 0.1.0. Left out of comparisons: it says how tables were stored only."""
    after: str = field(default="", compare=False)
    """Fingerprint of the edition of the month before that it was compared with; empty if there was none or none is
    recorded. If that month has another one by now, this edition is out of date, even if the run that found out died."""
    pack: bytes = field(default=b"", compare=False, repr=False)
    """The small tables themselves, one after another."""

    @property
    def prefix(self) -> str:
        return edition_prefix(self.month, self.edition)

    def of(self, la_code: str) -> tuple[ExtractRecord, ...]:
        return tuple(e for e in self.extracts if e.la_code == la_code)

    def only(self, la_code: str) -> Manifest:
        """The same with what one council sent alone, and without the tables, which hold every council's."""
        return replace(self, extracts=self.of(la_code), unrecognised=(), tables=None, pack=b"")


def edition_prefix(month: Month, edition: int) -> str:
    return f"months/{month}/{edition:04d}/"


def manifest_to_bytes(manifest: Manifest) -> bytes:

    def record(e: ExtractRecord) -> dict[str, object]:
        return {
            "la_code": e.la_code,
            "kind": str(e.kind),
            "outcome": e.outcome,
            "due": str(e.due),
            "received": str(e.received) if e.received else None,
            "first_received": str(e.first_received) if e.first_received else None,
            "sha256": e.sha256,
            "name": e.name,
            "rows": e.rows,
            "restates": e.restates,
            "reason": e.reason,
            "absent_columns": list(e.absent_columns),
            "withheld": list(e.withheld),
            "notes": list(e.notes),
        }

    document: dict[str, object] = {
        "month": str(manifest.month),
        "edition": manifest.edition,
        "fingerprint": manifest.fingerprint,
        "after": manifest.after,
        "known_to": str(manifest.known_to),
        "checks": dict(manifest.checks),
        "unrecognised": list(manifest.unrecognised),
        "extracts": [record(e) for e in manifest.extracts],
    }
    if manifest.tables is not None:
        document["tables"] = {
            name: {key: value for key, value in asdict(table).items() if value is not None}
            for name, table in manifest.tables.items()
        }
    if manifest.pack:
        document["pack"] = b64encode(manifest.pack).decode()
    return sealed(f"{manifest.prefix}manifest.json", document)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def manifest_from_bytes(name: str, content: bytes) -> Manifest:
    """Parse a manifest stored under a name.

    Bytes of another shape, or of another edition, raise any error, so call this through `flows.store.reading`.
    """
    d = unsealed(content, name)
    if name != f"{edition_prefix(Month.parse(d['month']), d['edition'])}manifest.json":
        raise ValueError("another edition's")
    return Manifest(
        month=Month.parse(d["month"]),
        edition=d["edition"],
        fingerprint=d["fingerprint"],
        after=d.get("after", ""),
        known_to=date.fromisoformat(d["known_to"]),
        checks=d["checks"],
        unrecognised=tuple(d["unrecognised"]),
        tables={name: StoredTable(**table) for name, table in d["tables"].items()} if "tables" in d else None,
        pack=b64decode(d.get("pack", "")),
        extracts=tuple(
            ExtractRecord(
                la_code=e["la_code"],
                kind=Kind(e["kind"]),
                outcome=Fate(e["outcome"]),
                due=date.fromisoformat(e["due"]),
                received=_day(e["received"]),
                first_received=_day(e["first_received"]),
                sha256=e["sha256"],
                name=e["name"],
                rows=e["rows"],
                restates=e["restates"],
                reason=e["reason"],
                absent_columns=tuple(e["absent_columns"]),
                withheld=tuple(e["withheld"]),
                notes=tuple(e["notes"]),
            )
            for e in d["extracts"]
        ),
    )


def require_hashes(store: Store, files: Iterable[str]) -> None:
    """Raise DamagedObject if one of these tables does not have the hash in its edition's manifest."""
    for prefix, names in _by_edition(files):
        with suppress(ObjectMissing):
            manifest = _manifest(store, prefix)
            for stored in (manifest.tables or {}).values():
                if (name := f"{prefix}/{stored.file}") in names:
                    read_kept(store, name, bytes, stored.sha256)


def rewrite_hashes(store: Store, files: Iterable[str]) -> None:
    """Update the hashes in manifests after their tables were rewritten in place with another pseudonym key."""
    for prefix, names in _by_edition(files):
        with suppress(ObjectMissing):
            manifest = _manifest(store, prefix)
            tables = dict(manifest.tables or {})
            for table, stored in tables.items():
                if (name := f"{prefix}/{stored.file}") in names:
                    content = store.read(name)
                    tables[table] = StoredTable(stored.file, digest(content), len(content))
            if tables != (manifest.tables or {}):
                content = manifest_to_bytes(replace(manifest, tables=tables))
                store.replace(f"{prefix}/manifest.json", content, content_type="application/json")


def _manifest(store: Store, prefix: str) -> Manifest:
    name = f"{prefix}/manifest.json"
    return read_kept(store, name, partial(manifest_from_bytes, name))


def _by_edition(files: Iterable[str]) -> list[tuple[str, set[str]]]:
    found: dict[str, set[str]] = {}
    for name in files:
        found.setdefault(name.rpartition("/")[0], set()).add(name)
    return sorted(found.items())
