"""Editions: what the store keeps of each month, that is who sent what, what became of it and what was counted.

A month is processed again when one of its extracts arrives late or is restated. Each time makes a numbered
edition, which is never changed, so that a run can ask what was known on a given day (the as-of rule):

    months/2026-10/0001/manifest.json              extracts used, refused, missing; what was withheld; what was counted
    months/2026-10/0001/workforce.parquet          canonical rows, pseudonymised
    months/2026-10/0001/failures.parquet           what validation found

The manifest holds the small tables, as a bucket is asked for each object. It lists every table with its hash, which is
checked when the table is read. A table that is missing or was altered raises an error and is never read as a table
without rows. Manifests of version 0.1.0 list no tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial

import polars as pl

from expectations.batch import FAILURES
from expectations.fates import Fate
from features.errors import StoreError
from features.months import Month
from features.registry import Kind
from flows.store.manifest import Manifest, StoredTable, manifest_from_bytes, manifest_to_bytes
from flows.store.port import AlreadyThere, DamagedObject, ObjectMissing, Store
from flows.store.reading import digest, frame_of, parsed, read_json, read_kept, remedy, stacked, to_parquet

#: `flows.store.retention` writes this object before it deletes.
RECORDS_KEPT_FROM = "retention/records-kept-from.json"


def records_kept_from(store: Store) -> Month | None:
    """The first month whose record-level data is still kept; None if none has been deleted by `holdfast retain`.

    Earlier months are closed: their figures stand, and no more files are taken in for them. If this object is lost,
    the month is read from the records of deletions.
    """
    try:
        return read_json(store, RECORDS_KEPT_FROM, lambda d: Month.parse(d["month"]))
    except ObjectMissing:
        records = [o.name for o in store.list("retention/") if o.name != RECORDS_KEPT_FROM]
        return max((read_json(store, n, lambda d: Month.parse(d["records_kept_from"])) for n in records), default=None)


@dataclass(frozen=True)
class _Found:
    """The editions and objects of a month in the store."""

    manifests: Mapping[int, Manifest]
    damaged: Mapping[int, DamagedObject]
    """Editions whose manifest cannot be read."""
    sizes: Mapping[str, int]
    """Size in bytes of every object of the month, by name."""

    @property
    def numbers(self) -> list[int]:
        """The numbers of the finished editions, newest first."""
        return sorted({*self.manifests, *self.damaged}, reverse=True)


class History:
    """Reads and writes editions in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._months: dict[Month, _Found] = {}
        self._first_look: dict[str, int] | None = None
        self._seen: set[Month] = set()
        self._stored: set[str] = set()
        self._frames: dict[tuple[str, str, str], pl.DataFrame] = {}
        self._contents: dict[tuple[str, str], bytes] = {}
        self._failures: dict[tuple[str, str], pl.DataFrame] = {}

    def __getstate__(self) -> dict[str, object]:
        """Pickle without the cache: another process reads what it needs, and sending the cache would cost more."""
        return {**self.__dict__, "_frames": {}, "_contents": {}, "_failures": {}}

    @cached_property
    def records_kept_from(self) -> Month | None:
        """`records_kept_from` of the store, asked once a run."""
        return records_kept_from(self.store)

    def editions(self, month: Month) -> list[Manifest]:
        """Every edition of a month that can be read, oldest first."""
        found = self._found(month).manifests
        return [found[number] for number in sorted(found)]

    def damaged(self, month: Month) -> Mapping[int, DamagedObject]:
        """The editions of a month whose manifest cannot be read."""
        return self._found(month).damaged

    def next_number(self, month: Month) -> int:
        """The number of the month's next edition, which no finished edition has had."""
        return max(self._found(month).numbers, default=0) + 1

    def as_of(self, month: Month, cutoff: date) -> Manifest | None:
        """The latest edition whose extracts had all been received by the cut-off day.

        Raises DamagedObject if this may be an edition whose manifest cannot be read, and StoreError if the month has
        tables but no manifest.
        """
        found = self._found(month)
        for number in found.numbers:
            if number in found.damaged:
                raise found.damaged[number]
            if found.manifests[number].known_to <= cutoff:
                return found.manifests[number]
        if found.sizes and not found.numbers:
            name = next(iter(found.sizes))
            raise StoreError(
                f"“{name}” is in the store, but its edition's manifest.json is not: it is being written, a run was cut "
                f"off, or the manifest was lost. {remedy(name)}"
            )
        return None

    def standing(self, month: Month, cutoff: date) -> Manifest | None:
        """The latest readable edition by the cut-off, even if a later one is damaged."""
        known = [m for m in self.editions(month) if m.known_to <= cutoff]
        return known[-1] if known else None

    def fault(self, month: Month, cutoff: date, also: str = "") -> str:
        """A sentence on why the month's data cannot be relied on; empty if it can.

        Checks that every table is there and has its size. Reads the tables that later months look back on, and those
        whose names match `also`, which the run needs besides, and checks their hashes.
        """
        try:
            manifest = self.as_of(month, cutoff)
            if manifest is not None:
                for name in self.listed(manifest):
                    if _looked_back_on(name) or re.fullmatch(also, name):
                        self._read_ahead(manifest, name)
                    else:
                        self._require_there(manifest, name)
        except DamagedObject as error:
            return str(error)
        return ""

    def write(self, manifest: Manifest, tables: Mapping[str, pl.DataFrame]) -> Manifest:
        """Store an edition and return it as stored. The manifest goes last: an edition without one was cut off.

        A table is never overwritten. If another run, perhaps one that died, left different content under its name, the
        table gets a new name. Raises AlreadyThere if another run has stored this edition with different content.
        The month's cache is cleared even on an error, because a write may have succeeded although its response was
        lost.
        """
        name = f"{manifest.prefix}manifest.json"
        try:
            if self.store.info(name) is not None:
                return self._the_same(name, manifest)
            contents = {table: to_parquet(frame) for table, frame in tables.items()}
            alone = {f"{t}.parquet": c for t, c in contents.items() if not _looked_back_on(t)}
            small = {t: c for t, c in contents.items() if _looked_back_on(t)}
            with ThreadPoolExecutor(_WRITERS) as pool:
                names = dict(
                    zip(alone, pool.map(lambda f: self._put(manifest.prefix, f, alone[f]), alone), strict=True)
                )
            written, start = {}, 0
            for table, content in contents.items():
                at = (_MANIFEST_FILE, start) if table in small else (names[f"{table}.parquet"], None)
                written[table] = StoredTable(at[0], digest(content), len(content), at[1])
                start += len(content) if table in small else 0
            stored = replace(manifest, tables=written, pack=b"".join(small.values()))
            try:
                self.store.create(name, manifest_to_bytes(stored), content_type="application/json")
            except AlreadyThere:
                return self._the_same(name, manifest)
            self._stored.add(name)
            return stored
        finally:
            self._months.pop(manifest.month, None)
            self._seen.add(manifest.month)

    def _put(self, prefix: str, file: str, content: bytes) -> str:
        """Write an object of an edition; returns the name that it got."""
        try:
            self.store.create(prefix + file, content)
        except AlreadyThere:
            if self.store.read(prefix + file) != content:
                stem, _, ending = file.rpartition(".")
                file = f"{stem}-{digest(content)[:12]}.{ending}"
                self.store.replace(prefix + file, content)
        return file

    def _the_same(self, name: str, manifest: Manifest) -> Manifest:
        stored = read_kept(self.store, name, partial(manifest_from_bytes, name))
        if stored != manifest:
            raise AlreadyThere(
                f"Another run has written edition {manifest.edition} of {manifest.month} with other content. "
                "Run the month again; it will find that edition and go on from there."
            )
        return stored

    def table(
        self, manifest: Manifest, name: str, schema: pl.Schema, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Read one table of an edition, only `columns` if given. It has no rows if the edition was stored without it.

        Raises DamagedObject if the table was altered or is gone.
        """
        content = self.content(manifest, name)
        if content is None:
            empty = schema.to_frame()
            return empty.select(columns) if columns else empty
        self._contents.pop((_file(manifest, name), name), None)
        return parsed(_file(manifest, name), content, lambda c: frame_of(name, c, schema, columns))

    def failures(self, manifest: Manifest) -> pl.DataFrame:
        """What the checks of an edition found (FAILURES), read once."""
        key = (manifest.prefix, manifest.fingerprint)
        if key not in self._failures:
            self._failures[key] = self.table(manifest, "failures", FAILURES)
        return self._failures[key]

    def tables(self, manifests: Iterable[Manifest], name: str, schema: pl.Schema) -> pl.DataFrame:
        """The same table of many editions, concatenated in the order given.

        An edition never changes, so each is read once and cached, however many months look back on it. Meant for tables
        with rows by council, not by worker or case.
        """
        stored = [m for m in manifests if m.tables is None or name in m.tables]
        return stacked(schema, [self._remembered(m, name, schema) for m in stored])

    def _remembered(self, manifest: Manifest, name: str, schema: pl.Schema) -> pl.DataFrame:
        key = (_file(manifest, name), name, manifest.fingerprint)
        if key not in self._frames:
            self._frames[key] = self.table(manifest, name, schema)
        return self._frames[key]

    def _found(self, month: Month) -> _Found:
        if month not in self._months:
            sizes = self._listed_sizes(month)
            manifests: dict[int, Manifest] = {}
            damaged: dict[int, DamagedObject] = {}
            for name in sizes:
                if match := _MANIFEST.fullmatch(name):
                    try:
                        manifests[int(match[1])] = read_kept(self.store, name, partial(manifest_from_bytes, name))
                    except DamagedObject as error:
                        damaged[int(match[1])] = error
                    except ObjectMissing:
                        continue
            self._months[month] = _Found(manifests, damaged, sizes)
        return self._months[month]

    def _listed_sizes(self, month: Month) -> dict[str, int]:
        """Sizes of a month's objects. The first call lists all months; a month written since is listed again."""
        prefix = f"months/{month}/"
        if self._first_look is None:
            self._first_look = {o.name: o.size for o in self.store.list("months/")}
        if month in self._seen:
            sizes = {o.name: o.size for o in self.store.list(prefix)}
            if behind := sorted(n for n in self._stored if n.startswith(prefix) and n not in sizes):
                raise StoreError(f"The store does not list “{behind[0]}”, which was just written. Run again.")
            return sizes
        self._seen.add(month)
        return {name: size for name, size in self._first_look.items() if name.startswith(prefix)}

    def listed(self, manifest: Manifest) -> list[str]:
        """The tables an edition must have. In version 0.1.0: counts of accepted extracts, and the checks' failures."""
        if manifest.tables is not None:
            return list(manifest.tables)
        accepted = {e.kind for e in manifest.extracts if e.outcome is Fate.ACCEPTED}
        counted = [f"counts-{kind}" for kind in Kind if kind in accepted and kind is not Kind.RETURN]
        return [*counted, *([str(Kind.RETURN)] if Kind.RETURN in accepted else []), "failures"]

    def content(self, manifest: Manifest, name: str) -> bytes | None:
        """The bytes of a table, checked against what was written; None if the edition was stored without it."""
        file = _file(manifest, name)
        if (file, name) in self._contents:
            return self._contents[file, name]
        stored = (manifest.tables or {}).get(name)
        if manifest.tables is not None and stored is None:
            return None
        try:
            if stored is not None and stored.start is not None:
                return self._unpacked(manifest, file)[name]
            return read_kept(self.store, file, bytes, stored.sha256 if stored else "")
        except ObjectMissing:
            if name in self.listed(manifest):
                self._require_deleted(manifest, name)
            return None

    def _unpacked(self, manifest: Manifest, file: str) -> dict[str, bytes]:
        """The tables of a shared object, each checked against what was written. They are kept until they are parsed."""
        own = {
            n: t for n, t in (manifest.tables or {}).items() if t.start is not None and manifest.prefix + t.file == file
        }

        def parts(content: bytes) -> dict[str, bytes]:
            found = {n: content[t.start or 0 : (t.start or 0) + t.size] for n, t in own.items()}
            if any(digest(found[n]) != t.sha256 for n, t in own.items()):
                raise ValueError("altered")
            return found

        # An edition written before the pack moved into the manifest has it as an object of its own.
        within = file == manifest.prefix + _MANIFEST_FILE
        found = parsed(file, manifest.pack, parts) if within else read_kept(self.store, file, parts)
        self._contents |= {(file, n): content for n, content in found.items()}
        return found

    def _read_ahead(self, manifest: Manifest, name: str) -> None:
        content = self.content(manifest, name)
        if content is not None:
            self._contents[_file(manifest, name), name] = content

    def _require_there(self, manifest: Manifest, name: str) -> None:
        file, stored = _file(manifest, name), (manifest.tables or {}).get(name)
        size = self._found(manifest.month).sizes.get(file)
        if size is None:
            self._require_deleted(manifest, name)
        elif stored is not None and stored.start is None and size != stored.size:
            raise DamagedObject(f"“{file}” in the store has another size than what was written there. {remedy(file)}")

    def _require_deleted(self, manifest: Manifest, name: str) -> None:
        """Raise DamagedObject unless `holdfast retain` deleted the table: it deletes rows earlier than figures."""
        kept_from = self.records_kept_from
        if kept_from is not None and (
            _RECORDS.fullmatch(name)
            and manifest.month < kept_from
            or name.startswith("state-")
            and manifest.month.plus(1) < kept_from
        ):
            return
        file = _file(manifest, name)
        raise DamagedObject(f"“{file}” is missing in the store, although its edition lists it. {remedy(file)}")


_WRITERS = 8
_MANIFEST_FILE = "manifest.json"
_MANIFEST = re.compile(r"months/[^/]+/(\d{4})/manifest\.json")
#: Tables with rows about workers or children, which have a retention period of their own.
_RECORDS = re.compile(r"workforce|caseload|failures")


def _looked_back_on(name: str) -> bool:
    return name.startswith("counts-") or name in ("reasons", "cell-reasons", "profile", str(Kind.RETURN))


def _file(manifest: Manifest, name: str) -> str:
    stored = (manifest.tables or {}).get(name)
    return manifest.prefix + (stored.file if stored else f"{name}.parquet")
