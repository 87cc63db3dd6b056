"""Results on judgements made after the recipe was written down, kept unchanged for the card, README and papers.

holdfast evaluate --data FOLDER --published-from 2024-01-01 --json evaluation.json
python -m models.evidence.held_out evaluation.json > models/evidence/held_out.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Name and estimator of what was looked at; of any other model the look says nothing.
LOOKED_AT = ("the model", "BelowGoodClassifier")
_FILE = Path(__file__).with_name("held_out.json")


def held_out() -> dict[str, Any]:
    """The held-out results: questions, years and coverage by variant; `before` is the same for the earlier record."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def shortened(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that papers quote, from the JSON of an evaluation."""
    return {
        "what": evaluation["what"],
        "tries": evaluation["tries"],
        "variants": {
            variant["variant"]: {
                "questions": {
                    table["question"]: {
                        "n": table["n"],
                        "positives": table["positives"],
                        "forecasts": {row["forecast"]: _figures(row) for row in table["rows"]},
                    }
                    for table in variant["tables"]
                },
                "years": [{k: y[k] for k in ("year", "n", "expected", "observed")} for y in variant["years"]],
                "level": variant["level"],
                "coverage": variant["coverage"],
            }
            for variant in evaluation["variants"]
        },
    }


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    metrics = row["metrics"]
    return {
        "auc": metrics["auc"],
        "auc_interval": row["intervals"].get("auc"),
        "auc_gain": row["auc_gain"],
        "brier_skill": metrics["brier_skill"],
        "loss_gain": row["loss_gain"],
        "expected": metrics["expected"],
        "fifth": metrics["fifth"]["precision"],
    }


if __name__ == "__main__":
    look, before = (shortened(json.loads(Path(file).read_text(encoding="utf-8"))) for file in sys.argv[1:3])
    sys.stdout.write(json.dumps({**look, "before": before}, indent=1, ensure_ascii=False) + "\n")
