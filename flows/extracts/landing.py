"""Lists what councils have put into the landing store for a month. Nothing here writes to it.

Layout: `2026-10/370/workforce.csv`, where any text between the first dot and the ending marks a resubmission
(`workforce.corrected.csv`). A name that is not understood is always recorded, because it may be the file somebody is
waiting for. Besides our own extracts, the sector's own formats are recognised by their names
(`flows.extracts.formats.known`): `csww.xml`, `annex_a.xlsx`, and a folder `ssd/` of tables, which is one submission.
So is a folder named like an extract, `workforce/`: its files are united by the council's mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from features.councils import Council, Register
from features.errors import StoreError
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Form
from flows.extracts.formats.known import (
    BY_FORM,
    RECOGNITIONS,
    Recognition,
    kinds_of,
    needed_parts,
    recognise_sector_file,
)
from flows.extracts.mapping import FOLDER as MAPPINGS
from flows.extracts.mapping import mapping_in_force
from flows.store import ObjectInfo, Store, StoreRefuses
from flows.store.port import StrangeObject

ENDINGS = ("csv", "parquet", "xlsx")
_KINDS = frozenset(str(k) for k in Kind)


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file of one council, month and kind."""

    name: str
    """Its name in the landing store."""
    month: Month
    council: Council
    kind: Kind
    size: int
    modified: datetime
    """When it was put there (the time of receipt), in UTC."""
    form: Form = Form.NATIVE
    parts: tuple[str, ...] = ()
    """For a folder: the names of its files in the landing store."""
    mapping: ObjectInfo | None = None
    """The council's saved mapping by which the file is read, if there is one."""

    @property
    def filename(self) -> str:
        """The file's own name, as its sender knows it."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Something in the month's folder that is not recognised as an extract."""

    name: str
    size: int
    modified: datetime
    reason: str
    """What is wrong with it and what to do, as a sentence."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A month's files, each tuple in order of council, kind and time."""

    month: Month
    files: tuple[LandedFile, ...]
    """The newest of each council and kind."""
    earlier: tuple[LandedFile, ...]
    """Submissions that a newer one replaces; they are still kept and recorded."""
    unrecognised: tuple[Unrecognised, ...]

    @property
    def every_file(self) -> tuple[LandedFile, ...]:
        """All submissions in order of receipt within council and kind."""
        return tuple(sorted((*self.files, *self.earlier), key=_order))


