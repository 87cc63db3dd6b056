"""`docs/model-card.md`: describes the shipped model for people who must decide whether to trust it, from its card."""

from __future__ import annotations

import json
from typing import Any

from models.registry.shipped import shipped_files


def page() -> str:
    """The whole page as Markdown, ending in a newline."""
    files = shipped_files()
    card: dict[str, Any] = json.loads(files["card.json"])
    title, _, body = files["card.md"].decode().partition("\n")
    checks = [
        f"| {c['name']} | {'yes' if c['passed'] else 'no'} | {c['figures']} |" for c in card["promotion"]["checks"]
    ]
    rule = "\n".join(["| Check | Passed | Figures |", "|---|---|---|", *checks])
    return (
        f"{title}\n\nWritten by `holdfast papers --write` from the card of the shipped model; a test "
        f"fails when this page and the model disagree.\n\n{body.strip()}\n\n"
        f"## The rule that allowed it to speak\n\n{rule}\n\n"
        "## The same tables with intervals, on your own copy of the published files\n\n"
        "```sh\nholdfast backtest --data public-data\n```\n"
    )
