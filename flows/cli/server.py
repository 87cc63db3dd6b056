"""Commands for running Holdfast on a server: serve, server, deployments, and the demo."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.root import KEEPING, app
from flows.orchestration import embedded

if TYPE_CHECKING:
    from flows.settings.settings import Settings


@app.command("serve", rich_help_panel=KEEPING)
def serve_command() -> None:
    """Serve every deployment from this one process, on the Prefect server at PREFECT_API_URL."""
    embedded.configure()
    from features.months import london_day
    from flows.orchestration.serve import serve_all
    from flows.settings.settings import Settings

    settings = Settings.load()

    def built() -> list[Any]:
        from flows.deployments import built

        return built(settings.schedule, london_day(datetime.now(UTC)))

    serve_all(settings, built, typer.echo)


@app.command("server", rich_help_panel=KEEPING)
def server_command(
    port: Annotated[int, typer.Option(help="Port of the server, on this machine only.")] = 4200,
    home: Annotated[Path, typer.Option(help="Folder for the server's database, log and password.")] = Path(
        "var/server"
    ),
    demo: Annotated[Path, typer.Option(help="Folder of the demo, used where nothing is configured.")] = Path(
        "var/demo"
    ),
) -> None:
    """Start a secure local Prefect server and serve every deployment on it. Ctrl-C stops both."""
    from flows.orchestration.local_server import LocalServer, run_server
    from flows.settings.settings import PREFIX, Settings

    given: dict[str, str] = {}
    configured = Path("holdfast.toml").exists() or any(name.startswith(PREFIX) for name in os.environ)
    if not configured:
        from flows.cli.demo import settings_to_click

        given = settings_to_click(demo.absolute())
        typer.echo(f"Nothing is configured, so the made-up region in {demo} is used.")
    else:
        _look_before_starting(Settings.load())
    run_server(LocalServer(port, home.absolute()), given, typer.echo)


def _look_before_starting(settings: Settings) -> None:
    """Check settings, landing, register and store before a server starts, as it could run no month without them."""
    from features.errors import ReferenceDataError
    from flows.store import open_store
    from flows.store.context import load_register

    landing = open_store(settings, settings.landing, must_exist=True)
    if not load_register(landing, settings.register_file).councils:
        raise ReferenceDataError(
            f"{settings.register_file} in {landing.url} lists no council yet. Fill it, one row a council; "
            "docs/first-month.md says what stands in each column."
        )
    open_store(settings, settings.store)


@app.command("deployments", rich_help_panel=KEEPING)
def deployments_command(
    write: Annotated[
        Path | None, typer.Option(help="Write them as Prefect's file for work pools, for example prefect.yaml.")
    ] = None,
) -> None:
    """List the deployments and when each runs next. With --write, write the file that `prefect deploy` reads."""
    embedded.configure()
    from features.months import LONDON, london_day
    from flows.deployments import next_runs
    from flows.settings.settings import Settings

    schedule = Settings.load().schedule
    now = datetime.now(UTC)
    if write is not None:
        from flows.cli.prefect_file import prefect_file

        write.write_text(prefect_file(schedule, london_day(now)), encoding="utf-8")
        typer.echo(f"The deployments are in {write}; put them on the server with: prefect deploy --all")
        return
    for name, start in next_runs(schedule, now):
        typer.echo(f"{name:20} {start.astimezone(LONDON):%A %d %B %Y, %H:%M %Z}" if start else f"{name:20} by hand")


@app.command("demo", rich_help_panel=KEEPING)
def demo_command(
    folder: Annotated[Path, typer.Option(help="Folder in which everything is made; it is emptied first.")] = Path(
        "var/demo"
    ),
) -> None:
    """Run the main job on a made-up region. It needs no server and no account, and nothing leaves this machine."""
    from flows.cli.demo import run_demo

    began = perf_counter()

    def progress(text: str) -> None:
        typer.echo(f"[{perf_counter() - began:5.1f} s] {text} ...")

    outcome = run_demo(folder.absolute(), progress)
    from flows.orchestration.run_report import to_text

    typer.echo("")
    typer.echo(to_text(outcome))
    typer.echo(f"\nDone in {perf_counter() - began:.0f} s.")
