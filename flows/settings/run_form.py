"""The form for a run, in the Prefect UI and as options of `holdfast run`.

No secret and no recipient is ever a parameter, as everyone who sees the run can read its parameters. Limits are part
of the fields, because only those limits reach the form and stop a bad value there.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from features.errors import HoldfastError, SettingsError
from features.months import Month

#: The longest text in a field for a month. The form checks no pattern: Prefect would show the expression instead of a
#: sentence. The run itself says at once what is wrong, and does nothing.
MONTH_LENGTH = 20

#: Text that may be left empty. `str | None` would be two tabs in the form.
TextOrNothing = Annotated[str, BeforeValidator(lambda given: "" if given is None else given)]

#: A council code as in the register: one line, and no path characters except the slash of a joint return.
CouncilCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 /-]*$", max_length=24)]


class Send(StrEnum):
    """Whether e-mails go out. A backfill sends none unless told."""

    YES = "yes"
    HOLD = "hold for approval"
    NO = "no"

    @classmethod
    def _missing_(cls, value: object) -> Send | None:
        return cls.HOLD if value == "hold" else None  # as people are likely to write it in a settings file


class SendNow(StrEnum):
    """Whether e-mails go out at once; for runs over many months, which nobody could look through."""

    YES = "yes"
    NO = "no"


class RunSteps(StrEnum):
    """Which steps a run does; a repair starts at a later one."""

    ALL = "all"
    CHECK = "check only"
    REHEARSE = "rehearse"
    FROM_SCORING = "from scoring"
    FROM_SENDING = "from sending"

    @property
    def reads(self) -> bool:
        """Whether the run looks for new files."""
        return self in (RunSteps.ALL, RunSteps.CHECK, RunSteps.REHEARSE)

    @property
    def publishes(self) -> bool:
        """Whether the run makes alerts and stores them."""
        return self in (RunSteps.ALL, RunSteps.FROM_SCORING)


class ApprovalVerdict(StrEnum):
    """What a person may decide about messages that wait for approval."""

    SEND_ALL = "send all"
    HOLD_SOME = "hold some"
    CANCEL = "cancel"


class RunRequest(BaseModel):
    """One monthly run. Left empty it does the right thing: the last complete month, everyone, with mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month: TextOrNothing = Field(
        default="",
        title="Month",
        description="The month to run, as YYYY-MM, for example 2026-10. Empty: the last complete month.",
        max_length=MONTH_LENGTH,
    )
    councils: list[CouncilCode] = Field(
        default=[],
        title="Councils",
        description="Codes of the councils to alert, for example 301. Empty: all. Others are measured, not alerted.",
        max_length=200,
    )
    steps: RunSteps = Field(
        default=RunSteps.ALL,
        title="Steps",
        description="all: the whole run. check only: read and check the files, no more. rehearse: score, but publish "
        "and mail nothing. from scoring: use what was read before. from sending: mail what is published but not "
        "yet sent.",
    )
    send: Send = Field(
        default=Send.YES,
        title="Send e-mails",
        description="yes: at once. hold for approval: the run shows the messages and waits for a person. "
        "no: publish without mailing.",
    )
    reason: str = Field(
        default="", title="Reason", description="Why this run: shown in its name and kept with it.", max_length=200
    )
    as_of: date | None = Field(
        default=None,
        title="Received by",
        description="Use only what had been received by this day. Empty: everything up to today.",
    )
    returns: TextOrNothing = Field(
        default="",
        title="Published file",
        description="DfE's published workforce CSV. If given, every council of England is run from it, without "
        "extracts.",
        max_length=500,
    )
    record: TextOrNothing = Field(
        default="",
        title="Published record",
        description="Only with a published file: the folder of the files on neighbours, population, deprivation and "
        "judgements. Empty: the folder of the published file.",
        max_length=500,
    )

    def month_or_last(self, today: date) -> Month:
        """The month asked for, or the last month that has ended."""
        return Month.parse(self.month) if self.month else Month.of(today).plus(-1)

    def check(self, today: date) -> None:
        """Raise SettingsError for faults that no single field can show, before anything is opened."""
        try:
            month = self.month_or_last(today)
        except HoldfastError as error:
            raise SettingsError(f"The run was not started: {error}") from None
        if month.last_day >= today:
            raise SettingsError(
                f"The run was not started: {month.in_words} has not ended on {today:%d %B %Y}. "
                "Choose an earlier month, or leave the month empty for the last complete one."
            )
        if self.record and not self.returns:
            raise SettingsError(
                "The run was not started: a published record is read only beside a published file. "
                "Name the file too, or leave the record empty."
            )
        if self.returns and (self.steps is not RunSteps.ALL or self.send is Send.HOLD):
            raise SettingsError(
                "The run was not started: a run on a published file writes to nobody and has no steps to choose. "
                "Leave steps at “all” and choose “no” for e-mails."
            )


def steps_of(start: str, *, check_only: bool = False, rehearse: bool = False) -> RunSteps:
    """The steps that a command line asks for. Raises SettingsError for an unknown step or contradictory options."""
    later = {"": RunSteps.ALL, "scoring": RunSteps.FROM_SCORING, "sending": RunSteps.FROM_SENDING}
    if start not in later:
        raise SettingsError(f"The run was not started: it can start from scoring or from sending, not from “{start}”.")
    if sum((bool(start), check_only, rehearse)) > 1:
        raise SettingsError("The run was not started: choose one of --from, --check-only and --rehearse.")
    return RunSteps.CHECK if check_only else RunSteps.REHEARSE if rehearse else later[start]
