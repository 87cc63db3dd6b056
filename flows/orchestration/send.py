"""What a run does with a month's mail: sends it, holds it, or sends it after a person's approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.states import Cancelled

from features.councils import Council
from features.errors import HoldfastError, MailError
from features.months import Month
from features.words import count_words
from flows.alerts.decide import Storm
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message
from flows.alerts.publish import Published, sent_message_keys
from flows.alerts.region_page import region_page_name
from flows.mail import approval
from flows.mail.approval_form import ApprovalRefused, Pending, Ruling, Waiting
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver, undeliverable
from flows.mail.doubts import in_doubt
from flows.mail.month_mail import MonthMail
from flows.mail.transports.open import mail_policy, open_courier
from flows.mail.valve import would_hold
from flows.mail.yearly import yearly_scorecard
from flows.orchestration import artifacts
from flows.orchestration.ask import MOST_QUESTIONS, ask
from flows.orchestration.faults import CouncilUnit, Faults
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.reporting import found_at
from flows.orchestration.run_report import to_message
from flows.orchestration.tasks import send_to_council, whole
from flows.settings.run_form import RunRequest, Send
from flows.store.context import RunContext
from flows.store.ledger import Ledger, Status
from flows.store.progress import step


class MailStopped(HoldfastError):
    """A person suspended or cancelled the run while it was sending mail."""

    exit_code = 24

    def __init__(self, sentence: str, state: State[Any]) -> None:
        super().__init__(sentence)
        self.state = state

    def end(self) -> State[Any]:
        """The run's final state: cancelled, or suspended, so that it leaves its process and can be resumed."""
        if self.state.is_paused():
            raise Pause(state=self.state)
        return Cancelled(message=str(self), data=self)


class RunAsked:
    """Asks the Prefect server, before each message, whether a person has stopped the run in the UI."""

    def __init__(self) -> None:
        self.state: State[Any] | None = None

    def __call__(self) -> str:
        """Why the run must stop sending; empty if it may go on. It may also if the server does not answer."""
        run = runtime.flow_run.id
        if not run or not artifacts.artifacts_stay():
            return ""
        try:
            with get_client(sync_client=True) as client:
                state = client.read_flow_run(UUID(str(run))).state
        except (httpx.HTTPError, RuntimeError):
            return ""
        if state is None or not (state.is_paused() or state.is_cancelling() or state.is_cancelled()):
            return ""
        self.state = state
        return f"Not sent: the run was {'suspended' if state.is_paused() else 'cancelled'} in the Prefect UI."

    def check(self) -> None:
        """Raise MailStopped if the run was told to stop."""
        if self.state is not None:
            word = "suspended; resumed, it sends the rest" if self.state.is_paused() else "cancelled"
            raise MailStopped(f"No more messages were sent: the run was {word}.", self.state)


def open_post(context: RunContext) -> Post:
    """Open the run's mail transport. Once per run, as retries and pace are counted over the run, not per message."""
    asked = RunAsked()
    return Post(open_courier(context.settings, may_go=asked, ledger=Ledger(context.store, context.month)), asked)


@dataclass(frozen=True)
class Post:
    """A run's courier, and what asks before each message whether the run was stopped."""

    courier: Courier
    asked: RunAsked


def send(
    context: RunContext, due: Sequence[tuple[Council, Published]], faults: Faults, post: Post
) -> dict[str, list[Delivery]]:
    """Send each message to those of its recipients who do not have it yet. Returns what became of each, by la_code.

    Messages go one after another in the run's own process, whatever the task runner. Mail services limit connections
    and messages per second, and a person who stops the run must stop the very next message.
    """
    if not due:
        return {}
    step("Sending %s: %s", context.month, count_words(len(due), "message", "messages"))
    with context.clock.stage("send"):
        made = post.courier.carry(due, lambda one: _sent(context, post.courier, *one, faults))
    post.asked.check()
    return {council.la_code: each for (council, _), each in zip(due, made, strict=True)}


def _sent(
    context: RunContext, courier: Courier, council: Council, published: Published, faults: Faults
) -> list[Delivery]:
    state = send_to_council(
        whole(context), council.name, whole(courier), council.la_code, whole(published), return_state=True
    )

    def failed(why: str) -> list[Delivery]:
        return [undeliverable(published.message, MailError(why))] if published.message else []

    (made,) = faults.results([CouncilUnit(council, "sending", state, failed)], all_may_fail=True)
    return made or []


def messages_due(
    context: RunContext, published: Sequence[Published], held: Mapping[str, str]
) -> list[tuple[Council, Published]]:
    """The messages that may go at once: those that are due and not held."""
    return [
        (context.register.by_code[p.alert.la_code], p)
        for p in published
        if p.message is not None and p.alert.folder not in held
    ]


def _doubts(context: RunContext, messages: Sequence[Waiting]) -> list[str]:
    """What the person who approves must know about these messages: files whose figures are doubted as a whole."""
    doubts = in_doubt(context.store, context.month)
    return [f"{m.council} ({m.la_code}): {doubts[m.folder].why}" for m in messages if m.folder in doubts]


