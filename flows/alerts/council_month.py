"""The result of a council's month: files, score, band and message. Worked out only here, and shown everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from expectations.fates import CouncilFiles
from flows.alerts.alert import Alert
from flows.alerts.region_page import why_words
from flows.alerts.state import Band, Change


@dataclass(frozen=True, slots=True)
class CouncilMonth:
    """One council in a month's run."""

    la_code: str
    name: str
    band: Band
    change: Change
    files: CouncilFiles | None = None
    why_not_scored: str = ""
    months_not_scored: int = 0
    why: str = ""
    """The strongest reasons, in words; empty for a steady council."""
    moved: str = ""
    """How the score compares with the one the director was last told, or else with the last month that has one."""
    from_band: Band | None = None
    """The band that its director was last told, or else last month's; None if there was none."""
    due: bool = False
    """Whether a message should go to its director."""
    told: bool = False
    """Whether a message was sent, now or in an earlier run of the month."""
    held: str = ""
    """If its message waits for a person: why."""
    revision: int = 1
    revised: str = ""
    """Sentences on what this run revised in the published alert; empty if nothing."""

    @property
    def who(self) -> str:
        """`Ashby (Z01)`."""
        return f"{self.name} ({self.la_code})"

    @property
    def to_call(self) -> bool:
        """Whether somebody should call its director: an alert is new or worse, or a recovery is unsettled."""
        worse = self.band is Band.RECOVERING and self.change is Change.WORSENING
        return worse or (self.band in (Band.WATCH, Band.LOSING_GRIP) and self.change in (Change.NEW, Change.WORSENING))

    @property
    def continues(self) -> bool:
        """Whether an alert is still open without any change."""
        return self.band in (Band.WATCH, Band.LOSING_GRIP) and self.change is Change.CONTINUING

    @property
    def changed(self) -> bool:
        """Whether its band or alert changed this month."""
        return self.change not in (Change.NONE, Change.CONTINUING) and self.band is not Band.NOT_SCORED

    @property
    def message(self) -> str:
        """What happened to its message, in a few words."""
        if self.told:
            return "informed"
        if not self.due:
            return "no message due"
        return f"held: {self.held}" if self.held else "due, not sent"


def _moved(alert: Alert) -> str:
    """`score 82%, 74% when its director was last told, in July 2026`, or `score 82%, 30% in September 2026`.

    Two scores are compared only if the same model gave both.
    """
    now, state = alert.score.probability_below_good, alert.decision.state
    if now is None:
        return ""
    model, told = f"{alert.score.model}/{alert.score.model_version}", state.told
    scored = told is not None and told.band is not Band.NOT_SCORED  # a message without a score carries an older one
    if told is not None and scored and told.probability is not None and told.model_version == model:
        return f"score {now:.0%}, {told.probability:.0%} when its director was last told, in {told.month.in_words}"
    last = next((p for p in reversed(state.recent) if p.month < alert.month), None)
    if last is not None and last.model_version == model:
        return f"score {now:.0%}, {last.probability:.0%} in {last.month.in_words}"
    return f"score {now:.0%}"


def council_month(
    alert: Alert, files: CouncilFiles | None, *, told: bool, held: str = "", revised: bool = False
) -> CouncilMonth:
    """The council's month, from its published alert. `revised` says that this run replaced an earlier revision."""
    decision = alert.decision
    unseen = decision.band is Band.NOT_SCORED
    changes = alert.correction.what_changed if revised and alert.correction is not None else ()
    return CouncilMonth(
        la_code=alert.la_code,
        name=alert.council,
        band=decision.band,
        change=decision.change,
        files=files,
        why_not_scored=(alert.score.not_scored or "There is no score.") if unseen else "",
        months_not_scored=decision.state.months_not_scored if unseen else 0,
        why=why_words(alert),
        moved=_moved(alert),
        from_band=decision.given_before,
        due=alert.due,
        told=told,
        held=held,
        revision=alert.revision,
        revised=f"{'; '.join(changes)}." if changes else "",
    )
