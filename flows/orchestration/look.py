"""What the watchdog looks at: months, approvals, deployments, late and dead runs; each finding is a notice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError, StoreError
from features.months import LONDON, Month, nth_working_day
from flows.mail.approval import pending
from flows.mail.approval_form import Pending, how_to_decide
from flows.mail.deliver import Delivery
from flows.mail.notices import Notice, opened_store, tell
from flows.mail.transports.open import open_transport
from flows.orchestration.failures import run_link
from flows.orchestration.restart import Died, repair, repair_in_words
from flows.orchestration.server_view import PrefectView, SeenDeployment, SeenRun, ServerAway, ServerView
from flows.settings.settings import Settings, WatchdogSettings
from flows.store import DamagedObject, ObjectMissing, Store
from flows.store.claims import damaged_claims, held_claims
from flows.store.ledger import Status
from flows.store.reading import read_json

#: A monthly schedule whose next run is further away than this has run out of dates.
_NEXT_RUN_WITHIN = timedelta(days=45)


class NeedsAPerson(HoldfastError):
    """The watchdog found something, and told the data team."""

    exit_code = 21


class WatchdogRequest(BaseModel):
    """One look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begin_again: bool = Field(
        default=True, title="Begin again what died", description="Runs whose process is gone are begun again."
    )
    mail: bool = Field(
        default=True, title="Send e-mails", description="Tell the data team; off: only this run's log says it."
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, and whom it told."""

    notices: tuple[Notice, ...]
    deliveries: tuple[Delivery, ...]

    @property
    def headline(self) -> str:
        """One line: the state of the run."""
        if not self.notices:
            return "All is in order"
        return f"{len(self.notices)} for a person: {'; '.join(n.title for n in self.notices)}"

    @property
    def untold(self) -> tuple[Delivery, ...]:
        """What could not be mailed."""
        return tuple(d for d in self.deliveries if d.status is not Status.SENT)

    def to_text(self) -> str:
        """For a terminal, a log, cron's mail."""
        lines = [n.to_text() for n in self.notices] or [f"{self.headline}."]
        told = sum(d.attempted and d.status is Status.SENT for d in self.deliveries)
        before = sum(not d.attempted and d.status is Status.SENT for d in self.deliveries)
        if told or before:
            lines.append(f"The data team was told of {told} now and of {before} earlier today.")
        return "\n".join([*lines, *(f"Not told: {d.reason}" for d in self.untold)])


def month_to_be_done(today: date, by_working_day: int) -> Month:
    """The newest month whose run must have ended by a day: the last complete one from its working day on."""
    last = Month.of(today).plus(-1)
    return last if today >= nth_working_day(last.plus(1), by_working_day) else last.plus(-1)


def month_notices(
    store: Store, today: date, rules: WatchdogSettings, fixed: Month | None = None, waiting: Iterable[Pending] = ()
) -> list[Notice]:
    """Whether the month was run to its end, and whether its mail is still held; `waiting` months are known of."""
    month = fixed or month_to_be_done(today, rules.done_by_working_day)
    if any(one.month == month for one in waiting):
        return []
    try:
        marker = read_json(store, f"runs/{month}/success.json", _marker)
    except DamagedObject as error:
        return [damaged_notice(error, month)]
    except ObjectMissing:
        if month.plus(1) != Month.of(today) and not any(store.list("runs/")):
            return []  # installed since: nothing has been due yet
        return [_not_done(store, month, rules)]
    if marker.get("held") and not any(store.list(f"releases/{month}/")):
        return [
            Notice(
                f"held-{month}",
                f"the mail of {month.in_words} is held",
                f"The run of {month.in_words} ended and held its messages, because more councils would have been "
                "alerted than a feed in order brings about. No director has been told.",
                (
                    f"Look at the region page and at `holdfast preview --month {month} --council CODE`.",
                    "If a feed is broken: have the files sent again and run the month again.",
                    f'If it is true: `holdfast release --month {month} --reason "..." --by NAME` sends them.',
                ),
            )
        ]
    return []


def _marker(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"month": found["month"], **found}


def damaged_notice(error: StoreError, month: Month | None = None) -> Notice:
    """An object of the store that cannot be read: the watchdog says so and goes on looking."""
    where = f"-{month}" if month else f"-{hashlib.sha256(str(error).encode()).hexdigest()[:8]}"
    return Notice(
        f"damaged{where}",
        "something in the store is damaged",
        str(error),
        ("Do what the sentence above says.", "`holdfast doctor` looks at everything else in the store."),
    )


def _not_done(store: Store, month: Month, rules: WatchdogSettings) -> Notice:
    at_work = "".join(
        f" {c.owner.who} holds it and was last heard of at {c.heartbeat:%H:%M} UTC."
        for c in held_claims(store)
        if c.of == str(month)
    )
    due = nth_working_day(month.plus(1), rules.done_by_working_day)
    return Notice(
        f"not-done-{month}",
        f"{month.in_words} has not been run to its end",
        f"There is no runs/{month}/success.json in {store.url}, which the monthly run writes last; it was due by "
        f"{due.day} {due:%B %Y}, working day {rules.done_by_working_day}.{at_work}",
        (
            f"See what stopped it: the Prefect UI, deployment monthly, or `holdfast run --month {month}` by hand.",
            "Running it again is always safe: what was finished is kept, and nobody is told twice.",
        ),
    )


def approval_notices(waiting: Iterable[Pending], now: datetime, rules: WatchdogSettings) -> list[Notice]:
    """Months that have waited for a person's word; a reminder, never more."""
    return [
        Notice(
            f"approval-{one.month}",
            f"{one.month.in_words} waits for approval",
            f"{one.in_words}. {one.held_because}".strip().rstrip(".") + ".",
            tuple(s for s in (how_to_decide(one), run_link(one.flow_run_id) if one.flow_run_id else "") if s),
        )
        for one in waiting
        if now - one.since >= timedelta(days=rules.remind_after_days)
    ]


def deployment_notices(
    seen: Sequence[SeenDeployment], expected: Iterable[tuple[str, bool]], now: datetime
) -> list[Notice]:
    """Deployments that are missing, paused or out of dates. `expected`: each name, and whether it has a schedule."""
    found: list[Notice] = []
    by_name = {d.name: d for d in seen}
    for name, scheduled in expected:
        one = by_name.get(name)
        if one is None:
            found.append(
                Notice(
                    f"missing-{name}",
                    f"the deployment {name} is not on the Prefect server",
                    f"The server has no deployment {name}, so nobody can start it and no schedule does.",
                    ("Start `holdfast serve` again, or `prefect deploy --all` where a work pool is used.",),
                )
            )
        elif scheduled and (one.paused or one.active_schedules == 0):
            found.append(
                Notice(
                    f"paused-{name}",
                    f"the schedule of {name} is off",
                    f"The deployment {name} is on the server, but paused, so it does not run by itself.",
                    (f"In the Prefect UI: Deployments, {name}, and switch its schedule on.",),
                )
            )
        elif scheduled and not any(now < at <= now + _NEXT_RUN_WITHIN for at in one.next_runs):
            found.append(
                Notice(
                    f"no-dates-{name}",
                    f"the schedule of {name} has no next date",
                    f"The deployment {name} has an active schedule, but no run of it lies within the next "
                    f"{_NEXT_RUN_WITHIN.days} days: its dates have run out, or the server's scheduler does not work.",
                    (
                        "Start `holdfast serve` again (or `prefect deploy --all`): it lists the dates anew.",
                        "If that does not help, start the Prefect server again.",
                    ),
                )
            )
    return found


def late_notices(late: Sequence[SeenRun], rules: WatchdogSettings) -> list[Notice]:
    """Runs nobody has begun."""
    if not late:
        return []
    names = ", ".join(sorted({f"{run.flow} “{run.name}”" for run in late}))
    return [
        Notice(
            "nothing-serves",
            "scheduled runs are not begun",
            f"Due more than {rules.late_minutes} minutes ago and not begun: {names}. The server is there, but nothing "
            "serves its deployments, or an earlier run holds the only place.",
            (
                "See that `holdfast serve` (or the worker of the pool) is running; start it.",
                "Late runs are then begun by themselves.",
            ),
        )
    ]


def died_notices(died: Iterable[Died]) -> list[Notice]:
    """Runs that were cut off, and what was done."""
    found = []
    for one in died:
        words = repair_in_words(one)
        steps = [run_link(one.run.id)]
        if one.again:
            steps += [
                run_link(one.again),
                "Nothing, if the new run completes. If it dies too, look at memory and disk.",
            ]
        elif one.run.state != "CANCELLING":
            steps += ["Look why its process ends (memory, disk, the machine), then start it again in the Prefect UI."]
        else:
            steps += ["Nothing."]
        found.append(Notice(f"died-{one.run.id[:13]}", words["title"], words["what"], tuple(s for s in steps if s)))
    return found


def look(
    settings: Settings,
    now: datetime,
    *,
    view: Callable[[], ServerView] | None,
    expected: Iterable[tuple[str, bool]],
    begin_again: bool = True,
    but: str = "",
) -> tuple[list[Notice], Store | None]:
    """Everything the watchdog looks at, as notices, and the store if it answers. `view` None: no server is used."""
    rules, today = settings.watchdog, now.astimezone(LONDON).date()
    store = opened_store(settings)
    found: list[Notice] = []
    if store is None:
        found.append(
            Notice(
                "store-away",
                "the object store does not answer",
                f"{settings.store} cannot be opened, so no run can read or write and this watchdog cannot tell "
                "whether the month was run.",
                ("See that the folder is mounted, or the bucket reachable and the credentials valid.",),
            )
        )
    else:
        fixed = Month.parse(settings.schedule.fixed_month) if settings.schedule.fixed_month else None
        found += [damaged_notice(StoreError(said)) for said in damaged_claims(store)]
        try:
            waiting = pending(store)
        except DamagedObject as error:
            waiting = ()
            found.append(damaged_notice(error))
        found += month_notices(store, today, rules, fixed, waiting)
        found += approval_notices(waiting, now, rules)
    if view is not None:
        try:
            found += _server_notices(view(), store, settings, now, expected, begin_again, but)
        except ServerAway as error:
            found.append(
                Notice(
                    "server-away",
                    "the Prefect server is not there",
                    f"{error} While it is away no month runs by itself and nobody can start or approve one in the UI.",
                    (
                        "Start it (`holdfast server`, or the service it runs as) and look at its log.",
                        "`holdfast run` works without it.",
                    ),
                )
            )
    return found, store


def _server_notices(
    view: ServerView,
    store: Store | None,
    settings: Settings,
    now: datetime,
    expected: Iterable[tuple[str, bool]],
    begin_again: bool,
    but: str,
) -> list[Notice]:
    found = deployment_notices(view.deployments(), expected, now)
    found += late_notices(view.late(now - timedelta(minutes=settings.watchdog.late_minutes)), settings.watchdog)
    if begin_again and store is not None:
        found += died_notices(repair(view, store, settings, now, but=but))
    return found


def watch(
    settings: Settings,
    now: datetime,
    request: WatchdogRequest,
    expected: Iterable[tuple[str, bool]],
    *,
    server: bool,
    but: str = "",
) -> Look:
    """One look, told to the data team. Raises SettingsError or MailError for addresses a person must put right."""
    try:
        notices, store = look(
            settings,
            now,
            view=PrefectView if server else None,
            expected=expected,
            begin_again=request.begin_again,
            but=but,
        )
    except StoreError as error:
        notices, store = [Notice("store-fails", "the object store fails", str(error), ("Look at the store.",))], None
    deliveries = tell(settings, store, open_transport(settings), notices, now) if request.mail and notices else []
    return Look(tuple(notices), tuple(deliveries))