def send_free(
    context: RunContext, send_: Send, storm: Storm, published: Sequence[Published], faults: Faults, post: Post
) -> MonthMail:
    """Send what is due and held neither by the valve nor by a person; only say what is held if no mail is wanted."""
    held = approval.held_councils(context.store, context.month, context.history)
    valve = would_hold(context.store, context.month, published) if storm.held else frozenset()
    free = [p for p in published if p.message is not None and p.message.key not in valve]
    due = messages_due(context, free, held) if send_ is Send.YES else []
    return MonthMail(storm=storm, deliveries=send(context, due, faults, post), held=held, valve=valve)


def mail_month(
    context: RunContext,
    request: RunRequest,
    storm: Storm,
    published: Sequence[Published],
    faults: Faults,
    show: Callable[[MonthMail], RunOutcome],
    post: Post,
) -> MonthMail:
    """Send the mail that is due, ask first, or leave it, as the request says. `show` reports before a run suspends."""
    if request.send is not Send.HOLD:
        return send_free(context, request.send, storm, published, faults, post)
    run, held = waiting_run(), approval.held_councils(context.store, context.month, context.history)
    gone = sent_message_keys(context.store, context.month)
    messages = approval.messages_to_approve(published, context.register.by_code, gone)
    if not messages:
        asked = approval.asked_by(context.store, run) if run else None
        return MonthMail(storm=storm, held=held, ruling=approval.ruling_of(context.store, asked) if asked else None)
    waits = approval.open_round(
        context.store,
        messages,
        month=context.month,
        cutoff=context.cutoff,
        since=context.now,
        flow_run_id=run,
        reason=request.reason,
        held_because=" ".join([*([storm.reason] if storm.held else []), *_doubts(context, messages)]),
    )
    ruling = _ruling(context, waits, run, show)
    if ruling is None:
        return MonthMail(storm=storm, held=approval.held_councils(context.store, context.month), waits=waits)
    approved = [m for m in waits.messages if ruling.sends(m) and m.message_key not in gone]
    due = approval.to_send(context.store, waits, approved, context.register, Contact.of(context.settings))
    deliveries = send(context, due, faults, post)
    return MonthMail(
        storm=storm, deliveries=deliveries, held=approval.held_councils(context.store, context.month), ruling=ruling
    )


def _ruling(context: RunContext, waits: Pending, run: str, show: Callable[[MonthMail], RunOutcome]) -> Ruling | None:
    """The decision on this round of mail. A run that can be suspended asks, and returns only with a person's answer."""
    problem = ""
    for attempt in range(MOST_QUESTIONS):
        ruling = approval.ruling_of(context.store, waits)
        if ruling is not None or not run:
            return ruling
        if not approval.waits_for(context.store, waits, run):
            show(MonthMail(held=approval.held_councils(context.store, context.month), waits=waits))
            artifacts.show_waiting(context, waits)
            approval.wait_as(context.store, waits, run, context.cutoff)
        step("Waiting for approval of %s", context.month)
        try:
            answer = ask(waits, attempt, problem)
            return approval.record_decision(
                context.store, waits, answer, at=datetime.now(UTC), through="the Prefect UI"
            )
        except ApprovalRefused as error:
            problem = str(error)
    raise ApprovalRefused(f"{MOST_QUESTIONS} answers could not be carried out. Decide with `holdfast approve`.")


def waiting_run() -> str:
    """The id of this flow run if it can be suspended, which needs a deployment and a server; else empty."""
    return str(runtime.flow_run.id) if runtime.deployment.id and artifacts.artifacts_stay() else ""


def tell_team(context: RunContext, outcome: RunOutcome, post: Post, since: Month | None) -> RunOutcome:
    """Mail the summary to the data team, and once a year the scorecard, unless the same was sent before.

    `since`: the month of the group's first alert. The outcome returned says if it failed.
    """
    page = found_at(context, region_page_name(context.month)) if outcome.councils else ""
    contact, policy = Contact.of(context.settings), mail_policy(context.settings)
    yearly = yearly_scorecard(context.store, context.register.councils, context.month, contact, since)
    messages = [to_message(outcome, contact, page), *([yearly] if yearly is not None else [])]
    to = (context.settings.mail.data_team,)

    def attempt(one: Message) -> list[Delivery]:
        try:
            return deliver(
                context.store, post.courier, one, recipients=to, policy=policy, at=context.now,
                ledger=post.courier.ledger,
            )  # fmt: skip
        except MailError as error:
            return [undeliverable(one, error)]

    made = [d for each in post.courier.carry(messages, attempt) for d in each]
    post.asked.check()
    failed = tuple(f"The data team could not be written to: {d.reason}" for d in made if d.status is not Status.SENT)
    return replace(outcome, untold=(*outcome.untold, *failed))
