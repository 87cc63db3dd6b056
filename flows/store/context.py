"""The context of one run: settings, stores, register, cut-off, versions. Made once, at the entry point."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import polars as pl

from expectations.accepted import Accepted, read_accepted
from features.councils import Register, read_register
from features.errors import ReferenceDataError, SettingsError
from features.months import Month, london_day, nth_working_day
from flows.settings.settings import Environment, Settings
from flows.store import ObjectMissing, Store, open_store
from flows.store.editions import History
from flows.store.kept import watched
from flows.store.probe import require_fit

#: The pseudonym key of the sample region, whose workers do not exist. Refused outside the demo.
DEMO_KEY = "the-made-up-region-has-no-secrets"

_PACKAGES = ("flows", "features", "models", "expectations")


@lru_cache(maxsize=1)
def code_version() -> str:
    """The package version and ten hex digits of a hash of its source, so that provenance shows any change of code."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{version('holdfast')}+{digest.hexdigest()[:10]}"


@dataclass
class Stopwatch:
    """Measures seconds by stage, in the order in which the stages started."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - began


@dataclass(frozen=True)
class RunContext:
    """Everything a run's steps work with. The clock is read only once, for `now`."""

    settings: Settings
    landing: Store
    store: Store
    register: Register
    month: Month
    cutoff: date
    now: datetime
    key: bytes
    history: History
    max_age_months: int = 0
    """How many months old a measure's newest figure may be; 0 where every month is reported."""
    beside: pl.DataFrame | None = None
    """In a run on published returns: the measures from the published record."""
    clock: Stopwatch = field(default_factory=Stopwatch)

    def usual_cutoff(self, month: Month) -> date:
        """The cut-off of an ordinary run of a month: the last day whose extracts it reads."""
        return nth_working_day(month.plus(1), self.settings.ingest.cutoff_working_day)


def pseudonym_key(settings: Settings) -> bytes:
    """The key that references are hashed with. Raises SettingsError if there is none outside the demo."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    if settings.environment is Environment.DEMO:
        return DEMO_KEY.encode()
    raise SettingsError(
        "pseudonym_key is not set, so references cannot be hashed. Put at least 32 random characters into "
        "HOLDFAST_PSEUDONYM_KEY, keep them, and never change them."
    )


def accepted_failures(name: str | None) -> tuple[Accepted, ...]:
    """The reviewed list of accepted failures; empty if the settings name no file. Raises SettingsError."""
    if name is None:
        return ()
    try:
        return read_accepted(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{name}: the list of accepted failures cannot be read: {error}.") from None


def load_register(landing: Store, name: str) -> Register:
    """Read the council register from the landing store. Raises ReferenceDataError if it is missing or broken."""
    try:
        text = landing.read(name).decode("utf-8-sig")
    except ObjectMissing:
        raise ReferenceDataError(
            f"There is no council register {name} in {landing.url}. It lists the councils, their codes and recipients."
        ) from None
    except UnicodeDecodeError:
        raise ReferenceDataError(f"{name}: the council register is not UTF-8 text. Save it as CSV UTF-8.") from None
    return read_register(text, name)


def begin(
    settings: Settings, month: Month, *, now: datetime, as_of: date | None, register: Register | None = None
) -> RunContext:
    """Open the stores that the settings name. `now` is timezone-aware; nothing received after `as_of` will be read."""
    if now.tzinfo is None:
        raise SettingsError("The time of a run must carry its time zone.")
    today = london_day(now)
    cutoff = min(as_of, today) if as_of else today
    if cutoff <= month.last_day and register is None:
        raise SettingsError(
            f"{month.in_words} had not ended by {cutoff}, so there is nothing complete to run. "
            "Choose an earlier month, or a later day to know things by."
        )
    landing = open_store(settings, settings.landing, must_exist=register is None)
    store = watched(open_store(settings, settings.store))
    if store.url.startswith("s3:"):  # a folder needs no probe: the operating system keeps what Holdfast relies on
        require_fit(store, now)
    return RunContext(
        settings=settings,
        landing=landing,
        store=store,
        register=register or load_register(landing, settings.register_file),
        month=month,
        cutoff=cutoff,
        now=now,
        key=pseudonym_key(settings),
        history=History(store),
    )
