"""The command for approvals: shows what waits and takes the decision, without the Prefect UI."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import MailError, SettingsError
from features.months import Month
from flows.cli.root import MESSAGES, app, settings_and_store
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from flows.mail.approval_form import Pending


@app.command("approve", rich_help_panel=MESSAGES)
def approve(
    month: Annotated[str | None, typer.Option(help="YYYY-MM. Not given: show what waits, of every month.")] = None,
    decision: Annotated[
        str | None,
        typer.Option(help='"send all", "hold some" or cancel. Not given: show what waits; nothing is sent.'),
    ] = None,
    council: Annotated[
        list[str] | None, typer.Option(help='With "hold some": a council whose message is held back; repeatable.')
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; needed to hold or cancel. Kept.")] = "",
    by: Annotated[str, typer.Option(help="Who decides. Kept.")] = "",
) -> None:
    """Show the messages that wait for approval, or decide on those of a month: send all, hold some, or cancel."""
    from flows.mail import approval
    from flows.mail.approval_form import Answer
    from flows.mail.approved import carry_out
    from flows.mail.transports.open import open_courier
    from flows.orchestration import embedded
    from flows.orchestration.ask import resume
    from flows.settings.filled import filled

    embedded.configure()
    settings, store = settings_and_store()
    if decision is None or month is None:
        _show_what_waits(approval.pending(store), month)
        if decision is not None:
            raise SettingsError("Nothing was decided: say which month, with --month YYYY-MM.")
        return
    if len(by.strip()) < 2:
        raise SettingsError("Nothing was decided: say who decides, with --by; it is kept with the decision.")
    given = {"decision": decision, "councils": council or [], "reason": reason, "by": by}
    answer = filled(Answer, given, "Nothing was decided")
    courier = open_courier(settings, patient=False)
    with steps_shown():
        done = carry_out(store, courier, settings, Month.parse(month), answer, at=datetime.now(UTC))
    typer.echo(done.ruling.in_words)
    every = [(code, one) for code, each in done.deliveries.items() for one in each]
    for code, one in every:
        typer.echo(f"{one.address or code}: {one.status.words}{f'. {one.reason}' if one.reason else ''}")
    if not every:
        typer.echo("Nothing was sent.")
    if done.ruling.held:
        lets_go = f'`holdfast release --month {month} --reason "..." --by NAME`'
        typer.echo(f"Held: {', '.join(done.ruling.held)}. {lets_go} lets them go.")
    if os.environ.get("PREFECT_API_URL"):
        for run in done.runs:
            typer.echo(resume(run, done.ruling))
    elif done.runs:
        typer.echo("A run still waits in Prefect: press Resume on it there; it sends nothing twice.")
    from flows.store.ledger import Status

    if any(one.status is not Status.SENT for _, one in every):
        raise typer.Exit(MailError.exit_code)


def _show_what_waits(every: Sequence[Pending], month: str | None) -> None:
    from flows.mail.approval_form import how_to_decide
    from flows.mail.approved import waiting_text

    waiting = [w for w in every if month is None or str(w.month) == month]
    for waits in waiting:
        typer.echo(f"{waiting_text(waits)}\n  {how_to_decide(waits)}")
    if not waiting:
        typer.echo("No message waits for approval.")
