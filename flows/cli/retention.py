"""`holdfast retain` shows and deletes what is past its retention period. `holdfast rotate-key` changes the key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.cli.root import KEEPING, app, settings_and_store


@app.command("retain", rich_help_panel=KEEPING)
def retain_command(
    keep_months: Annotated[
        int | None, typer.Option(help="Complete months of records to keep; as in the settings if not given.")
    ] = None,
    delete: Annotated[bool, typer.Option(help="Really delete; without it, only say what would go.")] = False,
    landing: Annotated[bool, typer.Option(help="Also the councils' files in the landing store.")] = False,
    by: Annotated[str, typer.Option(help="Who decides it; kept.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept.")] = "",
) -> None:
    """Show what is past its retention period, by kind and size. With --delete, delete it for good."""
    from features.months import Month, london_day
    from flows.alerts.scorecard import keep_what_was_said
    from flows.orchestration.owner import this_run
    from flows.store import open_store
    from flows.store.claims import INTAKE, claimed, wall_clock
    from flows.store.retention import Periods, delete_planned, plan

    now = datetime.now(UTC)
    settings, store = settings_and_store()
    landed = open_store(settings, settings.landing, must_exist=True)
    periods = Periods.counted_back(Month.of(london_day(now)).plus(-1), settings.retention, keep_months)
    if not delete:
        typer.echo(plan(store, landed, periods, with_landing=landing).to_text())
        typer.echo("Nothing was deleted. With --delete, --by and --reason it would be, for good.")
        return
    with claimed(store, INTAKE, this_run(), rules=settings.claims, clock=wall_clock):
        planned = plan(store, landed, periods, with_landing=landing)
        keep_what_was_said(store, periods.alerts)
        name = delete_planned(store, landed, planned, at=now, by=by, reason=reason)
    typer.echo(planned.to_text())
    typer.echo(f"Deleted for good. What went is written down in {name}.")


@app.command("rotate-key", rich_help_panel=KEEPING)
def rotate_key(
    by: Annotated[str, typer.Option(help="Who decides it; kept.")],
    reason: Annotated[str, typer.Option(help="Why; kept.")],
) -> None:
    """Replace every stored pseudonym by one made with a new key. The figures stay as they are.

    HOLDFAST_PSEUDONYM_KEY is the new key, HOLDFAST_PREVIOUS_PSEUDONYM_KEY the old one. If it is cut off, run it again.
    """
    from features.errors import SettingsError
    from flows.extracts.reading.table import Limits
    from flows.extracts.rotate_key import rotate
    from flows.orchestration.owner import this_run
    from flows.store import open_store
    from flows.store.claims import INTAKE, claimed, wall_clock
    from flows.store.context import load_register, pseudonym_key

    settings, store = settings_and_store()
    if settings.previous_pseudonym_key is None:
        raise SettingsError("Give the key the store was made with in HOLDFAST_PREVIOUS_PSEUDONYM_KEY.")
    landing = open_store(settings, settings.landing, must_exist=True)
    with claimed(store, INTAKE, this_run(), rules=settings.claims, clock=wall_clock):
        done = rotate(
            landing,
            store,
            load_register(landing, settings.register_file),
            old=settings.previous_pseudonym_key.get_secret_value().encode(),
            new=pseudonym_key(settings),
            at=datetime.now(UTC),
            by=by,
            reason=reason,
            limits=Limits(max_bytes=settings.ingest.max_file_mb * 1_000_000),
            say=typer.echo,
        )
    typer.echo(done.to_text())
