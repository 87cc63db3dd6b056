"""What a run did, as one object. `run_report` renders it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.fates import CouncilFiles
from features.months import Month
from features.words import count_words
from flows.alerts.council_month import CouncilMonth
from flows.alerts.state import Band
from flows.mail.month_mail import NO_MAIL, MonthMail
from flows.month.restated import Restatement


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The outcome of a run that is finished, or that waits for a person."""

    month: Month
    councils: tuple[CouncilMonth, ...] = ()
    """The councils the run decided on; empty if it only read and checked."""
    files: tuple[CouncilFiles, ...] | None = ()
    """Every council that sent a file or was expected to; None if nobody has sent anything."""
    unrecognised: tuple[str, ...] = ()
    """Files in the landing store that are not extracts, as sentences."""
    mail: MonthMail = NO_MAIL
    untold: tuple[str, ...] = ()
    """Data officers, or the data team, that the run could not write to, as sentences."""
    answers: tuple[str, ...] = ()
    """Councils' answers that wait: objections to be looked into, and others until a message mentions them."""
    restatements: tuple[Restatement, ...] = ()
    faults: tuple[str, ...] = ()
    """Unexpected faults at single councils, as sentences."""
    places: Mapping[str, str] | None = None
    """Where to find each page: its title -> its place."""
    seconds: Mapping[str, float] | None = None
    """Seconds by stage."""
    model: str = ""
    caution: str = ""
    """A sentence on what the scores must not be taken for."""
    note: str = ""
    """What the run was asked to leave out."""

    @property
    def unscored(self) -> tuple[CouncilMonth, ...]:
        return tuple(c for c in self.councils if c.band is Band.NOT_SCORED)

    @property
    def undelivered(self) -> tuple[str, ...]:
        """Everyone the run could not write to, as sentences without addresses."""
        names = {c.la_code: c.who for c in self.councils}
        mail = (
            f"{names.get(code, code)}: {d.status.words} for one addressee. {d.reason}"
            for code, d in self.mail.undelivered
        )
        return (*mail, *self.untold)

    @property
    def gaps(self) -> bool:
        """Whether anything needs a person: a council without a score, a fault, a message that did not arrive."""
        return bool(self.unscored or self.faults or self.undelivered)

    @property
    def headline(self) -> str:
        """One line. It is also the message of the Prefect run's state.

        `October 2026: completed with 2 councils not scored, 10 of 12 scored`.
        """
        missing = len(self.unscored)
        begins = sum(c.band is Band.FIRST_MONTHS for c in self.councils)
        scored = len(self.councils) - missing - begins
        if not self.councils:
            words = "read and checked, nothing scored"
        elif missing:
            without = count_words(missing, "council", "councils")
            words = f"completed with {without} not scored, {scored} of {len(self.councils)} scored"
        else:
            words = f"{scored} of {len(self.councils)} councils scored"
        parts = [words]
        if begins:
            parts.append(f"{count_words(begins, 'council', 'councils')} in the first months")
        if self.faults:
            parts.append(f"{count_words(len(self.faults), 'fault', 'faults')} at single councils")
        if self.undelivered:
            parts.append(f"{count_words(len(self.undelivered), 'message', 'messages')} could not be delivered")
        if self.mail.held_because:
            parts.append("mail is held")
        if self.mail.waits is not None:
            parts.append("messages wait for approval")
        return f"{self.month.in_words}: {'; '.join(parts)}"

    def names(self, band: Band) -> str:
        """The councils in a band, or “none”."""
        return ", ".join(c.name for c in self.councils if c.band is band) or "none"
