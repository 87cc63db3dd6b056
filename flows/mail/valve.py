"""The storm valve's hold on a month's mail: the one place that says for which messages it still lasts.

A run writes into its success marker which messages it held. A message is no longer held by the valve once it has gone,
once a later one of the same council has gone, or once a person has answered for it: by a release, or by a decision on a
round of approval, whatever that decision was. What a person then holds is in `flows.mail.approval.holds`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from features.months import Month
from flows.alerts.order import success_name
from flows.alerts.publish import Published, alerts_of_month, sent_message_keys
from flows.mail import approval
from flows.store import DamagedObject, ObjectMissing, Store
from flows.store.reading import read_json, sealed

_KEY = re.compile(r"\d{4}-\d{2}/(?P<folder>[^/]+)/r(?P<revision>\d+)/\w+")
_UNKNOWN = "More councils would have been alerted than a feed in order brings about."


@dataclass(frozen=True, slots=True)
class ValveHold:
    """The messages that the storm valve still holds."""

    messages: frozenset[str]
    """Keys."""
    reason: str

    @property
    def folders(self) -> frozenset[str]:
        return frozenset(key.split("/")[1] for key in self.messages)


def valve_hold(store: Store, month: Month) -> ValveHold | None:
    """What the valve holds of a month's mail at present; None if nothing. Raises DamagedObject."""
    try:
        marker = read_json(store, success_name(month), dict)
    except ObjectMissing:
        return None
    if not marker.get("held"):
        return None
    if (listed := marker.get("held_messages")) is None:  # until 0.2.0: any answer ended the whole hold
        if any(_answers(store, month)):
            return None
        listed = [a.message_key for a in alerts_of_month(store, month) if a.due]
    held = _left(store, month, listed)
    return ValveHold(held, str(marker.get("held_because") or _UNKNOWN)) if held else None


def would_hold(store: Store, month: Month, published: Iterable[Published]) -> frozenset[str]:
    """The keys of these messages that the valve holds if it holds now."""
    return _left(store, month, [p.message.key for p in published if p.message is not None])


def end_hold(store: Store, month: Month) -> None:
    """Record that a later look found the valve open, for example under other rules. Raises DamagedObject."""
    with suppress(ObjectMissing):
        marker = read_json(store, success_name(month), dict)
        if marker.get("held"):
            content = sealed(success_name(month), {**marker, **hold_in_marker(())})
            store.replace(success_name(month), content, content_type="application/json")


def hold_in_marker(messages: Collection[str], reason: str = "") -> dict[str, object]:
    """What a run writes into its success marker about the valve."""
    return {"held": bool(messages), "held_messages": sorted(messages), "held_because": reason if messages else ""}


def marked_hold(store: Store, month: Month) -> str:
    """The reason while the valve holds a month's mail; empty also if the marker cannot be read (the watchdog says)."""
    try:
        hold = valve_hold(store, month)
    except DamagedObject:
        return ""
    return hold.reason if hold is not None else ""


def _left(store: Store, month: Month, messages: Iterable[str]) -> frozenset[str]:
    answered, gone = frozenset(_answers(store, month)), sent_message_keys(store, month)
    reached: dict[str, int] = {}
    for key in gone:
        if match := _KEY.fullmatch(key):
            reached[match["folder"]] = max(int(match["revision"]), reached.get(match["folder"], 0))
    left = set()
    for key in messages:
        match = _KEY.fullmatch(key)
        known = match is not None and {key, f"{month}/{match['folder']}/"} & answered
        if match is not None and not known and int(match["revision"]) > reached.get(match["folder"], 0):
            left.add(key)
    return frozenset(left)


def _answers(store: Store, month: Month) -> Iterator[str]:
    """The keys of a month's messages that a person has answered for."""
    for one in approval.rounds(store, month):
        if approval.ruling_of(store, one) is not None:
            yield from (message.message_key for message in one.messages)
    yield from approval.released_messages(store, month)
