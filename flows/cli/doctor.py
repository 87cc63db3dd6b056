"""The command that checks everything in the store."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import StoreError
from flows.cli.root import KEEPING, app, settings_and_store


@app.command("doctor", rich_help_panel=KEEPING)
def doctor_command(
    month: Annotated[str | None, typer.Option(help="Look at one month only, YYYY-MM.")] = None,
    repair: Annotated[
        bool,
        typer.Option(
            help="Restore what has a good copy or version; lay aside, under set-aside/, what a run makes anew and what "
            "belongs to nothing."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Read everything in the store and report what is damaged, missing or belongs to nothing.

    Each finding has the command that restores it. Exit code 0: all is in order; 15: something needs a person.
    """
    from features.months import Month
    from flows.orchestration.doctor import examine
    from flows.orchestration.restore import mend

    _, store = settings_and_store()
    one = Month.parse(month) if month else None
    found = examine(store, one)
    if repair:
        found = mend(store, found, one)
    typer.echo(found.to_json() if as_json else found.to_text())
    if any(not f.done for f in found.findings):
        raise typer.Exit(StoreError.exit_code)
