"""What is stored comes back the same; what was altered, is foreign or from elsewhere does not come back at all."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import pickle
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from features.errors import ModelError
from models.evidence.held_out import held_out
from models.judgements.design import Design
from models.learning.candidates import BASELINE_TO_BEAT, BASELINES, RECIPE, Candidate
from models.learning.classifier import to_store
from models.learning.fitting import Forecast
from models.learning.metrics import auc
from models.learning.promotion import PromotionCheck, Verdict, judge
from models.learning.serving import WithLevel
from models.learning.trained import TrainedModel
from models.learning.training import ASKED_FROM, TrainingResult, against, train_design
from models.learning.tries import tried
from models.learning.walkforward import FIRST_DAY, QUESTIONS, walk_forward
from models.registry import shipped
from models.registry.card import ten_lines
from models.registry.levels import FedJudgement, at_known_level, feed
from models.registry.plain import CLASSIFIER, plain_classifier
from models.registry.shipped import shipped_model
from models.registry.versions import FolderObjects, _json, _state, current, load, promote, roll_back, save, versions
from models.score import ModelRef
from models.scorer import inputs
from tests.unit.models.learning.test_serving import small_trees

GOOD = Verdict("the rule", (PromotionCheck("better", True, "1 against 0"),))
BAD = Verdict("the rule", (PromotionCheck("better", False, "0 against 1"),))


class Memory:
    """An object store in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        return self.objects[name]

    def list(self, prefix: str = "") -> Iterator[Any]:
        return iter([SimpleNamespace(name=n) for n in sorted(self.objects) if n.startswith(prefix)])

    def create(self, name: str, content: bytes, *, content_type: str = "") -> None:
        if name in self.objects:
            raise KeyError(f"{name} is taken")
        self.objects[name] = content

    def replace(self, name: str, content: bytes, *, content_type: str = "") -> None:
        self.objects[name] = content


@pytest.fixture(scope="module")
def trained(design: Design) -> TrainedModel:
    few = (RECIPE, *BASELINES)
    return train_design(design, hashes={"a.csv": "00"}, code_version="1.2.3", candidates=few).model


@pytest.fixture
def stored(trained: TrainedModel) -> Memory:
    store = Memory()
    save(store, trained, GOOD)
    return store


def test_a_model_comes_back_with_the_same_forecasts(trained: TrainedModel, stored: Memory, design: Design) -> None:
    back = load(stored, trained.ref.name, trained.ref.version)
    ours, theirs = trained.outlook(design.frame), back.outlook(design.frame)
    assert np.array_equal(ours.below_good, theirs.below_good)
    assert np.array_equal(ours.shares, theirs.shares)
    assert np.array_equal(ours.low, theirs.low) and np.array_equal(ours.rank, theirs.rank)
    assert back.level_known() == trained.level_known() is not None
    assert back.track_record(0.5) == trained.track_record(0.5)
    assert back.reference.equals(trained.reference)
    assert back.run["code_version"] == "1.2.3"


def test_a_version_holds_its_record_and_its_card(trained: TrainedModel, stored: Memory) -> None:
    prefix = f"models/{trained.ref.name}/{trained.ref.version}"
    names = {n.removeprefix(f"{prefix}/") for n in stored.objects}
    assert names == {"model.skops", "model.json", "reference.parquet", "card.md", "card.json", "provenance.json"}
    provenance = json.loads(stored.objects[f"{prefix}/provenance.json"])
    run = provenance["run"]
    assert run["data"] == {"a.csv": "00"}
    assert run["tries"] == tried()
    assert set(run["walk_forward"]["as mailed"]) >= {RECIPE.name, "base rate", "deprivation"}
    assert {"scikit-learn", "skops", "numpy"} <= set(run["libraries"])
    card = stored.objects[f"{prefix}/card.md"].decode()
    assert "## Limits" in card and f"| {RECIPE.name} |" in card and "`00`" in card


@pytest.mark.parametrize("file", ["model.skops", "model.json", "reference.parquet", "card.md", "card.json"])
def test_an_altered_file_is_refused(trained: TrainedModel, stored: Memory, file: str) -> None:
    name = f"models/{trained.ref.name}/{trained.ref.version}/{file}"
    stored.objects[name] += b" "
    with pytest.raises(ModelError, match=f"{file} is not the file that was stored"):
        load(stored, trained.ref.name, trained.ref.version)


