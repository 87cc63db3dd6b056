"""Stores alerts. Each is created once and never overwritten: a changed one is a revision, which says what changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from features.councils import Council
from features.errors import StoreError
from features.months import Month
from features.registry import BY_NAME, Measure
from features.words import lower_first
from flows.alerts.alert import RECORD_ONLY, Alert, Correction, alert_name, alert_prefix
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.figures import first_signs, value_text
from flows.alerts.letter.render import Message, render_message
from flows.alerts.together import MonthAlerts, Standing, alert_at
from flows.store.ledger import REDIRECTED, Ledger, Status
from flows.store.port import AlreadyThere, DamagedObject, Store
from flows.store.reading import read_kept

_JSON, _HTML, _TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"

#: The smallest relative change of a measure between revisions that is worth a correction.
_MATERIAL_SHARE = 0.02


class Publication(StrEnum):
    CREATED = "created"
    UNCHANGED = "unchanged"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class Published:
    """The result of publishing: the alert as it is in the store, its message, and the names of the objects."""

    alert: Alert
    outcome: Publication
    name: str
    message: Message | None
    """The message; None if none is due."""


def publish_alert(store: Store, alert: Alert, contact: Contact, there: Standing | None = None) -> Published:
    """Store the alert and its rendered message. A second call with the same alert writes nothing.

    `there` is what the store is known to have of the council's month, which saves asking for it.

    The JSON object is created first, conditionally. The rendered texts depend on it alone, so if a run dies in
    between, the next one writes them. An alert that differs from the latest revision becomes the next revision,
    whose `correction` says what changed. If two runs publish at once, one gets the name and the other compares its
    alert with it.
    """
    candidate, outcome = alert, Publication.CREATED
    known = there.alert if there is not None else None
    while known is not None or not _create(store, candidate):
        latest, known = known or latest_alert(store, alert.month, alert.folder), None
        if latest is None:
            raise StoreError(
                f"The alert of {alert.council} for {alert.month} was there and is gone. Alerts are never deleted by "
                "Holdfast: look at who may write to the store."
            )
        if _substance(latest) == _substance(alert):
            return _with_message(store, latest, Publication.UNCHANGED, contact, there)
        candidate, outcome = _revised(latest, alert, told=was_told(store, latest)), Publication.REVISED
    return _with_message(store, candidate, outcome, contact)


def _create(store: Store, alert: Alert) -> bool:
    """Create the object. Returns whether the name was free; of two runs at once only one succeeds."""
    try:
        store.create(alert_name(alert.month, alert.folder, alert.revision), alert.to_bytes(), content_type=_JSON)
    except AlreadyThere:
        return False
    return True


def latest_alert(store: Store, month: Month, folder: str) -> Alert | None:
    """The latest revision of a council's alert for a month; None if there is none."""
    revisions = _revisions(store, month, folder)
    if not revisions:
        return None
    name = alert_name(month, folder, max(revisions))
    return read_kept(store, name, alert_at(name, Alert.from_bytes))


def readable_alerts(store: Store, month: Month, councils: Sequence[Council], faults: list[str]) -> list[Alert]:
    """The latest alerts of these councils for a month. For each unreadable one, a sentence is added to `faults`."""
    if not councils:
        return []
    found, there = [], MonthAlerts(store, month)
    for council in councils:
        try:
            alert = there.latest(council.folder)
        except DamagedObject as error:
            faults.append(f"{council.name} ({council.la_code}): {error}")
            continue
        if alert is not None:
            found.append(alert)
    return found


def alerts_of_month(store: Store, month: Month) -> list[Alert]:
    """The latest alert of every council that has one in a month, in order of folder."""
    there = MonthAlerts(store, month)
    return [alert for folder in there.folders if (alert := there.latest(folder)) is not None]


def previous_alerts(store: Store, month: Month, folders: Collection[str]) -> dict[str, Alert]:
    """By folder, the latest revision of the nearest earlier month with an alert, from which the next decision starts.

    Looks back a year. Needs one listing per month, not one per council and month.
    """
    found: dict[str, Alert] = {}
    for back in range(1, 13):
        if len(found) == len(folders):
            break
        there = MonthAlerts(store, month.plus(-back))
        for folder in there.folders:
            if folder in folders and folder not in found and (alert := there.latest(folder)) is not None:
                found[folder] = alert
    return found


def councils_told(store: Store, month: Month) -> frozenset[str]:
    """The councils (by folder) that any message of a month reached or may have reached. Needs one listing."""
    entries = Ledger(store).month(month)
    return frozenset(e.key.split("/")[1] for e in entries if e.status in (Status.SENT, Status.SENDING))


def sent_message_keys(store: Store, month: Month) -> frozenset[str]:
    """Keys of a month's messages that reached anyone or may have, also redirected ones. Needs one listing."""
    entries = Ledger(store).month(month)
    return frozenset(e.key.removesuffix(REDIRECTED) for e in entries if e.status in (Status.SENT, Status.SENDING))


def rendered_names(alert: Alert) -> tuple[str, str]:
    """The names of the rendered message (HTML and text), in the folder of the alert."""
    base = alert_name(alert.month, alert.folder, alert.revision).removesuffix(".json")
    return f"{base}.message.html", f"{base}.message.txt"


