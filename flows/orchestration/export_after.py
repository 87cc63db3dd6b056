"""Exports the group's figures after a month, if the settings ask for it. A failed export spoils no month."""

from __future__ import annotations

import logging

from prefect import task

from features.errors import HoldfastError
from flows.export.group import export_group
from flows.mail.notices import Notice, tell
from flows.mail.transports.open import open_transport
from flows.orchestration.tasks import PATIENT_STEP, whole
from flows.store import open_store
from flows.store.context import RunContext

_LOGGER = logging.getLogger("holdfast.export")


@task(task_run_name="Export {month}", **PATIENT_STEP)
def export_month(context: RunContext, month: str) -> str:
    """Write the figures up to the month, without small counts."""
    to = context.settings.export_to
    return export_group(context, open_store(context.settings, to)).in_words(to)


def export_after(context: RunContext) -> None:
    """Export if it is asked for. If it fails, its task run is red and the data team is told; the month is done."""
    if not context.settings.export_to:
        return
    state = export_month(whole(context), str(context.month), return_state=True)
    if not state.is_failed():
        return
    error = state.result(raise_on_failure=False)
    why = str(error) if isinstance(error, HoldfastError) else f"It stopped with an error ({type(error).__name__})."
    notice = Notice(
        f"export-{context.month}",
        f"the figures of {context.month.in_words} were not exported",
        f"{why} The month itself is done, and its messages went as decided.",
        (f"Put that right, then `holdfast export --month {context.month} --to FOLDER`.",),
    )
    try:
        tell(context.settings, context.store, open_transport(context.settings), [notice], context.now)
    except HoldfastError as fault:
        _LOGGER.warning("The data team could not be told that the export failed: %s", fault)
