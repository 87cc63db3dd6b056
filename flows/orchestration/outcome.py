"""What a run tells the person who started it: a dozen lines, and where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.months import Month
from flows.alerts.state import Band, Change
from flows.month.restated import Restatement


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
    why: str = ""
    """The strongest reasons in words; empty for a steady council."""
    held: str = ""
    """Why its message waits for a person, if it does."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A finished run."""

    month: Month
    councils: tuple[CouncilOutcome, ...]
    problems: tuple[str, ...]
    """Files refused, missing or late, as sentences."""
    restatements: tuple[Restatement, ...]
    held: str
    """Why all mail waits for the data team; empty if it does not."""
    messages_sent: int
    messages_failed: int
    places: Mapping[str, str]
    """What to look at -> where it is."""
    seconds: Mapping[str, float]
    """Time by stage."""
    model: str
    caution: str
    """What the scores are not, in a sentence."""
    faults: tuple[str, ...] = ()
    """What failed unexpectedly at single councils, as sentences."""
    awaits: str = ""
    """What a person is asked to decide, and how; empty if nothing waits."""
    decided: str = ""
    """Who approved, held or cancelled the month's messages, and why."""
    note: str = ""
    """What the run left out because it was asked to."""

    @property
    def unscored(self) -> int:
        return sum(c.band is Band.NOT_SCORED for c in self.councils)

    @property
    def gaps(self) -> bool:
        """Whether anything needs a person: a council without a score, a fault, a message that did not arrive."""
        return bool(self.unscored or self.faults or self.messages_failed)

    @property
    def headline(self) -> str:
        """One line, also the message of the Prefect run's state.

        `October 2026: completed with 2 councils not scored, 10 of 12 scored`.
        """
        scored = len(self.councils) - self.unscored
        if not self.councils:
            words = "read and checked, nothing scored"
        elif self.unscored:
            missing = f"{self.unscored} {'council' if self.unscored == 1 else 'councils'} not scored"
            words = f"completed with {missing}, {scored} of {len(self.councils)} scored"
        else:
            words = f"{scored} of {len(self.councils)} councils scored"
        parts = [words]
        if self.faults:
            parts.append(f"{len(self.faults)} {'fault' if len(self.faults) == 1 else 'faults'} at single councils")
        if self.messages_failed:
            parts.append(f"{self.messages_failed} messages could not be delivered")
        if self.awaits:
            parts.append("messages wait for approval")
        return f"{self.month.in_words}: {'; '.join(parts)}"

    def names(self, *bands: Band) -> str:
        """The councils in these bands, or “none”."""
        return ", ".join(c.name for c in self.councils if c.band in bands) or "none"

    def to_text(self) -> str:
        """The lines `holdfast run` and `make demo` end with."""
        told = sum(c.told for c in self.councils)
        lines = [self.headline]
        if self.councils:
            lines += [
                f"  losing grip:   {self.names(Band.LOSING_GRIP)}",
                f"  watch:         {self.names(Band.WATCH)}",
                f"  recovering:    {self.names(Band.RECOVERING)}",
                f"  steady:        {sum(c.band is Band.STEADY for c in self.councils)}",
            ]
        lines += [f"  not scored:    {c.name}: {c.why_not_scored}" for c in self.councils if c.why_not_scored]
        lines += [f"  fault:         {f}" for f in self.faults]
        lines += [f"  note:          {p}" for p in (*self.problems, *([self.note] if self.note else []))]
        lines += [
            f"  restated:      {r.name}, {r.extract} of {r.month.in_words}: {'; '.join(r.changes) or 'no rate moved'}"
            for r in self.restatements
        ]
        lines += [
            f"  {what + ':':<14} {words}"
            for what, words in (
                ("mail held", self.held),
                ("decided", self.decided),
                ("to decide", self.awaits),
            )
            if words
        ]
        lines += [f"  held:          {c.name}: {c.held}" for c in self.councils if c.held and not self.awaits]
        failed = f", {self.messages_failed} failed" if self.messages_failed else ""
        if self.councils:
            lines.append(f"  messages:      {self.messages_sent} sent now{failed}; {told} councils informed this month")
        if self.model:
            lines.append(f"  model:         {self.model}. {self.caution}")
        lines.append(f"  time:          {times(self.seconds)}")
        lines += [f"  {what + ':':<14} {where}" for what, where in self.places.items()]
        return "\n".join(lines)


def times(seconds: Mapping[str, float]) -> str:
    """`read 2.1 s, check 3.0 s; 9.4 s in all`."""
    parts = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items() if taken >= 0.05)
    return f"{parts}; {sum(seconds.values()):.1f} s in all"
