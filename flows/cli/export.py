"""The command that exports the group's figures for analysts."""

from __future__ import annotations

from datetime import UTC, date, datetime
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
        bool, typer.Option("--small-counts", help="Withhold no small count; needs --by and --reason, which are kept.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who asks for small counts. Kept.")] = "",
    reason: Annotated[str, typer.Option(help="Why small counts are needed. Kept.")] = "",
) -> None:
    """Write measures, signals, scores and files as Parquet, CSV and Excel, with a dictionary."""
    from features.errors import SettingsError
    from features.frames import NATIONAL
    from features.months import Month, london_day
    from flows.export.files import write_export
    from flows.export.tables import dictionary_table, files_table, measures_table, scores_table, signals_table
    from flows.month.measure import measure
    from flows.month.score import load_model
    from flows.settings.settings import Settings
    from flows.store.context import begin

    if small_counts and (len(by.strip()) < 2 or not reason.strip()):
        raise SettingsError("Nothing was written: say who needs small counts (--by) and why (--reason); both are kept.")
    settings, now = Settings.load(), datetime.now(UTC)
    wanted = Month.parse(month) if month else Month.of(london_day(now)).plus(-1)
    run = begin(settings, wanted, now=now, as_of=None)
    if small_counts:
        _keep_reason(run.store, by, reason, now)
    model = load_model(settings, run.store)
    measured = measure(
        run.history,
        run.register,
        wanted,
        run.cutoff,
        model.reference.select(list(NATIONAL)),
        history_months=settings.ingest.history_months,
        usual_cutoff=run.usual_cutoff,
    )
    months = [m.month for m in measured.manifests]
    paths = write_export(
        {
            "measures": measures_table(measured.measures, measured.manifests, run.register, small_counts=small_counts),
            "signals": signals_table(measured.features, run.register),
            "scores": scores_table(run.store, months, run.register),
            "files": files_table(measured.manifests, run.register),
            "dictionary": dictionary_table(),
        },
        to,
    )
    newest: date | None = months[-1].last_day if months else None
    typer.echo(
        f"{len(paths)} files in {to}, {len(months)} months up to {newest or 'none'}. How to open them: docs/export.md"
    )


def _keep_reason(store: Store, by: str, reason: str, at: datetime) -> None:
    """Record in `exports/<time>.json` who asked for small counts, when and why."""
    import json

    content = json.dumps({"by": by, "reason": reason, "at": at.isoformat()}, indent=1, ensure_ascii=False) + "\n"
    store.create(f"exports/{at:%Y-%m-%dT%H%M%S}.json", content.encode(), content_type="application/json")
