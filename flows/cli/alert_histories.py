"""Shows what the rules would have done: runs the state machine over histories, and tries values of one threshold.

If the onset of difficulty is known (in the made-up region), three things can be counted: how many months pass from
onset to the first alert, how many alerts come without an onset, and how often a band flaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from features.errors import HoldfastError
from features.months import Month
from flows.alerts.decide import decide
from flows.alerts.state import AlertState, Band, Change, Decision, Signal
from flows.settings.alert_rules import AlertRules
from models.score import Score

#: A band flaps if a council leaves it and enters it again within this many months.
FLAP_MONTHS = 3

_ALERTING = (Band.WATCH, Band.LOSING_GRIP)


@dataclass(frozen=True, slots=True)
class MonthSeen:
    """One council in one month: the input of a decision."""

    score: Score
    signals: tuple[Signal, ...] = ()
    inadequate: bool = False


@dataclass(frozen=True, slots=True)
class CouncilHistory:
    """A council's months in order. `onset` is the month in which its difficulty began; None if it never did."""

    la_code: str
    months: tuple[MonthSeen, ...]
    onset: Month | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the rules did over a set of histories."""

    council_years: float
    onset_to_alert_months: tuple[int | None, ...]
    """For each council with an onset within its months: months to the first alert, or None if there was none.

    An onset before the first month is left out, as the history does not show how long it had gone unseen.
    """
    false_alarms: int
    """New alerts before a council's onset, or in a council without one. The recovery track does not count."""
    quiet_months: int
    """Quiet months: months before a council's onset, or of a council without one."""
    quiet_months_alerting: int
    """Quiet months spent in an alert. Needed as well, since lower thresholds make fewer but longer alerts."""
    flaps: int
    messages: int

    @property
    def median_months_to_alert(self) -> float | None:
        """Median months to the first alert over the councils that got one; None if none did."""
        found = [m for m in self.onset_to_alert_months if m is not None]
        return median(found) if found else None

    @property
    def found(self) -> int:
        return sum(m is not None for m in self.onset_to_alert_months)

    @property
    def false_share(self) -> float:
        """The share of quiet months that were spent in an alert."""
        return self.quiet_months_alerting / self.quiet_months if self.quiet_months else 0.0

    def per_council_year(self, count: int) -> float:
        """Convert a count of the simulation to a rate per council and year."""
        return count / self.council_years if self.council_years else 0.0


def simulate(histories: Sequence[CouncilHistory], rules: AlertRules) -> Simulation:
    """Run the state machine over each history, as if every message was delivered."""
    delays: list[int | None] = []
    false_alarms = flaps = messages = months = quiet = quiet_alerting = 0
    for history in histories:
        decisions = replay(history, rules)
        months += len(decisions)
        messages += sum(d.send for d in decisions)
        flaps += _flaps(decisions)
        alerts = [d.month for d in decisions if d.change is Change.NEW and d.band in _ALERTING]
        onset = history.onset
        false_alarms += sum(onset is None or month < onset for month in alerts)
        before = [d.band in _ALERTING for d in decisions if onset is None or d.month < onset]
        quiet += len(before)
        quiet_alerting += sum(before)
        if onset is not None and decisions and decisions[0].month <= onset <= decisions[-1].month:
            alerting = [d.month for d in decisions if d.month >= onset and d.band in _ALERTING]
            delays.append(alerting[0].minus(onset) if alerting else None)
    return Simulation(months / 12, tuple(delays), false_alarms, quiet, quiet_alerting, flaps, messages)


def replay(history: CouncilHistory, rules: AlertRules) -> list[Decision]:
    """The decisions on one council's months, in order."""
    state: AlertState | None = None
    decisions = []
    for seen in history.months:
        decision = decide(
            seen.score,
            inadequate=seen.inadequate,
            signals=seen.signals,
            previous=state,
            delivered=True,
            rules=rules,
        )
        decisions.append(decision)
        state = decision.state
    return decisions


def trade_off(
    histories: Sequence[CouncilHistory], rules: AlertRules, watch_from: Sequence[float]
) -> list[tuple[float, Simulation]]:
    """Simulate with each value of `rank.watch_from`. The other ranks and `drift.counts_from` move by the same step.

    Raises HoldfastError for a value that would move a threshold out of its bounds.
    """
    return [(value, simulate(histories, _shifted(rules, value))) for value in watch_from]


def _shifted(rules: AlertRules, watch_from: float) -> AlertRules:
    by = watch_from - rules.rank.watch_from
    moved = {name: round(min(value + by, 0.99), 6) for name, value in rules.rank.model_dump().items()}
    if not all(0 < value < 1 for value in moved.values()):
        raise HoldfastError(
            f"With watch_from at {watch_from:.2f} another rank would leave 0 to 1. Choose nearer values."
        )
    drift = rules.drift.model_copy(update={"counts_from": round(max(rules.drift.counts_from + by, 0.01), 6)})
    return rules.model_copy(update={"rank": type(rules.rank).model_validate(moved), "drift": drift})


def _flaps(decisions: Sequence[Decision]) -> int:
    """How often a council with an alert became steady and had an alert again within FLAP_MONTHS."""
    flaps = 0
    left: Month | None = None
    for before, after in zip(decisions, decisions[1:], strict=False):
        if before.band in _ALERTING and after.band is Band.STEADY:
            left = after.month
        elif before.band is Band.STEADY and after.band in _ALERTING and left is not None:
            flaps += after.month.minus(left) <= FLAP_MONTHS
    return flaps


def simulation_table(results: Sequence[tuple[float, Simulation]]) -> str:
    """The results as a table for a terminal, with one row for each threshold."""
    head = "watch_from  found  months to alert  false alarms/year  quiet months alerting  flaps/year  messages/year"
    rows = [
        f"{value:10.2f}  {s.found:>2}/{len(s.onset_to_alert_months):<2}  "
        f"{'–' if s.median_months_to_alert is None else f'{s.median_months_to_alert:.1f}':>15}  "
        f"{s.per_council_year(s.false_alarms):>17.2f}  {s.false_share:>21.0%}  {s.per_council_year(s.flaps):>10.2f}  "
        f"{s.per_council_year(s.messages):>13.2f}"
        for value, s in results
    ]
    return "\n".join([head, *rows])
