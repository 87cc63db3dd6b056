"""Words that no director, officer or approver should have to know, and words that would overstate or blame."""

from __future__ import annotations

import re

JARGON = (
    "walk-forward",
    "back-test",
    "backtest",
    "own data at once",
    "xmr",
    "process-behaviour",
    "log-odds",
    "percentile",
    "probability",
    "baseline year",
    "sha256",
    "schema",
    "quarantin",
    "ingest",
    "signals since",
    "0 errors",
    "0 queries",
    "p-value",
    "calibrat",
    "auc",
    "classifier",
    "z-score",
    "numerator",
    "denominator",
    "dataframe",
    "digest",
    "rules 6",
)
BLAME = (
    "blame",
    "your fault",
    "unacceptable",
    "guilty",
    "alarming",
    "failing council",
    "must immediately",
    "poor performance",
)


def refused_in(text: str) -> list[str]:
    """The refused words that stand in a text."""
    found = text.lower()
    return [w for w in (*JARGON, *BLAME) if re.search(rf"\b{re.escape(w)}", found)]
