"""Finds runs whose process was killed, ends them on the server and restarts them.

A killed process reports nothing, so Prefect shows its run as Running for ever, calls no hook and retries nothing.
Two things show that it died: the run's claim in the store names its process, and the server keeps the time of the
run's last event. A restart is a new run with the same parameters. Its month is written out, so that “the last
complete month” stays the month that was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from features.months import Month, london_day
from flows.orchestration.server_view import SeenRun, ServerView
from flows.settings.settings import ClaimSettings, Settings
from flows.store import Store
from flows.store.claims import Claim, claims_since, store_time
from flows.store.processes import Process, is_gone, process_began, this_process

#: Silence after which a run that holds no claim counts as dead. The server hears from a live one every half minute.
_SILENCE_MINUTES = 10

#: Tag of a restarted run, with the number of times that its work has been started.
_TAG = re.compile(r"begun-(\d+)-times")

#: Tag of a dead run that has been dealt with.
_SEEN_TO = "seen-to"

#: Runs that crashed longer ago than this are not restarted.
_CRASHED_WITHIN = timedelta(days=3)

#: Flows that are not restarted. The watchdog's next scheduled run is always near.
_NOT_AGAIN = ("watchdog",)


@dataclass(frozen=True, slots=True)
class Died:
    """A run whose process has died, and what was done about it."""

    run: SeenRun
    again: str
    """The id of the run that replaces it; empty if none does."""
    times: int
    """How often its work had been started."""


def is_cut_off(
    run: SeenRun,
    claims: Iterable[Claim],
    now: datetime,
    rules: ClaimSettings,
    here: Process,
    began: Callable[[int], str | None] = process_began,
) -> bool:
    """Whether the process of a run that the server shows as running has died.

    If the run's claims were made on this machine, they answer this at once. Otherwise the run must have been silent,
    in the store and on the server, for longer than a live run can be. A run that holds a claim renews it every
    20 seconds and reports to the server every 30, so two minutes are enough; then its claim has lapsed too.
    """
    # After Retry or Resume, an earlier process of this run may have left claims. They say nothing about this one.
    own = [c for c in claims if c.owner.run_id == run.id and (c.since >= run.since or run.state == "CANCELLING")]
    known = {is_gone(c.owner.process, here, began) for c in own}
    if False in known:
        return False
    if True in known:
        return True
    heard = max(t for t in (run.since, run.last_event, *(c.last_heard for c in own)) if t is not None)
    holds = any(not c.released for c in own)
    return now - heard >= timedelta(
        minutes=rules.stale_minutes if holds else max(_SILENCE_MINUTES, rules.stale_minutes)
    )


def meant(run: SeenRun) -> dict[str, Any]:
    """The run's parameters with the month written out: the last complete month at its scheduled time."""
    parameters = dict(run.parameters)
    if run.flow != "monthly":
        return parameters
    request = dict(parameters.get("request") or {})
    if not request.get("month"):
        request["month"] = str(Month.of(london_day(run.expected)).plus(-1))
    return {**parameters, "request": request}


def times_begun(tags: Sequence[str]) -> int:
    """How often a run's work has been started, including this time."""
    return max((int(m[1]) for t in tags if (m := _TAG.fullmatch(t))), default=1)


def tags_again(tags: Sequence[str]) -> list[str]:
    """The tags of the run that replaces this one."""
    kept = [t for t in tags if not _TAG.fullmatch(t) and t != _SEEN_TO]
    return [*kept, f"begun-{times_begun(tags) + 1}-times"]


def find_died(
    view: ServerView, store: Store, now: datetime, settings: Settings, here: Process, *, but: str = ""
) -> list[SeenRun]:
    """The runs that have died, oldest first, except the caller's own (`but` is its id). Raises ServerAway, StoreError.

    Includes runs that the server shows as running and runs that their serving process saw die: Prefect restarts
    neither.
    """
    died = [run for run in view.crashed(now - _CRASHED_WITHIN) if _SEEN_TO not in run.tags]
    unfinished = [run for run in view.unfinished() if run.id != but]
    if unfinished:
        ahead = now - store_time(store)  # how far this clock is ahead of the store's, which claims are judged by
        since = min(run.since for run in unfinished) - timedelta(hours=1)
        claims = [replace(c, heard=c.last_heard + ahead) for c in claims_since(store, since - ahead)]
        died += [run for run in unfinished if is_cut_off(run, claims, now, settings.claims, here)]
    return sorted(died, key=lambda run: run.expected)


def begin_again(view: ServerView, run: SeenRun, attempts: int) -> Died:
    """End a dead run on the server and restart its work, unless it was being cancelled or has died too often.

    The new run is created first, under a key: if this process dies in between, the next look creates no second one.
    """
    times = times_begun(run.tags)
    cancelled = run.state == "CANCELLING"
    again = ""
    if not cancelled and times < attempts and run.flow not in _NOT_AGAIN:
        again = view.begin_again(run, meant(run), tags_again(run.tags))
    message = "Its process is gone."
    if again:
        message += f" Its work goes on in the run {again}."
    elif not cancelled:
        message += " It is not begun again by itself."
    view.end(run, message=message, tags=[*run.tags, _SEEN_TO])
    return Died(run, again, times)


def repair(view: ServerView, store: Store, settings: Settings, now: datetime, *, but: str = "") -> list[Died]:
    """Find the runs that died and restart them. Raises ServerAway, StoreError."""
    return [
        begin_again(view, run, settings.watchdog.attempts)
        for run in find_died(view, store, now, settings, this_process(), but=but)
    ]


def repair_in_words(died: Died) -> Mapping[str, str]:
    """Words for a notice, under the keys `title` and `what`: what died and what was done about it."""
    run = died.run
    if died.run.state == "CANCELLING":
        done = "It was being cancelled and is now."
    elif died.again:
        done = "It was begun again by itself and goes on from where it stopped."
    else:
        times = "once" if died.times == 1 else f"{died.times} times"
        done = f"It was begun {times} and is not begun again by itself."
    why = (
        "It could not reach the Prefect server any more."
        if run.state == "FAILED"
        else "Its process ended without a word (killed, out of memory, or the machine went down)."
    )
    return {
        "title": f"the {run.flow} run “{run.name}” died{' and was begun again' if died.again else ''}",
        "what": f"{why} {done}",
    }
