"""The alert rules: every threshold that an analyst can set, in one place, with its reason.

`flows.alerts.decide` uses the rules, and its docstring describes the state machine that they drive. `rules_as_toml`
writes them for people.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]
Months = Annotated[int, Field(ge=1, le=36)]
Few = Annotated[int, Field(ge=1, le=20)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RankRules(_Section):
    """The share of England's councils whose number is lower: bands go by it, since the level of judgements moves."""

    watch_from: Probability = Field(
        default=0.80, description="A rank at or above this puts a council on watch: England's riskiest fifth."
    )
    watch_until: Probability = Field(default=0.74, description="Watch is left only when the rank is below this.")
    losing_grip_from: Probability = Field(
        default=0.90, description="A rank at or above this means losing grip: England's riskiest tenth."
    )
    losing_grip_until: Probability = Field(
        default=0.85, description="Losing grip is left only when the rank is below this."
    )

    @model_validator(mode="after")
    def _ordered(self) -> RankRules:
        if not self.watch_until < self.watch_from:
            raise ValueError("watch_until must lie below watch_from, or the band would flap")
        if not self.losing_grip_until < self.losing_grip_from:
            raise ValueError("losing_grip_until must lie below losing_grip_from, or the band would flap")
        if not self.watch_from < self.losing_grip_from:
            raise ValueError("losing_grip_from must lie above watch_from")
        return self


class DriftRules(_Section):
    """How fast things move: the council's own rise, and signals of charts, by group."""

    counts_from: Probability = Field(default=0.60, description="Below this rank a rise never alerts.")
    rank_rise: Probability = Field(default=0.15, description="A rise of the rank by this much puts on watch …")
    rank_rise_months: Months = Field(default=6, description="… within this many months, under the same model.")
    measures_for_group: Few = Field(
        default=2, description="A group of measures moves when this many of its measures signal toward concern."
    )
    sight_measures_for_group: Few = Field(default=1, description="The same for sight, which has few measures.")
    groups_for_urgency: Few = Field(
        default=2,
        description="This many moving groups make an open alert urgent. Signals of charts alone open none: they "
        "doubled the false alarms for one more find.",
    )


class TimingRules(_Section):
    """How long a thing must last, and how often it is said."""

    months_to_raise: Months = Field(default=1, description="Months in a row that must call for a higher band.")
    months_to_lower: Months = Field(default=2, description="Months in a row that must call for a lower band.")
    reminder_months: Months = Field(default=3, description="An alert that continues unchanged is repeated this often.")
    worsening_step: Probability = Field(
        default=0.06, description="Within a band, a rise of the rank by this much since the last message is worsening."
    )
    not_scored_months_as_signal: Months = Field(
        default=3, description="After this many months without a score, the missing sight is itself the alert."
    )


class StormRules(_Section):
    """When most councils alert at once the feed is broken, not the councils: mail waits for the data team."""

    share: Share = Field(
        default=0.4, description="Share of decided councils with a new or worse alert above which mail is held."
    )
    minimum_councils: Few = Field(default=5, description="… if at least this many councils have one.")
    not_scored_share: Share = Field(
        default=0.5, description="Share of councils newly without a score above which mail is held as well."
    )


class AlertRules(_Section):
    """All rules of the alert decision."""

    rank: RankRules = RankRules()
    drift: DriftRules = DriftRules()
    timing: TimingRules = TimingRules()
    storm: StormRules = StormRules()

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, given: Any) -> Any:
        if isinstance(given, dict) and "level" in given:
            raise ValueError(
                "the section “level” held probabilities until version 0.1.0. Bands go by rank among England's councils "
                "now: write a section “rank”, or leave it out for the riskiest fifth and tenth"
            )
        return given

    def digest(self) -> str:
        """Twelve hex digits that identify this set of rules in an alert's provenance."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:12]


def rules_as_toml(rules: AlertRules) -> str:
    """The rules as TOML, with their reasons as comments. They can be read back unchanged."""
    lines: list[str] = []
    for section in AlertRules.model_fields:
        part: BaseModel = getattr(rules, section)
        lines += [f"[{section}]", f"# {(type(part).__doc__ or '').strip()}"]
        for name, inner in type(part).model_fields.items():
            lines += [f"# {inner.description}", f"{name} = {getattr(part, name)}"]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
