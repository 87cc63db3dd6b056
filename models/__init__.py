"""Judgements and labels, temporal splits, estimators, back-test, registry: the evidence for a score."""
