"""The command line. Each command is thin: it reads settings and clock once, calls one function, prints one text."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from features.errors import CheckFailed, ExtractError, HoldfastError, MailError
from flows.cli.alerts import register_commands
from flows.cli.approval import add_approval_commands
from flows.cli.extracts import add_format_commands, landing_if_any
from flows.cli.models import add_model_commands
from flows.cli.papers import add_paper_commands
from flows.cli.published import add_reference_commands
from flows.cli.repair import add_repair_commands
from flows.cli.retention import add_retention_commands
from flows.cli.server import add_server_commands
from flows.settings.filled import filled

app = typer.Typer(
    name="holdfast",
    help="Warns directors of children's services that their service may be losing grip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run a command; an error a person can put right is one sentence and an exit code, not a traceback."""
    try:
        app()
    except HoldfastError as error:
        print(f"holdfast: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


def _say(text: str) -> None:
    typer.echo(text)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where everything is made; emptied first.")] = Path("var/demo"),
) -> None:
    """Run the main job on a made-up region: no server, no account, nothing leaves this machine."""
    from flows.cli.demo import run_demo
    from flows.orchestration.run_report import to_text

    began = perf_counter()

    def progress(text: str) -> None:
        _say(f"[{perf_counter() - began:5.1f} s] {text} ...")

    outcome = run_demo(folder.absolute(), progress)
    _say("")
    _say(to_text(outcome))
    _say(f"\nDone in {perf_counter() - began:.0f} s.")


@app.command()
def run(
    month: Annotated[str | None, typer.Option(help="YYYY-MM; the last complete month if not given.")] = None,
    returns: Annotated[
        str | None, typer.Option(help="DfE's published workforce CSV: run every council of England from it.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Folder of published files beside it; its own folder if not given.")
    ] = None,
    council: Annotated[list[str] | None, typer.Option(help="Alert only this council; repeatable.")] = None,
    send: Annotated[bool, typer.Option(help="Send what is due; --no-send publishes without mailing.")] = True,
    hold: Annotated[
        bool, typer.Option("--hold", help="Publish, and let the messages wait for `holdfast approve`.")
    ] = False,
    start: Annotated[
        str, typer.Option("--from", help="Start at a later step: scoring (from what was read before) or sending.")
    ] = "",
    check_only: Annotated[bool, typer.Option("--check-only", help="Read and check the files, no more.")] = False,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Score; publish and mail nothing.")] = False,
    as_of: Annotated[str | None, typer.Option(help="Know only what had come by this day, YYYY-MM-DD.")] = None,
    reason: Annotated[str, typer.Option(help="Why, kept with the run.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,
) -> None:
    """Run one month: read, check, measure, score, alert. Exit code 16: a message of it has not been delivered."""
    from flows.orchestration import embedded

    embedded.configure()
    from flows.monthly import monthly, result_of
    from flows.orchestration.run_report import to_json, to_text
    from flows.settings.run_form import RunRequest, Send, steps_of
    from flows.store.progress import shown

    steps = steps_of(start, check_only=check_only, rehearse=rehearse)
    request = filled(
        RunRequest,
        {
            "month": month,
            "returns": returns,
            "record": record,
            "councils": council or [],
            "steps": steps,
            "send": Send.NO if not send else Send.HOLD if hold else Send.YES,
            "as_of": as_of,
            "reason": reason,
        },
        "The run was not started",
    )
    with embedded.quiet_flows(), shown(lambda text: typer.echo(f"{text} ...", err=True)):
        state = monthly(request, return_state=True)
    outcome = result_of(state)
    if returns is not None and not as_json:
        from flows.month.published_returns import read_published_file, reconcile_published

        _say(reconcile_published(read_published_file(Path(returns)), outcome.month).to_text() + "\n")
    _say(to_json(outcome) if as_json else to_text(outcome))
    if outcome.undelivered:
        raise typer.Exit(MailError.exit_code)


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(help="Extracts (workforce.csv, caseload.xlsx …) or a workforce return (.xml).")
    ],
    council: Annotated[str | None, typer.Option(help="The council's code, if the file does not say it.")] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM, if the file does not say it.")] = None,
    kind: Annotated[str | None, typer.Option(help="workforce, establishment, caseload or return.")] = None,
    published: Annotated[
        Path | None, typer.Option(help="DfE's published workforce CSV, to hold a workforce return against.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping to read a home-made file by; else the saved one.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the report as a page.")] = None,
) -> None:
    """Check extracts before sending them. Exit code 0: usable; 20: errors; 12: a file cannot be used at all."""
    from rich.console import Console

    from features.months import Month
    from features.registry import Kind
    from flows.extracts.check_files import check_files
    from flows.orchestration import embedded

    embedded.configure()
    if kind is not None and kind not in {str(k) for k in Kind}:
        raise typer.BadParameter(f"one of {', '.join(Kind)}", param_hint="--kind")
    found = check_files(
        files,
        council=council,
        month=Month.parse(month) if month else None,
        kind=Kind(kind) if kind else None,
        published=published,
        mapping=mapping,
        landing=landing_if_any(),
    )
    console = Console()
    for one in found:
        one.show(console)
    if html is not None:
        html.write_bytes(b"\n".join(one.html() for one in found))
        _say(f"The report is {html}.")
    if any(one.refused for one in found):
        raise typer.Exit(ExtractError.exit_code)
    if any(one.errors for one in found):
        raise typer.Exit(CheckFailed.exit_code)


@app.command("sample-extracts")
def sample_extracts_command(
    folder: Annotated[Path, typer.Argument(help="Folder to write the landing layout into.")],
    councils: Annotated[int, typer.Option(help="12 is the region with storylines; 153 is England's size.")] = 12,
    months: Annotated[int, typer.Option(help="Months of history.")] = 36,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    last: Annotated[str, typer.Option(help="Last month, YYYY-MM.")] = "2026-10",
) -> None:
    """Write extracts of a made-up region of any size."""
    from features.months import Month
    from flows.sample_region import sample_extracts

    sample = sample_extracts(
        folder,
        councils,
        months,
        seed,
        Month.parse(last),
        progress=lambda month, done, total: _say(f"{month}: {done} of {total} months"),
    )
    _say(f"{sample.files} files in {folder}; the register is {folder / 'register.csv'}.")


register_commands(app)


add_approval_commands(app)


add_model_commands(app)


add_format_commands(app)


add_retention_commands(app)


add_reference_commands(app)


add_server_commands(app)


add_repair_commands(app)


add_paper_commands(app)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    main()
