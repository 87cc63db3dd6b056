"""Months are decided in order: each decision begins where the month before left the council."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.councils import Council, Register
from features.errors import HoldfastError
from features.months import Month, month_range
from flows.alerts.alert import Alert
from flows.store import Store


class MonthsOutOfOrder(HoldfastError):
    """An earlier month is not decided, so this one would begin from the wrong place."""

    exit_code = 25


def success_name(month: Month) -> str:
    """The object that a finished run of all councils leaves: the watchdog and the next month look for it."""
    return f"runs/{month}/success.json"


def require_order(
    store: Store, register: Register, councils: Sequence[Council], month: Month, earlier: Mapping[str, Alert]
) -> None:
    """Raise MonthsOutOfOrder if a month between a council's last alert and this month was never finished.

    `earlier`: the nearest earlier alert of each council, by folder. A council that has none begins here. A finished
    run may lack a council that it could not decide; a month that nobody began, or that was broken off, may not.
    """
    behind = {c.folder: earlier[c.folder].month for c in councils if c.folder in earlier}
    first = min(behind.values(), default=month)
    for between in month_range(first.plus(1), month.plus(-1)) if first < month.plus(-1) else ():
        owing = [c for c in register.valid_in(between) if behind.get(c.folder, between) < between]
        if owing and store.info(success_name(between)) is None:
            raise MonthsOutOfOrder(
                f"{month.in_words} cannot be decided before {between.in_words}, which was not run to its end: "
                f"{owing[0].name} ({owing[0].la_code}) has no alert of it. Run `holdfast run --month {between}` first "
                "(with --no-send, if nobody is to be told of it any more)."
            )
