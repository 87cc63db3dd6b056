"""The question of an approval in Prefect: the flow run is suspended, and goes on when a person has answered."""

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

#: More than anybody answers wrongly; a run that reaches it ends with a sentence.
MOST_QUESTIONS = 50


class Approval(Answer, RunInput):
    """The answer as Prefect's form."""

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Put the question to a flow run, or what of it is not there yet; Prefect's own refuses to do it twice."""
        if read_flow_run_input(keyset["schema"], flow_run_id) is None:
            super().save(keyset, flow_run_id)
        elif cls._description and read_flow_run_input(keyset["description"], flow_run_id) is None:
            create_flow_run_input(keyset["description"], cls._description, flow_run_id)


def ask(waits: Pending, attempt: int, problem: str) -> Answer:
    """The person's answer to the n-th asking of a round. The first call does not return: the run's process ends.

    The run stays suspended without limit of time; resumed, it runs again from its start and gets the answer
    here. `problem`: what was wrong with the answer before. Raises ApprovalRefused for an answer that is none.

    Prefect puts the question after it has suspended the run. A run killed between the two would stand there
    with a form that can't be opened, so here the question comes first.
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
    """Let a suspended flow run go on, so that it ends and shows its last summary; a sentence on how that went.

    It finds the decision in the store, so it sends nothing twice, whatever it is answered here.
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
