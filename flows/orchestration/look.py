"""The watchdog's checks: months and their mail, approvals, deployments, late runs and dead runs.

Each finding is a notice to the data team.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from features.errors import HoldfastError, StoreError
from features.months import LONDON, Month, day_words, london_day
from flows.mail.approval import pending
from flows.mail.deliver import Delivery
from flows.mail.notices import Notice, opened_store, tell
from flows.mail.transports.open import open_transport
from flows.mail.undelivered import noted_undelivered, undelivered
from flows.mail.webhook import signal
from flows.orchestration.failures import run_link
from flows.orchestration.look_at_months import (
    approval_notices,
    damaged_notice,
    month_notices,
    months_run,
    undelivered_notice,
)
from flows.orchestration.restart import Died, repair, repair_in_words
from flows.orchestration.server_view import PrefectView, SeenDeployment, SeenRun, ServerAway, ServerView
from flows.settings.settings import Settings, WatchdogSettings
from flows.store import DamagedObject, Store
from flows.store.claims import damaged_claims, held_claims
from flows.store.ledger import Status

#: A monthly schedule has run out of dates if its next run is further away than this.
_NEXT_RUN_WITHIN = timedelta(days=45)

#: A late start is reported for this long, which is short enough to send one message only.
_BEGUN_WITHIN = timedelta(hours=20)

#: For how many of the last complete months the ledger's mail is checked.
_MAIL_MONTHS = 3

T = TypeVar("T")


class NeedsAPerson(HoldfastError):
    """The watchdog found something and has told the data team."""

    exit_code = 21


class WatchdogRequest(BaseModel):
    """The parameters of one look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begin_again: bool = Field(
        default=True, title="Begin again what died", description="Runs whose process is gone are begun again."
    )
    mail: bool = Field(
        default=True, title="Send e-mails", description="Tell the data team; off: only this run's log says it."
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, and who was told."""

    notices: tuple[Notice, ...]
    deliveries: tuple[Delivery, ...]
    unsignalled: str = ""
    """Why the heartbeat could not be sent, if one is wanted and it failed."""

    @property
    def headline(self) -> str:
        """One line: the state of the run."""
        if not self.notices:
            return "All is in order"
        return f"{len(self.notices)} for a person: {'; '.join(n.title for n in self.notices)}"

    @property
    def untold(self) -> tuple[Delivery, ...]:
        """The notices that could not be mailed."""
        return tuple(d for d in self.deliveries if d.status is not Status.SENT)

    def to_text(self) -> str:
        """The look as text for a terminal, a log or cron's mail."""
        lines = [n.to_text() for n in self.notices] or [f"{self.headline}."]
        told = sum(d.attempted and d.status is Status.SENT for d in self.deliveries)
        before = sum(not d.attempted and d.status is Status.SENT for d in self.deliveries)
        if told or before:
            lines.append(f"The data team was told of {told} now and of {before} earlier today.")
        lines += [f"Not told: {d.reason}" for d in self.untold]
        return "\n".join([*lines, *([self.unsignalled] if self.unsignalled else [])])


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
            off = "it is paused" if one.paused else "none of its schedules is on"
            found.append(
                Notice(
                    f"paused-{name}",
                    f"the schedule of {name} is off",
                    f"The deployment {name} is on the server, but {off}, so it does not run by itself.",
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
    """Runs that should have started and that no process has picked up."""
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


def begun_late_notices(runs: Iterable[SeenRun]) -> list[Notice]:
    """Scheduled runs that started long after their time. They do the intended month, but its readers had to wait."""
    return [
        Notice(
            f"begun-late-{run.id[:13]}",
            f"the {run.flow} run “{run.name}” began late",
            f"It was due on {_moment(run.expected)} and began on {_moment(run.began or run.since)}. It does what it "
            "was scheduled for: a monthly run takes the month that was complete on its day.",
            tuple(
                step
                for step in (
                    run_link(run.id),
                    "See why nothing began it in time: machine off, nothing served, or another run at work.",
                )
                if step
            ),
        )
        for run in runs
    ]


def _moment(moment: datetime) -> str:
    local = moment.astimezone(LONDON)
    return f"{day_words(local)} at {local:%H:%M}"


def died_notices(died: Iterable[Died]) -> list[Notice]:
    """Runs whose process died, and what was done about each."""
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
    """Make every check and return the notices, and the store if it answers. `view` is None where no server is used.

    Something that cannot be read becomes a notice of its own, and the other checks go on.
    """
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
        found += _store_notices(store, settings, now)
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
        except StoreError as error:
            found.append(Notice("store-fails", "the object store fails", str(error), ("Look at the store.",)))
    return found, store


def _store_notices(store: Store, settings: Settings, now: datetime) -> list[Notice]:
    rules, today = settings.watchdog, london_day(now)
    fixed = Month.parse(settings.schedule.fixed_month) if settings.schedule.fixed_month else None
    unread = [damaged_notice(StoreError(said)) for said in damaged_claims(store)]
    waiting = read_or_notice("approvals", lambda: pending(store), unread) or ()
    found = read_or_notice("months", lambda: month_notices(store, today, rules, fixed, waiting), unread) or []
    found += read_or_notice("reminders", lambda: approval_notices(waiting, now, rules), unread) or []
    found += read_or_notice("mail", lambda: _mail_notices(store, settings, today, fixed), unread) or []
    return [*found, *unread]


def read_or_notice(what: str, read: Callable[[], T], unread: list[Notice]) -> T | None:
    """The result of `read`. If something in the store stops it: None, and a notice is added to `unread`.

    The watchdog must go on and report whatever is in the store, so this catches every exception.
    """
    try:
        return read()
    except DamagedObject as error:
        unread.append(damaged_notice(error))
    except Exception as error:
        why = str(error) if isinstance(error, HoldfastError) else f"Reading them failed ({type(error).__name__})."
        unread.append(
            Notice(
                f"unread-{what}",
                f"the watchdog could not look at the {what} in the store",
                f"{why} What depends on them was not looked at.",
                ("`holdfast doctor` looks at everything in the store and names what is damaged.",),
            )
        )
    return None


def _mail_notices(store: Store, settings: Settings, today: date, fixed: Month | None) -> list[Notice]:
    """Mail undelivered in the last months, or in an older month whose marker says so. Skips months a run works on."""
    last = Month.of(today).plus(-1)
    noted = {m: missing for m in months_run(store) if any(missing := noted_undelivered(store, m))}
    months = {*noted, *(last.plus(-back) for back in range(_MAIL_MONTHS)), *([fixed] if fixed else [])}
    at_work = {c.of for c in held_claims(store)}
    found = (
        undelivered_notice(m, undelivered(store, settings, m), noted.get(m, (0, 0))[1])
        for m in sorted(months)
        if str(m) not in at_work
    )
    return [notice for notice in found if notice is not None]


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
    late = timedelta(minutes=settings.watchdog.late_minutes)
    found += late_notices(view.late(now - late), settings.watchdog)
    found += begun_late_notices(view.begun_late(now - _BEGUN_WITHIN, late))
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
    """Look once and tell the data team. Raises SettingsError or MailError for addresses that a person must correct."""
    notices, store = look(
        settings,
        now,
        view=PrefectView if server else None,
        expected=expected,
        begin_again=request.begin_again,
        but=but,
    )
    deliveries = tell(settings, store, open_transport(settings), notices, now) if request.mail and notices else []
    found = Look(tuple(notices), tuple(deliveries))
    if request.mail and not found.untold:
        found = replace(found, unsignalled=signal(settings))
    return found
