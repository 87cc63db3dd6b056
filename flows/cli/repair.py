"""Commands for the person who keeps Holdfast running: watchdog, mail-test, claims."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import HoldfastError, MailError, SettingsError
from flows.cli.root import KEEPING, app, settings_and_store
from flows.orchestration import embedded


@app.command("watchdog", rich_help_panel=KEEPING)
def watchdog_command(
    mail: Annotated[bool, typer.Option(help="Tell the data team; --no-mail only prints.")] = True,
    begin_again: Annotated[bool, typer.Option(help="Start again the runs whose process died.")] = True,
    server: Annotated[
        bool, typer.Option(help="Look at the Prefect server; --no-server where runs are started by cron.")
    ] = True,
) -> None:
    """Check whether the month was run and the server answers, and tell the data team what needs a person.

    For cron or systemd. Exit code 0: all is in order; 21: something needs a person and the data team was told;
    16: it could not be told.
    """
    embedded.configure()
    from flows.orchestration.look import NeedsAPerson, WatchdogRequest, watch
    from flows.settings.settings import Settings
    from flows.store.claims import wall_clock

    request = WatchdogRequest(mail=mail, begin_again=begin_again)
    settings, now = Settings.load(), wall_clock()
    deployments: list[tuple[str, bool]] = []
    if server:
        from flows.deployments import expected_deployments

        deployments = expected_deployments(settings, now)
    found = watch(settings, now, request, deployments, server=server)
    typer.echo(found.to_text())
    if found.untold:
        raise typer.Exit(MailError.exit_code)
    if found.notices:
        raise typer.Exit(NeedsAPerson.exit_code)


@app.command("mail-test", rich_help_panel=KEEPING)
def mail_test_command() -> None:
    """Send one message to the data team and print the answer to each step. Exit code 16: it was not accepted."""
    from flows.mail.try_out import send_test
    from flows.settings.settings import Settings
    from flows.store.claims import wall_clock

    found = send_test(Settings.load(), wall_clock())
    typer.echo(found.to_text())
    if found.failed:
        raise typer.Exit(MailError.exit_code)


@app.command("claims", rich_help_panel=KEEPING)
def claims_command(
    free: Annotated[str | None, typer.Option(help="End the claim of this month (YYYY-MM, or intake).")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the claim.")] = "",
    by: Annotated[str, typer.Option(help="Who decides it; kept with the claim.")] = "",
) -> None:
    """Show which months are being run, by whom and since when. --free ends the claim of a run known to be dead."""
    from features.months import Month
    from flows.store.claims import INTAKE, Owner, damaged_claims, held_claims, wall_clock
    from flows.store.claims import free as free_claim
    from flows.store.processes import this_process

    settings, store = settings_and_store()
    if free is None:
        held, damaged = held_claims(store), damaged_claims(store)
        for line in (*(claim.in_words(settings.claims) for claim in held), *damaged):
            typer.echo(line)
        if not held and not damaged:
            typer.echo("No month is being run.")
        return
    if not reason.strip() or not by.strip():
        raise SettingsError("Say why the claim is ended (--reason) and who decides it (--by): both are kept.")
    of = free if free == INTAKE else Month.parse(free)
    ended = free_claim(store, of, Owner(f"{by}: {reason}", "", this_process()), wall_clock())
    if not ended:
        raise HoldfastError(f"{of} has no claim, so there is nothing to end.")
    typer.echo(f"Ended. {ended}")
