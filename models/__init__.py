"""Judgements and labels, temporal splits, estimators, back-test, registry: the evidence for a score."""

#: The modules that other rooms may import, besides the package itself; everything else is private to it.
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
    "record.judgements",
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