def _swap(store: Memory, model: TrainedModel, content: bytes) -> None:
    """Put another estimator in place, with the provenance made to agree."""
    import hashlib

    prefix = f"models/{model.ref.name}/{model.ref.version}"
    store.objects[f"{prefix}/model.skops"] = content
    provenance = json.loads(store.objects[f"{prefix}/provenance.json"])
    provenance["files"]["model.skops"] = hashlib.sha256(content).hexdigest()
    store.objects[f"{prefix}/provenance.json"] = json.dumps(provenance).encode()


def test_a_type_that_is_not_on_the_list_is_refused(trained: TrainedModel, stored: Memory) -> None:
    foreign = Pipeline([("model", trained.estimator), ("other", Memory())])
    _swap(stored, trained, skops.io.dumps(foreign))
    with pytest.raises(ModelError, match="types that no Holdfast model has"):
        load(stored, trained.ref.name, trained.ref.version)


def test_a_pickle_is_refused(trained: TrainedModel, stored: Memory) -> None:
    _swap(stored, trained, pickle.dumps({"scale": 1}))
    with pytest.raises(ModelError, match="not a readable model file"):
        load(stored, trained.ref.name, trained.ref.version)


def test_another_estimator_is_refused(trained: TrainedModel, stored: Memory) -> None:
    plain = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    _swap(stored, trained, skops.io.dumps(plain))
    with pytest.raises(ModelError, match="no Holdfast model: it holds a LogisticRegression"):
        load(stored, trained.ref.name, trained.ref.version)


def test_other_library_versions_are_refused(trained: TrainedModel, stored: Memory) -> None:
    name = f"models/{trained.ref.name}/{trained.ref.version}/provenance.json"
    provenance = json.loads(stored.objects[name])
    provenance["run"]["libraries"]["scikit-learn"] = "1.2.0"
    stored.objects[name] = json.dumps(provenance).encode()
    with pytest.raises(ModelError, match=r"stored with scikit-learn 1\.2\.0"):
        load(stored, trained.ref.name, trained.ref.version)


def test_an_unfinished_version_is_none(trained: TrainedModel, stored: Memory) -> None:
    del stored.objects[f"models/{trained.ref.name}/{trained.ref.version}/provenance.json"]
    assert versions(stored, trained.ref.name) == ()
    with pytest.raises(ModelError, match="no complete version"):
        promote(stored, trained.ref, GOOD, date(2026, 11, 1), "an analyst", "first")


def test_promotion_is_by_rule_or_on_the_record_and_goes_back(trained: TrainedModel, stored: Memory) -> None:
    second = dataclasses.replace(trained, ref=ModelRef(trained.ref.name, "9999-second"))
    save(stored, second, BAD)
    promote(stored, trained.ref, GOOD, date(2026, 11, 1), "an analyst", "first")
    with pytest.raises(ModelError, match="0 against 1"):
        promote(stored, second.ref, BAD, date(2026, 11, 2), "an analyst", "newer")
    assert current(stored, trained.ref.name) == trained.ref.version
    promote(stored, second.ref, BAD, date(2026, 11, 2), "an analyst", "a trial", override=True)
    assert load(stored, trained.ref.name).ref == second.ref
    assert roll_back(stored, trained.ref.name, date(2026, 11, 3), "an analyst", "too many alerts") == trained.ref
    pointer = json.loads(stored.objects[f"models/{trained.ref.name}/current.json"])
    assert [h["version"] for h in pointer["history"]] == [trained.ref.version, "9999-second", trained.ref.version]
    assert pointer["history"][1]["against_the_rule"] is True


def test_there_is_nothing_to_go_back_to_at_first(trained: TrainedModel, stored: Memory) -> None:
    promote(stored, trained.ref, GOOD, date(2026, 11, 1), "an analyst", "first")
    with pytest.raises(ModelError, match="no earlier version"):
        roll_back(stored, trained.ref.name, date(2026, 11, 2), "an analyst", "why not")


