"""The command that exports the group's figures for analysts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.root import MONTH, app

if TYPE_CHECKING:
    from flows.store import Store


@app.command("export", rich_help_panel=MONTH)
def export_command(
    to: Annotated[Path, typer.Option(help="Folder for the files; the same names each time.")] = Path("export"),
    month: Annotated[
        str | None, typer.Option(help="Newest month, YYYY-MM; the last complete one if not given.")
    ] = None,
    small_counts: Annotated[
        bool, typer.Option("--small-counts", help="Include small counts too; needs --by and --reason, which are kept.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who asks for small counts. Kept.")] = "",
    reason: Annotated[str, typer.Option(help="Why small counts are needed. Kept.")] = "",
) -> None:
    """Write measures, signals, scores and files as Parquet, CSV and Excel, with a dictionary."""
    from features.errors import SettingsError
    from features.months import Month, london_day
    from flows.export.group import export_group
    from flows.settings.settings import Settings
    from flows.store import LocalStore
    from flows.store.context import begin

    if small_counts and (len(by.strip()) < 2 or not reason.strip()):
        raise SettingsError("Nothing was written: say who needs small counts (--by) and why (--reason); both are kept.")
    settings, now = Settings.load(), datetime.now(UTC)
    wanted = Month.parse(month) if month else Month.of(london_day(now)).plus(-1)
    run = begin(settings, wanted, now=now, as_of=None)
    if small_counts:
        _keep_reason(run.store, by, reason, now)
    done = export_group(run, LocalStore(to), small_counts=small_counts)
    typer.echo(f"{done.in_words(str(to))} How to open them: docs/export.md")


def _keep_reason(store: Store, by: str, reason: str, at: datetime) -> None:
    """Record in `exports/<time>.json` who asked for small counts, when and why."""
    import json

    content = json.dumps({"by": by, "reason": reason, "at": at.isoformat()}, indent=1, ensure_ascii=False) + "\n"
    store.create(f"exports/{at:%Y-%m-%dT%H%M%S}.json", content.encode(), content_type="application/json")
