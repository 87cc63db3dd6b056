"""Decides whether retraining is due: it is if the stored files have figures that the model in use does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from features.words import count_words
from flows.published.changes import in_words
from flows.published.shelf import Version
from flows.settings.published_sources import Holds
from models.learning.trained import TrainedModel

#: For each kind of file, a measure published from it. Its newest period in the model's reference distributions is the
#: newest year of that kind that the model has seen.
_MEASURE = {
    Holds.WORKFORCE: "agency_rate_fte",
    Holds.REFERRALS: "re_referral_rate",
    Holds.REPEAT_PLANS: "repeat_cp_plan_rate",
    Holds.LAIT: "assessments_in_time_rate",
}


def retraining_due(model: TrainedModel, in_use: Iterable[Version]) -> tuple[str, ...]:
    """Why the model should be trained again: one sentence for each stored file it does not know; empty if it knows all.

    A file counts if the model was not trained on it and if it has figures or judgements newer than the model's
    newest.
    """
    known = set(_mapping(model.run, "data").values())
    last_judgement = str(_mapping(model.run, "training").get("last_published", ""))
    said = []
    for version in in_use:
        if version.sha256 in known:
            continue
        new = _new_to(model, last_judgement, version)
        if new:
            said.append(f"{version.source}: {new}.")
    return tuple(said)


def advice(model: TrainedModel, due: tuple[str, ...]) -> str:
    """A sentence on what is new to the model and what to do, or that nothing is due."""
    name = f"{model.ref.name} {model.ref.version}"
    if not due:
        return f"Retraining is not due: {name} has seen everything that is stored."
    return (
        f"Retraining is due. {name} has not seen: {' '.join(due)} Run the deployment `train` with nothing filled "
        "in, or `holdfast reference export DIR` and then `holdfast train --data DIR --store`."
    )


def _new_to(model: TrainedModel, last_judgement: str, version: Version) -> str:
    contents = version.contents
    later = [j for j in contents.judgements if j[:10] > last_judgement]
    if later:
        count = count_words(len(later), "judgement", "judgements")
        return f"{count} published after {last_judgement or 'none'}, the last of {contents.last_judgement}"
    measure = _MEASURE.get(contents.holds)
    seen = _newest_year(model, measure) if measure else 0
    fresh = sorted(p for p in contents.periods if seen and _year(p) > seen)
    return f"figures for {in_words(fresh)}" if fresh else ""


def _newest_year(model: TrainedModel, measure: str) -> int:
    newest = model.reference.filter(pl.col("measure") == measure)["period_end"].max()
    return int(getattr(newest, "year", 0))


def _year(period: str) -> int:
    """The year in which a period ends: 2024 for `2024`, `RevCP 2024`, `202324` and `2023-24`."""
    digits = "".join(c for c in period.rpartition(" ")[2] if c.isdigit())
    return int(digits[:2] + digits[-2:]) if len(digits) >= 4 else 0


def _mapping(run: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = run.get(key)
    return found if isinstance(found, Mapping) else {}
