"""Asks for an approval in Prefect: suspends the flow run, which goes on once a person has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput, create_flow_run_input, keyset_from_paused_state, read_flow_run_input
from prefect.states import Suspended
from pydantic import ValidationError

from features.errors import HoldfastError
from flows.mail.approval_form import Answer, ApprovalRefused, Pending, Ruling

if TYPE_CHECKING:
    from prefect.input import Keyset

#: How often one approval may be asked for. Nobody gives so many wrong answers; a run that gets here ends.
MOST_QUESTIONS = 50


class Approval(Answer, RunInput):
    """The answer, as a form in the Prefect UI."""

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Save the form for a flow run, or what is missing of it. Prefect's own method fails if called twice."""
        if read_flow_run_input(keyset["schema"], flow_run_id) is None:
            super().save(keyset, flow_run_id)
        elif cls._description and read_flow_run_input(keyset["description"], flow_run_id) is None:
            create_flow_run_input(keyset["description"], cls._description, flow_run_id)


def ask(waits: Pending, attempt: int, problem: str) -> Answer:
    """Suspend the run until a person answers, and return the answer. The first call does not return: the process ends.

    The run may stay suspended for any length of time. When it is resumed, it runs again from its start and gets
    the answer here. `problem` says what was wrong with the previous answer. Raises ApprovalRefused for an invalid one.

    Prefect itself suspends the run first and saves the form after that. A run killed between the two would stay
    suspended with a form that cannot be opened, so here the form is saved first.
    """
    title = f"{waits.in_words}. They are listed in the artifact “Messages that wait for approval”."
    form = Approval.with_initial_data(description=f"{problem} {title}".strip() if problem else title)
    key = f"approval-{waits.month}-{waits.number}-{attempt}"
    form.save(keyset_from_paused_state(Suspended(pause_key=key)))
    try:
        given = suspend_flow_run(wait_for_input=form, key=key)
    except ValidationError:
        raise ApprovalRefused("The answer could not be read. Decide again.") from None
    return Answer.model_validate(given.model_dump())


def resume(run: str, ruling: Ruling) -> str:
    """Resume a suspended flow run, so that it finishes and shows its final summary. Returns a sentence on how it went.

    The run reads the decision from the store, so it sends nothing twice, whatever answer is passed on here.
    """
    from prefect.client.orchestration import get_client

    answer = {
        "decision": ruling.decision.value,
        "councils": list(ruling.held),
        "reason": ruling.reason,
        "by": ruling.by,
    }
    try:
        with get_client(sync_client=True) as client:
            result = client.resume_flow_run(UUID(run), run_input=answer)
    except (OSError, RuntimeError, ValueError, HoldfastError) as error:
        return (
            f"The run that waits could not be reached ({type(error).__name__}): press Resume on it in the Prefect UI."
        )
    if result.status.value == "ACCEPT":
        return "The run that waited goes on."
    return f"The run that waited did not go on ({result.status.value.lower()}): it may have ended otherwise."
