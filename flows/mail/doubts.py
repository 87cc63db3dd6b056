"""Councils whose figures of a month are doubted as a whole: their mail waits until somebody has said that it is true.

What is doubted stands among the month's failures (`expectations.passing.doubt`). The answer is the data team's, on the
data officer's word: `holdfast release`, an approval of the message, or an acceptance in the reviewed list. An extract
sent again that is no longer doubted answers it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from expectations.batch import FAILURES, doubted
from features.councils import folder_name
from features.months import Month
from flows.store import Store
from flows.store.editions import History


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One council whose message waits."""

    since: datetime
    """The day the newest of its extracts came: an answer given earlier was about other figures."""
    why: str


def in_doubt(store: Store, month: Month) -> dict[str, InDoubt]:
    """Folder of each council that is doubted in the month's newest edition."""
    history = History(store)
    editions = history.editions(month)
    if not editions:
        return {}
    newest = editions[-1]
    found: dict[str, InDoubt] = {}
    for la_code, why in doubted(history.table(newest, "failures", FAILURES)).items():
        came = max((e.received for e in newest.of(la_code) if e.received is not None), default=newest.known_to)
        found[folder_name(la_code)] = InDoubt(datetime.combine(came, time(0), UTC), why)
    return found
