"""Changes the pseudonym key: replaces every stored pseudonym and changes no count.

References are hashed one way, so stored pseudonyms cannot be turned into those of another key. So each of the councils'
files is read once with the old and once with the new key, which gives the successor of each pseudonym and of each
team's code. Tables of rows and states, and the tables of received files, are then rewritten in place, in every edition.
If a bucket keeps versions, older versions of them are deleted. The counts made from them stay as they were. Team names
that 0.1.0 kept in clear become codes.

The store remembers which key it was made with (a fingerprint, `pseudonyms/key.json`). A run with another key ends with
a sentence; otherwise it would find none of last month's workers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import polars as pl

from features.councils import Register
from features.errors import ExtractError, SettingsError
from features.months import Month
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.formats.asked import Asked, Content
from flows.extracts.formats.known import read_form
from flows.extracts.landing import LandedFile, list_month
from flows.extracts.mapping import load_mapping
from flows.extracts.pseudonyms import pseudonyms, team_codes
from flows.extracts.reading.table import Limits
from flows.extracts.reading.where import Where
from flows.store import AlreadyThere, DamagedObject, ObjectMissing, Store
from flows.store.kept import rehash
from flows.store.manifest import require_hashes, rewrite_hashes
from flows.store.names import TABLE_ENDING
from flows.store.reading import read_json, read_kept, remedy, sealed, to_parquet

KEY_NAME = "pseudonyms/key.json"

#: Columns that hold pseudonyms, and those that hold codes of teams.
_REFERENCES = sorted({f.name for e in EXTRACTS.values() for f in e.fields if f.type is FieldType.REFERENCE})
_TEAMS = sorted({f.name for e in EXTRACTS.values() for f in e.fields if f.type is FieldType.TEXT})
_TABLE = re.compile(r"months/[^/]+/\d{4}/(state-)?(workforce|caseload)(-[0-9a-f]{12})?\.parquet")
_RECEIVED = re.compile(rf"received/[^/]+/(?:[^/]+/)?(workforce|caseload)-[0-9a-f]{{12}}{re.escape(TABLE_ENDING)}")
_CODE = "^[0-9a-f]{8}$"


@dataclass(frozen=True, slots=True)
class Rotated:
    """The result of a rotation. References without a successor are in no file that is still in the landing store."""

    tables: int
    references: int
    without_successor: int
    months_without: tuple[str, ...]

    def to_text(self) -> str:
        lines = [f"{self.tables} tables were written anew; {self.references} pseudonyms were replaced."]
        if self.without_successor:
            lines.append(
                f"{self.without_successor} pseudonyms of {', '.join(self.months_without)} stand in no file of the "
                "landing store. They were replaced by ones that match nothing, and the states they stood in were "
                "emptied of their councils: what is counted against them is “a month of the window is missing”."
            )
        return "\n".join(lines)


def fingerprint_of(key: bytes) -> str:
    """Identifies a key without revealing anything about it."""
    return blake2b(b"holdfast pseudonym key", key=blake2b(key).digest(), digest_size=6).hexdigest()


def require_key(store: Store, key: bytes) -> None:
    """Raise SettingsError if the store was made with another key; the first key used with a store becomes its key."""
    known = _known(store)
    if known is None:
        if _tables(store):
            raise DamagedObject(
                f"“{KEY_NAME}” is missing in the store, so nobody can say whether the pseudonym key is the one its "
                f"months were made with. {remedy(KEY_NAME)} If you know that the key in the settings is the right "
                f'one, put the text {{"key": "{fingerprint_of(key)}"}} there.'
            )
        try:
            store.create(KEY_NAME, sealed(KEY_NAME, {"key": fingerprint_of(key)}), content_type="application/json")
            return
        except AlreadyThere:
            known = _known(store) or {}
    if "rotating_to" in known:
        raise SettingsError(
            f"A rotation of the pseudonym key was begun and did not end (“{KEY_NAME}”). Run "
            "`holdfast rotate-key` again with the same two keys; it goes on from where it stopped."
        )
    if known.get("key") != fingerprint_of(key):
        raise SettingsError(
            f"The pseudonym key is not the one this store was made with (“{KEY_NAME}”), so no worker or case of "
            "earlier months would be found again. Set the right HOLDFAST_PSEUDONYM_KEY, or change keys with "
            "`holdfast rotate-key`."
        )


def rotate(
    landing: Store,
    store: Store,
    register: Register,
    *,
    old: bytes,
    new: bytes,
    at: datetime,
    by: str,
    reason: str,
    limits: Limits,
    say: Callable[[str], None],
) -> Rotated:
    """Replace every stored pseudonym. If interrupted at any point, the same call finishes it; no run may be at work.

    Raises SettingsError for keys that do not fit the store or each other, StoreError if the store refuses.
    """
    _require_fitting(store, old, new)
    if not by.strip() or not reason.strip():
        raise SettingsError("Changing the key needs --by and --reason: both are kept.")
    begun = {"key": fingerprint_of(old), "rotating_to": fingerprint_of(new)}
    if "rotating_to" not in (_known(store) or {}):
        require_hashes(store, _tables(store))  # rewritten tables get a new hash, so damaged ones must not be rewritten
    store.replace(KEY_NAME, sealed(KEY_NAME, begun), content_type="application/json")
    editions, received = _tables(store), [o.name for o in store.list("received/") if _RECEIVED.fullmatch(o.name)]
    tables = [*editions, *received]
    months = sorted({Month.parse(n.split("/")[1]) for n in tables})
    successors = _successors(landing, register, months, old, new, limits, say)
    replaced, orphans, without = 0, 0, set()
    for name in tables:
        count, lost = _rewrite(store, name, successors, new)
        replaced, orphans = replaced + count, orphans + lost
        if lost:
            without.add(name.split("/")[1])
    rewrite_hashes(store, editions)
    rehash(store, received)
    store.purge([s for name in tables for s in store.everything(name) if not s.latest])
    done = Rotated(len(tables), replaced, orphans, tuple(sorted(without)))
    record = f"pseudonyms/rotated-{at:%Y-%m-%dT%H%M%S}Z.json"
    store.create(
        record,
        sealed(record, {**begun, "at": at.isoformat(), "by": by, "reason": reason, "tables": done.tables}),
        content_type="application/json",
    )
    store.replace(KEY_NAME, sealed(KEY_NAME, {"key": fingerprint_of(new)}), content_type="application/json")
    return done


def _require_fitting(store: Store, old: bytes, new: bytes) -> None:
    known = _known(store) or {}
    if old == new:
        raise SettingsError("The new pseudonym key is the old one. Make a new one, and give the old one beside it.")
    if known.get("key", fingerprint_of(old)) != fingerprint_of(old):
        raise SettingsError("The old pseudonym key given is not the one this store was made with; nothing was changed.")
    if known.get("rotating_to", fingerprint_of(new)) != fingerprint_of(new):
        raise SettingsError("A rotation to another new key was begun. Finish it with that key first.")


def _known(store: Store) -> dict[str, str] | None:
    try:
        return read_json(store, KEY_NAME, _key_record)
    except ObjectMissing:
        return None


def _key_record(found: Mapping[str, str]) -> dict[str, str]:
    return {"key": found["key"], **{name: found[name] for name in ("rotating_to",) if name in found}}


def _tables(store: Store) -> list[str]:
    return [o.name for o in store.list("months/") if _TABLE.fullmatch(o.name)]


@dataclass(frozen=True, slots=True)
class _Successors:
    """`old, new`: the successor of each pseudonym and each team's code in the files of these months."""

    references: pl.DataFrame
    teams: pl.DataFrame


