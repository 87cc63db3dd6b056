"""The commands that run a month, or run months again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from features.errors import MailError
from flows.cli.root import MONTH, app
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


@app.command("run", rich_help_panel=MONTH)
def run_command(
    month: Annotated[str | None, typer.Option(help="YYYY-MM; the last complete month if not given.")] = None,
    returns: Annotated[
        str | None,
        typer.Option(help="DfE's published workforce CSV: run every council of England from it, without extracts."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="With --returns: folder of the other published files; the file's own folder if not given."),
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
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Read and score, but publish and mail nothing.")] = False,
    as_of: Annotated[str | None, typer.Option(help="Use only what had come by this day, YYYY-MM-DD.")] = None,
    reason: Annotated[str, typer.Option(help="Why, kept with the run.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run one month: read, check, measure, score, alert. Exit code 16: one of its messages was not delivered."""
    from flows.orchestration import embedded

    embedded.configure()
    from features.months import london_day
    from flows.monthly import monthly, result_of
    from flows.orchestration.run_report import to_json, to_text
    from flows.settings.filled import filled
    from flows.settings.run_form import RunRequest, Send, steps_of

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
    request.check(london_day(datetime.now(UTC)))
    with embedded.quiet_flows(), steps_shown(total=5):
        state = monthly(request, return_state=True)
    outcome = result_of(state)
    if returns is not None and not as_json:
        from flows.month.published_returns import read_published_file, reconcile_published

        typer.echo(reconcile_published(read_published_file(Path(returns)), outcome.month).to_text() + "\n")
    typer.echo(to_json(outcome) if as_json else to_text(outcome))
    if outcome.undelivered:
        raise typer.Exit(MailError.exit_code)


@app.command("backfill", rich_help_panel=MONTH)
def backfill_command(
    first: Annotated[str, typer.Option(help="Oldest month, YYYY-MM.")],
    last: Annotated[str, typer.Option(help="Newest month, YYYY-MM.")],
    decide_from: Annotated[
        str | None, typer.Option(help="Publish alerts from this month on; earlier months are only counted.")
    ] = None,
    send: Annotated[bool, typer.Option(help="Also send the months' messages.")] = False,
    reason: Annotated[str, typer.Option(help="Why, kept with the run.")] = "",
) -> None:
    """Compute a range of months again, oldest first. Sends no mail unless told to."""
    from flows.orchestration import embedded

    embedded.configure()
    from features.months import Month
    from flows.backfill import BackfillRequest
    from flows.backfill import backfill as run_backfill
    from flows.settings.run_form import Send

    request = BackfillRequest.model_validate(
        {
            "first": str(Month.parse(first)),
            "last": str(Month.parse(last)),
            "decide_from": str(Month.parse(decide_from)) if decide_from else None,
            "send": Send.YES if send else Send.NO,
            "reason": reason,
        }
    )
    with embedded.quiet_flows(), steps_shown():
        state = cast("State[dict[str, float]]", run_backfill(request, return_state=True))
    seconds = state.result()
    typer.echo(f"{request.first} to {request.last}: done in {sum(seconds.values()):.0f} s.")
