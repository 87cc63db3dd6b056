"""What is reported of one variant, in back-test and evaluation alike: tables, calibration, audit, levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from models.evidence.audit import LevelInYear, Slice, audit, levels
from models.evidence.table import TARGETS, Table, build_table, rounded
from models.judgements.asof import Variant
from models.learning.candidates import BASELINES, OWN_ONLY
from models.learning.estimators import Floats
from models.learning.fitting import Forecast
from models.learning.metrics import CalibrationBin, calibration_curve
from models.learning.uncertainty import LEVEL, coverage
from models.learning.walkforward import CHOSEN, FOLLOWED
from models.scoring.stages import TITLES, rows_of_wide, stage_of

#: The rows a short table shows: baselines, what a council can compute itself, the chosen model.
KEY_ROWS: tuple[str, ...] = (*(b.name for b in BASELINES), OWN_ONLY, CHOSEN, FOLLOWED)


@dataclass(frozen=True, slots=True)
class IntervalCheck:
    """Of groups of ten inspections in order of publication, how many held what the intervals allowed."""

    level: float
    coverage: float
    groups: int
    widening: float


@dataclass(frozen=True, slots=True)
class StageSeen:
    """Inspections that began at a stage of difficulty, by the written rules, and how they were judged."""

    number: int
    title: str
    n: int
    below_good: int
    inadequate: int


@dataclass(frozen=True)
class Section:
    """One variant's results."""

    variant: Variant
    tables: tuple[Table, ...]
    calibration: Mapping[str, tuple[CalibrationBin, ...]]
    """For the chosen model, by target name: groups of equal size in order of forecast."""
    audit: tuple[Slice, ...]
    levels: tuple[LevelInYear, ...]
    interval: IntervalCheck | None
    stages: tuple[StageSeen, ...]
    """A reading aid: the rules were written beforehand, without looking at judgements, and are not trained."""

    def table(self, target: str) -> Table | None:
        """The table of a target by name, if it could be judged."""
        return next((t for t in self.tables if t.target.name == target), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "variant": str(self.variant),
            "tables": [t.to_json() for t in self.tables],
            "calibration": rounded({k: [asdict(b) for b in v] for k, v in self.calibration.items()}),
            "audit": rounded([asdict(s) for s in self.audit]),
            "levels": rounded([asdict(x) for x in self.levels]),
            "stages": [asdict(s) for s in self.stages],
            "interval": None if self.interval is None else rounded(asdict(self.interval)),
        }


def build_section(
    variant: Variant,
    rows: pl.DataFrame,
    forecasts: Mapping[str, Forecast],
    deviation: tuple[Floats, Floats] | None,
    widened_by: float,
    names: Sequence[str] | None = None,
) -> Section:
    """Judge forecasts of test rows, in order of publication.

    `deviation`: forecasts and their standard deviations on the log-odds scale of the model with intervals;
    `widened_by` the factor with which they are shown.
    """
    tables = [t for target in TARGETS if (t := build_table(rows, forecasts, target, names)) is not None]
    y = rows["below_good"].to_numpy()
    chosen, followed = forecasts[CHOSEN], forecasts[FOLLOWED]
    check = None
    if deviation is not None:
        held, groups = coverage(y.astype(np.float64), deviation[0], deviation[1] * widened_by)
        if groups:
            check = IntervalCheck(LEVEL, held, groups, widened_by)
    return Section(
        variant=variant,
        tables=tuple(tables),
        calibration={
            "below good": calibration_curve(y, chosen.below_good),
            "inadequate": calibration_curve(rows["inadequate"].to_numpy(), chosen.inadequate),
        },
        audit=audit(rows, y, chosen.below_good),
        levels=tuple(levels(rows, y, chosen.below_good, followed.below_good)),
        interval=check,
        stages=stages_seen(rows),
    )


def stages_seen(rows: pl.DataFrame) -> tuple[StageSeen, ...]:
    """The stage at the start of each inspection, from yearly figures (no charts), against its judgement."""
    found: dict[int, list[tuple[bool, bool]]] = {number: [] for number in TITLES}
    for row in rows.iter_rows(named=True):
        stage = stage_of(rows_of_wide(row), row["previous_judgement"])
        found[stage.number].append((row["below_good"], row["inadequate"]))
    return tuple(
        StageSeen(number, TITLES[number], len(seen), sum(b for b, _ in seen), sum(i for _, i in seen))
        for number, seen in found.items()
    )
