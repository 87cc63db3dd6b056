"""Councils whose figures for a month are doubted as a whole: their mail waits until somebody confirms the figures.

Doubts are among the month's failures (`expectations.passing.doubt`). The data team answers them after asking the data
officer: by `holdfast release`, by approving the message, or by an entry in the reviewed list. A new extract that is
not doubted answers them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from expectations.batch import doubted
from features.councils import folder_name
from features.months import Month
from flows.store import Store
from flows.store.editions import History


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One council whose message waits because of a doubt."""

    since: datetime
    """The day its newest extract came. An earlier answer was about other figures."""
    why: str


def in_doubt(store: Store, month: Month, history: History | None = None) -> dict[str, InDoubt]:
    """The councils doubted in the month's newest edition, by folder. `history`: what a run has read of it already."""
    history = history or History(store)
    editions = history.editions(month)
    if not editions:
        return {}
    newest = editions[-1]
    found: dict[str, InDoubt] = {}
    for la_code, why in doubted(history.failures(newest)).items():
        came = max((e.received for e in newest.of(la_code) if e.received is not None), default=newest.known_to)
        found[folder_name(la_code)] = InDoubt(datetime.combine(came, time(0), UTC), why)
    return found
