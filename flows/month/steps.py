"""The steps of one month as plain functions, in the order in which `flows.monthly` calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial

import polars as pl

from expectations.accepted import Accepted
from expectations.batch import FAILURES
from expectations.fates import Fate
from features.councils import Council, Register, folder_name
from features.errors import SettingsError
from features.months import Month
from flows.alerts.alert import Alert, alert_name
from flows.alerts.council import Decided, Deciding, Versions, alert_of, decide_councils
from flows.alerts.decide import Storm
from flows.alerts.facts import CouncilFacts, facts_by_council
from flows.alerts.files import council_files
from flows.alerts.order import require_order, success_name
from flows.alerts.publish import Published, previous_alerts, readable_alerts, rendered_names
from flows.alerts.region_page import RunFacts, StageTime, region_page, region_page_name
from flows.alerts.reports import council_report_name, index_name, write_reports
from flows.alerts.scorecard import Scorecard, scorecard
from flows.month.apart import fault_sentence, run_by_council
from flows.month.count import Ahead, ReadyMonth, months_counted
from flows.month.edition import TakenIn, store_edition
from flows.month.measure import Measured
from flows.month.take_in import Checked, Due, Read
from flows.settings.settings import Settings
from flows.store import Store
from flows.store.context import Stopwatch, code_version
from flows.store.editions import History
from flows.store.manifest import Manifest
from flows.store.progress import step
from flows.store.reading import sealed
from models.registry.shipped import shipped_files
from models.registry.versions import PREFIX as MODELS
from models.score import ModelRef, Score

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Checking:
    """The parameters of checking and storing."""

    accepted: tuple[Accepted, ...]
    due_working_day: int
    reports: bool
    """Whether to write the months' validation pages too."""


def check_and_store(
    history: History,
    register: Register,
    due: Sequence[Due],
    reads: Sequence[Sequence[Read]],
    by: Checking,
    clock: Stopwatch,
) -> list[TakenIn]:
    """Validate and count the months together, then store each."""
    with clock.stage("check and count"):
        ready = months_counted(Ahead(history), due, reads, by.accepted)
    return store_months(history, register, ready, by, clock)


def store_months(
    history: History, register: Register, ready: Iterable[ReadyMonth], by: Checking, clock: Stopwatch
) -> list[TakenIn]:
    """Store months that are counted, in their order, each after its reports."""
    taken: list[TakenIn] = []
    for one in ready:
        for sentence in one.failed.values():
            step("%s", sentence)

        def tell(manifest: Manifest, month: Checked = one.checked) -> None:
            write_reports(history.store, register, month.batch, month.outcome, manifest, by.accepted)

        with clock.stage("store and report" if by.reports else "store"):
            tells = by.reports and one.checked.due.needs_pages
            taken.append(
                store_edition(history, register, one, due_working_day=by.due_working_day, tell=tell if tells else None)
            )
    return taken


@dataclass(frozen=True)
class Decisions:
    """What was decided about a month's councils."""

    decided: tuple[Decided, ...]
    storm: Storm
    facts: Mapping[str, CouncilFacts]
    """Facts of every council of the month, as the region page shows all, even if only some are decided again."""
    faults: tuple[str, ...] = ()
    """Faults of ours at single councils, as sentences."""


