"""What a run tells the person who started it: a dozen lines, and where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.months import Month
from flows.alerts.state import Band, Change, Decision


@dataclass(frozen=True, slots=True)
class CouncilOutcome:
    """One council in a run, in words."""

    la_code: str
    name: str
    band: Band
    change: Change
    told: bool
    """A message has gone, now or in an earlier run of the month."""
    why_not_scored: str | None = None


@dataclass(frozen=True, slots=True)
class Restatement:
    """An earlier month that was sent again, and what it did to the measures."""

    name: str
    month: Month
    extract: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run."""

    month: Month
    councils: tuple[CouncilOutcome, ...]
    problems: tuple[str, ...]
    """Files refused, missing or late, as sentences."""
    restatements: tuple[Restatement, ...]
    held: str
    """Why mail waits for the data team; empty if it does not."""
    messages_sent: int
    messages_failed: int
    places: Mapping[str, str]
    """What to look at -> where it is."""
    seconds: Mapping[str, float]
    """Time by stage."""
    model: str
    caution: str
    """What the scores are not, in a sentence."""

    @property
    def headline(self) -> str:
        """One line, also the state of the Prefect run: `October 2026: 10 of 12 councils scored, 2 not scored`."""
        unscored = sum(c.band is Band.NOT_SCORED for c in self.councils)
        scored = len(self.councils) - unscored
        rest = f"; {unscored} not scored" if unscored else ""
        return f"{self.month.in_words}: {scored} of {len(self.councils)} councils scored{rest}"

    def names(self, *bands: Band) -> str:
        """The councils in these bands, or “none”."""
        return ", ".join(c.name for c in self.councils if c.band in bands) or "none"

    def to_text(self) -> str:
        """The lines `holdfast run` and `make demo` end with."""
        told = sum(c.told for c in self.councils)
        lines = [
            self.headline,
            f"  losing grip:   {self.names(Band.LOSING_GRIP)}",
            f"  watch:         {self.names(Band.WATCH)}",
            f"  recovering:    {self.names(Band.RECOVERING)}",
            f"  steady:        {sum(c.band is Band.STEADY for c in self.councils)}",
        ]
        lines += [f"  not scored:    {c.name}: {c.why_not_scored}" for c in self.councils if c.why_not_scored]
        lines += [f"  note:          {p}" for p in self.problems]
        lines += [
            f"  restated:      {r.name}, {r.extract} of {r.month.in_words}: {'; '.join(r.changes) or 'no rate moved'}"
            for r in self.restatements
        ]
        if self.held:
            lines.append(f"  mail held:     {self.held}")
        failed = f", {self.messages_failed} failed" if self.messages_failed else ""
        lines.append(f"  messages:      {self.messages_sent} sent now{failed}; {told} councils informed this month")
        lines.append(f"  model:         {self.model}. {self.caution}")
        lines.append(f"  time:          {times(self.seconds)}")
        lines += [f"  {what + ':':<14} {where}" for what, where in self.places.items()]
        return "\n".join(lines)


def council_outcome(name: str, decision: Decision, told: bool, why_not_scored: str | None) -> CouncilOutcome:
    return CouncilOutcome(decision.la_code, name, decision.band, decision.change, told, why_not_scored)


def times(seconds: Mapping[str, float]) -> str:
    """`read 2.1 s, check 3.0 s; 9.4 s in all`."""
    parts = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items() if taken >= 0.05)
    return f"{parts}; {sum(seconds.values()):.1f} s in all"
