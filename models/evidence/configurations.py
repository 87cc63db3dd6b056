"""Compares configurations of the model, walked forward, and counts them as tries.

    python -m models.evidence.configurations --data FOLDER [--asked-from DAY]

The first is the present recipe; the others differ from it in one thing. Differences are in mean log loss per
inspection, below 0 is better, with 95% intervals from resampled councils.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from models.judgements.asof import Variant
from models.judgements.design import Design, build_design
from models.learning.candidates import CANDIDATES, DEMAND, FLOW, LEVELS, PREVIOUS, RECIPE, Candidate, ordinal
from models.learning.level import Floats
from models.learning.metrics import auc, ends, log_losses, resample_counts
from models.learning.tries import count_tries
from models.learning.walkforward import QUESTIONS, WalkForward, walk_forward
from models.record import read_record

REVIEWS = "cp_reviews_in_time_rate__national_percentile"


@dataclass(frozen=True)
class Configuration:
    """A candidate, and the training rows it learns from."""

    name: str
    candidate: Candidate
    taught: Callable[[Design], Design] = lambda design: design


def first_day_only(design: Design) -> Design:
    """Give weight to first-day rows only, so each inspection teaches once; the questions stay the same."""
    alone = design.frame.with_columns(weight=pl.when(pl.col("months_before") == 0).then(1.0).otherwise(0.0))
    return replace(design, frame=alone)


def configurations() -> list[Configuration]:
    """The recipe, and variants that each differ from it in one thing."""

    def reading(name: str, columns: tuple[str, ...], **settings: float) -> Configuration:
        make = ordinal(settings.get("penalty", 8.0), settings.get("sd", 0.7), settings.get("half_life", 2.0))
        return Configuration(name, Candidate(name, "all", columns, make))

    without = (*LEVELS, *FLOW, *DEMAND)
    own = (*LEVELS, *FLOW, REVIEWS, *DEMAND)
    found = [Configuration("the recipe", RECIPE)]
    for reviews, measures in (("reviews", own), ("no reviews", without)):
        for subs in ((), ("previous_sub_mean",)):
            for deprivation in ((), ("imd_score",)):
                name = ", ".join([reviews, *("sub-judgements before" for _ in subs), *deprivation])
                found.append(reading(name, (*measures, *PREVIOUS, *subs, *deprivation)))
    columns = RECIPE.columns
    found += [reading(f"penalty {p:g}", columns, penalty=p) for p in (2.0, 4.0, 16.0, 32.0)]
    found += [
        reading("level not followed", columns, sd=0.0),
        reading("level SD 0.5", columns, sd=0.5),
        reading("level SD 1", columns, sd=1.0),
        reading("level half-life 1 year", columns, half_life=1.0),
        reading("level half-life 4 years", columns, half_life=4.0),
        Configuration("taught on the first day only", replace(RECIPE, name="first day only"), first_day_only),
    ]
    found += [Configuration(c.name, c) for c in CANDIDATES if c is not RECIPE]
    return found


def compare_configurations(design: Design, tried: Sequence[Configuration], asked_from: date) -> str:
    """One line per configuration and question: AUC, log loss, and the difference in log loss from the first."""
    walked = [walk_forward(c.taught(design), [replace(c.candidate, name=c.name)], asked_from=asked_from) for c in tried]
    lines = []
    for question in QUESTIONS:
        rows = walked[0].rows[question]
        y = rows["below_good"].to_numpy()
        counts = resample_counts(rows["la_code"].to_numpy(), 1000)
        first = log_losses(y, _of(walked[0], question))
        lines += ["", f"{question}: {rows.height} rows, {int(y.sum())} below good"]
        for one, found in zip(tried, walked, strict=True):
            p = _of(found, question)
            loss = log_losses(y, p)
            drawn = ends((counts @ (loss - first)) / counts.sum(axis=1))
            apart = "" if drawn is None else f"{float(np.mean(loss - first)):+.4f} [{drawn[0]:+.4f}, {drawn[1]:+.4f}]"
            lines.append(
                f"  {one.name:44} AUC {auc(y, p):.3f}  LL {float(np.mean(loss)):.4f}  {apart}  expected {p.sum():.0f}"
            )
    return "\n".join(lines)


def _of(walked: WalkForward, question: str) -> Floats:
    return next(iter(walked.forecasts[question].values())).below_good


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison, print it and count it as tries."""
    parser = argparse.ArgumentParser(prog="python -m models.evidence.configurations", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--asked-from", type=date.fromisoformat, default=date(2018, 1, 1))
    options = parser.parse_args(arguments)
    tried = configurations()
    design = build_design(read_record(options.data), Variant.OWN_DATA_AT_ONCE)
    last = design.frame["published"].max()
    what = f"neighbours of a recipe of {len(RECIPE.columns)} columns"
    total = count_tries("models.evidence.configurations", what, [c.name for c in tried], f"to {last!s}")
    sys.stdout.write(f"{compare_configurations(design, tried, options.asked_from)}\n\n{total} tries counted in all.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
