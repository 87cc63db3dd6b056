"""Builds a run's outcome from what it found, with the places of its pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from expectations.fates import CouncilFiles
from flows.alerts.alert import Alert
from flows.alerts.council_month import council_month
from flows.alerts.files import council_files
from flows.alerts.publish import councils_told
from flows.alerts.region_page import region_page_name
from flows.alerts.reports import index_name
from flows.mail.answering import waiting_answers
from flows.mail.month_mail import NO_MAIL, MonthMail
from flows.mail.transports.previews import write_preview_index
from flows.month.score import CAUTION
from flows.orchestration.outcome import RunOutcome
from flows.store import Store, open_store
from flows.store.context import RunContext
from flows.store.manifest import Manifest


def place(store: Store, name: str) -> str:
    """Where a person finds an object: a path in a local folder, or an address in a bucket."""
    if store.url.startswith("file://"):
        path = Path(store.url.removeprefix("file://")) / name
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    return f"{store.url.rstrip('/')}/{name}"


def found_at(context: RunContext, name: str) -> str:
    """Where a person opens an object: an address for their browser where `public_url` says it, else its place."""
    public = context.settings.public_url.rstrip("/")
    return f"{public}/{name}" if public else place(context.store, name)


def outcome_of(
    context: RunContext,
    alerts: Sequence[Alert],
    manifest: Manifest | None,
    failures: pl.DataFrame,
    mail: MonthMail = NO_MAIL,
    revised: Collection[str] = (),
) -> RunOutcome:
    """The outcome from the alerts that the run made or found and the month's files. The caller adds the rest.

    `revised` holds the la_codes of the councils whose published alert this run replaced.
    """
    informed = councils_told(context.store, context.month)
    files: tuple[CouncilFiles, ...] | None = None
    if manifest is not None:
        councils = (context.register.by_code[la] for la in sorted({e.la_code for e in manifest.extracts}))
        files = tuple(council_files(manifest, failures, council, context.month) for council in councils)
    by_code = {f.la_code: f for f in files or ()}
    return RunOutcome(
        month=context.month,
        councils=tuple(
            council_month(
                a,
                by_code.get(a.la_code),
                told=a.folder in informed,
                held=mail.held.get(a.folder, ""),
                revised=a.la_code in revised,
            )
            for a in alerts
        ),
        files=files,
        answers=tuple(waiting_answers(context.store, context.register.valid_in(context.month), context.month)),
        # Councils' files lie unpseudonymised in the landing folder, so rights of everybody on the machine are named.
        unrecognised=(
            *(manifest.unrecognised if manifest is not None else ()),
            *filter(None, [context.landing.lax_rights()]),
        ),
        mail=mail,
        caution=CAUTION,
    )


def finished(context: RunContext, outcome: RunOutcome) -> RunOutcome:
    """Add to the outcome of a run that is done how long it took and where its pages are."""
    places = _places(context, bool(outcome.councils))
    return replace(outcome, places=places, seconds=dict(context.clock.seconds))


def _places(context: RunContext, alerts: bool) -> dict[str, str]:
    month, store = context.month, context.store
    pages = {"region page": region_page_name(month)} if alerts else {}
    places = {what: found_at(context, name) for what, name in {**pages, "validation": index_name(month)}.items()}
    places |= {"alerts": place(store, f"alerts/{month}/")} if alerts else {}
    if alerts and context.settings.mail.transport == "outbox":
        outbox = open_store(context.settings, context.settings.mail.outbox)
        places["e-mails"] = place(outbox, write_preview_index(outbox))
    return places
