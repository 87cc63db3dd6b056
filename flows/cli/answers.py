"""The command that records a council's answers and the goals it set itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from features.months import london_day
from flows.cli.root import MESSAGES, app, settings_and_store
from flows.cli.steps import steps_shown


@app.command("answer", rich_help_panel=MESSAGES)
def answer_command(
    council: Annotated[str, typer.Option(help='The council\'s code, for example 301 or "314 / 318".')],
    month: Annotated[str, typer.Option(help="YYYY-MM: the month at the head of the message.")],
    kind: Annotated[
        str,
        typer.Option(
            help='objection, explanation, "known, in hand", "action begun", "file confirmed" or "goal of our own".'
        ),
    ],
    by: Annotated[str, typer.Option(help="Who answered, by role, for example director.")],
    words: Annotated[str, typer.Option(help="What they said. No name of a child, a case or a worker.")] = "",
    measure: Annotated[str, typer.Option(help="If it is about one measure, its name in the data dictionary.")] = "",
    until: Annotated[
        str,
        typer.Option(
            help='YYYY-MM. For "known, in hand": the last month in which other points go first. For a goal: by when.'
        ),
    ] = "",
    level: Annotated[float | None, typer.Option(help="For a goal: its level, 15 for 15%.")] = None,
) -> None:
    """Record a director's or officer's reply, or a goal of the council's own. The next message mentions it."""
    from flows.alerts.letter.compose import Contact
    from flows.mail.answering import take_answer
    from flows.settings.answer_form import AnswerRequest
    from flows.settings.filled import filled
    from flows.store import open_store
    from flows.store.context import load_register

    given = {"council": council, "month": month, "kind": kind, "by": by, "words": words, "measure": measure}
    request = filled(AnswerRequest, {**given, "until": until, "level": level}, "Nothing was kept")
    settings, store = settings_and_store()
    register = load_register(open_store(settings, settings.landing, must_exist=True), settings.register_file)
    today = london_day(datetime.now(UTC))
    with steps_shown():
        typer.echo(take_answer(store, register, request, today, Contact.of(settings), settings.claims))
