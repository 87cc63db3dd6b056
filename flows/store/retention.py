"""Retention: how long each kind of content is kept, and how it is deleted for good.

A deletion includes every version in a bucket and leftovers of a crash. Three kinds of content have periods of their
own (settings, section `retention`):

* **records**: rows about one worker or child (pseudonymised), as received and as counted, pages that name their rows;
* **alerts**: what was published and sent, to whom, who approved it, claims of months;
* **figures**: counts of councils by month, the log of submissions, the bands and scores of alerts that are gone.

Figures are kept longer than records, so that today's score is the same whether or not rows from two years ago still
exist. A month whose rows were deleted is closed: a file that arrives for it later is not taken in. Of the month
before the first kept month, the pseudonyms stay, with one FTE or worker each (`state-*`). Without them, a file of
the first kept month that is sent again could not be counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.errors import HoldfastError, SettingsError
from features.months import Month
from flows.settings.settings import RetentionSettings
from flows.store import Store, Stored
from flows.store.editions import RECORDS_KEPT_FROM, records_kept_from
from flows.store.names import TABLE_ENDING, TEMPORARY_PREFIX
from flows.store.reading import read_json, sealed


class KeptContent(StrEnum):
    """The kinds of content, each with its own retention period."""

    RECORDS = "records"
    STATES = "states of the month before"
    ALERTS = "alerts"
    FIGURES = "figures"
    COPIES = "files as they came"
    """Files that 0.1.0 kept byte for byte. Nobody has checked them all, so they are deleted whatever their month."""
    LANDING = "landing"


#: First part of a name -> kind of content. Under `months/` it depends on the table.
CONTENTS: dict[str, KeptContent] = {
    "received": KeptContent.RECORDS,
    "validation": KeptContent.RECORDS,
    "alerts": KeptContent.ALERTS,
    "ledger": KeptContent.ALERTS,
    "releases": KeptContent.ALERTS,
    "approvals": KeptContent.ALERTS,
    "answers": KeptContent.ALERTS,
    "region": KeptContent.ALERTS,
    "runs": KeptContent.ALERTS,
    "claims": KeptContent.ALERTS,
    "months": KeptContent.FIGURES,
    "submissions": KeptContent.FIGURES,
    "scorecard": KeptContent.FIGURES,
    "set-aside": KeptContent.RECORDS,
}

_NEVER = Month(1990, 1)
_RECORD_TABLE = re.compile(r"(workforce|caseload|failures)(-[0-9a-f]{12})?\.parquet")
_STATE_TABLE = re.compile(r"state-[\w-]+\.parquet")


@dataclass(frozen=True, slots=True)
class Periods:
    """The first month that is kept of each kind."""

    records: Month
    alerts: Month
    figures: Month

    @classmethod
    def counted_back(cls, last: Month, settings: RetentionSettings, keep_months: int | None = None) -> Periods:
        """Complete months counted back from the last one, which is kept; `keep_months` is for records.""" ""
        months = settings.record_months if keep_months is None else keep_months
        if months < 1:
            raise SettingsError("At least the last complete month is kept: give --keep-months 1 or more.")
        return cls(last.plus(1 - months), last.plus(1 - settings.alert_months), last.plus(1 - settings.figure_months))

    def is_over(self, content: KeptContent, month: Month) -> bool:
        """Whether content of this kind and month is to be deleted."""
        return content is KeptContent.COPIES or month < self.first_kept(content)

    def first_kept(self, content: KeptContent) -> Month:
        """The first month that is kept of this kind."""
        if content is KeptContent.ALERTS:
            return self.alerts
        if content is KeptContent.FIGURES:
            return self.figures
        return self.records.plus(-1) if content is KeptContent.STATES else self.records


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to be deleted of one kind, or was: counts and sizes, no names."""

    content: KeptContent
    months: tuple[Month, ...]
    objects: int
    versions: int
    """How many earlier versions and delete markers of these objects there are, in a bucket that keeps them."""
    bytes: int


@dataclass(frozen=True)
class Plan:
    """Everything whose retention period has passed."""

    periods: Periods
    going: tuple[Deletion, ...]
    stored: tuple[Stored, ...]
    landing: tuple[Stored, ...]

    def to_text(self) -> str:
        """The plan for people, by kind."""
        lines = [
            f"Kept: records from {self.periods.records.in_words} on, alerts from {self.periods.alerts.in_words} on, "
            f"figures from {self.periods.figures.in_words} on."
        ]
        lines += [_line(g) for g in self.going]
        if not self.going:
            lines.append("Nothing is older.")
        return "\n".join(lines)


