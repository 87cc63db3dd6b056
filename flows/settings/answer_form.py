"""The form for an answer to a message, in the Prefect UI and as options of `holdfast answer`.

Everyone who sees the run can read its parameters, so an answer must not name a child, a case or a worker.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from flows.settings.run_form import MONTH_LENGTH, CouncilCode, TextOrNothing

#: The longest answer. Anything longer belongs in an e-mail.
LONGEST_ANSWER = 300


class AnswerKind(StrEnum):
    """What an answer is."""

    OBJECTION = "objection"
    EXPLANATION = "explanation"
    KNOWN = "known, in hand"
    ACTION = "action begun"
    CONFIRMED = "file confirmed"
    GOAL = "goal of our own"


class AnswerRequest(BaseModel):
    """One answer to a message, or one goal of the council's own. Kept for good; changes no band and no figure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    council: CouncilCode = Field(title="Council", description="Its code, for example 301 or 314 / 318.")
    month: str = Field(
        title="Month of the message",
        description="YYYY-MM. For a goal: the month whose message it answers.",
        max_length=MONTH_LENGTH,
    )
    kind: AnswerKind = Field(
        title="What it is", description="“Known, in hand” lets other measures come first for a time."
    )
    words: TextOrNothing = Field(
        default="",
        title="In their words",
        description="A sentence or two. No name of a child, a case or a worker: the next message repeats it.",
        max_length=LONGEST_ANSWER,
    )
    by: str = Field(title="Who answered", description="By role, for example director.", min_length=2, max_length=60)
    measure: TextOrNothing = Field(
        default="",
        title="Measure",
        description="If it is about one, its name in the data dictionary, for example visits_overdue_rate.",
        max_length=60,
    )
    until: TextOrNothing = Field(
        default="",
        title="Until",
        description="YYYY-MM. For “known, in hand”: the last month in which others come first. For a goal: by when.",
        max_length=MONTH_LENGTH,
    )
    level: float | None = Field(
        default=None, title="Level of the goal", description="For a goal only, as a number: 15 for 15%.", ge=0
    )