def _revisions(store: Store, month: Month, folder: str) -> list[int]:
    form = re.compile(re.escape(alert_prefix(month, folder)) + r"(?:r(\d+)\.)?json")
    matches = (form.fullmatch(o.name) for o in store.list(alert_prefix(month, folder)))
    return [int(m[1]) if m[1] else 1 for m in matches if m]


def _with_message(
    store: Store, alert: Alert, outcome: Publication, contact: Contact, there: Standing | None = None
) -> Published:
    name = alert_name(alert.month, alert.folder, alert.revision)
    if not alert.due:
        return Published(alert, outcome, name, None)
    message = render_message(alert, contact)
    html, text = rendered_names(alert)
    for target, content, kind in ((html, message.standalone_html(), _HTML), (text, message.text, _TEXT)):
        if outcome is not Publication.UNCHANGED or not _lies_there(store, target, there):
            store.replace(target, content.encode(), content_type=kind)
    return Published(alert, outcome, name, message)


def _lies_there(store: Store, name: str, there: Standing | None) -> bool:
    return name in there.objects if there is not None else store.info(name) is not None


def _substance(alert: Alert) -> dict[str, Any]:
    """Everything in the alert that makes it different, so without its revision number."""
    return alert.model_dump(mode="json", exclude={"revision", "correction"})


def was_told(store: Store, alert: Alert) -> bool:
    """Whether any message to this council in this month reached the director, or may have (crash window)."""
    return Ledger(store).delivered(f"{alert.month}/{alert.folder}")


def _revised(earlier: Alert, now: Alert, *, told: bool) -> Alert:
    """Make the next revision. If nobody was told, no correction is needed, only the message that is due anyway.

    If nothing that a director reads has changed, the earlier message stays valid, word for word. A message that
    waits for approval or was sent does not become another one because code or settings changed.
    """
    changes = director_changes(earlier, now)
    number, standing = earlier.revision + 1, earlier.correction
    if changes:
        correction = Correction(
            replaces_revision=earlier.revision,
            what_changed=tuple(changes),
            for_director=told,
            message_revision=number,
            files=_other_files(earlier, now),
        )
    else:
        for_director = standing is not None and standing.for_director
        said = standing.for_people if standing is not None and for_director else ()
        correction = Correction(
            replaces_revision=earlier.revision,
            what_changed=(*said, *_record_changes(earlier, now)),
            for_director=for_director,
            message_revision=earlier.message_revision,
            files=standing.files if standing is not None else _other_files(earlier, now),
        )
    return now.model_copy(update={"revision": number, "correction": correction})


def director_changes(earlier: Alert, now: Alert) -> list[str]:
    """Sentences on what a director who read the earlier revision would now read differently."""
    changes: list[str] = []
    before, after = earlier.decision.band, now.decision.band
    if before is not after:
        changes.append(f"The band is now {after.words}, not {before.words}")
    stages = [a.score.stage.number if a.score.stage and a.stage_signs else None for a in (earlier, now)]
    if stages[0] != stages[1] and after is before:
        changes.append(_stage_change(stages[1], now))
    for measure in dict.fromkeys(s.measure for s in (*earlier.charts, *now.charts)):
        changes += _measure_change(BY_NAME[measure], earlier, now)
    return changes


def _measure_change(measure: Measure, earlier: Alert, now: Alert) -> list[str]:
    """How one measure of the message differs: its figure, whether it is known, whether it is worse than usual."""
    old, new = earlier.fact(measure.name), now.fact(measure.name)
    before, after = (None if f is None else f.value for f in (old, new))
    if before is not None and after is not None:
        words, was = value_text(measure, after), value_text(measure, before)
        if abs(after - before) > _MATERIAL_SHARE * max(abs(before), 1e-9) and words != was:
            return [f"{measure.label} is {words}, not {was}"]
    elif after is not None and _is_unknown(measure, earlier):
        return [f"{measure.label} is {value_text(measure, after)}; it was not known"]
    elif before is not None and _is_unknown(measure, now):
        return [f"{measure.label} is not known; it is not {value_text(measure, before)}"]
    worse, was_worse = (f is not None and f.worse for f in (new, old))
    if worse is not was_worse:
        return [f"{measure.label} {'is' if worse else 'is not'} worse than your usual pattern"]
    return []


def _is_unknown(measure: Measure, alert: Alert) -> bool:
    return any(measure.label in gap.labels for gap in alert.not_known)


def _other_files(earlier: Alert, now: Alert) -> tuple[str, ...]:
    """The extracts whose file is another one than before."""
    old, new = earlier.provenance.extracts, now.provenance.extracts
    return tuple(kind for kind in new if new[kind] != old.get(kind))


def _stage_change(stage: int | None, now: Alert) -> str:
    """How the stage changed. A stage is mentioned with its signs or not at all."""
    if stage is None:
        return "What our earlier message said of a stage of difficulty no longer holds"
    return f"The signs of this month ({first_signs(now.stage_signs)}) are now those of stage {stage} of four"


def _record_changes(earlier: Alert, now: Alert) -> list[str]:
    """The parts of the object that differ for the record only."""
    old, new = _substance(earlier), _substance(now)
    parts = [lower_first(key.replace("_", " ")) for key in new if new[key] != old.get(key)]
    return [f"{RECORD_ONLY}: {', '.join(parts)}"]
