"""What a file is compared with on this machine: the group's records, or nothing."""

from __future__ import annotations

from datetime import datetime

from features.errors import HoldfastError
from features.months import london_day
from flows.extracts.checking import Past
from flows.extracts.reading.table import Limits
from flows.settings.settings import Settings
from flows.store import Store, open_store
from flows.store.context import accepted_failures, load_register, pseudonym_key
from flows.store.editions import History


def past_of(settings: Settings, now: datetime) -> Past | None:
    """The past months that a run would compare a file with; None on a machine without register, store or key."""
    try:
        landing = open_store(settings, settings.landing, must_exist=True)
        register = load_register(landing, settings.register_file)
        history = History(open_store(settings, settings.store, must_exist=True))
        key = pseudonym_key(settings)
    except HoldfastError:
        return None
    limits = Limits(max_bytes=settings.ingest.max_file_mb * 1_000_000)
    return Past(history, london_day(now), register, accepted_failures(settings.accepted_failures), key, limits)


def landing_of(settings: Settings) -> Store | None:
    """The landing store, where mappings lie; None on a machine without one."""
    try:
        return open_store(settings, settings.landing, must_exist=True)
    except HoldfastError:
        return None


def settings_if_any() -> Settings | None:
    """The settings; None on a machine without usable ones, where files are checked by themselves."""
    try:
        return Settings.load()
    except HoldfastError:
        return None