def test_the_rule_refuses_with_its_figures(design: Design) -> None:
    walked = walk_forward(design, (RECIPE, *BASELINES), ASKED_FROM)
    assert judge(walked).promoted
    first = walked.rows[FIRST_DAY]
    worse = Forecast(np.full(first.height, 0.99), np.full(first.height, 0.5))
    swapped = {**walked.forecasts, FIRST_DAY: {**walked.forecasts[FIRST_DAY], RECIPE.name: worse}}
    refused = judge(dataclasses.replace(walked, forecasts=swapped))
    assert not refused.promoted
    assert any("base rate" in r for r in refused.refusals)
    assert any("year by year" in r for r in refused.refusals)
    better = np.where(first["below_good"].to_numpy(), 0.99, 0.01)
    assert not judge(walked, incumbent=better).promoted


def test_a_folder_is_a_store(tmp_path: Any) -> None:
    store = FolderObjects(tmp_path)
    store.create("models/a/1/x.json", b"1")
    with pytest.raises(ModelError, match="never changed"):
        store.create("models/a/1/x.json", b"2")
    assert [o.name for o in store.list("models/a")] == ["models/a/1/x.json"]
    with pytest.raises(ModelError, match="no model file"):
        store.read("models/a/2/x.json")


def test_the_reference_is_a_small_table() -> None:
    model = shipped_model()
    out = io.BytesIO()
    model.reference.write_parquet(out)
    assert len(out.getvalue()) < 400_000
    assert model.reference.schema["value"] == pl.Float64()


def test_a_new_model_is_held_to_the_present_one_on_the_same_splits(design: Design, trained: TrainedModel) -> None:
    few = (RECIPE, *BASELINES)
    result = train_design(design, hashes={}, code_version="1.2.4", candidates=few)
    assert against(result, trained).verdict.promoted
    assert "no worse than the incumbent" in [c.name for c in against(result, trained).verdict.checks]
    other = dataclasses.replace(trained, run={**trained.run, "chosen": BASELINES[0].name})
    assert "on the first day, no worse than the incumbent" in [c.name for c in against(result, other).verdict.checks]
    unknown = dataclasses.replace(trained, run={**trained.run, "chosen": "an older recipe"})
    refused = against(result, unknown).verdict
    assert refused.refusals == ("the incumbent's recipe is among those tried: an older recipe",)


def test_the_model_file_alone_gives_every_served_number(trained: TrainedModel, stored: Memory, design: Design) -> None:
    content = stored.objects[f"models/{trained.ref.name}/{trained.ref.version}/model.skops"]
    alone = skops.io.loads(content, trusted=["models.learning.classifier.BelowGoodClassifier"])
    x = inputs(design.frame, list(alone.feature_names_in_))
    below = alone.predict_proba(x)[:, alone.classes_ > 2].sum(axis=1)
    assert np.array_equal(below, trained.outlook(design.frame).below_good)


@pytest.fixture(scope="module")
def trees(design: Design) -> TrainingResult:
    """Trees put first in the list of candidates, by one line."""
    line = Candidate("trees", RECIPE.group, RECIPE.columns, small_trees)
    return train_design(design, hashes={}, code_version="1.2.3", candidates=(line, RECIPE, *BASELINES))


