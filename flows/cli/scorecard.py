"""The command that compares what Holdfast said with later judgements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from features.months import london_day
from flows.cli.root import MODEL, app, settings_and_store


@app.command("scorecard", rich_help_panel=MODEL)
def scorecard_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Lay every score and band beside the judgement that followed: hits, misses, false alarms, months of warning."""
    from flows.alerts.scorecard import scorecard
    from flows.store import open_store
    from flows.store.context import load_register

    settings, store = settings_and_store()
    register = load_register(open_store(settings, settings.landing, must_exist=True), settings.register_file)
    card = scorecard(store, register.councils, london_day(datetime.now(UTC)))
    typer.echo(card.to_json() if as_json else "\n".join(card.lines))
