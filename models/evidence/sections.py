"""The results of one variant, the same for back-test and evaluation: every question, level by year, audit, flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from models.evidence import plots
from models.evidence.audit import Slice, audit
from models.evidence.document import Grid, Heading, ReportBlock, ReportBullets, ReportPicture, Text
from models.evidence.leadtime import SHARES, Flags, Timing, flags, flags_grid, timing, timing_text
from models.evidence.table import Table, build_table, figure, grid, rounded
from models.judgements.asof import Variant
from models.learning.candidates import BASELINE_TO_BEAT
from models.learning.fitting import Forecast
from models.learning.metrics import CalibrationBin, calibration_curve
from models.learning.promotion import PromotionCheck, level_holds
from models.learning.uncertainty import Coverage, YearSeen, by_year, coverage
from models.learning.walkforward import AS_MAILED, EVERY, FIRST_DAY, QUESTIONS, Split, WalkForward

GIVEN = (
    "Given an inspection: the figures say how councils were judged when inspectors came, not when they come. Intervals "
    "are 95%, councils resampled. Each forecast but “level not followed” follows the level of judgements as they are "
    f"published; the baseline is “{BASELINE_TO_BEAT}”. Differences in log loss below 0 are better."
)


@dataclass(frozen=True)
class Section:
    """The results of one variant."""

    variant: Variant
    tables: tuple[Table, ...]
    calibration: Mapping[str, tuple[CalibrationBin, ...]]
    """The model's calibration by question: groups of equal size, in order of forecast."""
    years: tuple[YearSeen, ...]
    level: PromotionCheck
    """Whether the level was right year by year; its figures name the worst year."""
    coverage: Coverage
    audit: tuple[Slice, ...]
    flags: tuple[Flags, ...]
    timing: Timing
    splits: tuple[Split, ...]
    fits: int

    def table(self, question: str) -> Table:
        """The table of a question; raises KeyError."""
        return {t.question: t for t in self.tables}[question]

    def to_json(self) -> dict[str, Any]:
        """The results as plain values."""
        found = rounded(asdict(self))
        found["variant"] = str(self.variant)
        found["splits"] = [{k: str(v) for k, v in asdict(s).items()} for s in self.splits]
        return dict(found)

    def blocks(self) -> list[ReportBlock]:
        """The section as blocks for readers."""
        found: list[ReportBlock] = [Heading(str(self.variant).capitalize())]
        for table in self.tables:
            found += [Heading(f"{table.question.capitalize()}: {table.positives} of {table.n} below good", 3)]
            if table.question == "inadequate, on the first day":
                found[-1] = Heading(f"{table.question.capitalize()}: {table.positives} of {table.n}", 3)
            found.append(grid(table))
        found += [
            ReportPicture(
                "How well each forecast orders inspections on their first day", plots.auc_forest(self.tables[0])
            ),
            Heading("The level", 3),
            Grid(
                ("Begun in", "inspections", "expected below good", "seen", "standard errors apart"),
                tuple(
                    (
                        str(y.year),
                        str(y.n),
                        f"{y.expected:.1f} ± {y.standard_error:.1f}",
                        str(y.observed),
                        f"{y.z:+.1f}",
                    )
                    for y in self.years
                ),
            ),
            Text(
                f"{'Holds' if self.level.passed else 'Does NOT hold'}: {self.level.figures}. "
                f"{coverage_text(self.coverage)}"
            ),
            ReportPicture("Expected and seen, by year", plots.levels_by_year(self.years)),
            Heading("Calibration", 3),
            Grid(
                ("Fifths by forecast", *(f"{i}" for i in range(1, 6))),
                tuple(
                    (f"{question}: forecast / seen", *(f"{b.forecast:.2f} / {b.observed:.2f} ({b.n})" for b in bins))
                    for question, bins in self.calibration.items()
                ),
            ),
            ReportPicture("Calibration, as mailed", plots.calibration(self.calibration.get(AS_MAILED, ()))),
            Heading("Flags", 3),
            flags_grid(list(self.flags)),
            Text(timing_text(self.timing)),
            Heading("For whom it works", 3),
            Grid(
                ("Kind of council", "n", "seen", "expected", "AUC", "in the riskiest fifth (of them judged good)"),
                tuple(
                    (
                        f"{s.by}: {s.level}",
                        str(s.n),
                        str(s.observed),
                        f"{s.expected:.1f} ± {s.standard_error:.1f}",
                        figure(s.auc),
                        f"{s.flagged} ({s.flagged_good})",
                    )
                    for s in self.audit
                ),
            ),
            ReportPicture("By kind of council", plots.audit_plot(self.audit)),
            ReportBullets(
                tuple(
                    f"Trained on {s.inspections} inspections published before {s.cut} ({s.counting} set the level); "
                    f"asked {s.asked} times."
                    for s in self.splits
                )
            ),
        ]
        return found


def coverage_text(found: Coverage) -> str:
    """The coverage in one sentence."""
    if not found.groups:
        return "There are too few inspections to check the intervals."
    return (
        f"Randomised intervals: {found.level:.0%} stated, {found.held:.0%} of {found.groups} groups of about ten held; "
        f"places as uneven as these come by chance with p = {found.p_value:.2f}."
    )


def build_section(variant: Variant, walked: WalkForward) -> Section:
    """Evaluate a walk-forward: every question, then the model's level, audit and flags."""
    first = walked.rows[FIRST_DAY]
    good = first["good_before"].fill_null(False).to_numpy()
    declines = {n: Forecast(f.below_good[good], f.inadequate[good]) for n, f in walked.forecasts[FIRST_DAY].items()}
    tables = [
        *(build_table(question, walked.rows[question], walked.forecasts[question]) for question in QUESTIONS),
        build_table("a good council declines, on the first day", first.filter(pl.Series(good)), declines),
        build_table("inadequate, on the first day", first, walked.forecasts[FIRST_DAY], "inadequate"),
    ]
    p = walked.forecasts[FIRST_DAY][walked.served].below_good
    years = by_year(first, p)
    every = walked.rows[EVERY]
    compared = {n: f for n, f in walked.forecasts[EVERY].items() if n in (walked.served, BASELINE_TO_BEAT)}
    return Section(
        variant=variant,
        tables=tuple(t for t in tables if t is not None),
        calibration={
            question: calibration_curve(
                walked.rows[question]["below_good"].to_numpy(), walked.forecasts[question][walked.served].below_good
            )
            for question in QUESTIONS
            if walked.rows[question].height
        },
        years=years,
        level=level_holds(years),
        coverage=coverage(first, p),
        audit=audit(first, first["below_good"].to_numpy(), p),
        flags=tuple(f for share in SHARES for f in flags(every, compared, first, share)),
        timing=timing(every, np.asarray(walked.forecasts[EVERY][walked.served].below_good)),
        splits=walked.splits,
        fits=walked.fits,
    )
