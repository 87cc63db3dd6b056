"""Finds a month's undelivered mail in the ledger, for the run, the watchdog and the keeper, and sends it.

Only the latest message counts: a later revision of an alert, or a later report on the same files, replaces the
earlier one. Held messages do not count as undelivered, as they wait for a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from features.councils import Register
from features.errors import MailError
from features.months import Month
from flows.alerts.order import success_name
from flows.alerts.publish import latest_alert
from flows.mail.approval import held_councils
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver_recorded, recipients_of
from flows.mail.policy import allowed_recipients
from flows.mail.transports.open import mail_policy
from flows.mail.valve import ValveHold, valve_hold
from flows.settings.settings import Settings
from flows.store import ObjectMissing, Store
from flows.store.context import load_register
from flows.store.ledger import NO_RECIPIENT, REDIRECTED, Entry, Ledger, Status
from flows.store.open import open_store
from flows.store.port import DamagedObject
from flows.store.reading import read_json, sealed

#: Keys of a month's messages in the ledger. Messages of the watchdog and the refresh belong to a day, not a month.
_KEY = re.compile(
    r"\d{4}-\d{2}/(?:(?P<files>files|tried)/(?P<officers>[^/]+)/[0-9a-f]+|(?P<run>run)/[0-9a-f]+|(?P<folder>[^/]+)/r\d+/\w+)"
)

_NEVER = datetime.min.replace(tzinfo=UTC)
#: The keeper's wait after the first attempt, which doubles after each further one, and the longest wait.
_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One addressee who has not received a message of a month."""

    key: str
    folder: str
    """The council's folder; empty for the data team's summary."""
    whom: str
    """“director”, “data officer” or “data team”."""
    address: str
    status: Status
    """FAILED if the addressee's server refused it for good; otherwise it is still to be sent."""
    reason: str
    last: datetime
    """Time of its latest event in the ledger."""
    attempts: int

    @property
    def in_words(self) -> str:
        """`Z02, director: to be sent. The mail server …`."""
        who = f"{self.folder}, {self.whom}" if self.folder else self.whom
        return f"{who}: {self.status.words}. {self.reason}".strip()


def is_redirected(settings: Settings) -> bool:
    """Whether messages go to a test inbox instead of their recipients, with keys of their own."""
    return bool(settings.mail.redirect_to) and not mail_policy(settings).production


def undelivered(
    store: Store, settings: Settings, month: Month, valve: Collection[str] | None = None
) -> tuple[Undelivered, ...]:
    """Everyone without a message of the month at present, sorted by message. A run may still be sending some of it.

    `valve`: keys of the messages that the storm valve holds, if known; else the month's success marker says it.
    """
    redirected = is_redirected(settings)
    every = [e for e in Ledger(store).month(month) if e.key.endswith(REDIRECTED) is redirected]
    missing = [e for e in every if e.status is not Status.SENT]
    if not missing:
        return ()
    hold = valve_hold(store, month) if valve is None else ValveHold(frozenset(valve), "")
    held = {*held_councils(store, month), *(hold.folders if hold else ())}
    found: list[Undelivered] = []
    for entry in missing:
        match = _KEY.fullmatch(entry.key.removesuffix(REDIRECTED))
        if match is None or match["folder"] in held:
            continue
        folder = match["folder"] or match["officers"] or ""
        whom = "director" if match["folder"] else "data officer" if match["files"] else "data team"
        try:
            if _stands(store, month, entry, match["folder"], every):
                found.append(_undelivered(store, entry, folder, whom))
        except DamagedObject as error:  # nobody can tell whether it should still go, so a person must look
            found.append(Undelivered(entry.key, folder, whom, "", Status.FAILED, str(error), _NEVER, 0))
    return tuple(one for one in found if one.reason != NO_RECIPIENT)


def _stands(store: Store, month: Month, entry: Entry, director_of: str | None, every: Iterable[Entry]) -> bool:
    """Whether no later message has replaced this one."""
    if director_of:
        alert = latest_alert(store, month, director_of)
        return alert is not None and alert.due and alert.message_key == entry.key.removesuffix(REDIRECTED)
    # Of successive reports on the same files, only the newest counts.
    group = entry.key.rpartition("/")[0]
    rivals = {e.key: e for e in every if e.key.rpartition("/")[0] == group}
    return max(rivals, key=lambda k: (_created(store, rivals[k]), k)) == entry.key


