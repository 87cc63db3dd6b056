"""The steps of one month as plain functions, in the order in which `flows.monthly` calls them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from expectations.accepted import Accepted, read_accepted
from expectations.batch import FAILURES
from features.councils import Council
from features.errors import SettingsError
from features.months import Month, month_range
from flows.alerting import Decided, Versions, decide_councils, deliver_council, publish_council
from flows.alerts.decide import Storm
from flows.alerts.deliver import Delivery, deliver
from flows.alerts.facts import CouncilFacts, facts_by_council
from flows.alerts.ledger import Status
from flows.alerts.mail.port import Transport
from flows.alerts.publish import Published, told_folders
from flows.alerts.state import Band
from flows.alerts.summary import run_message
from flows.context import RunContext, code_version
from flows.extracts.landing import LandedFile
from flows.extracts.table import Limits
from flows.history import ACCEPTED, MISSING, Manifest
from flows.mailing import contact, mail_policy
from flows.measuring import Measured
from flows.outcome import CouncilOutcome, Restatement, RunOutcome
from flows.pages.previews import write_preview_index
from flows.pages.region import RunFacts, StageTime, region_page
from flows.reports import council_report_name, index_name, write_reports
from flows.scoring import CAUTION
from flows.settings import Settings
from flows.storage import Store, open_store
from flows.takein import Due, Read, TakenIn, check_months, months_due, read_files, store_edition
from models.score import Score
from models.trained import TrainedModel

_HTML = "text/html; charset=utf-8"


def accepted_failures(context: RunContext) -> tuple[Accepted, ...]:
    """The reviewed list of accepted failures; none if the settings name no file. Raises SettingsError."""
    name = context.settings.accepted_failures
    if name is None:
        return ()
    try:
        return read_accepted(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{name}: the list of accepted failures cannot be read: {error}.") from None


def find_due(context: RunContext) -> list[Due]:
    """The run's month and the months before it that have something new: late or restated extracts."""
    months = month_range(context.month.plus(1 - context.settings.ingest.history_months), context.month)
    return months_due(context.landing, context.history, context.register, months, lambda _: context.cutoff)


def find_due_for_history(context: RunContext, first: Month, last: Month) -> list[Due]:
    """Months of a backfill: each as an ordinary run of that month would have seen it."""
    months = month_range(first, last)
    return months_due(
        context.landing,
        context.history,
        context.register,
        months,
        lambda m: min(context.cutoff, context.usual_cutoff(m)),
    )


def files_by_council(due: Due) -> dict[str, list[LandedFile]]:
    """The month's files, council by council: the unit that is read, shown and retried."""
    found: dict[str, list[LandedFile]] = {}
    for file in due.files:
        found.setdefault(file.council.la_code, []).append(file)
    return found


def read_council(context: RunContext, files: Sequence[LandedFile]) -> list[Read]:
    """Read what one council sent for one month."""
    limits = limits_of(context.settings)
    return read_files(context.landing, context.store, files, key=context.key, limits=limits)


def limits_of(settings: Settings) -> Limits:
    """How large a file may be, by the settings."""
    return Limits(max_bytes=settings.ingest.max_file_mb * 1_000_000)


def check_and_store(
    context: RunContext, due: Sequence[Due], reads: Sequence[Sequence[Read]], *, reports: bool
) -> list[TakenIn]:
    """Validate the months together, then count and store each; with `reports`, write their pages."""
    accepted = accepted_failures(context)
    with context.clock.stage("check"):
        batches, outcomes = check_months(context.history, due, reads, accepted)
    taken = []
    for one, read, batch, outcome in zip(due, reads, batches, outcomes, strict=True):
        with context.clock.stage("count"):
            taken.append(
                store_edition(
                    context.store,
                    context.history,
                    context.register,
                    one,
                    read,
                    batch,
                    outcome,
                    due_working_day=context.settings.ingest.due_working_day,
                )
            )
        if reports and one.has_news:
            with context.clock.stage("reports"):
                write_reports(context.store, context.register, batch, outcome, accepted)
    return taken


@dataclass(frozen=True)
class Alerting:
    """The month's decisions and what publishing made of them."""

    manifest: Manifest | None
    decided: tuple[Decided, ...]
    storm: Storm
    facts: Mapping[str, CouncilFacts]
    failures: pl.DataFrame
    versions: Versions


def decide_month(
    context: RunContext, measured: Measured, scores: Mapping[str, Score], councils: Sequence[str] = ()
) -> Alerting:
    """Decide for every council of the month, or for those of `councils`, from where each last stood."""
    manifest = context.history.as_of(context.month, context.cutoff)
    register = context.register
    known = {c.la_code for c in register.valid_in(context.month)}
    if unknown := sorted(set(councils) - known):
        raise SettingsError(
            f"No council {', '.join(unknown)} reports for {context.month.in_words}. The register lists: "
            f"{', '.join(sorted(known))}."
        )
    chosen = tuple(c for c in register.valid_in(context.month) if not councils or c.la_code in councils)
    facts = facts_by_council(measured.features, tuple(c.la_code for c in chosen), context.month)
    rules = context.settings.alerts
    decided, storm = decide_councils(context.store, chosen, scores, facts, rules, context.cutoff)
    versions = Versions(
        code=code_version(),
        settings=context.settings.digest(),
        rules=rules.digest(),
        known_by=str(max((m.known_to for m in measured.manifests), default=context.month.last_day)),
    )
    failures = context.history.table(manifest, "failures", FAILURES) if manifest else FAILURES.to_frame()
    return Alerting(manifest, tuple(decided), storm, facts, failures, versions)


