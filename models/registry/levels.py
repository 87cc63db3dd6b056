"""The level of a stored model, kept beside it: moved by judgements as they are published, read as of a day.

    models/<name>/<version>/levels/2026-05-04-012.json      every judgement fed so far, by whom, and the level it gives
    models/<name>/<version>/levels/2026-05-04-012.skops     the model at that level: it alone reproduces what is served

A level once written never changes. A month reads the newest level that was written by its cut-off, so a month that is
run again gives the same result. The first level is the model's own, from its training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from features.errors import ModelError
from features.frameworks import (
    USUAL_TO_PUBLICATION,
    counting_frameworks,
    framework_of,
    frameworks_sharing_level,
    newest_level,
)
from models.learning.level import Judged
from models.learning.trained import TrainedModel
from models.registry.versions import ALLOWED_TYPES, PREFIX, Objects, opened, read_model_json, read_object
from models.score import ModelRef

_FORMAT = 1


@dataclass(frozen=True, slots=True, order=True)
class FedJudgement:
    """A published judgement of one council, with what the level needs of it."""

    published: date
    la_code: str
    below_good: bool
    framework: str = ""
    """If empty, the framework is found from the day of publication."""


def feed(
    store: Objects,
    model: TrainedModel,
    judgements: Iterable[FedJudgement],
    on: date,
    by: str,
) -> tuple[TrainedModel, int]:
    """Move the model's level by the new ones of these judgements and store it; also returns how many were new.

    `model`: as it was trained. A judgement is new if it came after those the model was trained on and was not fed
    before. Its framework must count, and the model must know the council. If there is nothing new, nothing moves and
    nothing is written. The first judgement of a framework that begins a new level begins it here too; what was fed of
    the earlier level stays in the list and no longer counts.
    """
    kept = _newest(store, model.ref, None)
    before = set() if kept is None else {_judgement(row) for row in kept["judgements"]}
    after = model.estimator.level.to
    mine = {j for j in judgements if _counts(j, model) and (after is None or j.published > after)}
    fed = sorted(before | {j for j in mine if not any(_same(j, b) for b in before)})
    new = len(fed) - len(before)
    moved = _moved(model, fed)
    if new:
        _write(store, moved, fed, on, by)
    return moved, new


def at_known_level(store: Objects, model: TrainedModel, known_by: date | None = None) -> TrainedModel:
    """The model at the newest level that had been written by a day; at the level of its training if there is none.

    Raises ModelError if the level's files do not belong together.
    """
    kept = _newest(store, model.ref, known_by)
    if kept is None:
        return model
    content = read_object(store, f"{kept['name']}.skops")
    if hashlib.sha256(content).hexdigest() != kept["skops"]:
        raise ModelError(f"{kept['name']}.skops is not the file that was stored: its fingerprint differs. Restore it.")
    estimator = opened(kept["name"], content, ALLOWED_TYPES)
    return replace(model, estimator=estimator, framework=kept["level"].get("framework", model.framework))


def fed_judgements(store: Objects) -> frozenset[FedJudgement]:
    """Every judgement that was fed to any stored model, from published files or by hand. Needs one listing."""
    newest: dict[str, str] = {}
    for name in sorted(str(o.name) for o in store.list(f"{PREFIX}/")):
        folder, found, _ = name.rpartition("/levels/")
        if found and name.endswith(".json"):
            newest[folder] = name
    rows = (row for name in newest.values() for row in read_model_json(store, name).get("judgements", ()))
    return frozenset(_judgement(row) for row in rows)


def _moved(model: TrainedModel, fed: Sequence[FedJudgement]) -> TrainedModel:
    framework = newest_level(
        [*frameworks_sharing_level(model.framework), *(_framework(j) for j in fed)], model.framework
    )
    of_level = [j for j in fed if _framework(j) in frameworks_sharing_level(framework)]
    return model.following([(j.la_code, Judged(j.published, 0.0, j.below_good)) for j in of_level], framework)


def _framework(judgement: FedJudgement) -> str:
    found = framework_of(None, judgement.published - USUAL_TO_PUBLICATION)
    return judgement.framework or (found.name if found else "")


def _counts(judgement: FedJudgement, model: TrainedModel) -> bool:
    return _framework(judgement) in counting_frameworks() and judgement.la_code in model.standing


def _same(one: FedJudgement, other: FedJudgement) -> bool:
    """Two statements about one council within a month are about the same inspection."""
    return one.la_code == other.la_code and abs((one.published - other.published).days) <= 31


def _write(store: Objects, model: TrainedModel, fed: Sequence[FedJudgement], on: date, by: str) -> None:
    import skops.io

    from models.learning.classifier import to_store

    level = model.estimator.level
    shown = {"mean": level.mean, "variance": level.variance, "judgements": level.judgements, "to": str(level.to)}
    name = f"{_prefix(model.ref)}{on}-{len(fed):03d}"
    content = skops.io.dumps(to_store(model.estimator))
    entry = {
        "format": _FORMAT,
        "written": str(on),
        "by": by,
        "level": {**shown, "framework": model.framework},
        "skops": hashlib.sha256(content).hexdigest(),
        "judgements": [[str(j.published), j.la_code, j.below_good, j.framework] for j in fed],
    }
    store.replace(f"{name}.skops", content)
    # The list is written last: without it the level does not count as stored.
    store.replace(f"{name}.json", (json.dumps(entry, indent=1) + "\n").encode(), content_type="application/json")


def _newest(store: Objects, ref: ModelRef, known_by: date | None) -> dict[str, Any] | None:
    names = sorted(str(o.name) for o in store.list(_prefix(ref)) if str(o.name).endswith(".json"))
    start = len(_prefix(ref))
    known = [n for n in names if known_by is None or n[start : start + 10] <= str(known_by)]
    if not known:
        return None
    found = read_model_json(store, known[-1])
    if found.get("format") != _FORMAT or "skops" not in found or "judgements" not in found:
        raise ModelError(f"{known[-1]} does not hold what it should. Restore the file.")
    return {**found, "name": known[-1].removesuffix(".json")}


def _judgement(row: Sequence[Any]) -> FedJudgement:
    return FedJudgement(date.fromisoformat(row[0]), str(row[1]), bool(row[2]), str(row[3]))


def _prefix(ref: ModelRef) -> str:
    return f"{PREFIX}/{ref.name}/{ref.version}/levels/"