class Lister(Protocol):
    """What listing a month needs of the landing store."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]: ...

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]: ...


@dataclass(frozen=True)
class Snapshot:
    """What lies in the landing store, listed once, for a run that looks at many months."""

    objects: Sequence[ObjectInfo]
    oddities: Sequence[StrangeObject]

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return (o for o in self.objects if o.name.startswith(prefix))

    def strange(self, prefix: str = "") -> Iterator[StrangeObject]:
        return (o for o in self.oddities if o.name.startswith(prefix) or f"{o.name}/" == prefix)


def landing_snapshot(store: Store) -> Lister:
    """The landing store listed once; the store itself if one of its folders cannot be opened."""
    try:
        return Snapshot(*store.survey())
    except StoreRefuses:
        return store


def list_month(
    store: Lister, month: Month, register: Register, mappings: Sequence[ObjectInfo] | None = None
) -> Landing:
    """The contents of a month's folder in the landing store; raises only StoreError.

    `mappings`: the contents of its `mappings/`, if already listed.
    """
    known = tuple(store.list(f"{MAPPINGS}/")) if mappings is None else mappings
    files: list[LandedFile] = []
    unrecognised: list[Unrecognised] = []
    folders: dict[str, list[ObjectInfo]] = {}
    strange = list(store.strange(f"{month}/"))
    for found in _lying(store, month, register, closed=bool(strange)):
        if folder := _table_folder(found.name):
            folders.setdefault(folder, []).append(found)
            continue
        recognised = _recognise(found, month, register)
        if isinstance(recognised, str):
            unrecognised.append(Unrecognised(found.name, found.size, found.modified, recognised))
        else:
            files.extend(recognised)
    unrecognised += [
        Unrecognised(found.name, 0, found.modified, f"{found.name} {found.why}. It was left alone.")
        for found in strange
    ]
    for folder, lying in folders.items():
        names = [p.name for p in lying]
        form = _form_of_folder(folder)
        wanted = needed_parts(form, names) if form is not None else tuple(sorted(names))
        parts = [p for p in lying if p.name in wanted]
        whole = ObjectInfo(folder, sum(p.size for p in parts), max(p.modified for p in parts))
        recognised = _recognise(whole, month, register, lies_in=True)
        if isinstance(recognised, str):
            unrecognised.append(Unrecognised(whole.name, whole.size, whole.modified, recognised))
        else:
            owed = recognised[0].council.expects
            there = kinds_of(form.form, wanted) if form is not None else (recognised[0].kind,)
            given = [k for k in there if k not in _lesser(recognised[0]) or k not in owed]
            files.extend(replace(f, parts=wanted) for f in recognised if f.kind in given)
    files = [
        replace(f, mapping=mapping_in_force(known, f.council, f.kind, month)) if f.form is Form.NATIVE else f
        for f in files
    ]
    newest = {(f.council.la_code, f.kind): f for f in sorted(files, key=_order)}
    chosen = tuple(newest.values())
    return Landing(
        month=month,
        files=tuple(sorted(chosen, key=_order)),
        earlier=tuple(f for f in sorted(files, key=_order) if f not in chosen),
        unrecognised=tuple(unrecognised),
    )


def _lying(store: Lister, month: Month, register: Register, *, closed: bool) -> Iterable[ObjectInfo]:
    """The contents of a month's folder; if we cannot open a council's folder, the contents of the others."""
    try:
        return list(store.list(f"{month}/"))
    except StoreError:
        if not closed:
            raise
    found: list[ObjectInfo] = []
    for council in register.valid_in(month):
        with suppress(StoreError):
            found += store.list(f"{month}/{council.folder}/")
    return found


def _order(file: LandedFile) -> tuple[str, str, bool, datetime, str]:
    """Sorts so that for each council and kind the file that counts is last: the newest, but one that gives way always
    comes first."""
    return (file.council.la_code, file.kind, file.kind not in _giving_way(file), file.modified, file.name)


def _giving_way(file: LandedFile) -> tuple[Kind, ...]:
    return (*_lesser(file), *(BY_FORM[file.form].second if file.form in BY_FORM else ()))


def _lesser(file: LandedFile) -> tuple[Kind, ...]:
    return BY_FORM[file.form].lesser if file.form in BY_FORM else ()


def _form_of_folder(folder: str) -> Recognition | None:
    """The sector's format that a folder's name means; None for a folder of our own extracts."""
    return next((r for r in RECOGNITIONS if r.folder and folder.rpartition("/")[2].lower() == r.stem), None)


def _table_folder(name: str) -> str | None:
    """`2026-10/370/ssd` for a table in that folder, `2026-10/370/workforce` for a council's own list in that one."""
    folder, _, file = name.rpartition("/")
    known = _form_of_folder(folder)
    if len(folder.split("/")) != 3 or (known is None and folder.rpartition("/")[2].lower() not in _KINDS):
        return None
    fits = file.rpartition(".")[2].lower() in (known.endings if known is not None else ENDINGS)
    return folder if fits else None


def _recognise(found: ObjectInfo, month: Month, register: Register, *, lies_in: bool = False) -> list[LandedFile] | str:
    """The file, once for each extract that it gives, or a sentence that says why it is not recognised.

    `lies_in`: it is a folder in which files lie.
    """
    parts = found.name.split("/")
    if len(parts) != 3:
        return f"{found.name} does not lie directly in a council's folder. Move it to {month}/<council>/<extract>.csv."
    _, folder, filename = parts
    council = register.by_folder.get(folder)
    if council is None:
        return (
            f"{found.name}: no council in the register has the folder “{folder}”. Rename the folder to the council's "
            "code (a joint return's two codes with a dash), or add the council to the register."
        )
    if not council.exists_in(month):
        return (
            f"{found.name}: by the register, {council.name} ({council.la_code}) does not report for {month.in_words}. "
            "Move the file to the month or council it belongs to, or correct the register."
        )
    stem, _, rest = filename.partition(".")
    ending = rest.rpartition(".")[2].lower()
    sector = recognise_sector_file(stem, ending) or next(
        (r for r in RECOGNITIONS if r.folder and filename.lower() == r.stem), None
    )
    if sector is not None:
        return [
            LandedFile(found.name, month, council, kind, found.size, found.modified, sector.form)
            for kind in sector.kinds
        ]
    if lies_in and stem.lower() in _KINDS:
        return [LandedFile(found.name, month, council, Kind(stem.lower()), found.size, found.modified)]
    if ending not in ENDINGS:
        return (
            f"{found.name}: only files ending in .csv, .parquet or .xlsx are read, and csww.xml. "
            "Send the extract in one of them."
        )
    if stem.strip().lower() not in _KINDS:
        return (
            f"{found.name}: the name does not begin with the kind of extract. Name it {', '.join(Kind)} "
            f"followed by .{ending}; a mark of resubmission goes between the dots."
        )
    return [LandedFile(found.name, month, council, Kind(stem.strip().lower()), found.size, found.modified)]