@dataclass(frozen=True)
class Alerting(Decisions):
    """The decisions, and what publishing them needs."""

    manifest: Manifest | None = None
    failures: pl.DataFrame = field(default_factory=FAILURES.to_frame)
    versions: Versions = Versions("", "", "", "")

    def alert_of(self, decided: Decided) -> Alert:
        """One council's alert object, not yet published."""
        return self.alert_maker(decided)()

    def alert_maker(self, decided: Decided) -> Callable[[], Alert]:
        """Makes one council's alert object. Has nothing of other councils, so it may be sent to another process."""
        la_code = decided.council.la_code
        manifest = self.manifest.only(la_code) if self.manifest else None
        return partial(alert_of, decided, manifest, self.failures_of(la_code), self.versions.only(la_code))

    @cached_property
    def _by_council(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self.failures.partition_by("la_code", as_dict=True)

    def failures_of(self, la_code: str) -> pl.DataFrame:
        """One council's failures. The frame is divided once, not searched for every council."""
        return self._by_council.get((la_code,), self.failures.clear())


def decide_month(
    store: Store,
    register: Register,
    chosen: Sequence[Council],
    measured: Measured,
    scores: Mapping[str, Score],
    by: Deciding,
) -> Decisions:
    """Decide for the chosen councils, starting from each one's last alert. Raises MonthsOutOfOrder."""
    every = tuple(c.la_code for c in register.valid_in(measured.month))
    unread = _unread_by_us(register, measured.manifests)
    chosen = [c for c in chosen if c.la_code not in unread]
    by_code = {c.la_code: c for c in chosen}
    known = run_by_council(
        list(by_code),
        lambda councils: previous_alerts(store, measured.month, {by_code[c].folder for c in councils}),
    )
    earlier = known.result
    sound = [c for c in chosen if c.la_code not in known.faults]
    require_order(store, register, sound, measured.month, earlier)
    told = run_by_council(every, lambda councils: facts_by_council(measured.features, tuple(councils), measured.month))
    done = run_by_council(
        [c.la_code for c in sound if c.la_code not in told.faults],
        lambda councils: decide_councils(store, [by_code[c] for c in councils], scores, told.result, earlier, by),
    )
    decided, storm = done.result
    failed = [(c, error) for c, error in {**told.faults, **known.faults, **done.faults}.items() if c in by_code]
    faults = (*unread.values(), *(fault_sentence(by_code[c], "deciding", error) for c, error in failed))
    return Decisions(tuple(decided), storm, told.result, faults)


def _unread_by_us(register: Register, manifests: Sequence[Manifest]) -> dict[str, str]:
    """The councils with a file that we could not read through a fault of ours, each with a sentence.

    Nothing is decided about them and their directors get no message: figures that we failed to read are not missing.
    """
    found: dict[str, str] = {}
    for manifest in manifests:
        for extract in manifest.extracts:
            council = register.by_code.get(extract.la_code)
            if extract.outcome is Fate.UNREAD and council is not None:
                found[extract.la_code] = (
                    f"{council.name} ({council.la_code}): its {extract.kind} file of {manifest.month.in_words} could "
                    "not be read through a fault of ours, so nothing is decided of it. The next run reads it again."
                )
    return found


def versions_of(settings: Settings, measured: Measured) -> Versions:
    """What the alerts of a run record about it."""
    known = (m.known_to for m in measured.manifests)
    came = sorted((e.received, e.la_code) for m in measured.manifests for e in m.extracts if e.received is not None)
    return Versions(
        code=code_version(),
        settings=settings.digest(),
        rules=settings.alerts.digest(),
        known_by=str(max(known, default=measured.month.last_day)),
        known_of={la_code: str(day) for day, la_code in came},
    )


def chosen_councils(register: Register, month: Month, codes: Sequence[str]) -> tuple[Council, ...]:
    """The month's councils with these codes, or all. Raises SettingsError for a code that nobody reports under.

    Also if no council at all reports for the month.
    """
    valid = register.valid_in(month)
    if not valid:
        why = "the valid_from and valid_to of its rows leave it out" if register.councils else "the register is empty"
        raise SettingsError(
            f"No council reports for {month.in_words}: {why}. "
            "The register has one row a council; docs/first-month.md says what stands in each column."
        )
    asked = {folder_name(code): code for code in codes}
    if unknown := sorted(asked[folder] for folder in set(asked) - {c.folder for c in valid}):
        raise SettingsError(
            f"No council {', '.join(unknown)} reports for {month.in_words}. The register lists: "
            f"{', '.join(sorted(c.la_code for c in valid))}."
        )
    return tuple(c for c in valid if not asked or c.folder in asked)


def files_as_known(history: History, month: Month, cutoff: date) -> tuple[Manifest | None, pl.DataFrame]:
    """The month's edition as known by the cut-off, and the failures its checks found."""
    manifest = history.as_of(month, cutoff)
    return manifest, history.failures(manifest) if manifest else FAILURES.to_frame()


def write_region_page(
    store: Store,
    councils: Sequence[Council],
    month: Month,
    alerting: Alerting,
    held: str,
    published: Sequence[Published],
    seconds: Mapping[str, float],
) -> Scorecard:
    """Write the overview of the region, for those entitled to it. Returns the group's scorecard, which is on it.

    Councils that this run did not decide are shown as an earlier run published them. `held` says why mail is held.
    """
    name = region_page_name(month)
    made = {p.alert.la_code: p.alert for p in published}
    others = [c for c in councils if c.la_code not in made]
    standing = readable_alerts(store, month, others, [])  # unreadable alerts were reported when the month was decided
    alerts = {**made, **{a.la_code: a for a in standing}}
    card = scorecard(store, councils, date.fromisoformat(alerting.versions.known_by))
    models = [d.score.model for d in alerting.decided]
    model_card = (("Model card", f"../../{_write_model_card(store, models[0], month, card)}"),) if models else ()
    links = {
        c.la_code: (
            ("validation report", f"../../{council_report_name(month, c)}"),
            *_alert_links(alerts.get(c.la_code)),
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
            hindsight=card.lines if card.judged or card.undeclared else (),
            links=(("Validation of the month", f"../../{index_name(month)}"), *model_card),
        ),
        links=links,
        files={
            c.la_code: council_files(alerting.manifest, alerting.failures_of(c.la_code), c, month) for c in councils
        },
    )
    store.replace(name, page.encode(), content_type=_HTML)
    return card


def _alert_links(alert: Alert | None) -> tuple[tuple[str, str], ...]:
    """Links to the alert's letter, if one is due, and to its object."""
    if alert is None:
        return ()
    letter = (("letter", f"../../{rendered_names(alert)[0]}"),) if alert.due else ()
    return (*letter, ("alert object", f"../../{alert_name(alert.month, alert.folder, alert.revision)}"))


def _write_model_card(store: Store, model: ModelRef, month: Month, card: Scorecard) -> str:
    """Write the card of the model in use, with the group's own scorecard at its end. Returns its name."""
    name = f"region/{month}/model-card.md"
    stored = f"{MODELS}/{model.name}/{model.version}/card.md"
    text = store.read(stored).decode() if store.info(stored) is not None else shipped_files()["card.md"].decode()
    content = f"{text.rstrip()}\n\n{card.to_markdown()}"
    store.replace(name, content.encode(), content_type="text/markdown; charset=utf-8")
    return name


def write_success_marker(store: Store, month: Month, alerting: Alerting, held: Mapping[str, object]) -> str:
    """Write `runs/<month>/success.json`, which the watchdog looks for. A repeated run leaves it unchanged.

    `held` is what it says about the storm valve (`flows.mail.valve.hold_in_marker`).
    """
    name = success_name(month)
    content = sealed(
        name,
        {
            "month": str(month),
            "edition": alerting.manifest.edition if alerting.manifest else None,
            "known_by": alerting.versions.known_by,
            "code_version": alerting.versions.code,
            "settings_digest": alerting.versions.settings,
            "councils": len(alerting.decided),
            **held,
        },
    )
    store.replace(name, content, content_type="application/json")
    return name