def test_another_estimator_is_one_line(trees: TrainingResult, design: Design) -> None:
    """Back-tested, judged by the rule, stored, loaded and moved by new judgements as the model is."""
    store, model = Memory(), trees.model
    assert trees.walk.served == "trees" == model.run["chosen"]
    assert trees.verdict == judge(trees.walk)
    y = trees.walk.rows[FIRST_DAY]["below_good"].to_numpy()
    mine = auc(y, trees.walk.forecasts[FIRST_DAY]["trees"].below_good)
    assert f"{mine:.3f} against" in trees.verdict.checks[0].figures, "the rule judges the one that is served"
    assert "AUC" in trees.to_text() and trees.model.ref.version in trees.to_text()
    prefix = save(store, model, trees.verdict)
    back = load(store, model.ref.name, model.ref.version)
    ours, theirs = model.outlook(design.frame), back.outlook(design.frame)
    for name in ("below_good", "low", "high", "inadequate", "rank"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert ours.shares is None is theirs.shares, "reasons are refused"
    assert np.all((ours.low < ours.below_good) & (ours.below_good < ours.high))
    last = model.run["training"]["last_published"]
    news = [FedJudgement(date.fromisoformat(last) + timedelta(days=i), c, True) for i, c in enumerate(back.standing, 1)]
    moved, new = feed(store, back, news, date(2026, 3, 1), "the refresh")
    assert new == len(news)
    assert np.all(moved.outlook(design.frame).below_good > ours.below_good)
    assert np.array_equal(
        at_known_level(store, back).outlook(design.frame).below_good, moved.outlook(design.frame).below_good
    )
    card = store.objects[f"{prefix}/card.md"].decode()
    assert "HistGradientBoostingClassifier with" in card and "max_iter 4" in card
    assert "no reasons are given" in card and "has not been tried on judgements made after" in card
    assert "Judgements made after the recipe" not in card, "the look was at another model"
    assert json.loads(store.objects[f"{prefix}/card.json"])["held_out"] is None


def test_a_model_that_could_not_be_loaded_again_is_not_stored(trees: TrainingResult) -> None:
    x, y = np.linspace(0, 1, 40)[:, None], np.repeat([2, 3], 20)
    tree = WithLevel(DecisionTreeClassifier(max_depth=1)).fit(pl.DataFrame(x, schema=["a"]), y)
    store = Memory()
    with pytest.raises(ModelError, match=r"types that are not trusted: sklearn\.tree\._tree\.Tree\. If they may be"):
        save(store, dataclasses.replace(trees.model, estimator=tree), GOOD)
    assert store.objects == {}


def test_what_is_read_without_skops_is_what_skops_reads_to_the_bit(trained: TrainedModel, design: Design) -> None:
    content = skops.io.dumps(to_store(trained.estimator))
    whole, plain = skops.io.loads(content, trusted=[CLASSIFIER]), plain_classifier(content)
    assert plain is not None and vars(plain).keys() == vars(whole).keys()
    x = inputs(design.frame, list(whole.feature_names_in_))
    for say in ("below_good", "inadequate", "log_odds", "contributions", "deviation", "interval", "predict_proba"):
        assert np.array_equal(getattr(plain, say)(x), getattr(whole, say)(x)), say
    again = to_store(plain)
    assert type(again) is type(whole) and vars(again).keys() == vars(whole).keys()
    with pytest.raises(ValueError, match="The model reads"):
        plain.below_good(x.select(reversed(x.columns)))
    with pytest.raises(ValueError, match="infinite"):
        plain.below_good(x.with_columns(pl.lit(float("inf")).alias(x.columns[0])))


def test_a_file_with_more_than_plain_values_is_left_to_skops(trained: TrainedModel) -> None:
    assert plain_classifier(skops.io.dumps(LogisticRegression())) is None
    odd = copy.copy(to_store(trained.estimator))
    odd.directions = {1, 2}  # type: ignore[attr-defined]
    assert plain_classifier(skops.io.dumps(odd)) is None
    assert plain_classifier(b"no file of skops") is None


FORMAT_1 = FolderObjects(Path(__file__).parent / "format_1")


def test_a_model_of_version_0_1_0_still_speaks_with_the_same_numbers() -> None:
    old = load(FORMAT_1, "ilacs-below-good")
    row = pl.DataFrame({c: [0.8 if "percentile" in c else 3.0] for c in old.columns})
    outlook = old.outlook(row)
    # What version 0.1.0 said of this row.
    assert outlook.below_good[0] == pytest.approx(0.5521968212837695, abs=1e-12)
    assert outlook.inadequate[0] == pytest.approx(0.13938906576760585, abs=1e-12)
    assert old.level_known() is None
    assert 0 < outlook.rank[0] <= 1 and old.of_ten(0.5).any_ten == 5


def test_the_readme_tells_the_look_as_it_is_kept() -> None:
    readme = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
    own, lag = (v["questions"] for v in held_out()["variants"].values())
    for question in QUESTIONS:
        asked = [own[question]["forecasts"], lag[question]["forecasts"]]
        row = next(line for line in readme.splitlines() if line.startswith(f"| {question} |"))
        mine = [f"{a[RECIPE.name]['auc']:.2f} [{a[RECIPE.name]['auc_interval'][0]:.2f}, " for a in asked]
        assert [cell in row for cell in mine] == [True, True] and row.index(mine[0]) < row.rindex(mine[1])
        for name in (BASELINE_TO_BEAT, "agency rate", "base rate"):
            assert f"| {asked[0][name]['auc']:.2f}; {asked[1][name]['auc']:.2f} |" in row, name
        expected = "; ".join(f"{a[RECIPE.name]['expected']:.0f}" for a in asked)
        assert f"| {expected} / {own[question]['positives']} of {own[question]['n']} |" in row


def test_the_readme_says_the_ten_lines_of_the_card() -> None:
    readme = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^\d+\. (.*)$", readme, flags=re.M)
    assert said == list(ten_lines(shipped_model())), "take them over from docs/model-card.md"
    any_ten = ("none", "one", "two", "three", "four", "five")[shipped_model().of_ten(0.5).any_ten]
    assert f"of any ten, about {any_ten}”" in " ".join(readme.split())


def test_a_shipped_model_made_anew_keeps_its_numbers_if_only_rounding_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = shipped_model()
    shutil.copytree(shipped._FOLDER / "models", tmp_path / "models")
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path)
    x = pl.DataFrame({c: [0.3, 0.9, None] for c in present.columns})
    promoted = Verdict("the rule", ())

    def anew(version: str, by: float) -> TrainedModel:
        moved = present.estimator.at_level(present.estimator.level)
        moved.level_ = moved.level_ + np.array([by, 0, 0, 0])
        made = dataclasses.replace(present, ref=ModelRef(present.ref.name, version), estimator=moved)
        shipped.replace_shipped(made, promoted, date(2026, 12, 1))
        return shipped.shipped_model()

    rounded, other = anew("2026-12-01-a", 1e-13), anew("2026-12-01-b", 1e-6)
    assert np.array_equal(rounded.outlook(x).below_good, present.outlook(x).below_good)
    assert not np.array_equal(other.outlook(x).below_good, present.outlook(x).below_good)
    assert [p.name for p in (tmp_path / "models" / present.ref.name).iterdir() if p.is_dir()] == ["2026-12-01-b"]
    with pytest.raises(ModelError, match="0 against 1"):
        shipped.replace_shipped(present, BAD, date(2026, 12, 1))


