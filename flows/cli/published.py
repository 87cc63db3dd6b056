"""Commands for the published files: refresh them, add one by hand, list and export what is stored."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.words import count_words
from flows.cli.prompts import asked
from flows.cli.root import MODEL, app
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from flows.published.shelf import Shelf
    from flows.settings.settings import Settings

#: The fewest letters that the statistics service searches for.
_FEWEST_LETTERS = 3

reference = typer.Typer(
    help="The published files: find one, list what is stored, add one by hand, write them to a folder.",
    no_args_is_help=True,
)
app.add_typer(reference, name="reference", rich_help_panel=MODEL)


@app.command("refresh", rich_help_panel=MODEL)
def refresh_command(
    source: Annotated[list[str] | None, typer.Option(help="Only this source of the settings; repeatable.")] = None,
    to: Annotated[Path | None, typer.Option(help="Afterwards write the versions in use into this folder.")] = None,
    reason: Annotated[str, typer.Option(help="Why now, kept with the run.")] = "",
) -> None:
    """Download the published files, check and compare them, store what passes, say whether retraining is due."""
    from flows.orchestration import embedded

    embedded.configure()
    from features.errors import ReferenceDataError
    from flows.published.refresh import chosen
    from flows.settings.settings import Settings

    chosen(Settings.load().reference, source or [])  # report a missing setting before Prefect starts
    from flows.refresh import reference_refresh, refresh_result
    from flows.settings.refresh_form import RefreshRequest

    with embedded.quiet_flows(), steps_shown():
        state = reference_refresh(RefreshRequest(sources=source or [], reason=reason), return_state=True)
    outcome = refresh_result(state)
    typer.echo(outcome.to_text())
    if to is not None:
        _lay_out(to)
    if any(s.trouble for s in outcome.sources):
        raise typer.Exit(ReferenceDataError.exit_code)


@reference.command("list")
def list_versions() -> None:
    """List the version in use of every configured source."""
    from flows.published.refresh import chosen

    shelf, settings = _opened()
    for source in chosen(settings.reference):
        used = shelf.in_use(source.name)
        if not used:
            typer.echo(f"{source.name}: nothing stored")
        for i, version in enumerate(used):
            beside = " (kept for years the newer one no longer gives)" if i else ""
            typer.echo(f"{source.name}: {version.filename}, {version.size:,} bytes, from {version.origin}{beside}")


@reference.command("add")
def add_file(
    name: Annotated[str, typer.Argument(help="Name of a source in the settings.")],
    file: Annotated[Path, typer.Argument(help="The file, as downloaded.")],
) -> None:
    """Check a file downloaded by hand, compare it with the version in use, and store it if it passes."""
    from features.errors import ReferenceDataError
    from flows.published.download import Fetched
    from flows.published.refresh import chosen, take_file

    shelf, settings = _opened()
    (source,) = chosen(settings.reference, [name])
    try:
        content = file.read_bytes()
    except OSError:
        raise ReferenceDataError(f"There is no file {file}.") from None
    outcome = take_file(shelf, source, Fetched(content, file.name, whole=True), datetime.now(UTC))
    typer.echo(outcome.sentence)
    if outcome.trouble:
        raise typer.Exit(ReferenceDataError.exit_code)


@reference.command("find")
def find_command(
    words: Annotated[list[str], typer.Argument(help="Words of the publication's title.")],
    write: Annotated[
        str, typer.Option(help="Write this one into the settings: its number in the list, or its id.")
    ] = "",
    pin: Annotated[
        bool, typer.Option(help="Keep to its present version; if not given, each refresh takes the newest.")
    ] = False,
) -> None:
    """Search DfE's statistics service, show data sets with their ids, and write one into the settings."""
    from features.errors import ReferenceDataError, SettingsError
    from flows.published.api import find_data_sets
    from flows.published.find import as_settings, chosen_data_set, data_sets_in_words, what_it_holds, write_into
    from flows.published.refresh import downloader
    from flows.settings.settings import Settings, settings_file

    sought = " ".join(words)
    if len(sought) < _FEWEST_LETTERS:
        raise SettingsError(f"The service searches for {_FEWEST_LETTERS} letters or more.")
    settings = Settings.load().reference
    downloads = downloader(settings)
    found = find_data_sets(downloads, settings.api, sought)
    if not found:
        raise ReferenceDataError(
            f"No publication with data sets in the statistics service is found by “{sought}”. Try fewer words of its "
            "title; or download the file from its page and add it by hand (docs/reference-refresh.md)."
        )
    typer.echo(data_sets_in_words(found))
    which = write
    if not which and sys.stdin.isatty():
        which = asked("\nWhich one into the settings? Its number; Enter for none")
    if not which:
        typer.echo("\nholdfast reference find WORDS --write NUMBER writes one into the settings.")
        return
    one = chosen_data_set(found, which)
    lines = as_settings(one, what_it_holds(downloads, settings.api, one), pinned=pin)
    file = settings_file()
    if file is None:
        typer.echo(f"\nThere is no settings file. Put these lines into holdfast.toml:\n\n{lines}")
        return
    write_into(file, lines)
    typer.echo(f"\nWritten into {file}:\n\n{lines}\n`holdfast refresh` fetches it.")


@reference.command("export")
def export(folder: Annotated[Path, typer.Argument(help="New folder, or one from an earlier export.")]) -> None:
    """Write the versions in use to a folder for `train`, `backtest` and `evaluate`."""
    _lay_out(folder)


def _lay_out(folder: Path) -> None:
    shelf, settings = _opened()
    names = shelf.export(folder, [s.name for s in settings.reference.sources])
    typer.echo(f"{count_words(len(names), 'file', 'files')} in {folder}. Train on them with:")
    typer.echo(f"holdfast train --data {folder} --store")


def _opened() -> tuple[Shelf, Settings]:
    from flows.published.shelf import Shelf
    from flows.settings.settings import Settings
    from flows.store import open_store

    settings = Settings.load()
    return Shelf(open_store(settings, settings.store)), settings
