"""Updates the level of the model in use with judgements from the stored published files, or from a list by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from features.councils import GRADES
from features.errors import ReferenceDataError
from flows.store import Store
from models.judgements.labels import GOOD, graded
from models.learning.trained import TrainedModel
from models.record import read_record
from models.registry.levels import FedJudgement, feed

COLUMNS = ("la_code", "published", "impact_of_leaders")


def judgements_of_record(folder: Path) -> list[FedJudgement]:
    """Every judgement in a folder of published files. Raises ReferenceDataError."""
    rows = graded(read_record(folder).judgements).iter_rows(named=True)
    return [FedJudgement(r["published"], r["la_code"], r["grade"] > GOOD, r["framework"]) for r in rows]


def judgements_by_hand(text: str, where: str) -> list[FedJudgement]:
    """Judgements from CSV text with the columns `la_code,published,impact_of_leaders`.

    Raises ReferenceDataError naming file, line and column.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
    if missing:
        raise ReferenceDataError(f"{where}: the list of judgements lacks the columns {', '.join(missing)}.")
    found = []
    for line, row in enumerate(reader, start=2):
        grade = (row["impact_of_leaders"] or "").strip()
        if grade not in GRADES:
            raise ReferenceDataError(
                f"{where}, line {line}, impact_of_leaders: this is no grade; use one of {', '.join(GRADES)}."
            )
        try:
            day = date.fromisoformat((row["published"] or "").strip())
        except ValueError:
            raise ReferenceDataError(f"{where}, line {line}, published: write the day as YYYY-MM-DD.") from None
        found.append(FedJudgement(day, (row["la_code"] or "").strip(), GRADES[grade] > GOOD))
    return found


def follow_level(
    store: Store, model: TrainedModel, judgements: Iterable[FedJudgement], on: date, by: str
) -> tuple[TrainedModel, str]:
    """Update the level of a model, given as trained, with these judgements and store it. Also returns a sentence."""
    moved, new = feed(store, model, judgements, on, by)
    return moved, level_sentence(moved, new)


def level_sentence(model: TrainedModel, new: int = 0) -> str:
    """“Level from 312 judgements to 2026-05-01 (18 new): of any ten councils in England about 2 …”."""
    known = model.level_known()
    if known is None:
        return f"{model.ref.name} {model.ref.version} follows no level."
    fresh = f" ({new} new)" if new else ""
    return (
        f"Level from {known.judgements} judgements to {known.to}{fresh}, {known.framework}: of any ten councils in "
        f"England about {model.of_ten(0.5).any_ten} were judged below good at their next inspection."
    )
