"""The ledger: who was sent which message, when, and with what result. Append-only, in the object store.

    ledger/2026-10/370/r1/new_watch/message.eml                     the exact message, before any attempt
    ledger/2026-10/370/r1/new_watch/<addressee>/0000-created.json   left out if it is sent at once
    ledger/2026-10/370/r1/new_watch/<addressee>/0001-sending.json
    ledger/2026-10/370/r1/new_watch/<addressee>/0002-sent.json      or 0002-failed.json

The first event of an addressee has the address, the Message-ID and the hash of the message.

Each event is an object that is created conditionally and never changed. So the order of events cannot be
rewritten, and of two runs at once only one can make an attempt.

The crash window. A crash after a message was handed to the transport and before `sent` was written leaves
`sending` without a result, and nobody can know whether the message arrived. Holdfast chooses *at least once,
with the same Message-ID*: the next run sends exactly the same bytes again. A director who gets a message twice
sees it once, as mail programs fold messages with the same id. A director who gets none has not been warned.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.months import Month
from flows.store.port import AlreadyThere, DamagedObject, ObjectMissing, Store
from flows.store.reading import digest, read_json, read_kept, remedy, sealed

#: The reason when an addressee left the register before the message reached them, so that nobody is missing it.
NO_RECIPIENT = "no longer among the recipients in the register"

#: Ending of the key of a message that went to a test inbox instead of to its recipients.
REDIRECTED = ".redirected"

_JSON = "application/json"
#: The outermost parts of a message; it ends with this mark.
_BOUNDARY = re.compile(rb'boundary="([^"]+)"')
_EVENT = re.compile(r"ledger/(?P<key>.+)/(?P<who>[0-9a-f]{16})/(?P<number>\d{4})-(?P<status>[a-z]+)\.json")


class Status(StrEnum):
    CREATED = "created"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    """Refused for good by the addressee's server: a person must act before it is tried again (`resend`)."""
    DEFERRED = "deferred"
    """Still to be sent: refused for now, or not handed over because of a fault of ours. The next run tries again."""

    @property
    def words(self) -> str:
        """The status in words for people."""
        return "to be sent" if self in UNFINISHED else self.value


#: Statuses from which the next run sends. `sending` is one of them, for the crash window above.
UNFINISHED = (Status.CREATED, Status.SENDING, Status.DEFERRED)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of the ledger for people: who, which message, with what result, and when it last changed."""

    key: str
    address: str
    status: Status
    message_id: str
    at: str
    reason: str
    asked: tuple[str, ...] = ()
    """Who released it or had it sent again, when and why, oldest first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The current status of one message for one addressee."""

    key: str
    who: str
    """Digest of the address, because more people can list the names of objects than read their contents."""
    status: Status
    number: int

    @property
    def prefix(self) -> str:
        return f"ledger/{self.key}/{self.who}/"

    @property
    def name(self) -> str:
        """Name of the object that holds this event."""
        return f"{self.prefix}{self.number:04d}-{self.status.value}.json"


def addressee_name(address: str) -> str:
    """The name of an addressee in the ledger: sixteen hex digits of a hash of the address in lower case."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:16]


def _event(found: dict[str, str | int]) -> dict[str, str | int]:
    """The facts of an event. Its status is not among them, as it is in the object's name."""
    return {"at": str(found["at"]), **found}


def _whole_message(content: bytes) -> bytes:
    if b"\nMessage-ID:" not in content and b"\nMessage-Id:" not in content:
        raise ValueError("not a message")
    # A run that died before the first event left no hash of it. A boundary is known only if the headers are whole.
    whole_headers = b"\n\n" in content or b"\r\n\r\n" in content
    boundary = _BOUNDARY.search(content)
    if not whole_headers or (boundary is not None and not content.rstrip().endswith(b"--" + boundary[1] + b"--")):
        raise ValueError("cut off")
    return content


