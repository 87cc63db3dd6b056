"""The alert state machine: one decision for one council and month. Pure functions; time is a parameter.

These rules say how bands are entered and left (names in `code` are thresholds of `AlertRules`). A rank is the share
of England's councils whose number is lower:

    steady       -> watch        rank >= `rank.watch_from`, or, with rank >= `drift.counts_from`, a rise of the rank by
                                 `drift.rank_rise`
    steady/watch -> losing grip  rank >= `rank.losing_grip_from`
    losing grip  -> watch        rank < `rank.losing_grip_until`
    watch        -> steady       rank < `rank.watch_until` and no rise that would enter it
    any          -> recovering   the latest published judgement is Inadequate (a stability watch, no drift alert)
    any          -> not scored   there is no score; the previous band is remembered and resumed
    any          -> first months there is no score, never was one, and files came for fewer months than it needs

    Chart signals do not open an alert. They give reasons, and in `drift.groups_for_urgency` groups or more they make an
    open alert urgent.
    The rules must call for a higher band `months_to_raise` months in a row, and for a lower one `months_to_lower`.
    After a change of model a rise does not count, because the two ranks cannot be compared.

    The change is measured from what the director was last *told*, not from last month. If a message was held or failed,
    next month's alert is still "new". An alert can only be resolved if the director was told of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.errors import HoldfastError
from features.months import Month
from flows.alerts.drift import drift_of, drift_words, model_version
from flows.alerts.state import (
    RANK,
    AlertState,
    Band,
    BandPoint,
    Change,
    Decision,
    Drift,
    MessageKind,
    Record,
    ScorePoint,
    Signal,
    Told,
)
from flows.settings.alert_rules import AlertRules
from models.score import Score

#: How many months of scores a state keeps: more than any `score_rise_months` can ask for.
_MEMORY_MONTHS = 37
#: How many months of bands a state keeps, to draw them.
_BANDS_KEPT = 24


def decide(
    score: Score,
    *,
    inadequate: bool,
    signals: Sequence[Signal],
    previous: AlertState | None,
    delivered: bool,
    rules: AlertRules,
    beginning: bool = False,
) -> Decision:
    """Decide on one council for `score.month`.

    `inadequate`: whether its latest judgement published by the cut-off is Inadequate. `signals`: this month's XmR
    signals. `previous`: the state of an earlier month, usually the last; None in a first month. `delivered`: whether
    the message of that month, if one was due, reached the director (`flows.store.ledger`). `beginning`: whether it
    has sent files for fewer months than a score needs. Raises HoldfastError if `previous` is not of an earlier month.
    """
    if previous is not None and not previous.month < score.month:
        raise HoldfastError(
            f"Council {score.la_code}: the alert state given is of {previous.month}, which is not before "
            f"{score.month}. Decide months in order."
        )
    told = previous.told_by(delivered) if previous else None
    if score.not_scored is not None or score.probability_below_good is None:
        if beginning and not (previous and previous.recent):
            return _first_months(score, previous, told, rules)
        return _not_scored(score, previous, told, rules)
    drift = drift_of(score, signals, previous, rules)
    model_changed = bool(previous and previous.recent and previous.recent[-1].model_version != model_version(score))
    if inadequate:
        return _recovery(score, drift, model_changed, previous, told, rules)
    return _ordinary(score, drift, model_changed, previous, told, rules)


def _ordinary(
    score: Score, drift: Drift, model_changed: bool, previous: AlertState | None, told: Told | None, rules: AlertRules
) -> Decision:
    rank = _rank(score)
    current = previous.scored_band if previous else Band.STEADY
    if current not in RANK:  # it leaves the recovery track: a new judgement is a new start
        current = Band.STEADY
    wanted, why = _called_for(rank, drift, rules)
    held = _held_at(rank, drift, current, rules)
    higher = lower = 0
    band = current
    if RANK[wanted] > RANK[current]:
        higher = (previous.months_to_higher if previous else 0) + 1
        if higher >= rules.timing.months_to_raise:
            band, higher = wanted, 0
        else:
            why = (*why, f"called for in {higher} of {rules.timing.months_to_raise} months (timing.months_to_raise)")
    elif RANK[held] < RANK[current]:
        lower = (previous.months_to_lower if previous else 0) + 1
        if lower >= rules.timing.months_to_lower:
            band, lower = held, 0
        else:
            why = (*why, f"lower in {lower} of {rules.timing.months_to_lower} months (timing.months_to_lower)")
    elif current is not Band.STEADY and wanted is not current:
        why = (*why, f"{current.words} is kept: it is left only below its lower threshold")
    urgent = band is not Band.STEADY and len(drift.groups) >= rules.drift.groups_for_urgency
    if urgent:
        why = (*why, f"urgent: charts signal in {len(drift.groups)} groups (drift.groups_for_urgency)")
    change, send = _compared(band, rank, urgent, score, told, rules)
    telling = _telling(score, band, urgent=urgent) if send else None
    kind = _kind(band, change)
    state = _state(score, band, band, previous, told, telling, higher=higher, lower=lower)
    decision = _decision(score, band, previous, told, change, send, kind, why, drift, model_changed, state)
    return decision.model_copy(update={"urgent": urgent})


def _called_for(rank: float, drift: Drift, rules: AlertRules) -> tuple[Band, tuple[str, ...]]:
    """The band whose entry rule is met, and the rule."""
    level, moving = rules.rank, rules.drift
    if rank >= level.losing_grip_from:
        why = f"rank {rank:.2f} at or above {level.losing_grip_from:.2f} (rank.losing_grip_from)"
        return Band.LOSING_GRIP, (why, *drift_words(drift))
    if rank >= level.watch_from:
        why = f"rank {rank:.2f} at or above {level.watch_from:.2f} (rank.watch_from)"
        return Band.WATCH, (why, *drift_words(drift))
    if rank >= moving.counts_from and drift.score_rising:
        why = f"rank {rank:.2f} at or above {moving.counts_from:.2f} (drift.counts_from) and rising"
        return Band.WATCH, (why, *drift_words(drift))
    return Band.STEADY, (f"rank {rank:.2f} calls for no alert", *drift_words(drift))


def _held_at(rank: float, drift: Drift, current: Band, rules: AlertRules) -> Band:
    """The band to fall back to: the current one, unless the rank is below its lower threshold and no rule enters it."""
    wanted, _ = _called_for(rank, drift, rules)
    if current is Band.LOSING_GRIP and rank >= rules.rank.losing_grip_until:
        return Band.LOSING_GRIP
    if RANK[current] >= RANK[Band.WATCH] and (wanted is not Band.STEADY or rank >= rules.rank.watch_until):
        return Band.WATCH
    return Band.STEADY


def _compared(
    band: Band, rank: float, urgent: bool, score: Score, told: Told | None, rules: AlertRules
) -> tuple[Change, bool]:
    """How the band compares with what the director was told, and whether that needs a message."""
    known = told.open_band if told else Band.STEADY
    if band is Band.STEADY:
        was_open = told is not None and (known is not Band.STEADY or told.escalated)
        return (Change.RESOLVED, True) if was_open else (Change.NONE, False)
    if told is None or known is Band.STEADY or known is Band.RECOVERING:
        return Change.NEW, True
    if RANK[band] > RANK[known]:
        return Change.WORSENING, True
    if RANK[band] < RANK[known]:
        return Change.EASING, True
    if urgent and not told.urgent:
        return Change.WORSENING, True
    same_model = told.model_version == model_version(score)
    if same_model and told.rank is not None and rank - told.rank >= rules.timing.worsening_step - 1e-12:
        return Change.WORSENING, True
    return Change.CONTINUING, _reminder_due(told, score.month, rules)


def _reminder_due(told: Told, month: Month, rules: AlertRules) -> bool:
    return month.minus(told.month) >= rules.timing.reminder_months


def _recovery(
    score: Score, drift: Drift, model_changed: bool, previous: AlertState | None, told: Told | None, rules: AlertRules
) -> Decision:
    """The stability watch: sent once, again if stability needs attention, and as a reminder."""
    attention = drift.score_rising or len(drift.groups) >= rules.drift.groups_for_urgency
    known = told.open_band if told else Band.STEADY
    if told is None or known is not Band.RECOVERING:
        change, send = Change.NEW, True
    elif attention and not told.attention:
        change, send = Change.WORSENING, True
    elif _reminder_due(told, score.month, rules):
        change, send = (Change.EASING if told.attention and not attention else Change.CONTINUING), True
    else:
        change, send = Change.CONTINUING, False
    why = ("the latest published judgement is Inadequate: recovery track", *drift_words(drift))
    telling = _telling(score, Band.RECOVERING, attention=attention) if send else None
    state = _state(score, Band.RECOVERING, Band.RECOVERING, previous, told, telling)
    return _decision(
        score, Band.RECOVERING, previous, told, change, send, MessageKind.RECOVERING, why, drift, model_changed, state
    )


def _not_scored(score: Score, previous: AlertState | None, told: Told | None, rules: AlertRules) -> Decision:
    """No score: say so and what restores it. After some months, raise the missing data as an issue of its own."""
    months = (previous.months_not_scored if previous else 0) + 1
    limit = rules.timing.not_scored_months_as_signal
    escalated = months >= limit
    if told is None or told.band is not Band.NOT_SCORED:
        change, send = Change.NEW, True
    elif escalated and not told.escalated:
        change, send = Change.WORSENING, True
    else:
        change, send = Change.CONTINUING, _reminder_due(told, score.month, rules)
    scored_band = previous.scored_band if previous else Band.STEADY
    why = [f"no score: {score.not_scored or 'the model gave no probability'}"]
    if escalated:
        why.append(f"not scored for {months} months: missing sight is a signal (timing.not_scored_months_as_signal)")
    telling = None
    if send:
        known = told.open_band if told else Band.STEADY
        telling = Told(
            month=score.month,
            band=Band.NOT_SCORED,
            open_band=known,
            probability=told.probability if told else None,
            rank=told.rank if told else None,
            model_version=told.model_version if told else "",
            escalated=escalated,
            attention=told.attention if told else False,
            urgent=told.urgent if told else False,
        )
    state = _state(score, Band.NOT_SCORED, scored_band, previous, told, telling, not_scored=months)
    return _decision(
        score, Band.NOT_SCORED, previous, told, change, send, MessageKind.NOT_SCORED, tuple(why), Drift(), False, state
    )


def _first_months(score: Score, previous: AlertState | None, told: Told | None, rules: AlertRules) -> Decision:
    """A council in its first months: it is welcomed once, then told its state. Its data does not count as missing."""
    known = told is not None and told.band is Band.FIRST_MONTHS
    change = Change.CONTINUING if known else Change.NEW
    send = told is None or not known or _reminder_due(told, score.month, rules)
    telling = Told(month=score.month, band=Band.FIRST_MONTHS, open_band=Band.STEADY) if send else None
    state = _state(score, Band.FIRST_MONTHS, Band.STEADY, previous, told, telling)
    why = ("first months: a score needs twelve months of files",)
    kind = MessageKind.FIRST_MONTHS
    return _decision(score, Band.FIRST_MONTHS, previous, told, change, send, kind, why, Drift(), False, state)


def _kind(band: Band, change: Change) -> MessageKind | None:
    if change is Change.NONE:
        return None
    if change is Change.NEW:
        return MessageKind.NEW_LOSING_GRIP if band is Band.LOSING_GRIP else MessageKind.NEW_WATCH
    return MessageKind(change.value)


def _rank(score: Score) -> float:
    if score.rank is None:
        raise HoldfastError(f"Council {score.la_code}, {score.month}: a scored month without a rank among councils.")
    return score.rank


def _telling(score: Score, band: Band, *, attention: bool = False, urgent: bool = False) -> Told:
    return Told(
        month=score.month,
        band=band,
        open_band=band,
        probability=None if score.probability_below_good is None else round(score.probability_below_good, 6),
        rank=round(_rank(score), 6),
        model_version=model_version(score),
        attention=attention,
        urgent=urgent,
    )


def _state(
    score: Score,
    band: Band,
    scored_band: Band,
    previous: AlertState | None,
    told: Told | None,
    telling: Told | None,
    *,
    higher: int = 0,
    lower: int = 0,
    not_scored: int = 0,
) -> AlertState:
    recent = previous.recent if previous else ()
    if not not_scored and score.probability_below_good is not None:
        point = ScorePoint(
            month=score.month,
            probability=round(score.probability_below_good, 6),
            model_version=model_version(score),
            rank=None if score.rank is None else round(score.rank, 6),
        )
        recent = (*recent, point)
    unbroken = previous is not None and previous.band is band and score.month.minus(previous.month) == 1
    return AlertState(
        month=score.month,
        band=band,
        scored_band=scored_band,
        since=previous.since if previous is not None and unbroken else score.month,
        months_to_higher=higher,
        months_to_lower=lower,
        months_not_scored=not_scored,
        bands=(*(previous.bands if previous else ()), BandPoint(month=score.month, band=band))[-_BANDS_KEPT:],
        recent=tuple(p for p in recent if score.month.minus(p.month) < _MEMORY_MONTHS),
        told=told,
        telling=telling,
    )


def _decision(
    score: Score,
    band: Band,
    previous: AlertState | None,
    told: Told | None,
    change: Change,
    send: bool,
    kind: MessageKind | None,
    because: tuple[str, ...],
    drift: Drift,
    model_changed: bool,
    state: AlertState,
) -> Decision:
    return Decision(
        la_code=score.la_code,
        month=score.month,
        band=band,
        from_band=told.open_band if told else previous.scored_band if previous else None,
        change=change,
        send=send,
        kind=kind,
        because=because,
        drift=drift,
        model_changed=model_changed,
        state=state,
    )


class Storm(Record):
    """The storm valve's verdict over a month's decisions."""

    held: bool
    alerting: int
    decided: int
    reason: str
    """A sentence for the data team; empty if nothing is held."""


def storm_valve(decisions: Sequence[Decision], rules: AlertRules) -> Storm:
    """Whether the month's mail must wait for the data team, because too many alerts are new or worse at once.

    Alerts that continue do not count, because they were allowed before.
    """
    fresh = [d for d in decisions if d.change in (Change.NEW, Change.WORSENING)]
    alerting = [d for d in fresh if d.band in (Band.WATCH, Band.LOSING_GRIP)]
    unseen = [d for d in fresh if d.band is Band.NOT_SCORED]
    decided = len(decisions)
    for found, share, what, name in (
        (alerting, rules.storm.share, "have a new or worse alert", "storm.share"),
        (unseen, rules.storm.not_scored_share, "are newly without a score", "storm.not_scored_share"),
    ):
        if len(found) >= rules.storm.minimum_councils and len(found) > share * decided:
            return Storm(
                held=True,
                alerting=len(alerting),
                decided=decided,
                reason=(
                    f"{len(found)} of {decided} councils {what}, more than {share:.0%} ({name}). "
                    "That points to the feed or the model rather than to the councils. "
                    "No mail has gone; look at the run; `holdfast release` lets it go."
                ),
            )
    return Storm(held=False, alerting=len(alerting), decided=decided, reason="")
