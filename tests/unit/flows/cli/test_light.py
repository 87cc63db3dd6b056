"""A command imports what it needs and no more: help is there at once, a check needs no Prefect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from features.months import Month
from flows.sample_region import sample_extracts
from tests.conftest import REPOSITORY

#: What takes more than a tenth of a second to import.
HEAVY = {
    "boto3", "great_expectations", "holidays", "httpx", "jinja2", "matplotlib", "numpy", "pandas", "polars", "prefect",
    "pyarrow", "pydantic", "scipy", "sklearn", "skops",
}  # fmt: skip


def imported(program: str, *arguments: str) -> set[str]:
    """Top-level modules that a program has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_help_version_and_a_typing_error_import_nothing_heavy() -> None:
    program = """
import sys
from flows.cli.app import app
for words in (["--help"], ["--version"]):
    try:
        app(words)
    except SystemExit:
        pass
"""
    assert not imported(program) & HEAVY
    # rich, which frames the sentence about a command that nobody knows, brings pydantic.
    assert not imported(program.replace('["--version"]', '["rnu"]')) & HEAVY - {"pydantic"}


def test_a_check_needs_no_prefect_no_model_and_no_pictures(tmp_path: Path) -> None:
    sample_extracts(tmp_path, 1, 1, 7, Month(2026, 10))
    program = """
import sys
from flows.cli.app import app
try:
    app(["check", *sys.argv[1:]])
except SystemExit as ended:
    assert ended.code in (None, 0), ended.code
"""
    files = [str(f) for f in sorted((tmp_path / "2026-10" / "Z01").iterdir())]
    assert not imported(program, *files) & {"prefect", "sklearn", "matplotlib", "skops", "great_expectations", "pandas"}


def test_a_month_scores_without_the_libraries_that_fit_store_or_draw() -> None:
    program = "import flows.monthly; from flows.month.score import shipped_model; shipped_model()"
    unneeded = {"sklearn", "skops", "pandas", "pyarrow", "great_expectations", "matplotlib", "boto3", "sqlalchemy"}
    assert not imported(program) & unneeded
