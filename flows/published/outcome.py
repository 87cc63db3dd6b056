"""The outcome of a refresh: as text for a terminal and as a table for the Prefect UI."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from features.words import count_words
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
    """The outcome of every source, what it means for the model, and whether the data team was told."""

    sources: tuple[SourceOutcome, ...]
    advice: str
    """Whether retraining is due, and why."""
    undeclared: tuple[str, ...] = ()
    """Reports of frameworks nobody has declared, each with what must be decided; they are not used."""
    mail: tuple[str, ...] = ()
    """The results of messages to the data team, if there were any."""

    @property
    def headline(self) -> str:
        """One line: how many sources are in which state."""
        counts = Counter(s.status for s in self.sources)
        words = ", ".join(f"{counts[status]} {status}" for status in _ORDER if counts[status])
        return f"{count_words(len(self.sources), 'published file', 'published files')}: {words}."

    @property
    def nothing_worked(self) -> bool:
        """Whether every source that is downloaded failed."""
        tried = [s for s in self.sources if s.status is not SourceStatus.BY_HAND]
        return bool(tried) and all(s.trouble for s in tried)

    def ordered(self) -> list[SourceOutcome]:
        """The outcomes, those that need attention first."""
        return sorted(self.sources, key=lambda s: (_ORDER.index(s.status), s.source))

    def to_text(self) -> str:
        """The headline, one line for each source, and the advice."""
        return "\n".join(
            [self.headline, *(f"  {s.sentence}" for s in self.ordered()), self.advice, *self.undeclared, *self.mail]
        )

    def to_table(self) -> list[dict[str, str]]:
        """One row for each source."""
        return [
            {
                "source": s.source,
                "outcome": str(s.status),
                "version in use": s.version.id if s.version else "none",
                "what is new or wrong": s.sentence,
            }
            for s in self.ordered()
        ]
