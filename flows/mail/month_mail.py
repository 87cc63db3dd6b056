"""The state of a month's mail to directors after a run: sent, held, waiting, not delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from features.words import count_words
from flows.alerts.decide import Storm
from flows.mail.approval_form import Pending, Ruling, how_to_decide
from flows.mail.deliver import Delivery
from flows.settings.run_form import ApprovalVerdict
from flows.store.ledger import Status


@dataclass(frozen=True)
class MonthMail:
    """The state of one month's mail after one run."""

    deliveries: Mapping[str, Sequence[Delivery]] = field(default_factory=dict)
    """Every message that this run looked at, by la_code."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Councils (by folder) whose mail waits for a person, each with the reason."""
    storm: Storm | None = None
    """The storm valve's verdict, before any decision by a person."""
    valve: frozenset[str] = frozenset()
    """Keys of the messages that the valve holds and for which nobody has answered."""
    waits: Pending | None = None
    """The round of approval that waits for an answer."""
    ruling: Ruling | None = None
    """The decision on that round."""

    @property
    def _every(self) -> list[tuple[str, Delivery]]:
        return [(code, d) for code, made in self.deliveries.items() for d in made]

    @property
    def sent_now(self) -> int:
        return sum(d.attempted and d.status is Status.SENT for _, d in self._every)

    @property
    def sent_before(self) -> int:
        return sum(not d.attempted and d.status is Status.SENT for _, d in self._every)

    @property
    def undelivered(self) -> tuple[tuple[str, Delivery], ...]:
        """(la_code, delivery) of every message that was looked at and has not arrived."""
        return tuple((code, d) for code, d in self._every if d.status is not Status.SENT)

    @property
    def unaddressed(self) -> int:
        """How many messages could not be addressed, so that the ledger does not have them."""
        return sum(not d.address for _, d in self._every)

    @property
    def awaits(self) -> str:
        """What a person must decide, why the month would have been held anyway, and how to decide."""
        if self.waits is None:
            return ""
        because = f" {self.waits.held_because}" if self.waits.held_because else ""
        return f"{self.waits.in_words}.{because} {how_to_decide(self.waits)}"

    @property
    def decided(self) -> str:
        """Who approved, held or cancelled the month's messages, and why."""
        return self.ruling.in_words if self.ruling is not None else ""

    @property
    def held_because(self) -> str:
        """Why the storm valve holds mail for the data team; empty if it holds none."""
        return self.storm.reason if self.valve and self.storm is not None else ""

    @property
    def stopped(self) -> str:
        """Why no director gets mail at present; empty if they do."""
        return self.awaits or self.held_because

    @property
    def officers_may_be_told(self) -> bool:
        """Whether data officers may be written to: nothing waits for approval and nobody cancelled the month's mail."""
        cancelled = self.ruling is not None and self.ruling.decision is ApprovalVerdict.CANCEL
        return self.waits is None and not cancelled

    @property
    def sentence(self) -> str:
        """`2 messages sent by this run, 1 had been sent before; 1 could not be delivered.`"""
        words = f"{count_words(self.sent_now, 'message', 'messages')} sent by this run"
        words += f", {self.sent_before} had been sent before" if self.sent_before else ""
        return f"{words}; {len(self.undelivered)} could not be delivered." if self.undelivered else f"{words}."


#: The state after a run that was not asked to send mail.
NO_MAIL = MonthMail()
