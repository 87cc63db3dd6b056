"""Loads the model in use and scores a month with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from expectations.fates import Fate
from features.comparing.context import context
from features.councils import Register
from features.months import Month
from flows.month.apart import fault_sentence, run_by_council
from flows.month.measure import Measured
from flows.settings.settings import Settings
from flows.store import Store
from models.learning.trained import TrainedModel
from models.registry.levels import at_known_level
from models.registry.shipped import shipped_model
from models.registry.versions import load
from models.score import Score
from models.scoring.score_month import score_month, unscored

#: The greatest age of a measure in a run on published returns: the children-in-need year ends in March, the
#: workforce year in September.
RETURNS_MAX_AGE_MONTHS = 12

#: The sentence that goes with every score.
CAUTION = "A score says how councils with such figures were later judged; it does not predict a grade."


def load_model(settings: Settings, store: Store, known_by: date | None = None) -> TrainedModel:
    """The shipped model, or the promoted version of the model that the settings name, at the level known by `known_by`.

    Raises ModelError.
    """
    return at_known_level(store, trained_model(settings, store), known_by)


def trained_model(settings: Settings, store: Store) -> TrainedModel:
    """The model in use, at the level it was trained at. Raises ModelError."""
    return shipped_model() if settings.model == "shipped" else load(store, settings.model)


def score_councils(
    model: TrainedModel, measured: Measured, register: Register, month: Month, cutoff: date, *, max_age_months: int = 0
) -> dict[str, Score]:
    """A score, or the reason for its absence, for every council that should report in the month."""
    valid = {c.la_code: c for c in register.valid_in(month)}
    about = context(register, cutoff)
    whole: dict[str, list[str]] = {}
    for one in (e for m in measured.manifests if m.month == month for e in m.extracts):
        if one.outcome is Fate.ACCEPTED and not one.withheld:
            whole.setdefault(one.la_code, []).append(str(one.kind))

    def score(councils: Sequence[str]) -> tuple[Score, ...]:
        own = about.filter(pl.col("la_code").is_in(list(councils)))
        return score_month(model, measured.features, own, month, cutoff, max_age_months, whole)

    done = run_by_council([code for code in valid if code not in measured.faults], score)
    why = {c: fault_sentence(valid[c], "scoring", error) for c, error in done.faults.items()}
    why |= {c: sentence for c, sentence in measured.faults.items() if c in valid}
    return {s.la_code: s for s in done.result} | {c: unscored(c, month, model.ref, w) for c, w in why.items()}