def test_a_model_is_another_if_it_reads_ranks_or_remembers_otherwise() -> None:
    model = shipped_model()
    alike = shipped._same_but_for_rounding
    code = next(iter(model.standing))
    moved = {**model.standing, code: model.standing[code] + 1e-13}
    assert alike(dataclasses.replace(model, standing=moved), model)
    other = model.estimator.at_level(model.estimator.level)
    other.feature_names_in_ = other.feature_names_in_[::-1]
    for name, value in (
        ("standing", {**model.standing, code: model.standing[code] + 1e-6}),
        ("standing", {**model.standing, "000": 0.0}),
        ("reference", model.reference[1:]),
        ("track_forecast", model.track_forecast[1:]),
        ("estimator", other),
    ):
        changed: Any = {name: value}
        assert not alike(model, dataclasses.replace(model, **changed)), name


def test_forecasts_are_kept_to_a_millionth_and_a_patch_of_a_library_changes_nothing(
    trained: TrainedModel, stored: Memory
) -> None:
    third = dataclasses.replace(trained, track_forecast=np.array([1 / 3]), track_outcome=np.array([True]))
    assert _state(third)["track"] == {"forecast": [0.333333], "outcome": [1], "basis": trained.track_basis}
    name = f"models/{trained.ref.name}/{trained.ref.version}/provenance.json"
    provenance = json.loads(stored.objects[name])
    assert provenance["format"] == 2
    here = provenance["run"]["libraries"]["scikit-learn"].split(".")
    for given, fits in ((".".join([*here[:2], "99"]), True), (".".join([here[0], "99", *here[2:]]), False)):
        provenance["run"]["libraries"]["scikit-learn"] = given
        stored.objects[name] = json.dumps(provenance).encode()
        if fits:
            assert load(stored, trained.ref.name, trained.ref.version).ref == trained.ref
        else:
            with pytest.raises(ModelError, match="stored with scikit-learn"):
                load(stored, trained.ref.name, trained.ref.version)


def test_what_is_stored_of_a_model_is_a_sorted_text_that_a_person_can_read() -> None:
    assert _json({"b": 1, "a": "Ynys Môn"}) == '{\n "a": "Ynys Môn",\n "b": 1\n}\n'.encode()
