"""The question of an approval in Prefect: the flow run is suspended, and goes on when a person has answered."""

from __future__ import annotations

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import ValidationError

from flows.approval_records import Answer, ApprovalRefused, Pending

#: More than anybody answers wrongly; a run that reaches it ends with a sentence.
MOST_QUESTIONS = 50


class Approval(Answer, RunInput):
    """The answer as Prefect's form."""


def ask(waits: Pending, attempt: int, problem: str) -> Answer:
    """The person's answer to the n-th asking of a round. The first call does not return: the run's process ends.

    The run stays suspended without limit of time; resumed, it runs again from its start and gets the answer
    here. `problem`: what was wrong with the answer before. Raises ApprovalRefused for an answer that is none.
    """
    title = f"{waits.in_words}. They are listed in the artifact “Messages that wait for approval”."
    form = Approval.with_initial_data(description=f"{problem} {title}".strip() if problem else title)
    try:
        given = suspend_flow_run(wait_for_input=form, key=f"approval-{waits.month}-{waits.number}-{attempt}")
    except ValidationError:
        raise ApprovalRefused("The answer could not be read. Decide again.") from None
    return Answer.model_validate(given.model_dump())
