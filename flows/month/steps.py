"""The steps of one month as plain functions, in the order in which `flows.monthly` calls them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from expectations.accepted import Accepted, read_accepted
from expectations.batch import FAILURES, Batch, Outcome
from features.councils import Council, folder_name
from features.errors import SettingsError
from features.months import Month, month_range
from flows.alerts.alert import Alert
from flows.alerts.council import Decided, Versions, alert_of, decide_councils, publish_council
from flows.alerts.decide import Storm
from flows.alerts.facts import CouncilFacts, facts_by_council
from flows.alerts.files import council_files
from flows.alerts.letter.compose import Contact
from flows.alerts.order import require_order, success_name
from flows.alerts.publish import Published, latest_alert, previous_alerts
from flows.alerts.region_page import RunFacts, StageTime, region_page
from flows.alerts.reports import council_report_name, index_name, write_reports
from flows.extracts.landing import LandedFile
from flows.extracts.reading.table import Limits
from flows.extracts.rotate_key import require_key
from flows.month.apart import apart, fault_sentence
from flows.month.measure import Measured
from flows.month.take_in import Due, Read, TakenIn, check_months, months_due, read_files, store_edition
from flows.settings.settings import Settings
from flows.store.context import RunContext, code_version
from flows.store.manifest import Manifest
from models.score import Score

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
    require_key(context.store, context.key)
    months = month_range(context.month.plus(1 - context.settings.ingest.history_months), context.month)
    return months_due(context.landing, context.history, context.register, months, lambda _: context.cutoff)


def find_due_for_history(context: RunContext, first: Month, last: Month) -> list[Due]:
    """Months of a backfill: each as an ordinary run of that month would have seen it."""
    require_key(context.store, context.key)
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


def by_council(due: Due) -> list[list[LandedFile]]:
    """The month's files, one list per council."""
    return list(files_by_council(due).values())


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
        checked = check_months(context.history, due, reads, accepted)
    taken: list[TakenIn] = []
    for one, read, batch, outcome in zip(checked.due, checked.reads, checked.batches, checked.outcomes, strict=True):

        def tell(manifest: Manifest, batch: Batch = batch, outcome: Outcome = outcome) -> None:
            write_reports(context.store, context.register, batch, outcome, manifest, accepted)

        with context.clock.stage("count and report" if reports else "count"):
            stored = store_edition(
                context.store,
                context.history,
                context.register,
                one,
                read,
                batch,
                outcome,
                due_working_day=context.settings.ingest.due_working_day,
                tell=tell if reports and one.has_news else None,
            )
        taken.append(replace(stored, faults=(*(() if taken else checked.faults), *stored.faults)))
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
    faults: tuple[str, ...] = ()
    """What failed at single councils through no fault of their files, as sentences."""


def decide_month(
    context: RunContext, measured: Measured, scores: Mapping[str, Score], councils: Sequence[str] = ()
) -> Alerting:
    """Decide for every council of the month, or for those of `councils`, from where each last stood."""
    manifest, failures = files_as_known(context)
    chosen = chosen_councils(context, councils)
    # The region page shows every council, also when only some are decided anew.
    every = tuple(c.la_code for c in context.register.valid_in(context.month))
    by_code = {c.la_code: c for c in chosen}
    rules = context.settings.alerts
    earlier = previous_alerts(context.store, context.month, {c.folder for c in chosen})
    require_order(context.store, context.register, chosen, context.month, earlier)
    told = apart(every, lambda councils: facts_by_council(measured.features, tuple(councils), context.month))
    done = apart(
        [code for code in by_code if code not in told.faults],
        lambda councils: decide_councils(
            context.store,
            [by_code[c] for c in councils],
            scores,
            told.result,
            earlier,
            rules,
            context.cutoff,
            context.settings.schedule.monthly_working_day,
        ),
    )
    decided, storm = done.result
    failed = [(c, error) for c, error in {**told.faults, **done.faults}.items() if c in by_code]
    versions = Versions(
        code=code_version(),
        settings=context.settings.digest(),
        rules=rules.digest(),
        known_by=str(max((m.known_to for m in measured.manifests), default=context.month.last_day)),
    )
    return Alerting(
        manifest,
        tuple(decided),
        storm,
        told.result,
        failures,
        versions,
        faults=tuple(fault_sentence(by_code[c], "deciding", error) for c, error in failed),
    )


