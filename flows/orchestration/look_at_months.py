"""The watchdog's checks of months: not run, mail held, waiting for approval, or with mail that has not arrived."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from features.errors import StoreError
from features.months import Month, day_words, month_range, nth_working_day
from features.words import count_words
from flows.alerts.order import success_name
from flows.mail.approval_form import Pending, how_to_decide
from flows.mail.notices import Notice
from flows.mail.undelivered import Undelivered
from flows.mail.valve import valve_hold
from flows.orchestration.failures import run_link
from flows.settings.settings import WatchdogSettings
from flows.store import ObjectMissing, Store
from flows.store.claims import held_claims
from flows.store.ledger import Status
from flows.store.port import DamagedObject
from flows.store.reading import read_json

_MARKER = re.compile(r"runs/(?P<month>\d{4}-\d{2})/success\.json")

#: At most so many addressees are named in a notice; `holdfast ledger` lists all.
_NAMED = 12


def month_to_be_done(today: date, by_working_day: int) -> Month:
    """The newest month whose run must have ended by `today`: the last complete month, once its working day has come."""
    last = Month.of(today).plus(-1)
    return last if today >= nth_working_day(last.plus(1), by_working_day) else last.plus(-1)


def months_run(store: Store) -> list[Month]:
    """The months that were run to their end, oldest first."""
    return sorted(Month.parse(m["month"]) for o in store.list("runs/") if (m := _MARKER.fullmatch(o.name)))


def months_to_be_done(store: Store, today: date, rules: WatchdogSettings, fixed: Month | None = None) -> list[Month]:
    """Every month that must have been run by `today`, from the first month that was ever run, not only the last."""
    last = fixed or month_to_be_done(today, rules.done_by_working_day)
    run = months_run(store)
    if fixed is not None:
        return [fixed]
    if not run:
        # No month was ever run, so this is a new installation: nothing was due before the last complete month.
        return [last] if last.plus(1) == Month.of(today) else []
    return list(month_range(min(run[0], last), last))


def month_notices(
    store: Store, today: date, rules: WatchdogSettings, fixed: Month | None = None, waiting: Iterable[Pending] = ()
) -> list[Notice]:
    """Months that were not run to their end, or whose mail is still held. Leaves out `waiting` months."""
    known = {one.month for one in waiting}
    found = (_month_notice(store, m, rules) for m in months_to_be_done(store, today, rules, fixed) if m not in known)
    return [notice for notice in found if notice is not None]


def _month_notice(store: Store, month: Month, rules: WatchdogSettings) -> Notice | None:
    try:
        read_json(store, success_name(month), lambda marker: marker["held"])
        hold = valve_hold(store, month)
    except ObjectMissing:
        return _not_done(store, month, rules)
    except DamagedObject as error:
        return damaged_notice(error, month)
    if hold is None:
        return None
    number = count_words(len(hold.messages), "message waits", "messages wait")
    return Notice(
        f"held-{month}",
        f"the mail of {month.in_words} is held",
        f"The run of {month.in_words} held its messages, and {number} for a person. {hold.reason}",
        (
            f"Look at the region page and at `holdfast preview --month {month} --council CODE`.",
            "If a feed is broken: have the files sent again and run the month again.",
            f'If it is true: `holdfast release --month {month} --reason "..." --by NAME` sends them.',
        ),
    )


def damaged_notice(error: StoreError, month: Month | None = None) -> Notice:
    """The notice of an object in the store that cannot be read; the watchdog's other checks go on."""
    where = f"-{month}" if month else f"-{hashlib.sha256(str(error).encode()).hexdigest()[:8]}"
    return Notice(
        f"damaged{where}",
        "something in the store is damaged",
        str(error),
        ("Do what the sentence above says.", "`holdfast doctor` looks at everything else in the store."),
    )


def undelivered_notice(month: Month, left: Sequence[Undelivered], unaddressed: int = 0) -> Notice | None:
    """The notice of a month's undelivered mail, with what is known of each message. None if all has arrived."""
    if not left and not unaddressed:
        return None
    number = len(left) + unaddressed
    refused = any(one.status is Status.FAILED for one in left)
    open_ = any(one.status is not Status.FAILED for one in left)
    named = [one.in_words.rstrip(".") for one in left[:_NAMED]]
    if unaddressed:
        named.append(f"{unaddressed} could not be addressed (the run says which and why)")
    if len(left) > _NAMED:
        named.append(f"{len(left) - _NAMED} more")
    steps = [
        f"`holdfast ledger --month {month}` lists everyone; `holdfast mail-test` says what the mail server answers."
    ]
    if open_:
        steps.append(
            f"What is to be sent goes by itself once its cause is gone: `holdfast serve` tries again, or "
            f"`holdfast run --month {month} --from sending`."
        )
    if refused or unaddressed:
        steps.append(
            f"Correct the address in the register, then `holdfast run --month {month} --from sending`; if the address "
            f'is right, `holdfast resend --month {month} --council CODE --reason "..." --by NAME`.'
        )
    return Notice(
        f"undelivered-{month}",
        f"{count_words(number, 'message', 'messages')} of {month.in_words} not delivered",
        f"Not everyone has the mail of {month.in_words}: {'; '.join(named)}.",
        tuple(steps),
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
        f"{day_words(due)}, working day {rules.done_by_working_day}.{at_work}",
        (
            f"See what stopped it: the Prefect UI, deployment monthly, or `holdfast run --month {month}` by hand.",
            "Running it again is always safe: what was finished is kept, and nobody is told twice.",
        ),
    )


def approval_notices(waiting: Iterable[Pending], now: datetime, rules: WatchdogSettings) -> list[Notice]:
    """Reminders of months that have waited long for an approval. The watchdog only reminds; it decides nothing."""
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
