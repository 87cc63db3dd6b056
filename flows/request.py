"""What a person may ask of a run: the form in the Prefect UI, the options of `holdfast run`.

No secret and no recipient is ever a parameter: parameters are visible to everyone who sees the run.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator

from features.errors import HoldfastError
from features.months import Month


class Send(StrEnum):
    """Whether e-mails go out. A backfill sends none unless told."""

    YES = "yes"
    NO = "no"


class RunRequest(BaseModel):
    """One monthly run. Left empty it does the right thing: the last complete month, everyone, with mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month: str | None = Field(
        default=None,
        title="Month",
        description="The month to run, as YYYY-MM. Empty: the last complete month.",
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
    )
    councils: list[str] = Field(
        default=[],
        title="Councils",
        description="Codes of the councils to alert, for example 301. Empty: all. Others are measured, not alerted.",
    )
    send: Send = Field(default=Send.YES, title="Send e-mails", description="“no” publishes alerts without mailing.")
    as_of: date | None = Field(
        default=None,
        title="Known by",
        description="Use only what had been received by this day. Empty: today.",
    )
    returns: str | None = Field(
        default=None,
        title="Published file",
        description="DfE's published workforce CSV, to run every council of England from it instead of extracts.",
    )
    record: str | None = Field(
        default=None,
        title="Published record",
        description="Folder of published files for neighbours, population, deprivation and judgements; "
        "empty: the folder of the published file.",
    )
    reason: str = Field(
        default="", title="Reason", description="Why this run: shown in its name and kept with it.", max_length=200
    )

    @field_validator("month")
    @classmethod
    def _a_month(cls, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            return str(Month.parse(text))
        except HoldfastError as error:
            raise ValueError(str(error)) from None

    def month_or_last(self, today: date) -> Month:
        """The month asked for, or the last one that has ended."""
        return Month.parse(self.month) if self.month else Month.of(today).plus(-1)
