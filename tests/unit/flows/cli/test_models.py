"""The analyst's commands on a store with two versions of a model."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import ModelError
from flows.cli.app import app
from flows.store import store_at
from models.learning.promotion import PromotionCheck, Verdict
from models.registry.versions import current, load, promote, save, versions
from models.score import ModelRef
from tests.unit.models.conftest import install_shipped

NAME = "ilacs-below-good"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the shipped model as current version, and a second version that the rule refused."""
    from dataclasses import replace

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    objects = store_at(str(tmp_path / "store"))
    ref = install_shipped(objects, date(2026, 1, 1))
    second = replace(load(objects, NAME), ref=ModelRef(NAME, "2099-01-01-abcdef12"))
    save(objects, second, Verdict("a rule", (PromotionCheck("beats every baseline", False, "it does not"),)))
    assert current(objects, NAME) == ref.version
    return tmp_path / "store"


def test_list_names_versions_and_the_one_that_speaks(store: Path) -> None:
    shown = CliRunner().invoke(app, ["models", "list"]).output
    assert "(current)" in shown
    assert "2099-01-01-abcdef12" in shown


def test_the_rule_can_refuse_and_a_person_can_overrule_it_in_writing(store: Path) -> None:
    asked = ["models", "promote", "--version", "2099-01-01-abcdef12", "--by", "analyst", "--reason", "trial"]
    refused = CliRunner().invoke(app, asked)
    assert isinstance(refused.exception, ModelError)
    assert CliRunner().invoke(app, [*asked, "--against-the-rule"]).exit_code == 0
    assert current(store_at(str(store)), NAME) == "2099-01-01-abcdef12"
    pointer = (store / f"models/{NAME}/current.json").read_text()
    assert '"against_the_rule": true' in pointer


def test_roll_back_is_one_command(store: Path) -> None:
    objects = store_at(str(store))
    before = current(objects, NAME)
    ref = ModelRef(NAME, "2099-01-01-abcdef12")
    promote(objects, ref, Verdict("a rule", ()), date(2026, 2, 1), "analyst", "trial")
    result = CliRunner().invoke(app, ["models", "roll-back", "--by", "analyst", "--reason", "worse"])
    assert result.exit_code == 0, result.output
    assert current(objects, NAME) == before
    assert set(versions(objects, NAME)) == {before, ref.version}


def test_the_level_is_shown_and_fed_by_hand(store: Path, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["models", "level"]).output
    assert shown.startswith("Level from 294 judgements to 2025-12-16, ILACS: of any ten councils in England about 2 ")
    file = tmp_path / "judgements.csv"
    file.write_text("la_code,published,impact_of_leaders\n841,2026-02-03,Inadequate\n")
    fed = CliRunner().invoke(app, ["models", "level", "--judgements", str(file), "--by", "an analyst"])
    assert fed.output.startswith("Level from 295 judgements to 2026-02-03 (1 new)")
    assert CliRunner().invoke(app, ["models", "level"]).output.startswith("Level from 295 judgements to 2026-02-03,")
    file.write_text("la_code,published,impact_of_leaders\n841,2026-02-03,Bad\n")
    refused = CliRunner().invoke(app, ["models", "level", "--judgements", str(file), "--by", "an analyst"])
    assert "judgements.csv, line 2, impact_of_leaders" in str(refused.exception)
