"""Beside a serving process: what has died is begun again within a minute, at its start above all.

The watchdog does the same every hour and tells of more; a process that serves is simply there to do it sooner.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from features.errors import HoldfastError
from flows.mail.notices import opened_store, tell
from flows.mail.transports.open import open_transport
from flows.orchestration.look import died_notices
from flows.orchestration.restart import Died, repair
from flows.orchestration.server_view import PrefectView, ServerView
from flows.settings.settings import Settings
from flows.store.claims import Clock, wall_clock

_LOGGER = logging.getLogger("holdfast.keeper")


def keep_once(settings: Settings, view: ServerView, now: datetime) -> list[Died]:
    """Begin again what has died and tell the data team. Raises HoldfastError for what must wait for the next time."""
    store = opened_store(settings)
    if store is None:
        return []
    died = repair(view, store, settings, now)
    if died:
        tell(settings, store, open_transport(settings), died_notices(died), now)
    return died


def start_keeper(
    settings: Settings,
    say: Callable[[str], None],
    *,
    view: Callable[[], ServerView] = PrefectView,
    clock: Clock = wall_clock,
) -> Event:
    """Keep at once and then every `watchdog.keep_seconds`, in a thread that ends when the returned event is set."""
    ended = Event()

    def keep() -> None:
        while True:
            try:
                for one in keep_once(settings, view(), clock()):
                    say(f"The {one.run.flow} run “{one.run.name}” had died{'; begun again.' if one.again else '.'}")
            except HoldfastError as error:
                _LOGGER.warning("Runs that died could not be looked for: %s", error)
            except Exception:
                _LOGGER.exception("Runs that died could not be looked for")
            if ended.wait(settings.watchdog.keep_seconds):
                return

    Thread(target=keep, name="keeper", daemon=True).start()
    return ended
