"""The estimators of version 0.1.0, kept so that models stored then can still be used; they are no longer trained."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator


class NeutralScaler(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """`centre_` and `scale_` of each figure, and the value at which scaled figures are clipped."""

    clip: float
    centre_: Any
    scale_: Any


class OrdinalRatings(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """`coef_`, and `cuts_` for each rating; the first rating, the impact of leaders, is the one forecast."""

    coef_: Any
    cuts_: Any
