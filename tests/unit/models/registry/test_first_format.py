"""A model of version 0.1.0 as today's classifier: each number of it by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from models.learning.level import Level
from models.registry.first_format import of_format_1

STATE: dict[str, Any] = {
    "shift": [0.2, 0.5],
    "columns": ["a", "b"],
    "spread": {"coef": [[1.0, 4.0], [3.0, 0.0], [2.0, 2.0]], "widening": 2.0},
    "track": {"forecast": [0.0, 0.5, 1.0]},
}


def _pipeline(cuts: list[float], *names: str) -> Any:
    scale = SimpleNamespace(clip=2.5, centre_=np.array([10.0, 1.0]), scale_=np.array([5.0, 2.0]))
    ordinal = SimpleNamespace(coef_=np.array([2.0, 3.0]), cuts_=np.array([cuts]))
    return SimpleNamespace(named_steps=dict(zip(names or ("scale", "ordinal"), (scale, ordinal), strict=True)))


def test_each_number_is_taken_over() -> None:
    model, standing = of_format_1(_pipeline([-1.0, 0.5, 2.0]), STATE)
    assert (model.clip, model.level_sd, model.good, model.n_features_in_) == (2.5, 0.0, 2, 2)
    assert model.classes_.tolist() == [1, 2, 3, 4] and list(model.feature_names_in_) == ["a", "b"]
    assert (model.centre_.tolist(), model.scale_.tolist(), model.coef_.tolist()) == ([10, 1], [5, 2], [2, 3])
    assert model.cuts_.tolist() == pytest.approx([-1.2, 0.3, 1.5])
    # The copies' covariance is [[1, -2], [-2, 4]], and their spread was widened to twice as much.
    assert model.coef_covariance_.tolist() == [[4, -8], [-8, 16]]
    assert model.level == Level()
    assert standing == pytest.approx({"0": logit(1e-6), "1": 0.0, "2": logit(1 - 1e-6)})


def test_a_cut_point_is_never_below_the_one_before() -> None:
    model, _ = of_format_1(_pipeline([-1.0, 0.5, 0.6]), STATE)
    assert model.cuts_.tolist() == pytest.approx([-1.2, 0.3, 0.3])


@pytest.mark.parametrize("other", [_pipeline([0, 1, 2], "ordinal", "scale"), object()])
def test_another_pipeline_is_left_to_the_caller(other: Any) -> None:
    assert of_format_1(other, STATE) == (other, {})
