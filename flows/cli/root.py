"""The application on which commands register, grouped by who uses them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.settings.settings import Settings
    from flows.store import Store

MONTH = "Each month: the data team"
FILES = "Files: whoever makes the extracts"
MESSAGES = "Messages: who is told what"
MODEL = "The model: its analyst"
KEEPING = "Keeping it running"

app = typer.Typer(
    name="holdfast",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"holdfast {version('holdfast')}")
        raise typer.Exit


@app.callback()
def holdfast(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Warns directors of children's services that their service may be losing grip."""
    # Files that this process and its children write (logs, Prefect's database) are readable by their owner only.
    os.umask(0o077)


def settings_and_store() -> tuple[Settings, Store]:
    """The settings, and the store that they name, which must be there."""
    from flows.settings.settings import Settings
    from flows.store import open_store

    settings = Settings.load()
    return settings, open_store(settings, settings.store, must_exist=True)
