"""The command for documents that are generated from code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import CheckFailed
from flows.cli.root import KEEPING, app


@app.command("papers", rich_help_panel=KEEPING)
def papers_command(
    check: Annotated[bool, typer.Option("--check", help="Exit with 20 if one is stale; writes nothing.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the stale documents anew.")] = False,
    folder: Annotated[Path, typer.Option(help="The folder of the documents.")] = Path("docs"),
) -> None:
    """List the documents that are generated from code, and whether each is up to date."""
    from flows.papers.every import PAPERS, stale_papers, write_papers

    if write and check:
        raise typer.BadParameter("--check looks and --write writes: choose one")
    stale = write_papers(folder) if write else stale_papers(folder)
    for paper in PAPERS:
        state = ("written" if write else "stale") if paper in stale else "up to date"
        typer.echo(f"{folder / paper.name}: {state}")
    if stale and check:
        typer.echo(f"Run: holdfast papers --write --folder {folder}", err=True)
        raise typer.Exit(CheckFailed.exit_code)
