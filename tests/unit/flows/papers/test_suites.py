"""The suites that are handed out load into plain Great Expectations and find what our own check finds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from features.months import Month
from features.registry import Kind
from flows.extracts.check_files import check_files
from flows.papers.suites import own_column_rules
from flows.papers.templates import example_rows
from tests.conftest import REPOSITORY

#: Nothing of Holdfast is imported here.
_PLAIN = """
import json, sys
import great_expectations as gx, pandas as pd
suite = gx.ExpectationSuite(**json.load(open(sys.argv[1])))
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
context.suites.add(suite)
numbers = {"fte": float, "cases": float, "working_days_lost": float}
frame = pd.read_csv(sys.argv[2], dtype=str).astype(numbers)
batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
result = batch.get_batch({"dataframe": frame}).validate(context.suites.get(suite.name), result_format="COMPLETE")
assert not [r for r in result.results if r.exception_info.get("raised_exception")]
failed = [r for r in result.results if not r.success]
found = {r.expectation_config.meta["check"]: sorted(r.result["unexpected_index_list"]) for r in failed}
print(json.dumps({"found": found, "asked": len(result.results)}))
"""


def _apart(arguments: list[str], folder: Path) -> str:
    """What `_PLAIN` prints in a process that cannot import Holdfast."""
    done = subprocess.run(
        [sys.executable, "-c", _PLAIN, *arguments],
        cwd=folder, capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"GX_ANALYTICS_ENABLED": "false"},
    )  # fmt: skip
    return done.stdout


def _here(arguments: list[str], _folder: Path) -> str:
    """The same in this process, which has Great Expectations already."""
    with mock.patch.object(sys, "argv", ["", *arguments]), redirect_stdout(io.StringIO()) as said:
        exec(_PLAIN, {})
    return said.getvalue()


@pytest.mark.parametrize("run", [_here, pytest.param(_apart, marks=pytest.mark.soak)])
def test_a_plain_context_finds_the_same_rows(tmp_path: Path, run: Callable[[list[str], Path], str]) -> None:
    rows = example_rows(Kind.WORKFORCE).to_dicts()
    rows[1]["org_role"], rows[2]["fte"], rows[3]["cases"] = "9", "1.4", "250"
    rows[4]["reference_date"], rows[5]["worker_ref"] = None, rows[6]["worker_ref"]
    names = list(rows[0])
    text = [",".join("" if row[n] is None else str(row[n]) for n in names) for row in rows]
    (tmp_path / "workforce.csv").write_text("\n".join([",".join(names), *text]) + "\n")
    suite = REPOSITORY / "docs/suites/workforce.json"
    plain = json.loads(run([str(suite), str(tmp_path / "workforce.csv")], tmp_path).splitlines()[-1])
    assert plain["asked"] == len(own_column_rules(Kind.WORKFORCE))
    theirs = {code: [at + 2 for at in positions] for code, positions in plain["found"].items()}
    (checked,) = check_files([tmp_path / "workforce.csv"], council=rows[0]["la_code"], month=Month(2026, 10))
    wanted = {r.code for r in own_column_rules(Kind.WORKFORCE)}
    # A code that does not exist is found when we read the cell, before any rule.
    said = {f["check"].replace("unknown_code", "code"): f["row_numbers"] for f in checked.document()["failures"]}
    ours = {code: sorted(rows) for code, rows in said.items() if code in wanted}
    assert set(theirs) == {
        "workforce.org_role.code", "workforce.fte.range", "workforce.cases.range", "workforce.reference_date.missing",
        "workforce.worker_ref.unique",
    }  # fmt: skip
    assert ours == theirs
