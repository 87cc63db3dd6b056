"""Commands for the published files: refresh them, add one by hand, list and export what is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.root import MODEL, app

if TYPE_CHECKING:
    from flows.published.shelf import Shelf
    from flows.settings.settings import Settings

reference = typer.Typer(
    help="The stored published files: list them, add one by hand, lay them out.", no_args_is_help=True
)
app.add_typer(reference, name="reference", rich_help_panel=MODEL)


@app.command("refresh", rich_help_panel=MODEL)
def refresh_command(
    source: Annotated[list[str] | None, typer.Option(help="Only this source of the settings; repeatable.")] = None,
    to: Annotated[Path | None, typer.Option(help="Then lay the versions in use out in this folder.")] = None,
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
    from flows.store.progress import showing_progress

    with embedded.quiet_flows(), showing_progress(lambda text: typer.echo(f"{text} ...", err=True)):
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


@reference.command("export")
def export(folder: Annotated[Path, typer.Argument(help="New folder, or one from an earlier export.")]) -> None:
    """Write the versions in use to a folder for `train`, `backtest` and `evaluate`."""
    _lay_out(folder)


def _lay_out(folder: Path) -> None:
    shelf, settings = _opened()
    names = shelf.export(folder, [s.name for s in settings.reference.sources])
    typer.echo(f"{len(names)} {'file' if len(names) == 1 else 'files'} in {folder}. Train on them with:")
    typer.echo(f"holdfast train --data {folder} --store")


def _opened() -> tuple[Shelf, Settings]:
    from flows.published.shelf import Shelf
    from flows.settings.settings import Settings
    from flows.store import open_store

    settings = Settings.load()
    return Shelf(open_store(settings, settings.store)), settings
