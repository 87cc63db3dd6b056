"""Judgements and labels, temporal splits, estimators, back-test, registry: the evidence for a score."""

#: What other rooms may import, besides the room's own name; the rest is its own.
DOOR = (
    "evidence.backtest",
    "evidence.evaluate",
    "judgements.asof",
    "judgements.design",
    "judgements.labels",
    "judgements.own_history",
    "learning.trained",
    "learning.training",
    "record",
    "record.cells",
    "record.figures",
    "record.identity",
    "record.layouts",
    "record.places",
    "record.read",
    "record.tables",
    "registry.levels",
    "registry.shipped",
    "registry.versions",
    "score",
    "scoring.score_month",
    "scoring.wording",
)
