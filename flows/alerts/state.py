"""The parts of a decision: bands, changes, and the state that one month passes to the next.

They are plain data with a JSON form, because they are stored inside the published alert object.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from features.months import Month
from features.registry import Group


def _as_month(value: object) -> object:
    return Month.parse(value) if isinstance(value, str) else value


#: A month inside a JSON object: `"2026-10"`.
MonthField = Annotated[
    Month,
    BeforeValidator(_as_month),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}$"}),
]


class Record(BaseModel):
    """A frozen value with a strict JSON form."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Band(StrEnum):
    STEADY = "steady"
    WATCH = "watch"
    LOSING_GRIP = "losing_grip"
    RECOVERING = "recovering"
    NOT_SCORED = "not_scored"
    FIRST_MONTHS = "first_months"
    """Never scored, and fewer months of files than a score needs: nothing is missing that could be there."""

    @property
    def words(self) -> str:
        """The band in words for people."""
        return self.value.replace("_", " ")


#: How urgent a band is. Bands of other tracks (recovering, not scored) have no rank.
RANK: dict[Band, int] = {Band.STEADY: 0, Band.WATCH: 1, Band.LOSING_GRIP: 2}


class Change(StrEnum):
    """How this month compares with what the director was last told."""

    NONE = "none"
    """Steady, and nothing open: nothing to say."""
    NEW = "new"
    CONTINUING = "continuing"
    WORSENING = "worsening"
    EASING = "easing"
    """Still open, but one band lower than the director was last told."""
    RESOLVED = "resolved"


class Told(Record):
    """What a message to the director said; the next change is measured from it."""

    month: MonthField
    band: Band
    open_band: Band
    """The scored band that the director knows: `band`, or the one before the score was lost."""
    probability: float | None = None
    rank: float | None = None
    """None in states of version 0.1.0, whose bands were based on probability."""
    model_version: str = ""
    escalated: bool = False
    """Whether there was no score for so long that the missing data was itself raised."""
    attention: bool = False
    """On the recovery track: whether the director was told that stability needs attention."""
    urgent: bool = False
    """Whether the director was told that charts signal in several groups."""


class ScorePoint(Record):
    """One month's score, kept so that later months can see its change."""

    month: MonthField
    probability: float
    model_version: str
    rank: float | None = None
    """None in states of version 0.1.0; such a month is not used for comparison."""


class BandPoint(Record):
    """The band of one month."""

    month: MonthField
    band: Band


class AlertState(Record):
    """What a month's decision hands to the next. Stored in the alert object, read from nowhere else."""

    month: MonthField
    band: Band
    scored_band: Band
    """The latest band from a score. It is kept through months without a score."""
    since: MonthField
    """The first month of the unbroken time in `band`."""
    months_to_higher: int = 0
    months_to_lower: int = 0
    months_not_scored: int = 0
    recent: tuple[ScorePoint, ...] = ()
    bands: tuple[BandPoint, ...] = ()
    """The bands of the last two years, oldest first, up to this month."""
    told: Told | None = None
    """What the director had been told before this month."""
    telling: Told | None = None
    """What this month's message says. It counts as told only after delivery."""

    def told_by(self, delivered: bool) -> Told | None:
        """What the director has been told after this month, given whether this month's message was delivered."""
        return self.telling if self.telling is not None and delivered else self.told


class Signal(Record):
    """An XmR signal of one measure this month, by the Making Data Count rules."""

    measure: str
    label: str
    group: Group
    rule: str
    """Which rule fired, as `features.comparing.xmr` names it."""
    toward_concern: bool


class GroupDrift(Record):
    group: Group
    measures: tuple[str, ...]


class Drift(Record):
    """What moved: the council's rank over some months, and groups of measures."""

    score_change: float | None = None
    """The change of the rank."""
    score_change_months: int = 0
    score_rising: bool = False
    groups: tuple[GroupDrift, ...] = ()
    """Groups that move toward concern by the rules."""


class MessageKind(StrEnum):
    """The kinds of message a director can get."""

    NEW_WATCH = "new_watch"
    NEW_LOSING_GRIP = "new_losing_grip"
    WORSENING = "worsening"
    CONTINUING = "continuing"
    EASING = "easing"
    RESOLVED = "resolved"
    RECOVERING = "recovering"
    NOT_SCORED = "not_scored"
    FIRST_MONTHS = "first_months"
    CORRECTION = "correction"


class Decision(Record):
    """The month's decision on one council, why it fell so, and the state it leaves."""

    la_code: str
    month: MonthField
    band: Band
    from_band: Band | None
    """The scored band to compare with: as last told, or else last month's; None in a first month."""
    change: Change
    send: bool
    """Whether a message is due. The storm valve or an approval step may still hold it."""
    kind: MessageKind | None
    """The kind of message; None if there is nothing to say."""
    because: tuple[str, ...]
    """The rules that fired, for the analyst; each names its threshold."""
    drift: Drift
    urgent: bool = False
    """Whether an alert is open and charts signal in several groups, so that it should be discussed this week."""
    model_changed: bool = False
    """Whether the model's version differs from last month's, which may explain part of a change."""
    state: AlertState

    @property
    def given_before(self) -> Band | None:
        """`from_band`, if a month before this one had it: a council's first score moves from no band."""
        earlier = {p.band for p in self.state.bands if p.month < self.month}
        return self.from_band if self.from_band in earlier else None
