"""`docs/model-card.md`: the shipped model for people who must decide whether to trust it, from its card alone."""

from __future__ import annotations

import json
from typing import Any

from models.registry.shipped import shipped_files

_CHOSEN = "chosen on earlier years"
#: What the chosen forecast is laid beside, simplest first.
_BESIDE = ("base rate", "agency rate", "previous judgement", "deprivation and previous judgement")


def page() -> str:
    """The whole page as Markdown, ending in a newline."""
    files = shipped_files()
    card: dict[str, Any] = json.loads(files["card.json"])
    title, _, body = files["card.md"].decode().partition("\n")
    summary = _summary(card)
    details = body.strip().replace("\n## ", "\n### ")
    return (
        f"{title}\n\nWritten by `holdfast papers --write` from the card of the shipped model; a test "
        f"fails when this page and the model disagree.\n\n"
        f"{summary}\n\n## The card as it travels with the model\n\n{details}\n"
    )


def _summary(card: dict[str, Any]) -> str:
    run = card["run"]
    chosen, found = run["candidates"][_CHOSEN], run["walk_forward"]
    tenth = chosen["tenth"]
    rows = [
        f"| {name} | {run['candidates'][name]['auc']:.2f} | {run['candidates'][name]['tenth']['precision']:.2f} | "
        f"{run['candidates'][name]['brier_skill']:.2f} |"
        for name in (*_BESIDE, _CHOSEN)
    ]
    decline = found["decline"]
    checks = [
        f"| {c['name']} | {'yes' if c['passed'] else 'no'} | {c['figures']} |" for c in card["promotion"]["checks"]
    ]
    return "\n".join(
        [
            "## In short",
            "",
            f"Of {chosen['n']} inspections it had not seen, {chosen['positives']} ended below good. Take an inspection "
            "that did and one that did not: the model gives the first the higher score "
            f"{chosen['auc'] * 100:.0f} times in 100 (AUC; 50 is chance). Of the {tenth['flagged']} inspections it put "
            f"highest, {tenth['precision'] * tenth['flagged']:.0f} ended below good.",
            "",
            "| Forecast | AUC | Share below good among the riskiest tenth | Brier skill |",
            "|---|---|---|---|",
            *rows,
            "",
            f"It expected {chosen['expected']:.0f} below good and {chosen['positives']} were. It says little about "
            f"“inadequate” (AUC {found['inadequate']['auc']:.2f})."
            + (
                f" Of {decline['n']} inspections of good councils {decline['positives']} ended in a decline; "
                f"it orders them with AUC {decline['auc']:.2f}."
                if decline
                else ""
            ),
            "",
            "The rule that allowed it to speak:",
            "",
            "| Check | Passed | Figures |",
            "|---|---|---|",
            *checks,
            "",
            "The same table with intervals, on your own copy of the published files:",
            "",
            "```sh",
            "holdfast backtest --data public-data",
            "```",
        ]
    )
