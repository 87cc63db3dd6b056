"""A run in a form for people: what became of each council and of the mail, and where everything lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flows.alerts.alert import Alert
from flows.alerts.decide import Storm
from flows.alerts.files import council_files
from flows.alerts.publish import told_folders
from flows.alerts.region_page import why_words
from flows.alerts.reports import index_name
from flows.alerts.state import Band
from flows.mail.approval_form import Pending, Ruling, how_to_decide
from flows.mail.deliver import Delivery
from flows.mail.transports.previews import write_preview_index
from flows.month.restated import Restatement
from flows.month.score import CAUTION
from flows.orchestration.outcome import CouncilOutcome, RunOutcome
from flows.store import Store, open_store
from flows.store.context import RunContext
from flows.store.ledger import Status
from flows.store.manifest import Manifest


@dataclass(frozen=True)
class Mail:
    """What became of a month's mail to directors in a run."""

    deliveries: Mapping[str, Sequence[Delivery]] = field(default_factory=dict)
    """By la_code."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Councils, by folder, whose mail waits for a person, each with why."""
    waits: Pending | None = None
    """The round of approval that waits for an answer."""
    ruling: Ruling | None = None
    """What was decided on it."""

    def storm(self, storm: Storm) -> Storm:
        """The storm valve's verdict as it stands after a person's word."""
        if self.waits is not None:
            return storm.model_copy(update={"held": True, "reason": f"{self.waits.in_words}. {how(self.waits)}"})
        if self.ruling is not None:
            return storm.model_copy(update={"held": False, "reason": self.ruling.in_words})
        return storm


def how(waits: Pending) -> str:
    """Why the month would have been held anyway, if it would, and what a person does next."""
    return " ".join(part for part in (waits.held_because, how_to_decide(waits)) if part)


def place(store: Store, name: str) -> str:
    """Where a person finds an object: a path of a local folder, an address of a bucket."""
    if store.url.startswith("file://"):
        path = Path(store.url.removeprefix("file://")) / name
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    return f"{store.url.rstrip('/')}/{name}"


def outcome_of(
    context: RunContext,
    alerts: Sequence[Alert],
    manifest: Manifest | None,
    failures: pl.DataFrame,
    *,
    storm: Storm | None = None,
    mail: Mail = Mail(),
    restated: Sequence[Restatement] = (),
    model: str = "",
    faults: Sequence[str] = (),
    more: Sequence[str] = (),
    note: str = "",
) -> RunOutcome:
    """The run's outcome, from the alerts it made or found. `storm`: as it stands after a person's word."""
    informed = told_folders(context.store, context.month)
    made = [d for each in mail.deliveries.values() for d in each if d.attempted]
    return RunOutcome(
        month=context.month,
        councils=tuple(
            CouncilOutcome(
                la_code=a.la_code,
                name=a.council,
                band=a.decision.band,
                change=a.decision.change,
                told=a.folder in informed,
                why_not_scored=a.score.not_scored if a.decision.band is Band.NOT_SCORED else None,
                why=why_words(a),
                held=mail.held.get(a.folder, ""),
            )
            for a in alerts
        ),
        problems=(*problems(context, manifest, failures), *more),
        restatements=tuple(restated),
        held=storm.reason if storm is not None and storm.held and mail.waits is None else "",
        messages_sent=sum(d.status is Status.SENT for d in made),
        messages_failed=sum(d.status is not Status.SENT for d in made),
        places=_places(context, bool(alerts)),
        seconds=dict(context.clock.seconds),
        model=model,
        caution=CAUTION,
        faults=tuple(faults),
        awaits=f"{mail.waits.in_words}. {how(mail.waits)}" if mail.waits is not None else "",
        decided=mail.ruling.in_words if mail.ruling is not None else "",
        note=note,
    )


def _places(context: RunContext, alerts: bool) -> dict[str, str]:
    month, store = context.month, context.store
    names = {"region page": f"region/{month}/index.html", "alerts": f"alerts/{month}/"} if alerts else {}
    places = {what: place(store, name) for what, name in {**names, "validation": index_name(month)}.items()}
    if alerts and context.settings.mail.transport == "outbox":
        outbox = open_store(context.settings, context.settings.mail.outbox)
        places["e-mails"] = place(outbox, write_preview_index(outbox))
    return places


def problems(context: RunContext, manifest: Manifest | None, failures: pl.DataFrame) -> list[str]:
    """What is not ordinary about the month's files, as sentences that name council and file."""
    if manifest is None:
        return [f"Nobody has sent anything for {context.month.in_words}."]
    councils = (context.register.by_code[la] for la in sorted({e.la_code for e in manifest.extracts}))
    every = [council_files(manifest, failures, council, context.month) for council in councils]
    return [*manifest.unrecognised, *(f"{c.who}: {f.detail}" for c in every for f in c.files if f.remarkable)]