def publish_one(context: RunContext, alerting: Alerting, decided: Decided) -> Published:
    """Publish one council's alert; its message is rendered if one is due."""
    return publish_council(
        context.store, decided, alerting.manifest, alerting.failures, alerting.versions, contact(context.settings)
    )


def deliver_one(context: RunContext, transport: Transport, council: Council, published: Published) -> list[Delivery]:
    """Send what is due to one council's registered recipients, once however often the run is repeated."""
    return deliver_council(context.store, transport, council, published, mail_policy(context.settings), context.now)


def write_region_page(
    context: RunContext, alerting: Alerting, published: Sequence[Published], seconds: Mapping[str, float]
) -> str:
    """The overview of the whole region, for those entitled to it. Returns its name in the store."""
    month = context.month
    name = f"region/{month}/index.html"
    links = {
        d.council.la_code: (
            ("validation report", f"../../{council_report_name(month, d.council)}"),
            ("alert", f"../../alerts/{month}/{d.council.folder}.json"),
        )
        for d in alerting.decided
    }
    page = region_page(
        [p.alert for p in published],
        alerting.facts,
        month=month,
        title="Region overview",
        run=RunFacts(
            code_version=alerting.versions.code,
            times=tuple(StageTime(stage=s, seconds=t) for s, t in seconds.items()),
            held=alerting.storm.reason if alerting.storm.held else "",
            links=(("Validation of the month", f"../../{index_name(month)}"),),
        ),
        links=links,
    )
    context.store.replace(name, page.encode(), content_type=_HTML)
    return name


def send_run_summary(
    context: RunContext,
    transport: Transport,
    alerting: Alerting,
    published: Sequence[Published],
    deliveries: Mapping[str, Sequence[Delivery]],
) -> None:
    """One message to the data team; the same again is not sent twice."""
    message = run_message(
        month=context.month,
        alerts=[p.alert for p in published],
        outcomes={p.alert.la_code: p.outcome for p in published},
        storm=alerting.storm,
        deliveries=deliveries,
        seconds=context.clock.seconds,
        contact=contact(context.settings),
    )
    policy = mail_policy(context.settings)
    deliver(
        context.store, transport, message, recipients=(context.settings.mail.data_team,), policy=policy, at=context.now
    )


def write_success_marker(context: RunContext, alerting: Alerting) -> str:
    """`runs/<month>/success.json`: what a watchdog looks for. The same run again leaves it as it is."""
    content = json.dumps(
        {
            "month": str(context.month),
            "edition": alerting.manifest.edition if alerting.manifest else None,
            "known_by": alerting.versions.known_by,
            "code_version": alerting.versions.code,
            "settings_digest": alerting.versions.settings,
            "councils": len(alerting.decided),
            "held": alerting.storm.held,
        },
        indent=1,
        sort_keys=True,
    )
    name = f"runs/{context.month}/success.json"
    context.store.replace(name, content.encode() + b"\n", content_type="application/json")
    return name


def place(store: Store, name: str) -> str:
    """Where a person finds an object: a path of a local folder, an address of a bucket."""
    if store.url.startswith("file://"):
        path = Path(store.url.removeprefix("file://")) / name
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    return f"{store.url.rstrip('/')}/{name}"


def outcome_of(
    context: RunContext,
    alerting: Alerting,
    published: Sequence[Published],
    deliveries: Mapping[str, Sequence[Delivery]],
    restated: Sequence[Restatement],
    model: TrainedModel,
) -> RunOutcome:
    """The run in a form for people."""
    informed = told_folders(context.store, context.month)
    made = [d for each in deliveries.values() for d in each if d.attempted]
    month, store = context.month, context.store
    places = {
        "region page": place(store, f"region/{month}/index.html"),
        "alerts": place(store, f"alerts/{month}/"),
        "validation": place(store, index_name(month)),
    }
    if context.settings.mail.transport == "outbox":
        outbox = open_store(context.settings.mail.outbox)
        places["e-mails"] = place(outbox, write_preview_index(outbox))
    return RunOutcome(
        month=month,
        councils=tuple(
            CouncilOutcome(
                d.council.la_code,
                d.council.name,
                d.decision.band,
                d.decision.change,
                d.council.folder in informed,
                d.score.not_scored if d.decision.band is Band.NOT_SCORED else None,
            )
            for d in alerting.decided
        ),
        problems=tuple(problems(context, alerting.manifest)),
        restatements=tuple(restated),
        held=alerting.storm.reason if alerting.storm.held else "",
        messages_sent=sum(d.status is Status.SENT for d in made),
        messages_failed=sum(d.status is not Status.SENT for d in made),
        places=places,
        seconds=dict(context.clock.seconds),
        model=f"{model.ref.name} {model.ref.version}",
        caution=CAUTION,
    )


def problems(context: RunContext, manifest: Manifest | None) -> list[str]:
    """Files refused, missing or late, as sentences that name council and file."""
    if manifest is None:
        return [f"Nobody has sent anything for {context.month.in_words}."]
    found: list[str] = list(manifest.unrecognised)
    for e in manifest.extracts:
        name = context.register.by_code[e.la_code].name
        if e.outcome == MISSING:
            found.append(f"{name} ({e.la_code}): the {e.kind} extract has not come. It was due on {e.due:%d %B}.")
        elif e.outcome != ACCEPTED:
            found.append(e.reason or f"{name} ({e.la_code}): the {e.kind} extract could not be used.")
        elif e.withheld:
            found.append(f"{name} ({e.la_code}): withheld from the {e.kind} extract: {', '.join(e.withheld)}.")
    late: dict[str, list[str]] = {}
    for e in manifest.extracts:
        if e.late:
            late.setdefault(e.la_code, []).append(str(e.kind))
    found += [f"{context.register.by_code[la].name} ({la}): late: {', '.join(kinds)}." for la, kinds in late.items()]
    return found