def content_of(name: str) -> tuple[KeptContent, Month] | None:
    """An object's kind of content and its month; None if it has no period (models, reference files …)."""
    first, _, rest = name.partition("/")
    month = _month(rest.partition("/")[0])
    content = CONTENTS.get(first)
    if content is None or month is None:
        return None
    table = name.rpartition("/")[2]
    if first == "received" and not table.endswith(TABLE_ENDING) and not table.startswith(TEMPORARY_PREFIX):
        return KeptContent.COPIES, month
    if first == "months":
        if _RECORD_TABLE.fullmatch(table) or table.startswith(TEMPORARY_PREFIX):
            return KeptContent.RECORDS, month
        if _STATE_TABLE.fullmatch(table):
            return KeptContent.STATES, month
    return content, month


def deleted_by_retention(store: Store) -> Callable[[str], bool]:
    """A function that says of an object's name whether its period was over when something was last deleted."""
    records = [read_json(store, o.name, dict) for o in store.list("retention/") if o.name != RECORDS_KEPT_FROM]
    kinds = ("records_kept_from", "alerts_kept_from", "figures_kept_from")
    first = [max((Month.parse(r[kind]) for r in records if kind in r), default=_NEVER) for kind in kinds]
    periods = Periods(*first)

    def deleted(name: str) -> bool:
        what = content_of(name)
        return what is not None and periods.is_over(*what)

    return deleted


def plan(store: Store, landing: Store, periods: Periods, *, with_landing: bool) -> Plan:
    """What would be deleted from the store, and with `with_landing` from the landing store. Reads names only."""
    found = [(content_of(one.name), one) for prefix in CONTENTS for one in store.everything(f"{prefix}/")]
    old = [(what, one) for what, one in found if what is not None and periods.is_over(*what)]
    landed = [
        ((KeptContent.LANDING, month), one)
        for one in (landing.everything() if with_landing else ())
        if (month := _month(one.name.partition("/")[0])) is not None and month < periods.records
    ]
    return Plan(
        periods,
        tuple(_sums([*old, *landed])),
        tuple(one for _, one in old),
        tuple(one for _, one in landed),
    )


def delete_planned(store: Store, landing: Store, planned: Plan, *, at: datetime, by: str, reason: str) -> str:
    """Close the months, record what is deleted, delete it. Returns the record's name; it contains no names or values.

    The months are closed first, so that no run takes them in again. If the deletion is cut off, the record says
    “begun”, and the same command deletes what is left. Raises StoreError if the store refuses, and SettingsError if
    `by` or `reason` is empty.
    """
    if not by.strip() or not reason.strip():
        raise SettingsError("Deleting needs --by and --reason: both are kept with the record of what was deleted.")
    kept_from = max(filter(None, (records_kept_from(store), planned.periods.records)))
    store.replace(
        RECORDS_KEPT_FROM, sealed(RECORDS_KEPT_FROM, {"month": str(kept_from)}), content_type="application/json"
    )
    name = f"retention/{at:%Y-%m-%dT%H%M%S}Z.json"
    record = {
        "state": "begun",
        "at": at.isoformat(),
        "by": by,
        "reason": reason,
        "records_kept_from": str(planned.periods.records),
        "alerts_kept_from": str(planned.periods.alerts),
        "figures_kept_from": str(planned.periods.figures),
        "deleted": [
            {
                "content": str(g.content),
                "first_month": str(g.months[0]),
                "last_month": str(g.months[-1]),
                "objects": g.objects,
                "versions": g.versions,
                "bytes": g.bytes,
            }
            for g in planned.going
        ],
    }
    store.create(name, sealed(name, record), content_type="application/json")
    store.purge(planned.stored)
    landing.purge(planned.landing)
    store.replace(name, sealed(name, {**record, "state": "done"}), content_type="application/json")
    return name


def _sums(found: Iterable[tuple[tuple[KeptContent, Month], Stored]]) -> Iterable[Deletion]:
    groups: dict[KeptContent, list[tuple[Month, Stored]]] = {}
    for (content, month), one in found:
        groups.setdefault(content, []).append((month, one))
    for content in KeptContent:
        if content in groups:
            each: Sequence[tuple[Month, Stored]] = groups[content]
            names = {one.name for _, one in each}
            yield Deletion(
                content,
                tuple(sorted({month for month, _ in each})),
                len(names),
                len(each) - len(names),
                sum(one.size for _, one in each),
            )


_IN_WORDS = {
    KeptContent.RECORDS: "records",
    KeptContent.STATES: "pseudonyms kept for the month after",
    KeptContent.ALERTS: "alerts, messages, ledger",
    KeptContent.FIGURES: "figures and log of submissions",
    KeptContent.COPIES: "files kept as they came by 0.1.0",
    KeptContent.LANDING: "files in the landing store",
}


def _line(going: Deletion) -> str:
    first, last = going.months[0], going.months[-1]
    span = str(first) if first == last else f"{first} to {last}"
    versions = f" and {going.versions} earlier versions" if going.versions else ""
    return f"  {_IN_WORDS[going.content]}: {span}, {going.objects} objects{versions}, {going.bytes / 1e6:,.1f} MB"


def _month(text: str) -> Month | None:
    try:
        return Month.parse(text)
    except HoldfastError:
        return None
