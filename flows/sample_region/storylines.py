"""What happens to a made-up council: when it begins to slip, how fast, and when it recovers.

The stages are those of DESIGN section 2. Only this module knows onset and stages, so that the time from onset to alert
can be measured; no extract shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from features.months import Month

#: Months over which one stage's difficulties build up to their full height.
_RAMP_MONTHS = 6
#: After a judgement below good nothing improves for a while (the post-inspection spiral) …
_SPIRAL_MONTHS = 5
#: … and recovery is complete about two years after the judgement.
RECOVERY_MONTHS = 24
STAGES = 4


class Storyline(StrEnum):
    STEADY = "steady"
    DRIFTING = "drifting"
    RECOVERING = "recovering"
    BAD_LUCK = "bad luck"


@dataclass(frozen=True, slots=True)
class Story:
    """One council's course. `onset` is the first month of stage 1."""

    line: Storyline = Storyline.STEADY
    onset: Month | None = None
    months_per_stage: int = 6
    judged: Month | None = None
    """The month in which an inadequate judgement was published; the council recovers after it."""
    unlucky_from: Month | None = None
    """The first month of the quarter in which several people leave by chance alone."""

    def stage(self, month: Month) -> int:
        """0 while steady, else the stage of difficulty (1 to 4) in that month."""
        if self.onset is None or month < self.onset:
            return 0
        reached = min(STAGES, 1 + month.minus(self.onset) // self.months_per_stage)
        if self.judged is None or month <= self.judged:
            return reached
        peak = min(STAGES, 1 + self.judged.minus(self.onset) // self.months_per_stage)
        return max(0, peak - peak * month.minus(self.judged) // RECOVERY_MONTHS)

    def intensities(self, first: Month, months: int) -> NDArray[np.float64]:
        """How strongly each stage's difficulties are felt: shape (months, 4), each in [0, 1]."""
        if self.onset is None:
            return np.zeros((months, STAGES))
        since_onset = np.arange(months) + first.minus(self.onset)
        if self.judged is not None:
            turning = self.judged.plus(_SPIRAL_MONTHS).minus(self.onset)
            mending = np.clip((since_onset - turning) / (RECOVERY_MONTHS - _SPIRAL_MONTHS), 0.0, 1.0)
            since_onset = np.minimum(since_onset, turning)
        else:
            mending = np.zeros(months)
        begins = np.arange(STAGES) * self.months_per_stage
        ramp = min(_RAMP_MONTHS, self.months_per_stage)
        built_up = np.clip((since_onset[:, None] - begins[None, :] + 1) / ramp, 0.0, 1.0)
        return np.asarray(built_up * (1.0 - mending[:, None]), dtype=np.float64)

    def bad_luck(self, first: Month, months: int) -> NDArray[np.bool_]:
        """The months of the unlucky quarter: shape (months,)."""
        if self.unlucky_from is None:
            return np.zeros(months, dtype=np.bool_)
        since = np.arange(months) + first.minus(self.unlucky_from)
        return (since >= 0) & (since < 3)