def _successors(
    landing: Store,
    register: Register,
    months: Iterable[Month],
    old: bytes,
    new: bytes,
    limits: Limits,
    say: Callable[[str], None],
) -> _Successors:
    references = [pl.DataFrame(schema={"old": pl.UInt64(), "new": pl.UInt64()})]
    teams = [pl.DataFrame(schema={"old": pl.String(), "new": pl.String()})]
    for month in months:
        say(f"Reading {month} with both keys")
        for file in list_month(landing, month, register).every_file:
            if file.kind in (Kind.WORKFORCE, Kind.CASELOAD) and file.size <= limits.max_bytes:
                both = _with_both(landing, file, old, new, limits)
                references += _pairs(both, _REFERENCES)
                teams += _pairs(both, _TEAMS)
    return _Successors(*(pl.concat(found).unique("old").sort("old") for found in (references, teams)))


def _with_both(landing: Store, file: LandedFile, old: bytes, new: bytes, limits: Limits) -> pl.DataFrame:
    """A file's rows with the old key, and with the new one in columns `…_new`.

    It has no rows for an unreadable file, because nothing of it was stored.
    """
    content: Content = {p.rpartition("/")[2]: landing.read(p) for p in file.parts} or landing.read(file.name)
    where = Where(file.council.name, file.month, file.filename)

    def read(key: bytes) -> pl.DataFrame:
        mapping = load_mapping(landing, file.mapping.name, where) if file.mapping is not None else None
        asked = Asked(file.filename, file.kind, file.council, file.month, key, file.modified, limits, mapping)
        return read_form(file.form, content, asked).frame

    try:
        then, now = read(old), read(new)
    except ExtractError:
        return pl.DataFrame()
    return then.join(now, on="file_row", suffix="_new", how="inner", validate="1:1")


