"""Judgements from a list made by hand: what is read, and what is refused by line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from features.errors import ReferenceDataError
from flows.month import level
from flows.month.level import judgements_by_hand, level_sentence
from models.registry.levels import FedJudgement
from models.registry.shipped import shipped_model
from models.score import ModelRef

HEADER = "la_code,published,impact_of_leaders\n"


def test_each_line_is_a_judgement_and_good_is_not_below_good() -> None:
    text = f"\ufeff{HEADER}301,2025-05-01,Good\n302,2025-05-04,Requires improvement to be good\n"
    assert judgements_by_hand(text, "list.csv") == [
        FedJudgement(date(2025, 5, 1), "301", False, "ILACS"),
        FedJudgement(date(2025, 5, 4), "302", True, "ILACS"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "list.csv: the list of judgements lacks the columns la_code, published, impact_of_leaders."),
        ("la_code,published\n", "lacks the columns impact_of_leaders."),
        (
            f"{HEADER}301,2025-05-01,Good\n302,2025-05-04,fine\n",
            "list.csv, line 3, impact_of_leaders: “fine” is no grade",
        ),
        (f"{HEADER}301,1 May 2026,Good\n", "list.csv, line 2, published: write the day as YYYY-MM-DD."),
        (f"{HEADER}301\n", "line 2, published"),
        (f"{HEADER}301,2025-05-01\n", "line 2, impact_of_leaders"),
    ],
)
def test_a_fault_is_named_by_line_and_column(text: str, said: str) -> None:
    with pytest.raises(ReferenceDataError) as raised:
        judgements_by_hand(text, "list.csv")
    assert said in str(raised.value)


def test_every_judgement_of_the_record_says_whether_it_is_below_good(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(date(2025, 3, 1), "301", 2, "ILACS"), (date(2025, 4, 1), "302", 3, "ILACS")]
    graded = pl.DataFrame(rows, schema=["published", "la_code", "grade", "framework"], orient="row")
    read = SimpleNamespace(judgements="theirs", undeclared={"a report of no framework": 1})
    monkeypatch.setattr(level, "read_reports", lambda folder: read)
    monkeypatch.setattr(level, "graded", lambda judgements: graded)
    found, undeclared = level.judgements_of_record(Path("published"))
    assert found == [
        FedJudgement(date(2025, 3, 1), "301", False, "ILACS"),
        FedJudgement(date(2025, 4, 1), "302", True, "ILACS"),
    ]
    assert undeclared == ("a report of no framework",)


def test_a_judgement_of_no_declared_framework_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day between two frameworks, as may come with the next one."""
    nobody = SimpleNamespace(framework=None, grade=None)
    monkeypatch.setattr(level, "judgement_written", lambda day, words: nobody)
    with pytest.raises(ReferenceDataError, match="list.csv, line 2, 301 .*: this report is of a framework that is not"):
        judgements_by_hand(f"{HEADER}301,2025-05-01,Good\n", "list.csv")


def test_the_sentence_says_how_many_were_new() -> None:
    model = shipped_model()
    known = model.level_known()
    assert known is not None
    assert level_sentence(model, 18).startswith(f"Level from {known.judgements} judgements to {known.to} (18 new), ")
    assert f"about {model.of_ten(0.5).any_ten} were judged below good" in level_sentence(model, 18)
    assert "new" not in level_sentence(model)
    assert "(1 new)" in level_sentence(model, 1)


def test_a_model_without_a_level_says_so() -> None:
    silent: Any = SimpleNamespace(ref=ModelRef("ours", "7"), level_known=lambda: None)
    assert level_sentence(silent) == "ours 7 follows no level."
