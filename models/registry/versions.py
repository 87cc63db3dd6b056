"""Models in the object store: what a version holds, and how it is checked on loading, promoted and rolled back.

`models/<name>/<version>/` holds the estimator (skops, loaded against a pinned list of types), the rest of the model,
the reference distribution, the provenance with the hash of every other file, and the card. A version, once written,
never changes. `models/<name>/current.json` names the version in use and the one before it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from features.errors import ModelError
from features.frames import NATIONAL, conform
from features.private_files import write_private
from models.learning.trained import TrainedModel
from models.registry.plain import CLASSIFIER, plain_classifier
from models.score import ModelRef
from models.scorer import Scorer

if TYPE_CHECKING:
    from models.learning.promotion import Verdict

PREFIX = "models"
#: The only types a model file may hold besides those skops itself trusts. Pinned: a file's own list is never trusted.
ALLOWED_TYPES = (
    CLASSIFIER,
    "models.learning.serving.WithLevel",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
#: The types for version 0.1.0, whose models hold a scaler and an ordinal regression and have format 1.
ALLOWED_TYPES_1 = ("models.learning.estimators.NeutralScaler", "models.learning.estimators.OrdinalRatings")
FORMAT = 2
_FILES = ("model.skops", "model.json", "reference.parquet", "card.md", "card.json")
#: Libraries whose first two version numbers must be the same as when the model was stored.
_SAME_MINOR = ("scikit-learn", "skops")


class Objects(Protocol):
    """What the registry needs from an object store; `flows.store.port.Store` provides it."""

    def read(self, name: str) -> bytes: ...

    def list(self, prefix: str = "") -> Iterator[Any]: ...

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None: ...

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None: ...


class FolderObjects:
    """A folder used as an object store, for the models in the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes:
        """The file of that name; raises ModelError if there is none."""
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise ModelError(f"There is no model file {name} in {self.root.name}.") from error

    def list(self, prefix: str = "") -> Iterator[Any]:
        """Files whose name starts with `prefix`, as objects with a `name`."""
        names = sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())
        return iter([_Name(n) for n in names if n.startswith(prefix)])

    def create(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write a file that is not there yet; raises ModelError if it is."""
        if (self.root / name).exists():
            raise ModelError(f"{name} exists already; a model version is never changed.")
        self.replace(name, content, content_type=content_type)

    def replace(self, name: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write to a temporary file, then move it into place."""
        path = self.root / name
        write_private(path, content)


class _Name:
    def __init__(self, name: str) -> None:
        self.name = name


def save(store: Objects, model: TrainedModel, verdict: Verdict) -> str:
    """Write a version and return its prefix. The provenance is written last: without it there is no version.

    Raises ModelError if it could not be loaded again, and the store's own error if the version exists.
    """
    import skops.io

    from models.learning.classifier import to_store
    from models.registry.card import card_json, card_text

    prefix = _prefix(model.ref.name, model.ref.version)
    estimator = skops.io.dumps(to_store(model.estimator))
    if foreign := sorted(set(skops.io.get_untrusted_types(data=estimator)) - set(ALLOWED_TYPES)):
        raise ModelError(
            f"The model is a {model.run['estimator']}, whose file would hold types that are not trusted: "
            f"{', '.join(foreign)}. If they may be, add them to ALLOWED_TYPES in models/registry/versions.py and train "
            "again."
        )
    contents = {
        "model.skops": estimator,
        "model.json": _json(_state(model)),
        "reference.parquet": _parquet(model.reference),
        "card.md": card_text(model, verdict).encode(),
        "card.json": _json(card_json(model, verdict)),
    }
    for name, content in contents.items():
        store.create(f"{prefix}/{name}", content)
    provenance = {
        "format": FORMAT,
        "name": model.ref.name,
        "version": model.ref.version,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        "promotion": {**asdict(verdict), "promoted": verdict.promoted},
        "run": model.run,
    }
    store.create(f"{prefix}/provenance.json", _json(provenance), content_type="application/json")
    return prefix


def load(store: Objects, name: str, version: str | None = None) -> TrainedModel:
    """Load a version, by default the current one, after checking hashes, types and library versions.

    Raises ModelError if anything is missing, altered, foreign or from other library versions.
    """
    ref = ModelRef(name, version if version is not None else current(store, name))
    prefix = _prefix(ref.name, ref.version)
    provenance = read_model_json(store, f"{prefix}/provenance.json")
    form = provenance.get("format")
    if form not in (1, FORMAT):
        raise ModelError(
            f"{prefix}/provenance.json has format {form}; this version reads {FORMAT} and 1. Restore the file."
        )
    try:
        hashes, libraries = dict(provenance["files"]), dict(provenance["run"]["libraries"])
    except (KeyError, TypeError, ValueError):
        raise ModelError(f"{prefix}/provenance.json does not hold what it should. Restore the file.") from None
    contents = {}
    for file in _FILES:
        content = read_object(store, f"{prefix}/{file}")
        if hashlib.sha256(content).hexdigest() != hashes.get(file):
            raise ModelError(f"{prefix}/{file} is not the file that was stored: its fingerprint differs. Restore it.")
        contents[file] = content
    _check_libraries(prefix, libraries)
    state = json.loads(contents["model.json"])
    if form == 1:
        from models.registry.first_format import of_format_1

        estimator, standing = of_format_1(opened(prefix, contents["model.skops"], ALLOWED_TYPES_1), state)
    else:
        estimator, standing = opened(prefix, contents["model.skops"], ALLOWED_TYPES), state["standing"]
    if not isinstance(estimator, Scorer):
        raise ModelError(f"{prefix}/model.skops is no Holdfast model: it holds a {type(estimator).__name__}.")
    return TrainedModel(
        ref=ref,
        estimator=estimator,
        standing=standing,
        track_forecast=np.array(state["track"]["forecast"]),
        track_outcome=np.array(state["track"]["outcome"], dtype=np.bool_),
        track_basis=state["track"]["basis"],
        reference=conform(pl.read_parquet(io.BytesIO(contents["reference.parquet"])), NATIONAL, "reference"),
        run=provenance["run"],
        framework=state.get("framework", "ILACS"),
    )


def versions(store: Objects, name: str) -> tuple[str, ...]:
    """Complete versions of a model, oldest first."""
    start, end = f"{PREFIX}/{name}/", "/provenance.json"
    names = (str(o.name) for o in store.list(start))
    return tuple(sorted(n[len(start) : -len(end)] for n in names if n.endswith(end)))


def current(store: Objects, name: str) -> str:
    """The version in use; raises ModelError if none was promoted."""
    pointer = read_model_json(store, f"{PREFIX}/{name}/current.json")
    if "version" not in pointer:
        raise ModelError(f"{PREFIX}/{name}/current.json does not name a version. Restore the file.")
    return str(pointer["version"])


def promote(
    store: Objects, ref: ModelRef, verdict: Verdict, on: date, by: str, reason: str, override: bool = False
) -> None:
    """Make a version the current one if the rule allows it; raises ModelError with the reasons if not.

    `override` promotes against the rule; this, the person and the reason are recorded.
    """
    if ref.version not in versions(store, ref.name):
        raise ModelError(f"There is no complete version {ref.version} of {ref.name} to promote.")
    if not verdict.promoted and not override:
        raise ModelError(f"{ref.name} {ref.version} was refused. {verdict.sentence}")
    _point(
        store,
        ref,
        {"on": str(on), "by": by, "reason": reason, "rule": verdict.rule, "against_the_rule": not verdict.promoted},
    )


def verdict_of(store: Objects, ref: ModelRef) -> Verdict:
    """The promotion rule's decision on a stored version when it was trained."""
    from models.learning.promotion import PromotionCheck, Verdict

    said = read_model_json(store, f"{_prefix(ref.name, ref.version)}/provenance.json")["promotion"]
    return Verdict(said["rule"], tuple(PromotionCheck(**check) for check in said["checks"]))


def roll_back(store: Objects, name: str, on: date, by: str, reason: str) -> ModelRef:
    """Make the version before the current one current again; raises ModelError if there was none."""
    pointer = read_model_json(store, f"{PREFIX}/{name}/current.json")
    earlier = [h["version"] for h in pointer["history"] if h["version"] != pointer["version"]]
    if not earlier:
        raise ModelError(f"{name} has no earlier version to go back to.")
    ref = ModelRef(name, earlier[-1])
    _point(store, ref, {"on": str(on), "by": by, "reason": f"roll-back: {reason}"})
    return ref


def _point(store: Objects, ref: ModelRef, entry: dict[str, Any]) -> None:
    name = f"{PREFIX}/{ref.name}/current.json"
    history: list[Any] = []
    if any(str(o.name) == name for o in store.list(name)):
        history = read_model_json(store, name)["history"]
    pointer = {"version": ref.version, "history": [*history, {"version": ref.version, **entry}]}
    store.replace(name, _json(pointer), content_type="application/json")


def _prefix(name: str, version: str) -> str:
    return f"{PREFIX}/{name}/{version}"


def _state(model: TrainedModel) -> dict[str, Any]:
    return {
        "standing": dict(sorted(model.standing.items())),
        "framework": model.framework,
        "track": {
            "forecast": np.round(model.track_forecast, 6).tolist(),
            "outcome": model.track_outcome.astype(int).tolist(),
            "basis": model.track_basis,
        },
    }


def opened(prefix: str, content: bytes, trusted: Sequence[str]) -> Any:
    """Load an estimator from a model file, with trusted types only; raises ModelError."""
    plain = plain_classifier(content) if CLASSIFIER in trusted else None
    if plain is not None:
        return plain
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(_with_present_modules(content), trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{prefix}/model.skops holds types that no Holdfast model has; it was not opened.") from error
    except Exception as error:  # truncated or foreign files fail in many ways, all meaning the same
        raise ModelError(f"{prefix}/model.skops is not a readable model file ({type(error).__name__}).") from error


def _with_present_modules(content: bytes) -> bytes:
    """The model file with today's module paths: version 0.1.0 had the estimators in `models.estimators`."""
    given = zipfile.ZipFile(io.BytesIO(content))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as renamed:
        for name in given.namelist():
            part = given.read(name)
            if name == "schema.json":
                part = part.replace(b'"models.estimators"', b'"models.learning.estimators"')
            renamed.writestr(name, part)
    return out.getvalue()


def _check_libraries(prefix: str, stored: dict[str, str]) -> None:
    for name in _SAME_MINOR:
        here = installed(name)
        if stored.get(name, "").split(".")[:2] != here.split(".")[:2]:
            raise ModelError(
                f"Model {prefix} was stored with {name} {stored.get(name, 'unknown')}, here is {here}. "
                "Install the locked versions, or train again."
            )


def read_object(store: Objects, name: str) -> bytes:
    """An object of the store; raises ModelError with its name."""
    try:
        return store.read(name)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"The model file {name} cannot be read ({type(error).__name__}): {error}") from error


def read_model_json(store: Objects, name: str) -> dict[str, Any]:
    """A JSON object of the store; raises ModelError with its name."""
    try:
        found = json.loads(read_object(store, name))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name} is not readable JSON. Restore the file.") from error
    if not isinstance(found, dict):
        raise ModelError(f"{name} does not hold what it should. Restore the file.")
    return found


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out, compression="zstd", statistics=False)
    return out.getvalue()