class Ledger:
    """The ledger in a store. Times are passed in, never read from a clock.

    With `listed` it lists that month once, for a run that looks at many messages. Of a message that it then writes to,
    and of other months, the store is asked. If another process writes meanwhile, the conditional writes show it.
    """

    def __init__(self, store: Store, listed: Month | None = None) -> None:
        self._store = store
        self._written: dict[str, dict[str, str | int]] = {}
        """What this ledger has itself recorded first of addressees, which then need not be read."""
        self._found: dict[str, list[Entry]] | None = None
        self._listed = listed
        self._changed: set[str] = set()
        self._begun: set[Entry] = set()

    def recorded(self, key: str) -> list[Entry]:
        """The latest entries of a message's addressees from the listing of the month; none if it is not in it."""
        if self._listed is None or key in self._changed or not key.startswith(f"{self._listed}/"):
            return []
        if self._found is None:
            found: dict[str, list[Entry]] = {}
            for entry in self.month(self._listed):
                found.setdefault(entry.key, []).append(entry)
            self._found = found
        return self._found.get(key, [])

    def create(
        self, key: str, message_id: str, recipients: Sequence[str], content: bytes, at: datetime, transport: str = ""
    ) -> tuple[bytes, list[Entry]]:
        """Record a message and its addressees before anything is sent. Returns the bytes to send and the entries.

        If the message was recorded before, by a run that died or was repeated, the recorded bytes are returned, so
        that the same message is sent again. Of a new message nothing is asked for that was just written. With
        `transport` the first event of a new message's addressees is already the attempt (`has_begun`).
        """
        known: set[str] | None = None
        self._changed.add(key)
        try:
            self._store.create(f"ledger/{key}/message.eml", content, content_type="message/rfc822")
        except AlreadyThere:
            content = self.message(key)
            known = {e.who for e in self.entries(key)}
        facts = {"message_id": message_id, "at": at.isoformat(), "sha256": digest(content)}
        addresses = {addressee_name(a): a for a in reversed(recipients) if addressee_name(a) not in (known or ())}
        new = [Entry(key, w, Status.CREATED, 0) for w in sorted(addresses)]
        if known is None and transport:
            return content, [self._begin(e, {**facts, "address": addresses[e.who]}, transport) for e in new]
        ours = [self._write(e, {**facts, "address": addresses[e.who]}) for e in new]
        return content, new if known is None and all(ours) else self.entries(key)

    def _begin(self, entry: Entry, facts: dict[str, str | int], transport: str) -> Entry:
        """The attempt as an addressee's first event; the entry as it was if another run was quicker."""
        sending = Entry(entry.key, entry.who, Status.SENDING, 1)
        if not self._write(sending, {**facts, "transport": transport}):
            return entry
        self._written[entry.name] = _event(dict(facts))
        self._begun.add(sending)
        return sending

    def has_begun(self, entry: Entry) -> bool:
        """Whether this ledger has itself recorded the attempt that the entry says."""
        return entry in self._begun

    def message(self, key: str) -> bytes:
        """The recorded message, checked against the hash in its addressees' events (version 0.1.0 recorded none)."""
        name = f"ledger/{key}/message.eml"
        hashes = (self._first(e).get("sha256", "") for e in self.entries(key))
        return read_kept(self._store, name, _whole_message, str(next(hashes, "")))

    def _first(self, entry: Entry) -> dict[str, str | int]:
        """What was recorded before anything was sent. Raises DamagedObject also if it is gone: later events exist."""
        name = Entry(entry.key, entry.who, Status.CREATED, 0).name

        def own(found: dict[str, str | int]) -> dict[str, str | int]:
            if addressee_name(str(found["address"])) != entry.who:
                raise ValueError("another addressee's")
            return _event(found)

        if name in self._written:
            return self._written[name]
        for first in (name, Entry(entry.key, entry.who, Status.SENDING, 1).name):
            with suppress(ObjectMissing):
                return read_json(self._store, first, own)
        raise DamagedObject(f"The first event in “{entry.prefix}” is gone from the store. {remedy(name)}")

    def entries(self, key: str) -> list[Entry]:
        """The latest entry of each addressee of a message, sorted by addressee."""
        return list(self._latest(f"ledger/{key}/"))

    def month(self, month: Month) -> list[Entry]:
        """The latest entry of every addressee of every message of a month."""
        return list(self._latest(f"ledger/{month}/"))

    def advance(self, entry: Entry, status: Status, at: datetime, **facts: str | int) -> Entry | None:
        """Write the next event of an addressee. Returns None if another run wrote it first."""
        following = Entry(entry.key, entry.who, status, entry.number + 1)
        return following if self._write(following, {"at": at.isoformat(), **facts}) else None

    def is_open(self, entry: Entry) -> bool:
        """Whether the next run sends it.

        Version 0.1.0 also recorded faults of ours (a wrong password, a certificate) as “failed”. Those events have no
        code from the addressee's server, so they count as open.
        """
        if entry.status is not Status.FAILED:
            return entry.status in UNFINISHED
        return self._last(entry).get("code") == 0

    def reason(self, entry: Entry) -> str:
        """Why an addressee does not have the message; empty if they have it or nothing is known."""
        return str(self._last(entry).get("reason", "")) if entry.status in (Status.FAILED, Status.DEFERRED) else ""

    def _last(self, entry: Entry) -> dict[str, str | int]:
        return read_json(self._store, entry.name, _event)

    def history(self, entry: Entry) -> list[dict[str, str | int]]:
        """Every event of an addressee, oldest first, with its facts: for people and for audits."""
        return [
            {"status": match["status"], **read_json(self._store, o.name, _event)}
            for o in self._store.list(entry.prefix)
            if (match := _EVENT.fullmatch(o.name))
        ]

    def address(self, entry: Entry) -> str:
        """The e-mail address of an entry."""
        return str(self._first(entry)["address"])

    def told(self, month: Month, folder: str = "") -> list[LedgerLine]:
        """The ledger of a month, or of one council in it, one line per message and addressee. For `holdfast ledger`."""
        lines = []
        for entry in self.entries(f"{month}/{folder}".rstrip("/")):
            history = self.history(entry)
            if not history or not {"address", "message_id"} <= set(history[0]):
                raise DamagedObject(
                    f"The first event in “{entry.prefix}” of the store is missing or says not who was written to. "
                    f"{remedy(entry.name)}"
                )
            last = history[-1]
            lines.append(
                LedgerLine(
                    key=entry.key,
                    address=str(history[0]["address"]),
                    status=entry.status,
                    message_id=str(history[0]["message_id"]),
                    at=str(last["at"]),
                    reason=str(last.get("reason", "")),
                    asked=tuple(f"{e['by']} on {str(e['at'])[:10]}: {e['reason']}" for e in history if e.get("by")),
                )
            )
        return lines

    def months(self) -> list[Month]:
        """Every month that has messages in the ledger."""
        return sorted({Month.parse(o.name.split("/")[1]) for o in self._store.list("ledger/")})

    def delivered(self, key: str) -> bool:
        """Whether a message with this key reached an addressee or may have, so that the director counts as told.

        `key` is the key of one message, or `<month>/<folder>` for any message to a council in a month.
        """
        return any(e.status in (Status.SENT, Status.SENDING) for e in self.entries(key))

    def _latest(self, prefix: str) -> Iterator[Entry]:
        latest: dict[tuple[str, str], Entry] = {}
        for found in self._store.list(prefix):
            if match := _EVENT.fullmatch(found.name):
                entry = Entry(match["key"], match["who"], Status(match["status"]), int(match["number"]))
                latest[entry.key, entry.who] = entry  # listed in order of name, and so of number
        yield from (latest[k] for k in sorted(latest))

    def _write(self, entry: Entry, facts: dict[str, str | int]) -> bool:
        self._changed.add(entry.key)
        try:
            self._store.create(entry.name, sealed(entry.name, facts), content_type=_JSON)
        except AlreadyThere:
            return False
        if entry.status is Status.CREATED:
            self._written[entry.name] = _event(dict(facts))
        return True
