"""Restarts runs whose process has died, sends mail that was not accepted, and answers the files in the try folder.
Runs in threads of `holdfast serve`.

It looks when serving starts and then every minute. The watchdog restarts the same runs, but only once an hour; it
also reports more. The serving process is running anyway, so it can do this sooner.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Thread

from features.errors import HoldfastError
from features.months import Month, london_day
from features.words import count_words
from flows.desk.tried import look_at_tries
from flows.mail.notices import opened_store, tell
from flows.mail.transports.open import open_courier, open_transport
from flows.mail.undelivered import is_time, send_undelivered, undelivered
from flows.orchestration.look import died_notices
from flows.orchestration.restart import Died, repair
from flows.orchestration.server_view import PrefectView, ServerView
from flows.settings.settings import Settings
from flows.store.claims import Clock, MonthClaimed, Owner, claimed, wall_clock
from flows.store.ledger import Status
from flows.store.processes import this_process

_LOGGER = logging.getLogger("holdfast.keeper")

#: Mail of months older than this is not sent automatically: it would surprise whoever gets it.
_MAIL_MONTHS = 2


def keep_once(settings: Settings, view: ServerView, now: datetime) -> list[Died]:
    """Restart dead runs and tell the data team. Raises HoldfastError if something must wait until the next look."""
    store = opened_store(settings)
    if store is None:
        return []
    died = repair(view, store, settings, now)
    if died:
        tell(settings, store, open_transport(settings), died_notices(died), now)
    return died


def keep_mail(settings: Settings, now: datetime, clock: Clock = wall_clock) -> int:
    """Send mail of the last months that is still due, with growing waits between attempts. Returns how many were sent.

    A month that a run is working on is left to that run. Raises HoldfastError if something must wait until the next
    look.
    """
    store = opened_store(settings)
    if store is None:
        return 0
    last = Month.of(london_day(now)).plus(-1)
    months = {last.plus(-back) for back in range(_MAIL_MONTHS)}
    if settings.schedule.fixed_month:
        months.add(Month.parse(settings.schedule.fixed_month))
    rules = settings.claims.model_copy(update={"wait_minutes": 0})
    sent = 0
    for month in sorted(months):
        if not is_time(undelivered(store, settings, month), now):
            continue
        try:
            with claimed(store, month, Owner("the keeper", "", this_process()), rules=rules, clock=clock):
                made = send_undelivered(settings, store, open_courier(settings, patient=False), month, now)
        except MonthClaimed:
            continue  # a run is working on the month and sends its mail itself
        sent += sum(d.attempted and d.status is Status.SENT for each in made for d in each)
    return sent


def start_keeper(settings: Settings, say: Callable[[str], None]) -> Event:
    """Look at once and then every `watchdog.keep_seconds`, in a thread that ends when the returned event is set."""
    ended = Event()

    def runs() -> None:
        for one in keep_once(settings, PrefectView(), wall_clock()):
            say(f"The {one.run.flow} run “{one.run.name}” had died{'; begun again.' if one.again else '.'}")

    def mail() -> None:
        if sent := keep_mail(settings, wall_clock()):
            say(f"Mail that had not been taken has gone: {count_words(sent, 'message', 'messages')}.")

    def tries() -> None:
        for answered in look_at_tries(settings, wall_clock()):
            say(answered)

    def keep(looks: Sequence[tuple[str, Callable[[], None]]]) -> None:
        while True:
            for what, look in looks:
                _try(what, look)
            if ended.wait(settings.watchdog.keep_seconds):
                return

    kept = [("Runs that died could not be looked for", runs), ("Mail could not be sent", mail)]
    Thread(target=keep, args=(kept,), name="keeper", daemon=True).start()
    # Checks take seconds each, and a dead run must not wait for them.
    Thread(target=keep, args=([("The try folder could not be looked at", tries)],), name="tries", daemon=True).start()
    return ended


def _try(what: str, look: Callable[[], None]) -> None:
    try:
        look()
    except HoldfastError as error:
        _LOGGER.warning("%s: %s", what, error)
    except Exception:
        _LOGGER.exception(what)
