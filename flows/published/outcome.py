"""What a refresh did, for people: the text in a terminal, the table in the Prefect UI."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flows.published.refresh import SourceOutcome, SourceStatus

_ORDER = (
    SourceStatus.RELEASE,
    SourceStatus.REFUSED,
    SourceStatus.NOT_FETCHED,
    SourceStatus.REVISED,
    SourceStatus.FIRST,
    SourceStatus.UNCHANGED,
    SourceStatus.BY_HAND,
)


@dataclass(frozen=True, slots=True)
class RefreshOutcome:
    """Every source's outcome, what it means for the model, and whether the data team could be told."""

    sources: tuple[SourceOutcome, ...]
    advice: str
    """Whether retraining is due, and why."""
    mail: tuple[str, ...] = ()
    """What became of messages to the data team, if there were any."""

    @property
    def headline(self) -> str:
        """One line: how many sources are what."""
        counts = Counter(s.status for s in self.sources)
        words = ", ".join(f"{counts[status]} {status}" for status in _ORDER if counts[status])
        return f"{len(self.sources)} published {'file' if len(self.sources) == 1 else 'files'}: {words}."

    @property
    def nothing_worked(self) -> bool:
        """Whether every source that is downloaded is in trouble."""
        tried = [s for s in self.sources if s.status is not SourceStatus.BY_HAND]
        return bool(tried) and all(s.trouble for s in tried)

    def ordered(self) -> list[SourceOutcome]:
        """What needs a look first."""
        return sorted(self.sources, key=lambda s: (_ORDER.index(s.status), s.source))

    def to_text(self) -> str:
        """The headline, a line for each source, the advice."""
        return "\n".join([self.headline, *(f"  {s.sentence}" for s in self.ordered()), self.advice, *self.mail])

    def to_table(self) -> list[dict[str, str]]:
        """A row for each source."""
        return [
            {
                "source": s.source,
                "outcome": str(s.status),
                "version in use": s.version.id if s.version else "none",
                "what is new or wrong": s.sentence,
            }
            for s in self.ordered()
        ]
