"""A run's context of made-up councils, from which the tests of this room take what a task is given."""

from __future__ import annotations

from datetime import UTC, datetime

from features.councils import Council, Register
from features.months import Month
from flows.settings.settings import Settings
from flows.store import LocalStore
from flows.store.context import RunContext
from flows.store.editions import History

MONTH = Month(2026, 10)


def context_of(store: LocalStore, councils: int) -> RunContext:
    """The run of a month of so many councils. Their codes and names are of the same length."""
    every = [Council(f"{n}", "Ashcombe", Month(2020, 4)) for n in range(100, 100 + councils)]
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    settings = Settings(landing="landing", store="store")
    return RunContext(settings, store, store, Register(tuple(every)), MONTH, now.date(), now, b"k" * 32, History(store))
