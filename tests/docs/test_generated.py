"""The pages that are written from code say what the code does; their examples can be sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from features.registry import EXTRACTS, PERSONAL_DATA_HEADERS, Kind
from flows.extracts.check_files import check_files
from flows.papers import contract
from flows.papers import model_card as page
from models.registry.shipped import shipped_files, shipped_model
from tests.docs.pages import REPOSITORY

Main = Callable[[Sequence[str]], int]

GENERATED: list[tuple[str, Main, Callable[[], str]]] = [
    ("data-contract.md", contract.main, contract.contract),
    ("model-card.md", page.main, page.page),
]
IDS = [name for name, _, _ in GENERATED]


@pytest.mark.parametrize(("name", "main", "text"), GENERATED, ids=IDS)
def test_the_page_is_up_to_date(name: str, main: Main, text: Callable[[], str]) -> None:
    assert main(["--check", str(REPOSITORY / "docs" / name)]) == 0


@pytest.mark.parametrize(("name", "main", "text"), GENERATED, ids=IDS)
def test_a_stale_page_is_named_with_the_command_that_renews_it(
    name: str, main: Main, text: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / name
    assert main(["--check", str(stale)]) == 1
    stale.write_text(text() + "and more\n", encoding="utf-8")
    assert main(["--check", str(stale)]) == 1
    assert f"is stale. Run: python -m {main.__module__} >" in capsys.readouterr().err
    assert main([]) == 0
    assert capsys.readouterr().out == text()


def test_the_contract_names_every_column_synonym_and_refused_header() -> None:
    text = contract.contract()
    fields = [f for e in EXTRACTS.values() for f in e.fields]
    assert [f.name for f in fields if f"| `{f.name}` |" not in text] == []
    assert [s for f in fields for s in f.synonyms if f"`{s}`" not in text] == []
    assert [h for headers in PERSONAL_DATA_HEADERS.values() for h in headers if f"`{h}`" not in text] == []
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(row.replace("\\|", "").split("|")) in (4, 8) for row in tables)


@pytest.mark.parametrize("kind", [k for k in Kind if k in contract.EXAMPLES])
def test_the_example_of_an_extract_passes_every_check(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / f"{kind}.csv"
    file.write_text(contract.example_csv(kind), encoding="utf-8")
    (checked,) = check_files([file])
    assert (checked.errors, checked.refused) == (0, 0)
    assert set(contract.EXAMPLES) == set(Kind)


def test_the_card_s_page_has_the_figures_of_the_shipped_model() -> None:
    text, card = page.page(), json.loads(shipped_files()["card.json"])
    assert shipped_model().ref.version in text
    chosen = card["run"]["candidates"]["chosen on earlier years"]
    assert f"| chosen on earlier years | {chosen['auc']:.2f} | {chosen['tenth']['precision']:.2f} |" in text
    assert all(limit in text for limit in card["limits"])
