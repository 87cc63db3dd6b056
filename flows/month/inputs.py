"""Gives each step of a month what it needs from the run's context. The context is unpacked only here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import date
from functools import partial

from features.months import Month, month_range
from flows.alerts.council import Deciding
from flows.extracts.reading.table import Limits
from flows.extracts.rotate_key import require_key
from flows.extracts.submissions import Packed
from flows.month.count import ReadyMonth, reads_of
from flows.month.edition import TakenIn, pack_received
from flows.month.groups import GroupDone, put_together, take_in_group
from flows.month.measure import Measured
from flows.month.portions import ReadOne
from flows.month.steps import (
    Alerting,
    Checking,
    Decisions,
    check_and_store,
    files_as_known,
    store_months,
    versions_of,
)
from flows.month.take_in import Due, Read, months_due, read_files
from flows.store.context import RunContext, accepted_failures


def due_now(context: RunContext, pages_gone: Sequence[str] = ()) -> list[Due]:
    """The run's month, and earlier months with late or restated extracts.

    `pages_gone`: validation pages of the run's month that were there and are gone.
    """
    months = month_range(context.month.plus(1 - context.settings.ingest.history_months), context.month)
    return _due(context, months, lambda _: context.cutoff, pages_gone)


def due_in_history(context: RunContext, first: Month, last: Month) -> list[Due]:
    """The months of a backfill, each as an ordinary run of that month would have seen it."""
    return _due(context, month_range(first, last), lambda month: min(context.cutoff, context.usual_cutoff(month)))


def _due(
    context: RunContext, months: Iterable[Month], cutoff: Callable[[Month], date], pages_gone: Sequence[str] = ()
) -> list[Due]:
    require_key(context.store, context.key)
    accepted = accepted_failures(context.settings.accepted_failures)
    return months_due(context.landing, context.history, context.register, months, cutoff, accepted, pages_gone)


def reader(context: RunContext) -> ReadOne:
    """A function that reads what one council sent for one month."""
    limits = Limits(max_bytes=context.settings.ingest.max_file_mb * 1_000_000)
    return partial(read_files, context.landing, key=context.key, limits=limits)


def check_months_of(
    context: RunContext, due: Sequence[Due], reads: Sequence[Sequence[Read]], *, reports: bool
) -> list[TakenIn]:
    """Check, count and store the months, by the run's settings."""
    return check_and_store(context.history, context.register, due, reads, _checking(context, reports), context.clock)


def _checking(context: RunContext, reports: bool) -> Checking:
    settings = context.settings
    return Checking(accepted_failures(settings.accepted_failures), settings.ingest.due_working_day, reports)


def deciding(context: RunContext) -> Deciding:
    """What the run's decisions depend on, from its settings and its cut-off."""
    return Deciding(context.settings.alerts, context.cutoff, context.settings.schedule.monthly_working_day)


def take_in_group_of(context: RunContext, due: Sequence[Due], before: GroupDone | None) -> GroupDone:
    """Read, check and count some months of a group of councils, by the run's settings."""
    accepted = accepted_failures(context.settings.accepted_failures)
    return take_in_group(context.history, due, reader(context), accepted, before)


def pack_received_of(context: RunContext, due: Due, groups: Sequence[ReadyMonth]) -> Packed:
    """What there is to record of what every group read of a month."""
    return pack_received(context.store, due.month, reads_of(due, groups))


def store_month_of(context: RunContext, due: Due, groups: Sequence[ReadyMonth], packed: Packed) -> list[TakenIn]:
    """Store a month that groups of councils have checked and counted."""
    month, by = put_together(due, groups, packed), _checking(context, reports=False)
    return store_months(context.history, context.register, [month], by, context.clock)


def to_publish(context: RunContext, decisions: Decisions, measured: Measured) -> Alerting:
    """Add to the decisions what publishing them needs."""
    manifest, failures = files_as_known(context.history, context.month, context.cutoff)
    made = {f.name: getattr(decisions, f.name) for f in fields(Decisions)}
    return Alerting(**made, manifest=manifest, failures=failures, versions=versions_of(context.settings, measured))
