"""The pages that are written from code say what the code does; their examples can be sent."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import CheckFailed
from features.registry import EXTRACTS, Kind
from flows.cli.app import app
from flows.extracts.check_files import check_files
from flows.extracts.personal.words import PERSONAL_HEADERS
from flows.papers import contract
from flows.papers import model_card as page
from flows.papers.every import PAPERS, Paper
from models.registry.shipped import shipped_files, shipped_model
from tests.docs.pages import REPOSITORY
from tests.unit.flows.extracts.conftest import example_csv

DOCS = REPOSITORY / "docs"


@pytest.mark.parametrize("paper", PAPERS, ids=[p.name for p in PAPERS])
def test_the_document_is_up_to_date(paper: Paper) -> None:
    assert not paper.is_stale(DOCS), "holdfast papers --write"


def test_a_stale_document_is_named_and_written_anew(tmp_path: Path) -> None:
    for paper in PAPERS:
        (tmp_path / paper.name).parent.mkdir(exist_ok=True)
        shutil.copy(DOCS / paper.name, tmp_path / paper.name)
    command = ["papers", "--folder", str(tmp_path)]
    assert CliRunner().invoke(app, [*command, "--check"]).exit_code == 0
    for name, was, wrong in (
        ("data-contract.md", "worker_ref", "worker_no"),
        ("formats.md", "| Vacancy rate |", "| V |"),
    ):
        page = tmp_path / name
        page.write_text(page.read_text(encoding="utf-8").replace(was, wrong), encoding="utf-8")
    (tmp_path / "model-card.md").unlink()
    found = CliRunner().invoke(app, [*command, "--check"])
    assert found.exit_code == CheckFailed.exit_code
    stale = re.findall(r"/([a-z.-]+): stale", found.output)
    assert stale == ["data-contract.md", "formats.md", "model-card.md"]
    assert f"holdfast papers --write --folder {tmp_path}" in found.output
    assert CliRunner().invoke(app, [*command, "--write"]).exit_code == 0
    assert all((tmp_path / p.name).read_bytes() == (DOCS / p.name).read_bytes() for p in PAPERS)


def test_the_contract_names_every_column_synonym_and_refused_header() -> None:
    text = contract.contract()
    fields = [f for e in EXTRACTS.values() for f in e.fields]
    assert [f.name for f in fields if f"| `{f.name}` |" not in text] == []
    assert [s for f in fields for s in f.synonyms if f"`{s}`" not in text] == []
    assert [p for phrases in PERSONAL_HEADERS.values() for p in phrases if p.removeprefix("=") not in text] == []
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(row.replace("\\|", "").split("|")) in (4, 8) for row in tables)


@pytest.mark.parametrize("kind", [k for k in Kind if k in contract.EXAMPLES])
def test_the_example_of_an_extract_passes_every_check(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / f"{kind}.csv"
    file.write_text(example_csv(kind), encoding="utf-8")
    (checked,) = check_files([file])
    assert (checked.errors, checked.refused) == (0, 0)
    assert set(contract.EXAMPLES) == set(Kind)


def test_the_card_s_page_has_the_figures_of_the_shipped_model() -> None:
    text, card = page.page(), json.loads(shipped_files()["card.json"])
    assert shipped_model().ref.version in text
    assert all(line in text for line in card["ten_lines"]) and len(card["ten_lines"]) == 10
    assert all(limit in text for limit in card["limits"])
