"""How a run ends: writes its pages, sends its mail and returns the outcome that every surface shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from features.months import Month
from flows.alerts.alert import Alert
from flows.alerts.council import standing_alerts
from flows.alerts.decide import storm_valve
from flows.alerts.facts import CouncilFacts
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Publication, Published
from flows.mail.month_mail import MonthMail
from flows.mail.officers import unreached, write_to_data_officers
from flows.mail.undelivered import note_undelivered, send_undelivered, undelivered
from flows.mail.valve import end_hold, hold_in_marker
from flows.month.restated import Restatement
from flows.month.steps import Alerting, chosen_councils, files_as_known, write_region_page, write_success_marker
from flows.orchestration import artifacts
from flows.orchestration.faults import Faults
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.reporting import finished, outcome_of
from flows.orchestration.send import Post, mail_month, open_post, tell_team
from flows.settings.run_form import RunRequest, Send
from flows.store.context import RunContext


@dataclass(frozen=True)
class MonthReport:
    """Reports a published month after its mail has gone out. If mail needs approval, also before the run suspends."""

    context: RunContext
    request: RunRequest
    alerting: Alerting
    published: Sequence[Published]
    restated: tuple[Restatement, ...]
    model: str
    faults: Faults
    post: Post

    def of(self, mail: MonthMail) -> RunOutcome:
        """Write region page and success marker, mail the officers and the team; return the outcome with this mail."""
        context, month, alerting = self.context, self.context.month, self.alerting
        with context.clock.stage("pages"):
            every, seconds = context.register.valid_in(month), context.clock.seconds
            card = write_region_page(context.store, every, month, alerting, mail.stopped, self.published, seconds)
        alerts = [p.alert for p in self.published]
        revised = {p.alert.la_code for p in self.published if p.outcome is Publication.REVISED}
        outcome = outcome_of(context, alerts, alerting.manifest, alerting.failures, mail, revised)
        outcome = replace(outcome, restatements=self.restated, model=self.model, faults=tuple(self.faults.found))
        if self.request.send is not Send.NO:
            outcome = self._told(outcome, card.since)
        if not self.request.councils:
            mark_as_done(context, alerting, mail)
        return _shown(context, outcome, alerts, alerting.facts)

    def _told(self, outcome: RunOutcome, since: Month | None) -> RunOutcome:
        """Mail officers about their files, and the team the summary. The outcome returned says who was not reached."""
        context, alerting, courier = self.context, self.alerting, self.post.courier
        with context.clock.stage("pages"):
            if outcome.mail.officers_may_be_told:
                councils, alerts = [d.council for d in alerting.decided], [p.alert for p in self.published]
                manifest, failures = alerting.manifest, alerting.failures
                written = write_to_data_officers(context, courier, councils, manifest, failures, alerts)
                self.post.asked.check()
                outcome = replace(outcome, untold=tuple(unreached(context, written)))
            return tell_team(context, outcome, self.post, since)


def mark_as_done(context: RunContext, alerting: Alerting, mail: MonthMail) -> None:
    """Write the month's success marker: what was decided, what is held, and what has not arrived."""
    left = undelivered(context.store, context.settings, context.month, mail.valve)
    said = {"undelivered": len(left), "unaddressed": mail.unaddressed}
    write_success_marker(
        context.store, context.month, alerting, {**hold_in_marker(mail.valve, mail.held_because), **said}
    )


def dry_run_outcome(
    context: RunContext, alerting: Alerting, restated: tuple[Restatement, ...], model: str, faults: Faults
) -> RunOutcome:
    """The outcome of a run that publishes nothing."""
    alerts = [alerting.alert_of(d) for d in alerting.decided]
    outcome = outcome_of(context, alerts, alerting.manifest, alerting.failures)
    note = "This was a rehearsal: nothing was published or mailed."
    outcome = replace(outcome, restatements=restated, model=model, faults=tuple(faults.found), note=note)
    return _shown(context, outcome, alerts, alerting.facts)


def check_only(context: RunContext, faults: Faults) -> RunOutcome:
    """The outcome of a run that only reads and checks: what came and what is wrong with it."""
    outcome = outcome_of(context, [], *files_as_known(context.history, context.month, context.cutoff))
    note = "Only reading and checking was asked for: nothing was scored, published or mailed."
    outcome = replace(outcome, faults=tuple(faults.found), note=note)
    return _shown(context, outcome, [], {})


def send_only(context: RunContext, request: RunRequest, faults: Faults) -> RunOutcome:
    """Send what earlier runs of the month published and what is neither delivered nor held. Scores nothing."""
    chosen = chosen_councils(context.register, context.month, request.councils)
    councils, contact = context.register.valid_in(context.month), Contact.of(context.settings)
    every = standing_alerts(context.store, councils, context.month, contact, faults.found)
    storm = storm_valve([p.alert.decision for p in every], context.settings.alerts)
    codes = {c.la_code for c in chosen}
    published = [p for p in every if p.alert.la_code in codes]
    post = open_post(context)

    def report(mail: MonthMail) -> RunOutcome:
        alerts = [p.alert for p in published]
        if request.send is Send.YES and not request.councils:  # what data officers and the team still miss
            if not mail.valve:
                end_hold(context.store, context.month)
            send_undelivered(context.settings, context.store, post.courier, context.month, context.now)
            post.asked.check()
        note_undelivered(context.store, context.settings, context.month, unaddressed=mail.unaddressed)
        note = "" if alerts else f"Nothing of {context.month.in_words} is published: run it from scoring."
        outcome = outcome_of(context, alerts, *files_as_known(context.history, context.month, context.cutoff), mail)
        outcome = replace(outcome, faults=tuple(faults.found), note=note)
        return _shown(context, outcome, alerts, {})

    return report(mail_month(context, request, storm, published, faults, report, post))


def _shown(
    context: RunContext, outcome: RunOutcome, alerts: Sequence[Alert], facts: Mapping[str, CouncilFacts]
) -> RunOutcome:
    done = finished(context, outcome)
    artifacts.show_run(context, done, alerts, facts)
    return done
