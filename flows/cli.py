"""The command line. Each command is thin: it reads settings and clock once, calls one function, prints one text."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from features.errors import CheckFailed, ExtractError, HoldfastError
from flows.cli_alerts import register_commands

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
    from flows.demo import run_demo

    began = perf_counter()

    def progress(text: str) -> None:
        _say(f"[{perf_counter() - began:5.1f} s] {text} ...")

    outcome = run_demo(folder.absolute(), progress)
    _say("")
    _say(outcome.to_text())
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
    as_of: Annotated[str | None, typer.Option(help="Know only what had come by this day, YYYY-MM-DD.")] = None,
    reason: Annotated[str, typer.Option(help="Why, kept with the run.")] = "",
) -> None:
    """Run one month: read, check, measure, score, alert."""
    from flows import embedded

    embedded.configure()
    from flows.monthly import monthly, result_of
    from flows.request import RunRequest, Send

    request = RunRequest.model_validate(
        {
            "month": month,
            "returns": returns,
            "record": record,
            "councils": council or [],
            "send": Send.YES if send else Send.NO,
            "as_of": as_of,
            "reason": reason,
        }
    )
    with embedded.quiet_flows():
        state = monthly(request, return_state=True)
    outcome = result_of(state)
    if returns is not None:
        from flows.published import read_published_file, reconcile_published

        _say(reconcile_published(read_published_file(Path(returns)), outcome.month).to_text() + "\n")
    _say(outcome.to_text())


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Extracts: workforce.csv, caseload.xlsx …")],
    council: Annotated[str | None, typer.Option(help="The council's code, if the file does not say it.")] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM, if the file does not say it.")] = None,
    kind: Annotated[str | None, typer.Option(help="workforce, establishment, caseload or return.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the report as a page.")] = None,
) -> None:
    """Check extracts before sending them. Exit code 0: usable; 20: errors; 12: a file cannot be used at all."""
    from rich.console import Console

    from expectations.report import as_html, show
    from features.months import Month
    from features.registry import Kind
    from flows import embedded
    from flows.check import check_files

    embedded.configure()
    if kind is not None and kind not in {str(k) for k in Kind}:
        raise typer.BadParameter(f"one of {', '.join(Kind)}", param_hint="--kind")
    found = check_files(
        files,
        council=council,
        month=Month.parse(month) if month else None,
        kind=Kind(kind) if kind else None,
    )
    console = Console()
    for one in found:
        show(one.report, console)
    if html is not None:
        html.write_bytes(b"\n".join(as_html(one.report) for one in found))
        _say(f"The report is {html}.")
    refused = sum(len(one.outcome.quarantined) for one in found)
    errors = sum(one.outcome.errors for one in found)
    if refused:
        raise typer.Exit(ExtractError.exit_code)
    if errors:
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

Data = Annotated[Path, typer.Option(help="Folder of published files, as downloaded.")]
DayOption = Annotated[str | None, typer.Option(help="YYYY-MM-DD.")]


@app.command()
def train(
    data: Data,
    store: Annotated[bool, typer.Option(help="Keep the model in the registry of the store.")] = False,
    published_before: DayOption = None,
) -> None:
    """Train on the public record and judge the model by the promotion rule; with --store, keep it."""
    from flows.context import code_version, s3_options
    from flows.settings import Settings
    from flows.storage import open_store
    from models.registry import promote, save
    from models.training import train as train_model

    result = train_model(data, code_version=code_version(), published_before=_day(published_before))
    _say(result.to_text())
    if not store:
        return
    settings = Settings.load()
    target = open_store(settings.store, s3=s3_options(settings))
    _say(f"Kept as {save(target, result.model, result.verdict)}.")
    if result.verdict.promoted:
        promote(target, result.model.ref, result.verdict, _today(), "holdfast train", result.verdict.sentence)
        _say(f"{result.model.ref.name} {result.model.ref.version} is now the current version.")


@app.command()
def backtest(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for backtest.html, .json and .md.")] = Path("var/backtest"),
    published_before: DayOption = None,
) -> None:
    """Walk forward through the public record and print the track record beside its baselines."""
    from flows.context import code_version
    from models.backtest import backtest as run_backtest

    report = run_backtest(
        data, out, code_version=code_version(), published_before=_day(published_before), progress=_progress
    )
    _say(report.to_text())
    _say(f"The report is {out / 'backtest.html'}; beside it are backtest.json and backtest.md.")


@app.command()
def evaluate(
    data: Data,
    published_from: Annotated[str, typer.Option(help="Score every judgement published from this day on.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the table as JSON.")] = None,
) -> None:
    """Train on what was public before a day and score every judgement published from it on."""
    from flows.context import code_version
    from models.evaluate import evaluate as run_evaluation

    day = _day(published_from)
    if day is None:
        raise typer.BadParameter("a day as YYYY-MM-DD", param_hint="--published-from")
    report = run_evaluation(data, day, code_version=code_version(), progress=_progress)
    _say(report.to_text())
    _say(report.to_json_text())
    if json_file is not None:
        json_file.write_text(report.to_json_text() + "\n", encoding="utf-8")


def _progress(step: str) -> None:
    typer.echo(step, err=True)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is not a day; write YYYY-MM-DD") from None


def _today() -> date:
    return datetime.now(UTC).date()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    main()