def _pairs(both: pl.DataFrame, columns: Sequence[str]) -> list[pl.DataFrame]:
    """The same cells hashed with both keys."""
    there = [c for c in columns if c in both.columns]
    return [both.select(pl.col(c).alias("old"), pl.col(f"{c}_new").alias("new")).drop_nulls() for c in there]


def _rewrite(store: Store, name: str, successors: _Successors, new: bytes) -> tuple[int, int]:
    """Write one table with new pseudonyms: how many were replaced, and how many of them have no successor.

    A pseudonym that is already new (an earlier attempt was interrupted) stays as it is.
    """
    frame = read_kept(store, name, lambda content: pl.read_parquet(io.BytesIO(content)))
    frame, recoded = _recoded(frame, successors.teams, new)
    replaced, lost, orphans = 0, 0, pl.lit(False)
    for column in (c for c in _REFERENCES if c in frame.columns):
        here = frame.get_column(column)
        distinct = here.drop_nulls().unique()
        substitute = pseudonyms(distinct.cast(pl.String), la_code="unmatched", key=new)
        fresh, already, unmatched = _fresh(distinct, successors.references, substitute)
        gone = here.is_in(distinct.filter(unmatched).implode()).fill_null(False)
        frame = frame.with_columns(here.replace_strict(distinct, fresh, default=None, return_dtype=pl.UInt64()))
        replaced += int((~already).sum())
        lost += int(unmatched.sum())
        orphans = orphans | gone
    if name.rpartition("/")[2].startswith("state-") and lost:
        councils = frame.filter(orphans).get_column("la_code").unique()
        frame = frame.filter(~pl.col("la_code").is_in(councils.implode()))
    if replaced or recoded:
        order = [c for c in ("la_code", "worker_ref", "case_ref", "file_row") if c in frame.columns]
        store.replace(name, to_parquet(frame.sort(order, maintain_order=True)))
    return replaced, lost


def _fresh(
    distinct: pl.Series, successors: pl.DataFrame, substitute: pl.Series
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The replacement of each value; whether it is already new; whether it has no successor."""
    already = distinct.is_in(successors["new"].implode())
    becomes = distinct.to_frame("old").join(successors, on="old", how="left", validate="1:1", maintain_order="left")
    unmatched = becomes.get_column("new").is_null() & ~already
    fresh = pl.select(
        pl.when(already).then(distinct).when(unmatched).then(substitute).otherwise(becomes.get_column("new"))
    ).to_series()
    return fresh, already, unmatched


def _recoded(frame: pl.DataFrame, successors: pl.DataFrame, new: bytes) -> tuple[pl.DataFrame, bool]:
    """The table with new team codes, also for names kept in clear, and whether that changed anything."""
    changed = False
    for column in (c for c in _TEAMS if c in frame.columns):
        parts = []
        for part in frame.partition_by("la_code", maintain_order=True):
            here = part.get_column(column)
            distinct = here.drop_nulls().unique()
            code = part.get_column("la_code")[0] or ""
            named = team_codes(distinct, la_code=code, key=new)
            is_code = distinct.str.contains(_CODE)
            substitute = named.zip_with(~is_code, team_codes(distinct, la_code="unmatched", key=new))
            fresh, already, _ = _fresh(distinct, successors, substitute)
            changed |= not already.all()
            parts.append(
                part.with_columns(here.replace_strict(distinct, fresh, default=None, return_dtype=pl.String()))
            )
        frame = pl.concat(parts) if parts else frame
    return frame, changed