def chosen_councils(context: RunContext, codes: Sequence[str]) -> tuple[Council, ...]:
    """The councils of the month with these codes, or all; raises SettingsError for a code nobody reports under."""
    valid = context.register.valid_in(context.month)
    asked = {folder_name(code): code for code in codes}
    if unknown := sorted(asked[folder] for folder in set(asked) - {c.folder for c in valid}):
        raise SettingsError(
            f"No council {', '.join(unknown)} reports for {context.month.in_words}. The register lists: "
            f"{', '.join(sorted(c.la_code for c in valid))}."
        )
    return tuple(c for c in valid if not asked or c.folder in asked)


def files_as_known(context: RunContext) -> tuple[Manifest | None, pl.DataFrame]:
    """The month's edition as known by the cut-off, and what its checks found."""
    manifest = context.history.as_of(context.month, context.cutoff)
    return manifest, context.history.table(manifest, "failures", FAILURES) if manifest else FAILURES.to_frame()


def rehearse_one(alerting: Alerting, decided: Decided) -> Alert:
    """One council's alert as it would be published; nothing is written."""
    return alert_of(decided, alerting.manifest, alerting.failures, alerting.versions)


def publish_one(context: RunContext, alerting: Alerting, decided: Decided) -> Published:
    """Publish one council's alert; its message is rendered if one is due."""
    return publish_council(
        context.store, decided, alerting.manifest, alerting.failures, alerting.versions, Contact.of(context.settings)
    )


def write_region_page(
    context: RunContext,
    alerting: Alerting,
    held: str,
    published: Sequence[Published],
    seconds: Mapping[str, float],
) -> str:
    """The overview of the whole region, for those entitled to it. Returns its name in the store.

    Councils this run did not decide stand as an earlier run published them. `held`: why mail is held, if it is.
    """
    month = context.month
    name = f"region/{month}/index.html"
    councils = context.register.valid_in(month)
    made = {p.alert.la_code: p.alert for p in published}
    others = [c for c in councils if c.la_code not in made]
    standing = [a for c in others if (a := latest_alert(context.store, month, c.folder)) is not None]
    links = {
        c.la_code: (
            ("validation report", f"../../{council_report_name(month, c)}"),
            ("alert", f"../../alerts/{month}/{c.folder}.json"),
        )
        for c in councils
    }
    page = region_page(
        [*made.values(), *standing],
        alerting.facts,
        month=month,
        title="Region overview",
        run=RunFacts(
            code_version=alerting.versions.code,
            times=tuple(StageTime(stage=s, seconds=t) for s, t in seconds.items()),
            held=held,
            links=(("Validation of the month", f"../../{index_name(month)}"),),
        ),
        links=links,
        files={c.la_code: council_files(alerting.manifest, alerting.failures, c, month) for c in councils},
    )
    context.store.replace(name, page.encode(), content_type=_HTML)
    return name


def write_success_marker(context: RunContext, alerting: Alerting, held: bool) -> str:
    """`runs/<month>/success.json`: what a watchdog looks for. The same run again leaves it as it is."""
    content = json.dumps(
        {
            "month": str(context.month),
            "edition": alerting.manifest.edition if alerting.manifest else None,
            "known_by": alerting.versions.known_by,
            "code_version": alerting.versions.code,
            "settings_digest": alerting.versions.settings,
            "councils": len(alerting.decided),
            "held": held,
        },
        indent=1,
        sort_keys=True,
    )
    name = success_name(context.month)
    context.store.replace(name, content.encode() + b"\n", content_type="application/json")
    return name
