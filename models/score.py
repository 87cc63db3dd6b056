"""What a score is: a probability with its interval, its reasons and its track record, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from features.months import Month

#: The name of the model that comes with Holdfast, and of what a group trains with its own history.
MODEL_NAME = "ilacs-below-good"
#: What the reason for a missing score says of a file that comes late; and the same where there never was a score.
RETURNS = "the score returns"
_COUNTS = "the month counts towards the twelve that a first score needs"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model made a score: `models/<name>/<version>/` in the object store."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in the measure's own units, with its exact share of the score."""

    feature: str
    """Registry measure, `measure__column`, or a context name such as `previous_judgement`."""
    measure: str | None
    """The registry measure it belongs to; None for context."""
    is_context: bool
    share: float
    """Contribution to the model's linear predictor (log-odds), relative to a council with typical figures."""
    sentence: str
    """For example “Agency rate 24%; neighbours 13%; up 6 points in 12 months”."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How often councils with a similar score were judged below good; from the back-test, never from training."""

    flagged: int
    judged_below_good: int
    of_ten: int
    basis: str
    """Which back-test and which years, given an inspection."""


@dataclass(frozen=True, slots=True)
class OfTen:
    """The two numbers of a director's sentence, both from the number that is served, never from training.

    "Of ten councils with figures like this, about `like_this` were judged below good at their next inspection; of any
    ten, about `any_ten`."
    """

    like_this: int
    any_ten: int
    """The same for all councils in England, at the same level."""


@dataclass(frozen=True, slots=True)
class LevelKnown:
    """What the level rests on: "level from `judgements` judgements to `to`", under one framework."""

    judgements: int
    to: date
    """The last publication the level has followed."""
    framework: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A reading aid, not a finding: which stage of difficulty the signals resemble (Cresswell 2013)."""

    number: int
    """0 = none of the stages; 1 losing grip, 2 service breakdown, 3 systemic crisis, 4 complete lock."""
    title: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A council's score for a month, or the sentence that says why it was not scored."""

    la_code: str
    month: Month
    model: ModelRef
    probability_below_good: float | None
    interval_low: float | None
    interval_high: float | None
    probability_inadequate: float | None
    reasons: tuple[Reason, ...]
    """Empty if not scored, or if the model's estimator cannot say exactly what each figure adds."""
    track_record: TrackRecord | None
    stage: Stage | None
    not_scored: str | None
    """None if scored; otherwise what is missing and what would restore the score."""
    of_ten: OfTen | None = None
    """None if not scored."""
    level: LevelKnown | None = None
    """None if not scored."""
    rank: float | None = None
    """Share of England's councils, in the newest published year, with a lower number; None if not scored."""


def before_any_score(score: Score) -> Score:
    """The score of a council that never had one: nothing of it can return."""
    if score.not_scored is None:
        return score
    return replace(score, not_scored=score.not_scored.replace(RETURNS, _COUNTS))
