"""Every benchmark runs to its end on a little of what it is for: what is measured now and then is broken unnoticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import (
    annex_a,
    catch_up,
    cluster,
    csww,
    features,
    monthly_run,
    sample_region,
    validation,
    whole_runs,
    workers,
)
from benchmarks.__main__ import MODULES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.mark.soak
def test_the_features_are_compared_with_the_floor_and_both_rivals(capsys: pytest.CaptureFixture[str]) -> None:
    assert features.main(["--councils", "2", "--months", "13", "--repeat", "1"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"all [\d,]+ counts equal", said)
    for compared in ("the counts in duckdb", "the counts in pandas", "times the floor", "one more month takes"):
        assert compared in said


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_month_is_run_from_landing_to_region_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    def here(step: str, folder: Path, *_: int) -> str:
        monthly_run.main(["--step", step, "--folder", str(folder), "--councils", "2", "--months", "2"])
        return ""

    if not apart:
        monkeypatch.setattr(monthly_run, "in_a_process", here)
    assert monthly_run.main(["--councils", "2", "--months", "2"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^  (\w[\w ]*\w) +[\d.]+ s +[\d.]+ s of processor +\d+%$", said, re.MULTILINE) == [
        "read", "check and count", "store and report", "measure", "score", "decide", "publish", "pages",
    ]  # fmt: skip
    assert "peak memory" in said


@pytest.mark.soak
def test_great_expectations_finds_what_we_find(capsys: pytest.CaptureFixture[str]) -> None:
    assert validation.main(["--councils", "2", "--stock"]) == 0
    assert "all results equal" in capsys.readouterr().out


@pytest.mark.soak
def test_a_whole_run_is_measured_as_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert whole_runs.main(["--councils", "2", "--months", "2"]) == 0
    assert re.findall(r"^2 councils, (.*?) {2,}", capsys.readouterr().out, re.MULTILINE) == [
        "a warm month", "the same month again",
    ]  # fmt: skip


@pytest.mark.soak
def test_a_catch_up_is_measured_as_a_process_with_all_that_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert catch_up.main(["--councils", "2", "--months", "2"]) == 0
    row = re.search(
        r"^ +2 +2 +[\d,]+ +([\d.]+) +[\d.]+ +[\d.]+ +([\d.]+) +[0-9a-f]{12}$", capsys.readouterr().out, re.MULTILINE
    )
    assert row is not None
    assert float(row[1]) > 1
    assert float(row[2]) > 0.2


@pytest.mark.soak
def test_more_workers_are_scheduled_from_measured_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert workers.main(["--councils", "2", "--months", "3", "--workers", "2"]) == 0, "the stores are equal"
    assert re.search(r"^ +2 +\d+( +[\d.]+){6}$", capsys.readouterr().out, re.MULTILINE)
    of, run = workers.Timed, workers.Hands.STORER
    chain = [of(2.0, ()), of(1.0, ()), of(1.0, (0,)), of(1.0, (1,)), of(0.5, (2, 3), run)]
    assert [workers.finished(chain, n) for n in (1, 2, 9)] == [5.5, 3.5, 3.5]
    assert workers.finished([of(1.0, (), run), of(1.0, (), run)], 2) == 2.0


@pytest.mark.soak
def test_a_catch_up_is_timed_on_a_real_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.main(["--councils", "2", "--months", "2", "--workers", "1"]) == 0, "the tables are equal"
    assert re.search(r"^ +1 +[\d.]+ +1\.0 +\d+( +[\d.]+){4} +[0-9a-f]{12}$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.soak
def test_a_return_is_read_in_stages(capsys: pytest.CaptureFixture[str]) -> None:
    assert csww.main(["--megabytes", "0.2", "--council", "20"]) == 0
    assert re.findall(r"^(bare|stream|check) ", capsys.readouterr().out, re.MULTILINE) == list(csww.STAGES)


@pytest.mark.soak
def test_workbooks_are_read_beside_bare_calamine(capsys: pytest.CaptureFixture[str]) -> None:
    annex_a.main(2, 1)
    assert re.search(r"^bare Calamine read: .*ratio [\d.]+$", capsys.readouterr().out, re.MULTILINE)


def test_the_region_is_laid_beside_england(capsys: pytest.CaptureFixture[str]) -> None:
    sample_region.main(3, 13, 1)
    assert "3 councils, 13 months" in capsys.readouterr().out


def test_make_bench_runs_benchmarks_that_are_tried_here() -> None:
    assert set(MODULES) <= {
        m.__name__ for m in (annex_a, catch_up, cluster, csww, features, monthly_run, validation, whole_runs, workers)
    }
