"""What a council in its first months reads about the figures that start later, and about its first score."""

from __future__ import annotations

from collections.abc import Sequence

from features.measuring.rates import window_of
from features.months import Month
from features.registry import ALL_MEASURES, Missing
from features.words import listed, lower_first
from flows.alerts.alert import Alert
from flows.alerts.letter import wording
from flows.alerts.letter.figures import month_words, number_words
from flows.alerts.letter.letter import Bullets, LetterSection

#: The number of months that yearly figures, and so a score, need.
WINDOW_MONTHS = 12


def begins(alert: Alert) -> LetterSection:
    """Which figures start later, and what would bring the first score forward."""
    waiting = next((gap.labels for gap in alert.not_known if gap.reason == Missing.WINDOW_INCOMPLETE), ())
    by_window: dict[int, list[str]] = {}
    for measure in (m for m in ALL_MEASURES if m.label in waiting):
        by_window.setdefault(window_of(measure) or WINDOW_MONTHS, []).append(lower_first(measure.label))
    lines = [
        f"{_begin(alert, window)}: {_shortened(labels)}. {'They need' if len(labels) > 1 else 'It needs'} "
        f"{number_words(window)} months in a row."
        for window, labels in sorted(by_window.items())
    ]
    return LetterSection("What begins when, and what brings it forward", (Bullets((*lines, *wording.BRINGS_FORWARD)),))


def _begin(alert: Alert, window: int) -> str:
    """From which month's files on figures of a window can be known, if no month is left out."""
    if alert.first_score is None:
        return "Later"
    month = Month.of(alert.first_score).plus(window - WINDOW_MONTHS - 1)
    return f"From the files of {month_words(month)}" if alert.month < month else "Once no month is left out"


_NAMED_LATER = 4


def _shortened(labels: Sequence[str]) -> str:
    """The first labels, and how many more there are."""
    more = [f"{len(labels) - _NAMED_LATER} more"] if len(labels) > _NAMED_LATER + 1 else labels[_NAMED_LATER:]
    return listed([*labels[:_NAMED_LATER], *more])
