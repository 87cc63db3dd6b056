"""What a training records of itself, and when it cannot be."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.errors import ModelError
from models.judgements.design import Design
from models.learning.candidates import BASELINES, RECIPE
from models.learning.promotion import _no_worse, _orders, level_holds
from models.learning.trained import Outlook
from models.learning.training import TrainingResult, _f, _named, _rounded, _track_of, train_design, until
from models.learning.uncertainty import YearSeen
from models.registry.card import card_text
from models.registry.shipped import _FOLDER, shipped_files, shipped_model
from models.registry.versions import FolderObjects, verdict_of
from tests.unit.models.golden import differences

#: These differ by machine and by commit.
ELSEWHERE = {"libraries", "python", "tries", "version"}


@pytest.fixture(scope="module")
def result(design: Design) -> TrainingResult:
    return train_design(design, hashes={"a.csv": "00"}, code_version="1.2.3", candidates=(RECIPE, BASELINES[-1]))


def _said(outlook: Outlook) -> dict[str, list[Any]]:
    return {name: np.asarray(value).tolist() for name, value in asdict(outlook).items()}


def test_the_record_of_a_training_stands_as_it_was_read(result: TrainingResult, design: Design) -> None:
    run = {name: value for name, value in result.to_json().items() if name not in ELSEWHERE}
    text = result.to_text().replace(result.model.ref.version, "VERSION").splitlines()
    model = result.model
    kept = {
        "run": run,
        "text": text,
        "basis": model.track_basis,
        "standing": dict(sorted(model.standing.items())),
        "of ten": [list((model.of_ten(p).like_this, model.of_ten(p).any_ten)) for p in (0.04, 0.26, 0.95)],
        "said": _said(model.outlook(design.frame[::41])),
        "track": [str(model.track_record(p)) for p in (0.05, 0.5, 0.99)],
    }
    assert differences(kept, Path(__file__).with_name("training.json"), 2e-3) == []


def test_the_record_keeps_six_places_and_three_of_a_year(result: TrainingResult) -> None:
    run, level = result.model.run, result.model.estimator.level
    assert (run["level"]["mean"], run["level"]["sd"]) == (round(level.mean, 6), round(level.variance**0.5, 6))
    assert all(year["z"] == round(year["z"], 3) for year in run["years"])
    assert _named(("a", "b"), np.array([1.23456789, 2.0])) == {"a": 1.234568, "b": 2.0}
    assert _rounded({"a": 1.23456789, "b": {"c": 0.1234567, "d": 3}}) == {"a": 1.234568, "b": {"c": 0.123457, "d": 3}}
    assert (_f(None), _f(0.126)) == ("n/a", "0.13")


@pytest.mark.parametrize(("mine", "kept"), [(19, 25), (20, 20)])
def test_the_track_record_is_of_the_level_s_frameworks_from_twenty_on(mine: int, kept: int) -> None:
    rows = pl.DataFrame({"framework": ["ILACS"] * mine + ["SIF"] * (25 - mine)})
    assert _track_of(rows, "ILACS").sum() == kept


def test_too_little_cannot_be_trained_on(design: Design) -> None:
    with pytest.raises(ModelError, match="too few judgements to train on"):
        train_design(until(design, date(2014, 6, 1)), hashes={}, code_version="x")
    nobody = replace(design, councils=design.councils.clear())
    walk = train_design(design, hashes={}, code_version="x", candidates=(RECIPE,)).walk
    with pytest.raises(ModelError, match="no council to rank others among"):
        train_design(nobody, hashes={}, code_version="x", candidates=(RECIPE,), walk=walk)


def test_the_shipped_card_is_what_the_code_writes_of_the_shipped_model() -> None:
    """Else a changed word waits for the next training: `holdfast train --data DIR --ship`."""
    model = shipped_model()
    written = card_text(model, verdict_of(FolderObjects(_FOLDER), model.ref))
    kept = shipped_files()["card.md"].decode()

    def words(card: str) -> list[list[str]]:
        """The words of each line, sorted: a record comes back from the store with its parts in another order."""
        return sorted(sorted(re.findall(r"[\w.–-]*\w", line)) for line in card.splitlines())

    assert words(written) == words(kept)


def test_the_rule_lets_through_what_is_worse_by_less_than_two_standard_errors() -> None:
    councils = np.arange(50).astype(str)
    y = np.arange(50) % 2 == 0
    p = np.where(y, 0.6, 0.4)
    noise = np.where(np.arange(50) % 4 < 2, 0.05, -0.05)
    verdicts = []
    for worse in (0.0, 0.012, 0.02):
        ours = np.where(y, p - worse + noise, p + worse + noise)
        check = _no_worse("as mailed", councils, y, ours, p)
        mean, error = (float(word) for word in re.findall(r"[+-]?\d\.\d{4}", check.figures))
        assert check.passed is bool(mean <= 2 * error)
        verdicts.append((check.passed, mean > error))
    assert [passed for passed, _ in verdicts] == [True, True, False]
    assert verdicts[1] == (True, True), "worse by more than one standard error is still chance"


def test_the_rows_of_one_council_are_one_piece_of_evidence() -> None:
    y, ours, theirs = np.array([True, True, False]), np.array([0.5, 0.6, 0.2]), np.array([0.7, 0.5, 0.4])
    apart = [np.log(0.7 / 0.5), np.log(0.5 / 0.6), np.log(0.6 / 0.8)]
    mean = sum(apart) / 3
    error = np.sqrt((apart[0] + apart[1] - 2 * mean) ** 2 + (apart[2] - mean) ** 2) / 3
    check = _no_worse("x", np.array(["a", "a", "b"]), y, ours, theirs)
    assert check.figures == f"log loss {mean:+.4f}, standard error {error:.4f} (below 0 is better)"
    assert _no_worse("x", np.array(["a", "a", "b"]), y, ours, ours).passed, "as good is no worse"


def test_the_rule_needs_a_better_order_than_each_baseline() -> None:
    y, p = np.array([True, False, True, False]), np.array([0.9, 0.1, 0.6, 0.4])
    assert _orders("b", y, p, np.array([0.9, 0.7, 0.6, 0.4])).passed
    assert not _orders("b", y, p, p).passed, "as good is not better"
    assert not _orders("b", np.array([True] * 4), p, p).passed


def test_years_may_differ_from_their_forecasts_as_happens_once_in_a_hundred_times() -> None:
    def years(z: float) -> list[YearSeen]:
        return [YearSeen(2020, 40, 10 + z * 2, 10, 2.0), YearSeen(2021, 40, 10 - z, 10, 1.0)]

    # Of two years: 9.21 is the 99th percentile of chi-squared with two degrees of freedom.
    assert level_holds(years(2.1459)).passed and not level_holds(years(2.1465)).passed
    assert "worst 2020: 14.3 expected, 10 observed of 40" in level_holds(years(2.15)).figures
    assert not level_holds([]).passed
