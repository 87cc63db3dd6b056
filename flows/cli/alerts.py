"""The commands about alerts: why, preview, resend, release, ledger, simulate-alerts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import MailError
from features.months import Month
from features.private_files import write_private
from features.words import count_words
from flows.cli.root import MESSAGES, MODEL, MONTH, app, settings_and_store
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from flows.mail.deliver import Delivery

MonthOf = Annotated[str, typer.Option("--month", help="YYYY-MM.")]
CouncilOf = Annotated[str, typer.Option("--council", help='The council\'s code, for example 301 or "314 / 318".')]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the figures as JSON.")]


@app.command("why", rich_help_panel=MONTH)
def why_command(
    council: Annotated[str, typer.Argument(help='The council\'s code, for example 301 or "314 / 318".')],
    month: MonthOf,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what led to a council's decision: files, checks, what is withheld and missing, score, rules, message."""
    from flows.cli.extracts import landing_and_council
    from flows.mail.parts import parts_as_text
    from flows.mail.why import chain
    from flows.store.editions import History

    settings, store = settings_and_store()
    _, owner = landing_and_council(settings, council)
    found = chain(store, History(store), owner, Month.parse(month))
    typer.echo(found.to_json() if as_json else parts_as_text(found.title, found.parts()))


@app.command("preview", rich_help_panel=MESSAGES)
def preview_command(
    month: MonthOf,
    council: CouncilOf,
    out: Annotated[Path | None, typer.Option(help="Also write it here: .html as a page, else as text.")] = None,
) -> None:
    """Show a stored alert as it would be mailed, or why nothing is due. Nothing is sent."""
    from flows.mail import by_hand as desk

    settings, store = settings_and_store()
    found = desk.preview(store, settings, Month.parse(month), council)
    typer.echo(found.to_text())
    if out is None:
        return
    if found.message is None:
        typer.echo(f"There is no message, so {out} was not written.")
        return
    page = out.suffix.lower() in (".html", ".htm")
    write_private(out, (found.message.standalone_html() if page else found.message.text).encode())
    typer.echo(f"Written to {out}.")


@app.command("resend", rich_help_panel=MESSAGES)
def resend_command(
    month: MonthOf,
    council: CouncilOf,
    reason: Annotated[str, typer.Option(help="Why it is sent again; kept in the ledger.")],
    by: Annotated[str, typer.Option(help="Who asks for it; kept in the ledger.")],
) -> None:
    """Send a council's message again, unchanged and with the same Message-ID. Records who asked and why."""
    from flows.mail import by_hand as desk
    from flows.mail.transports.open import open_transport

    settings, store = settings_and_store()
    with steps_shown():
        done = desk.send_again(
            store,
            open_transport(settings),
            settings,
            Month.parse(month),
            council,
            reason=reason,
            by=by,
            at=datetime.now(UTC),
        )
    _say_deliveries([(council, one) for one in done])


@app.command("release", rich_help_panel=MESSAGES)
def release_command(
    month: MonthOf,
    reason: Annotated[str, typer.Option(help="Why it may go; kept.")],
    by: Annotated[str, typer.Option(help="Who decides it; kept.")],
    council: Annotated[list[str] | None, typer.Option(help="Only this council's message; repeatable.")] = None,
) -> None:
    """Send what a run published but did not mail: a month that was held, or one run with --no-send."""
    from flows.mail import by_hand as desk
    from flows.mail.transports.open import open_transport

    settings, store = settings_and_store()
    with steps_shown():
        done = desk.release(
            store,
            open_transport(settings),
            settings,
            Month.parse(month),
            council or [],
            reason=reason,
            by=by,
            at=datetime.now(UTC),
        )
    _say_deliveries([(code, one) for code, each in done.items() for one in each])


def _say_deliveries(done: Sequence[tuple[str, Delivery]]) -> None:
    """Print one line for each addressee. Exits with the code for mail faults if anyone was not reached."""
    from flows.store.ledger import Status

    for council, one in done:
        typer.echo(f"{one.address or council}: {one.status.value}{f'. {one.reason}' if one.reason else ''}")
    if any(one.status is not Status.SENT for _, one in done):
        raise typer.Exit(MailError.exit_code)


@app.command("ledger", rich_help_panel=MESSAGES)
def ledger_command(
    month: Annotated[str | None, typer.Option(help="YYYY-MM; all months if not given.")] = None,
    council: Annotated[str, typer.Option(help="Only this council's lines.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show who was sent which message, when, and with what result."""
    from flows.mail import by_hand as desk

    _, store = settings_and_store()
    lines = desk.ledger(store, Month.parse(month) if month else None, council)
    if as_json:
        typer.echo(json.dumps([asdict(told) for told in lines], indent=1, sort_keys=True, ensure_ascii=False))
        return
    for told in lines:
        typer.echo(desk.ledger_line(told))
    typer.echo(f"{count_words(len(lines), 'line', 'lines')}.")


@app.command("simulate-alerts", rich_help_panel=MODEL)
def simulate_alerts_command(
    councils: Annotated[int, typer.Option(help="Councils in each made-up region.")] = 20,
    months: Annotated[
        int, typer.Option(help="Months in which the rules decide; a year before them is made up too.")
    ] = 48,
    seed: Annotated[int, typer.Option(help="Seed of the first region; each further one takes the next number.")] = 0,
    regions: Annotated[int, typer.Option(help="How many regions are made up; the intervals come from them.")] = 20,
    last: Annotated[str, typer.Option(help="Last month, YYYY-MM.")] = "2026-10",
    json_file: JsonFile = None,
) -> None:
    """Try the alert rules on made-up regions: difficulties found, warning time and false alarms, against two rivals."""
    from flows.cli.simulate_alerts import try_rules
    from flows.month.score import load_model
    from flows.settings.settings import Settings
    from flows.store import open_store

    began = perf_counter()
    settings = Settings.load()
    with steps_shown() as show:
        trial = try_rules(
            load_model(settings, open_store(settings, settings.store)),
            settings.alerts,
            councils=councils,
            months=months,
            seed=seed,
            last=Month.parse(last),
            regions=regions,
            progress=show,
        )
    typer.echo(trial.to_text())
    typer.echo(f"\nDone in {perf_counter() - began:.0f} s.")
    if json_file is not None:
        _write_json(json_file, trial.to_json())


def _write_json(path: Path, content: object) -> None:
    write_private(path, (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    typer.echo(f"Written to {path}.")
