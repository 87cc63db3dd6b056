"""Reads models stored by version 0.1.0 as today's classifier: the same numbers, from the same sums.

They have no level and no standing of England's councils. So their level is not followed, and councils are ranked among
the back-test's forecasts, the nearest substitute that is stored with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import logit

from models.learning.classifier import BelowGoodClassifier
from models.learning.level import Level


def of_format_1(pipeline: Any, state: Mapping[str, Any]) -> tuple[Any, dict[str, float]]:
    """The classifier and its standing; another format's pipeline is returned as it is, for the caller to refuse."""
    steps = getattr(pipeline, "named_steps", {})
    if list(steps) != ["scale", "ordinal"]:
        return pipeline, {}
    scaler, ordinal = steps["scale"], steps["ordinal"]
    below, inadequate = state["shift"]
    coefficients = np.array(state["spread"]["coef"])
    model = BelowGoodClassifier(clip=scaler.clip, level_sd=0.0)
    model.classes_ = np.array([1, 2, 3, 4])
    model.n_features_in_ = len(state["columns"])
    model.feature_names_in_ = np.array(state["columns"], dtype=object)
    model.centre_, model.scale_, model.coef_ = scaler.centre_, scaler.scale_, ordinal.coef_
    first, good, worst = ordinal.cuts_[0]
    model.cuts_ = np.maximum.accumulate([first - below, good - below, worst - inadequate])
    model.coef_covariance_ = np.cov(coefficients, rowvar=False) * state["spread"]["widening"] ** 2
    forecasts = np.clip(np.array(state["track"]["forecast"]), 1e-6, 1 - 1e-6)
    return model.at_level(Level()), {str(i): float(odds) for i, odds in enumerate(logit(forecasts))}
