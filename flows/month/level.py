"""Updates the level of the model in use with judgements from the stored published files, or from a list by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from features.errors import ReferenceDataError
from features.frameworks import GOOD, judgement_written, undeclared_note
from features.words import count_words
from flows.store import Store
from models.judgements.labels import graded
from models.learning.trained import TrainedModel
from models.record import read_reports
from models.registry.levels import FedJudgement, feed

COLUMNS = ("la_code", "published", "impact_of_leaders")


def judgements_of_record(folder: Path) -> tuple[list[FedJudgement], tuple[str, ...]]:
    """Every judgement in a folder of published files, and a sentence on each report of an undeclared framework.

    Raises ReferenceDataError.
    """
    read = read_reports(folder)
    rows = graded(read.judgements).iter_rows(named=True)
    found = [FedJudgement(r["published"], r["la_code"], r["grade"] > GOOD, r["framework"]) for r in rows]
    return found, tuple(read.undeclared)


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
        try:
            day = date.fromisoformat((row["published"] or "").strip())
        except ValueError:
            raise ReferenceDataError(f"{where}, line {line}, published: write the day as YYYY-MM-DD.") from None
        try:
            judgement = judgement_written(day, row["impact_of_leaders"] or "")
        except ReferenceDataError as error:
            raise ReferenceDataError(f"{where}, line {line}, impact_of_leaders: {error}") from None
        code, framework, grade = (row["la_code"] or "").strip(), judgement.framework, judgement.grade
        if framework is None or grade is None:
            raise ReferenceDataError(undeclared_note(f"{where}, line {line}, {code}", day))
        found.append(FedJudgement(day, code, grade > GOOD, framework.name))
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
    judged = count_words(known.judgements, "judgement", "judgements")
    return (
        f"Level from {judged} to {known.to}{fresh}, {known.framework}: of any ten councils in "
        f"England about {model.of_ten(0.5).any_ten} were judged below good at their next inspection."
    )
