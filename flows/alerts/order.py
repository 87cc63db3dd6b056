"""Makes sure that months are decided in order, as each decision starts from the state after the month before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.councils import Council, Register
from features.errors import HoldfastError
from features.months import Month, month_range
from flows.alerts.alert import Alert
from flows.store import Store


class MonthsOutOfOrder(HoldfastError):
    """An earlier month has not been decided, so this month would start from the wrong state."""

    exit_code = 25


def success_name(month: Month) -> str:
    """Name of the object that a finished run of all councils writes. The watchdog and the next month look for it."""
    return f"runs/{month}/success.json"


def require_order(
    store: Store, register: Register, councils: Sequence[Council], month: Month, earlier: Mapping[str, Alert]
) -> None:
    """Raise MonthsOutOfOrder if a month between a council's last alert and this month was never finished.

    `earlier` has each council's latest earlier alert, by folder. A council without one starts with this month. A
    finished run may have left out a council that it could not decide. But every month in between must have been
    finished: none may be missing or cut off.
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
