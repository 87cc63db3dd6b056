"""Training: estimators, their settings, walk-forward choice, promotion."""
