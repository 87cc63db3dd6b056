"""What the store remembers of each month: who sent what, what came of it, what was counted.

A month is processed again when an extract of it arrives late or is restated. Each time is a numbered
edition that is never changed, so that a run can be told what was known on a day (the as-of rule):

    months/2026-10/0001/manifest.json              extracts used, refused, missing; what was withheld
    months/2026-10/0001/workforce.parquet          canonical rows, pseudonymised
    months/2026-10/0001/counts-workforce.parquet   what was counted from them
    months/2026-10/0001/failures.parquet           what validation found
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.fates import Fate
from features.frames import conform
from features.months import Month
from features.registry import Kind
from flows.store import AlreadyThere, ObjectMissing, Store

#: Written by `flows.store.retention` before it deletes.
RECORDS_KEPT_FROM = "retention/records-kept-from.json"


@dataclass(frozen=True, slots=True)
class ExtractRecord:
    """One expected extract of one council and month, and what became of it."""

    la_code: str
    kind: Kind
    outcome: Fate
    """Never QUERIES or IN_PART: what the checks found is counted when it is asked for (`flows.alerts.files`)."""
    due: date
    received: date | None = None
    first_received: date | None = None
    """When it first came, if it was sent again."""
    sha256: str | None = None
    name: str | None = None
    rows: int = 0
    restates: str | None = None
    """Fingerprint of the submission this one replaces, if its content differs."""
    reason: str | None = None
    """Why it was refused or quarantined, as a sentence."""
    absent_columns: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    """Fields withheld by validation."""
    notes: tuple[str, ...] = ()

    @property
    def late(self) -> bool:
        came = self.first_received or self.received
        return came is not None and came > self.due


@dataclass(frozen=True, slots=True)
class Manifest:
    """One edition of one month."""

    month: Month
    edition: int
    fingerprint: str
    """Of the submissions chosen and of the previous month's state: equal means nothing to do."""
    known_to: date
    """The day the last of its extracts was received: an earlier cut-off must not read this edition."""
    extracts: tuple[ExtractRecord, ...]
    checks: Mapping[str, float]
    """Statistics of the validation: rows, checks run, errors, failures."""
    unrecognised: tuple[str, ...] = ()
    """What lay in the month's folder and was not taken for an extract, as sentences."""

    @property
    def prefix(self) -> str:
        return edition_prefix(self.month, self.edition)

    def of(self, la_code: str) -> tuple[ExtractRecord, ...]:
        """The extracts of one council."""
        return tuple(e for e in self.extracts if e.la_code == la_code)


def edition_prefix(month: Month, edition: int) -> str:
    return f"months/{month}/{edition:04d}/"


def records_kept_from(store: Store) -> Month | None:
    """The first month whose record-level data is still kept; None if none has been deleted by `holdfast retain`.

    Months before it are closed: their figures stand, and nothing is taken in for them any more.
    """
    try:
        return Month.parse(json.loads(store.read(RECORDS_KEPT_FROM))["month"])
    except ObjectMissing:
        return None


def to_parquet(frame: pl.DataFrame) -> bytes:
    """The frame as Parquet bytes, the same for the same frame."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=3, statistics=True, row_group_size=131_072)
    return buffer.getvalue()


class History:
    """Reads and writes editions in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._manifests: dict[Month, list[Manifest]] = {}
        self._small: dict[str, pl.DataFrame] = {}

    def __getstate__(self) -> dict[str, object]:
        """Another process reads for itself what it needs; what is remembered here would weigh more than it saves."""
        return {**self.__dict__, "_small": {}}

    def editions(self, month: Month) -> list[Manifest]:
        """Every edition of a month, oldest first."""
        if month not in self._manifests:
            names = [o.name for o in self.store.list(f"months/{month}/") if o.name.endswith("/manifest.json")]
            self._manifests[month] = [_read_manifest(self.store.read(n)) for n in sorted(names)]
        return self._manifests[month]

    def as_of(self, month: Month, cutoff: date) -> Manifest | None:
        """The latest edition whose extracts had all been received by the cut-off day."""
        known = [m for m in self.editions(month) if m.known_to <= cutoff]
        return known[-1] if known else None

    def write(self, manifest: Manifest, tables: Mapping[str, pl.DataFrame]) -> None:
        """Store an edition; the manifest goes last, so an edition without one was cut off and is written over.

        Raises AlreadyThere if another run has stored this edition with other content.
        """
        name = f"{manifest.prefix}manifest.json"
        if self.store.info(name) is not None:
            self._require_same(name, manifest)
            return
        for table, frame in tables.items():
            self.store.replace(f"{manifest.prefix}{table}.parquet", to_parquet(frame))
        try:
            self.store.create(name, _write_manifest(manifest), content_type="application/json")
        except AlreadyThere:
            self._require_same(name, manifest)
        self._manifests.pop(manifest.month, None)

    def _require_same(self, name: str, manifest: Manifest) -> None:
        if _read_manifest(self.store.read(name)) != manifest:
            raise AlreadyThere(
                f"Another run has written edition {manifest.edition} of {manifest.month} with other content. "
                "Run the month again; it will find that edition and go on from there."
            )

    def table(
        self, manifest: Manifest, name: str, schema: pl.Schema, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """One table of an edition, or no rows if the edition has none; of `columns` only, if given."""
        try:
            content = self.store.read(f"{manifest.prefix}{name}.parquet")
        except ObjectMissing:
            empty = schema.to_frame()
            return empty.select(columns) if columns else empty
        frame = pl.read_parquet(io.BytesIO(content), columns=list(columns) if columns else None)
        return frame if columns else conform(frame, schema, f"{name} {manifest.month}")

    def tables(self, manifests: Iterable[Manifest], name: str, schema: pl.Schema) -> pl.DataFrame:
        """The same table of many editions, one after another in the order given.

        An edition never changes, so each is read once, however many months look back on it. For tables by council,
        not for those by worker or case.
        """
        return pl.concat([schema.to_frame(), *(self._remembered(m, name, schema) for m in manifests)])

    def _remembered(self, manifest: Manifest, name: str, schema: pl.Schema) -> pl.DataFrame:
        key = f"{manifest.prefix}{name}"
        if key not in self._small:
            self._small[key] = self.table(manifest, name, schema)
        return self._small[key]


def _write_manifest(manifest: Manifest) -> bytes:
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

    document = {
        "month": str(manifest.month),
        "edition": manifest.edition,
        "fingerprint": manifest.fingerprint,
        "known_to": str(manifest.known_to),
        "checks": dict(manifest.checks),
        "unrecognised": list(manifest.unrecognised),
        "extracts": [record(e) for e in manifest.extracts],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _read_manifest(content: bytes) -> Manifest:
    d = json.loads(content)
    return Manifest(
        month=Month.parse(d["month"]),
        edition=d["edition"],
        fingerprint=d["fingerprint"],
        known_to=date.fromisoformat(d["known_to"]),
        checks=d["checks"],
        unrecognised=tuple(d["unrecognised"]),
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