def _created(store: Store, entry: Entry) -> str:
    return str(Ledger(store).history(entry)[0]["at"])


def _undelivered(store: Store, entry: Entry, folder: str, whom: str) -> Undelivered:
    history = Ledger(store).history(entry)
    status = Status.DEFERRED if Ledger(store).is_open(entry) else entry.status
    return Undelivered(
        key=entry.key,
        folder=folder,
        whom=whom,
        address=str(history[0]["address"]),
        status=status,
        reason=str(history[-1].get("reason", "")),
        last=datetime.fromisoformat(str(history[-1]["at"])),
        attempts=sum(e["status"] == Status.SENDING for e in history),
    )


def is_time(left: Sequence[Undelivered], now: datetime) -> bool:
    """Whether to try again now: something is unsent, and the wait since the last attempt is over.

    The wait is for the whole month, as a fault that one message meets mostly affects the others too.
    """
    open_ = [one for one in left if one.status is not Status.FAILED]
    if not open_:
        return False
    waits = min(_LONGEST_WAIT, _WAIT * max(1, *(one.attempts for one in open_), 1))
    return now - max(one.last for one in open_) >= waits


def send_undelivered(
    settings: Settings, store: Store, courier: Courier, month: Month, at: datetime
) -> list[list[Delivery]]:
    """Send the month's unsent messages, as recorded in the ledger, to those who should still get them.

    The caller must hold the month's claim. Raises ReferenceDataError if there is no register.
    """
    register = load_register(open_store(settings, settings.landing), settings.register_file)
    left = {one.key: one for one in undelivered(store, settings, month) if one.status is not Status.FAILED}

    def attempt(one: Undelivered) -> list[Delivery]:
        try:
            wanted = _recipients(store, month, one, register, settings)
            to, _ = allowed_recipients(wanted, mail_policy(settings), courier, one.folder)
        except MailError as error:
            return [Delivery(one.key, "", Status.FAILED, True, str(error))]
        return deliver_recorded(store, courier, one.key, to, at)

    made = courier.carry(list(left.values()), attempt)
    note_undelivered(store, settings, month)
    return made


def _recipients(
    store: Store, month: Month, one: Undelivered, register: Register, settings: Settings
) -> tuple[str, ...]:
    if not one.folder:
        return (settings.mail.data_team,)
    council = register.by_folder.get(one.folder)
    if council is None:
        return ()
    if one.whom == "director":
        alert = latest_alert(store, month, one.folder)
        return recipients_of(store, council, alert, mail_policy(settings)) if alert is not None else ()
    return (council.data_officer,) if council.data_officer else ()


def note_undelivered(store: Store, settings: Settings, month: Month, *, unaddressed: int | None = None) -> None:
    """Update the month's success marker, if there is one, after mail was sent.

    `unaddressed` is the number of messages that a run could not address (for example, the domain is not allowed);
    None leaves the number as it is.
    """
    marker = _marker(store, month)
    if not marker:
        return
    marker["undelivered"] = len(undelivered(store, settings, month))
    marker["unaddressed"] = marker.get("unaddressed", 0) if unaddressed is None else unaddressed
    name = success_name(month)
    store.replace(name, sealed(name, marker), content_type="application/json")


def noted_undelivered(store: Store, month: Month) -> tuple[int, int]:
    """The month's success marker's numbers of messages not delivered and of messages that could not be addressed."""
    marker = _marker(store, month)
    counts = (marker.get("undelivered", 0), marker.get("unaddressed", 0))
    return (counts[0], counts[1]) if all(isinstance(c, int) for c in counts) else (0, 0)  # type: ignore[return-value]


def _marker(store: Store, month: Month) -> dict[str, object]:
    """The month's success marker; empty if there is none or it cannot be read, which the watchdog reports."""
    try:
        return read_json(store, success_name(month), dict)
    except (ObjectMissing, DamagedObject):
        return {}
