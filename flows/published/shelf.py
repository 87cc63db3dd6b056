"""The stored versions of the published files, and which of them is in use.

    reference/workforce/2026-02-27-3f2a91c0d4e5.csv       the file, as it came
    reference/workforce/2026-02-27-3f2a91c0d4e5.json      when, from where, what it holds, what changed
    reference/workforce/in-use.json                       the version in use, and older ones it does not replace
    reference/workforce/refused/2026-03-06-9b….json       what was refused, and why

Files and records are created once and never changed. Only `in-use.json` is replaced, as the last step. A crash before
that leaves the old version in use, and the next refresh finishes the work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ConfigDict

from features.errors import ReferenceDataError, StoreError
from features.private_files import make_private_folder, write_private
from flows.published.contents import Contents
from flows.store import AlreadyThere, ObjectMissing, Store
from flows.store.reading import read_json, sealed

_JSON = "application/json"
_KINDS = {".csv": "text/csv", ".ods": "application/vnd.oasis.opendocument.spreadsheet"}
#: The file that marks a folder as written by `export`, and lists its contents.
LISTING = "sources.json"


class Version(BaseModel):
    """One stored version of one source."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str
    id: str
    """`2026-02-27-3f2a91c0d4e5`: the day it was fetched and twelve digits of its hash."""
    fetched: datetime
    sha256: str
    size: int
    origin: str
    """Its address without the query, or the name of the file that a person added."""
    release: str = ""
    """Version number of the data set, if it came from the statistics API."""
    replaces: str = ""
    contents: Contents
    changes: tuple[str, ...] = ()
    is_release: bool = False
    """Whether it has figures or judgements that the version before did not have."""

    @property
    def filename(self) -> str:
        """Its name in the source's folder."""
        return f"{self.id}{self.contents.suffix}"


