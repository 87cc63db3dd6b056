"""Tries the alert rules on made-up regions: the whole chain from records to decisions, month by month, without files.

The onset of difficulty is known here because it was made up. The results describe these rules, this model and these
invented councils. They check the machinery and show its trade-offs, but say nothing about England.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from features.comparing.context import context
from features.comparing.panel import compute_features
from features.counting.records import CASE_STATE, RECEIVED, WORKER_STATE, count
from features.frames import NATIONAL, REASONS, counts_schema
from features.frameworks import INADEQUATE
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures, monthly_points
from features.measuring.sight import EXTRACT_LOG, compute_sight
from features.months import Month, london_day, month_range, nth_working_day
from features.registry import Kind
from flows.alerts.facts import facts_by_council
from flows.cli.alert_histories import CouncilHistory, MonthSeen, Simulation, simulate, simulation_table, trade_off
from flows.cli.alert_rivals import RivalTally, tally, tally_table
from flows.sample_region import Region, Storyline, as_canonical, generate, region
from flows.sample_region.landing import due_on, received_at
from flows.settings.alert_rules import AlertRules
from flows.settings.settings import IngestSettings
from models.learning.trained import TrainedModel
from models.scoring.score_month import score_month

#: Months before the first decision, because rates over twelve months need twelve.
WARM_UP_MONTHS = 13
#: `rank.watch_from` is tried at these distances from the rules' value. The other levels are moved by the same step.
_STEPS = (-0.15, -0.10, -0.05, 0.0, 0.05, 0.10)
_KINDS = (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD)
_STATES = {Kind.WORKFORCE: WORKER_STATE, Kind.CASELOAD: CASE_STATE}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """What a trial was run on, and its results."""

    made: Region
    decided_from: Month
    model: str
    rules: AlertRules
    histories: tuple[CouncilHistory, ...]
    result: Simulation
    curve: tuple[tuple[float, Simulation], ...]
    regions: int
    tallies: tuple[RivalTally, ...]
    """Results of the rules and their rivals over all regions."""

    @property
    def onsets(self) -> int:
        """How many councils' difficulty begins within the months decided."""
        return len(self.result.onset_to_alert_months)

    def to_text(self) -> str:
        """The figures for a terminal, after what they are based on."""
        made, result, rules = self.made, self.result, self.rules
        delays = sorted(m for m in result.onset_to_alert_months if m is not None)
        never = self.onsets - len(delays)
        per_year = result.per_council_year
        unlucky = sum(c.story.line is Storyline.BAD_LUCK for c in made.councils)
        middle = "none was found"
        if result.median_months_to_alert is not None:
            middle = f"median {result.median_months_to_alert:.1f}; each {', '.join(map(str, delays))}"
        return "\n".join(
            [
                f"{len(made.councils)} councils that do not exist, {self.decided_from} to {made.last}, "
                f"seed {made.seed}: {result.council_years:.0f} council-years, {self.onsets} onsets, "
                f"{unlucky} with a quarter of bad luck.",
                f"Model {self.model}; rules {rules.digest()}: watch from rank {rules.rank.watch_from:.2f} (rising from "
                f"{rules.drift.counts_from:.2f}), losing grip from {rules.rank.losing_grip_from:.2f}.",
                "",
                f"Onset to first alert, months: {middle}; {never} of {self.onsets} not found.",
                f"False alarms: {result.false_alarms} new alerts before an onset or without one, "
                f"{per_year(result.false_alarms):.2f} per council-year; "
                f"{result.false_share:.0%} of the months of councils not in difficulty were spent in an alert.",
                f"Flapping: {result.flaps} bands left and entered again within three months, "
                f"{per_year(result.flaps):.2f} per council-year.",
                f"Messages: {result.messages}, {per_year(result.messages):.2f} per council-year.",
                "",
                "The trade-off when every rank is moved together:",
                simulation_table(self.curve),
                "",
                f"The rules beside two rivals, over {self.regions} such regions (95% intervals over regions):",
                tally_table(self.tallies),
                "",
                f"With {self.onsets} onsets each figure is rough, and made-up councils drift as their maker thought "
                "they would. It shows what the rules trade for what, not how well they will do in England.",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The same figures as data for JSON."""
        return {
            "councils": len(self.made.councils),
            "seed": self.made.seed,
            "first": str(self.decided_from),
            "last": str(self.made.last),
            "model": self.model,
            "rules_digest": self.rules.digest(),
            "rules": self.rules.model_dump(mode="json"),
            **_figures(self.result),
            "regions": self.regions,
            "rivals": [asdict(one) for one in self.tallies],
            "trade_off": [{"watch_from": value, **_figures(s)} for value, s in self.curve],
        }


def _figures(s: Simulation) -> dict[str, Any]:
    return {
        "council_years": round(s.council_years, 3),
        "onsets": len(s.onset_to_alert_months),
        "found": s.found,
        "onset_to_alert_months": list(s.onset_to_alert_months),
        "median_months_to_alert": s.median_months_to_alert,
        "false_alarms": s.false_alarms,
        "false_alarms_per_council_year": round(s.per_council_year(s.false_alarms), 4),
        "share_of_quiet_months_alerting": round(s.false_share, 4),
        "flaps": s.flaps,
        "flaps_per_council_year": round(s.per_council_year(s.flaps), 4),
        "messages": s.messages,
        "messages_per_council_year": round(s.per_council_year(s.messages), 4),
    }


def try_rules(
    model: TrainedModel,
    rules: AlertRules,
    *,
    councils: int,
    months: int,
    seed: int,
    last: Month,
    regions: int = 1,
    progress: Tell = lambda _: None,
) -> Trial:
    """Make regions, measure and score their months, and run the rules and their rivals over them.

    The thresholds near the rules' own are tried on the first region; the rivals are compared on all. `months` is the
    number of months decided; a year before them is made as well. `regions` is the number of regions, one per seed.
    Raises HoldfastError for a size out of reach.
    """
    every = []
    for number in range(seed, seed + regions):
        if regions > 1:
            progress(f"Region {number - seed + 1} of {regions}, seed {number}")
        one = region(councils, months + WARM_UP_MONTHS - 1, number, last)
        every.append((one, histories_of(one, region_features(one, model, progress), model, progress)))
    made, histories = every[0]
    progress("Running the rules")
    curve = trade_off(histories, rules, [round(rules.rank.watch_from + step, 4) for step in _STEPS])
    return Trial(
        made=made,
        decided_from=made.first.plus(WARM_UP_MONTHS - 1),
        model=f"{model.ref.name} {model.ref.version}",
        rules=rules,
        histories=histories,
        result=simulate(histories, rules),
        curve=tuple(curve),
        regions=regions,
        tallies=tally([found for _, found in every], rules),
    )


def region_features(made: Region, model: TrainedModel, progress: Tell) -> pl.DataFrame:
    """FEATURES_SCHEMA of every month of the region, from its records, each received when its council sends it."""
    counts: dict[Kind, list[pl.DataFrame]] = {kind: [] for kind in _KINDS}
    reasons = [REASONS.to_frame()]
    states: dict[Kind, pl.DataFrame | None] = {kind: None for kind in _STATES}
    for shown in generate(made):
        if shown.month.number == 1 or shown.month == made.first:
            progress(f"Making up and counting {shown.month.year}")
        received = _received(made, shown.month)
        for kind in _KINDS:
            counted = count(kind, as_canonical(shown.frames[kind], kind), shown.month, states.get(kind), received)
            counts[kind].append(counted.counts)
            reasons.append(counted.reasons)
            if kind in states:
                states[kind] = counted.state
    progress("Measuring")
    register, cutoff = made.register, _cutoff(made.last)
    inputs, absent = build_inputs(
        {kind: pl.concat([counts_schema(kind).to_frame(), *frames]) for kind, frames in counts.items()},
        register,
        made.first,
        made.last,
        cutoff,
        count_reasons=pl.concat(reasons),
    )
    sight = compute_sight(_log(made), {m: _cutoff(m) for m in month_range(made.first, made.last)})
    measures = pl.concat([compute_measures(inputs, absent), sight]).sort("la_code", "month", "measure")
    return compute_features(
        measures,
        register.neighbours_frame(),
        model.reference.select(list(NATIONAL)),
        as_of_day=cutoff,
        points=monthly_points(inputs),
    )


def histories_of(
    made: Region, features: pl.DataFrame, model: TrainedModel, progress: Tell
) -> tuple[CouncilHistory, ...]:
    """Every council's scores and signals in the months decided, and the month in which its difficulty began."""
    codes = tuple(c.la_code for c in made.councils)
    seen: dict[str, list[MonthSeen]] = {code: [] for code in codes}
    progress("Scoring")
    for month in month_range(made.first.plus(WARM_UP_MONTHS - 1), made.last):
        cutoff = _cutoff(month)
        known = features.filter(pl.col("month") == month.last_day)
        scores = {s.la_code: s for s in score_month(model, known, context(made.register, cutoff), month, cutoff)}
        facts = facts_by_council(known, codes, month, chart_months=1)
        for one in made.councils:
            judgement = one.council.judged_by(cutoff)
            inadequate = judgement is not None and judgement.grade == INADEQUATE
            seen[one.la_code].append(MonthSeen(scores[one.la_code], facts[one.la_code].signals, inadequate))
    return tuple(CouncilHistory(c.la_code, tuple(seen[c.la_code]), c.story.onset) for c in made.councils)


def _cutoff(month: Month) -> date:
    return nth_working_day(month.plus(1), IngestSettings().cutoff_working_day)


def _received(made: Region, month: Month) -> pl.DataFrame:
    rows = [(c.la_code, london_day(received_at(c, month, made.last)), "") for c in made.councils]
    return pl.DataFrame(rows, schema=RECEIVED, orient="row")


def _log(made: Region) -> pl.DataFrame:
    """EXTRACT_LOG of the region: councils send on time, or late if they have lost sight of their figures."""
    rows: Sequence[tuple[object, ...]] = [
        (c.la_code, m.last_day, str(kind), due_on(m), london_day(received_at(c, m, made.last)), "accepted", None)
        for m in month_range(made.first, made.last)
        for c in made.councils
        for kind in _KINDS
    ]
    return pl.DataFrame(rows, schema=EXTRACT_LOG, orient="row")
