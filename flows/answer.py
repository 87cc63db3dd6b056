"""A flow that records an answer to a message, from a form in the Prefect UI. `holdfast answer` does the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

import flows.orchestration.log_lines  # noqa: F401  (how its lines stand in the log)
from features.errors import HoldfastError
from features.months import london_day
from flows.alerts.letter.compose import Contact
from flows.mail.answering import take_answer
from flows.settings.answer_form import AnswerRequest
from flows.settings.settings import Settings
from flows.store import open_store
from flows.store.context import load_register


@flow(name="answer", flow_run_name="{request.council} {request.month}", persist_result=False)
def answer(request: AnswerRequest) -> State[Any]:
    """Keep what a director or an officer replied to a message, or a goal the council set itself.

    Args:
        request: The answer. No name of a child, a case or a worker: everyone who sees the run can read it.
    """
    try:
        settings = Settings.load()
        store = open_store(settings, settings.store, must_exist=True)
        today = london_day(datetime.now(UTC))
        register = load_register(open_store(settings, settings.landing, must_exist=True), settings.register_file)
        kept = take_answer(store, register, request, today, Contact.of(settings), settings.claims)
    except HoldfastError as error:
        return Failed(message=str(error), data=error)
    get_run_logger().info(kept)
    return Completed(message=kept)
