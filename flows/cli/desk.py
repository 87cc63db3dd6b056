"""The commands for checks before sending: the desk, and the files in the try folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.cli.root import FILES, KEEPING, app


@app.command("desk", rich_help_panel=FILES)
def desk_command(
    port: Annotated[int, typer.Option(help="Port of the page, on this machine only.")] = 4280,
    name: Annotated[
        str, typer.Option(help="Host name at which a sign-on proxy shows the page; any other name is refused.")
    ] = "",
) -> None:
    """Show a page on which an officer drops files and reads their report. Stores nothing; Ctrl-C ends it."""
    from flows.desk.page import run_desk

    run_desk(port, name, typer.echo)


@app.command("try", rich_help_panel=KEEPING)
def try_command() -> None:
    """Answer the files in the try folder now, and delete what has lain there for a day. `serve` does so by itself."""
    from flows.desk.tried import look_at_tries, tries_address
    from flows.settings.settings import Settings

    settings = Settings.load()
    said = look_at_tries(settings, datetime.now(UTC))
    typer.echo("\n".join(said) or f"There is nothing new in {tries_address(settings)}.")