class _InUse(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str
    beside: tuple[str, ...] = ()
    """Older versions with years that the version in use no longer has."""


class Shelf:
    """The published files in a store. Times are passed in, never read from a clock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def sources(self) -> tuple[str, ...]:
        """Every source that has a version in use."""
        names = (o.name.split("/") for o in self._store.list("reference/"))
        return tuple(sorted(n[1] for n in names if len(n) == 3 and n[2] == "in-use.json"))

    def in_use(self, source: str) -> tuple[Version, ...]:
        """The version in use, then older ones still needed; empty if there is none."""
        pointer = self._pointer(source)
        return () if pointer is None else tuple(self._version(source, v) for v in (pointer.version, *pointer.beside))

    def read(self, version: Version) -> bytes:
        """Read the file of a version and check its hash. Raises StoreError if it differs."""
        content = self._store.read(f"reference/{version.source}/{version.filename}")
        if sha256(content).hexdigest() != version.sha256:
            raise StoreError(
                f"reference/{version.source}/{version.filename} in {self._store.url} is not the file that was stored. "
                "Remove it and its record, then run `holdfast refresh`."
            )
        return content

    def keep(self, version: Version, content: bytes) -> Version:
        """Store a version that passed and put it in use. A version already stored is not stored again."""
        folder = f"reference/{version.source}/"
        stored = [o.name for o in self._store.list(folder) if o.name.endswith(f"-{version.sha256[:12]}.json")]
        kept = [n for n in stored if n.count("/") == 2]
        if kept:
            version = self._version(version.source, kept[-1].removeprefix(folder).removesuffix(".json"))
        else:
            kind = _KINDS.get(version.contents.suffix, "application/octet-stream")
            self._create(f"{folder}{version.filename}", content, kind)
            self._write_note(f"{folder}{version.id}.json", version.model_dump(mode="json"))
        before = self.in_use(version.source)
        beside = tuple(v.id for v in needed_beside(version, before))
        pointer = _InUse(version=version.id, beside=beside)
        in_use = f"{folder}in-use.json"
        self._store.replace(in_use, sealed(in_use, pointer.model_dump(mode="json")), content_type=_JSON)
        return version

    def note_refusal(self, source: str, content: bytes, reason: str, origin: str, at: datetime) -> str:
        """Record that a file was refused, and return the note's id. The same file is recorded only once."""
        digest = sha256(content).hexdigest()
        folder = f"reference/{source}/refused/"
        for noted in self._store.list(folder):
            if noted.name.endswith(f"-{digest[:12]}.json"):
                return noted.name.removeprefix(folder).removesuffix(".json")
        name = version_id(at, digest)
        note = {"fetched": at.isoformat(), "sha256": digest, "size": len(content), "origin": origin, "reason": reason}
        self._write_note(f"{folder}{name}.json", note)
        return name

    def export(self, folder: Path, sources: Iterable[str]) -> tuple[str, ...]:
        """Write the versions in use of some sources to a folder that `train --data` reads. Returns the file names.

        The folder must be new, empty, or from an earlier export. Raises ReferenceDataError if it is not, or if nothing
        is stored.
        """
        found = [
            (v.source if first else f"{v.source}-{v.id}", v)
            for source in sources
            for first, v in ((i == 0, v) for i, v in enumerate(self.in_use(source)))
        ]
        if not found:
            raise ReferenceDataError(
                "No published file is stored yet. Run `holdfast refresh`, or add one with `holdfast reference add`."
            )
        _cleared(folder)
        listing = []
        for stem, v in found:
            name = f"{stem}{v.contents.suffix}"
            write_private(folder / name, self.read(v))
            fetched = v.fetched.isoformat()
            listing.append(
                {"file": name, "sha256": v.sha256, "fetched": fetched, "origin": v.origin, "release": v.release}
            )
        write_private(folder / LISTING, json.dumps(listing, indent=1, ensure_ascii=False).encode() + b"\n")
        return tuple(one["file"] for one in listing)

    def _pointer(self, source: str) -> _InUse | None:
        try:
            return read_json(self._store, f"reference/{source}/in-use.json", _InUse.model_validate)
        except ObjectMissing:
            return None

    def _version(self, source: str, name: str) -> Version:
        return read_json(self._store, f"reference/{source}/{name}.json", Version.model_validate)

    def _write_note(self, name: str, document: Mapping[str, Any]) -> None:
        self._create(name, sealed(name, document), _JSON)

    def _create(self, name: str, content: bytes, kind: str) -> None:
        try:
            self._store.create(name, content, content_type=kind)
        except AlreadyThere:
            if kind != _JSON and self._store.read(name) != content:
                raise


@contextmanager
def laid_out(store: Store, sources: Iterable[str]) -> Iterator[Path]:
    """A temporary folder with the versions in use, for the block. Raises ReferenceDataError if there are none."""
    with TemporaryDirectory(prefix="holdfast-") as place:
        folder = Path(place) / "published"
        Shelf(store).export(folder, sources)
        yield folder


def version_id(at: datetime, digest: str) -> str:
    """A version's id: the day and twelve digits of the hash."""
    return f"{at.astimezone(UTC).date()}-{digest[:12]}"


def needed_beside(version: Version, before: Iterable[Version]) -> list[Version]:
    """The earlier versions that have years missing from all newer ones, newest first."""
    covered = set(version.contents.periods)
    kept: list[Version] = []
    for older in before:
        if older.sha256 != version.sha256 and set(older.contents.periods) - covered:
            kept.append(older)
            covered |= set(older.contents.periods)
    return kept


def _cleared(folder: Path) -> None:
    """Create the folder, or delete what an earlier export wrote there."""
    make_private_folder(folder)
    there = {p.name for p in folder.iterdir()}
    if not there:
        return
    if LISTING not in there:
        raise ReferenceDataError(f"{folder} holds other files. Name a new folder, or one from an earlier export.")
    try:
        known = {str(one["file"]) for one in json.loads((folder / LISTING).read_text(encoding="utf-8"))}
    except (ValueError, KeyError, TypeError):
        known = set()
    if others := sorted(there - known - {LISTING}):
        raise ReferenceDataError(
            f"{folder} holds a file that no export put there: {others[0]}. Move it away, or name a new folder."
        )
    for name in known & there:
        (folder / name).unlink()
