"""The programs that compare and report, from their folder to their last line, on a made-up record."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from features.errors import ModelError
from models.evidence import configurations, levels
from models.evidence.backtest import backtest
from models.evidence.configurations import Configuration, compare_configurations, first_day_only
from models.evidence.evaluate import evaluate
from models.evidence.levels import InspectionCalendar, Result, regret_table, scenarios
from models.judgements.asof import Variant
from models.judgements.design import Design
from models.learning.candidates import BASELINES, BY_CANDIDATE
from models.learning.walkforward import AS_MAILED, FIRST_DAY
from tests.unit.models.golden import differences

#: Quick to fit: the one baseline is served, the other is beside it.
QUICK = (BY_CANDIDATE["agency rate"], BASELINES[0])
HERE = Path(__file__).parent


@pytest.fixture
def folder(design: Design, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose files give the made-up design."""
    file = SimpleNamespace(name="a.csv", sha256="00", layouts=("x",))
    unused = SimpleNamespace(name="b.csv", sha256="11", layouts=())
    record = SimpleNamespace(
        files=(file, unused), notes=("A note.",), disagreements=pl.DataFrame({"a": ["x"], "b": [1]})
    )
    for module in ("backtest", "evaluate", "configurations"):
        monkeypatch.setattr(f"models.evidence.{module}.read_record", lambda _: record)
        monkeypatch.setattr(
            f"models.evidence.{module}.build_design", lambda _, variant: replace(design, variant=variant)
        )
    return tmp_path


def test_a_back_test_writes_what_it_found(folder: Path) -> None:
    steps: list[str] = []
    found = backtest(
        folder,
        folder / "out",
        code_version="1.2.3",
        published_before=date(2022, 1, 1),
        variants=(Variant.PUBLISHED_LAG,),
        candidates=QUICK,
        progress=steps.append,
    )
    (section,) = found.sections
    assert (section.variant, found.candidates, found.files) == (Variant.PUBLISHED_LAG, 2, (("a.csv", "00"),))
    assert "judgements published before 2022-01-01" in found.what
    assert max(split.cut for split in section.splits) <= date(2022, 1, 1)
    assert [r.forecast for r in section.table(FIRST_DAY).rows] == ["agency rate", "base rate"]
    assert section.fits == 2 * len(section.splits)
    kept = json.loads((folder / "out" / "backtest.json").read_text())
    assert kept["disagreements"] == [["x", "1"]] and kept["notes"] == ["A note."]
    assert steps[0] == "reading the published files" and steps[-1] == "writing the report"
    early = date(2014, 6, 1)
    with pytest.raises(ModelError, match="too few judgements to walk forward"):
        backtest(folder, code_version="1.2.3", published_before=early, candidates=QUICK)


def test_an_evaluation_is_operated_each_january_beside_one_fit(folder: Path) -> None:
    day, variants = date(2022, 1, 1), (Variant.OWN_DATA_AT_ONCE,)
    found = evaluate(folder, day, code_version="1.2.3", variants=variants, candidates=QUICK)
    (section,) = found.sections
    once = "agency rate, fitted once before 2022-01-01"
    for question in (FIRST_DAY, AS_MAILED):
        assert [r.forecast for r in section.table(question).rows] == ["agency rate", "base rate", once]
    assert "fitted again each January" in found.what and "published 2022-" in found.what
    frozen = evaluate(folder, day, code_version="1.2.3", frozen=True, variants=variants, candidates=QUICK)
    assert "fitted once, on what was public before 2022-01-01" in frozen.what
    (alone,) = frozen.sections
    assert [r.forecast for r in alone.table(FIRST_DAY).rows] == ["agency rate", "base rate"]
    assert alone.table(FIRST_DAY).row("agency rate").metrics == section.table(FIRST_DAY).row(once).metrics
    with pytest.raises(ModelError, match="No judgement in these files was published on or after 2031-01-01"):
        evaluate(folder, date(2031, 1, 1), code_version="1.2.3", candidates=QUICK)
    with pytest.raises(ModelError, match="too few judgements before 2014-03-01"):
        evaluate(folder, date(2014, 3, 1), code_version="1.2.3", frozen=True, candidates=QUICK)


def test_configurations_are_the_recipe_and_its_neighbours() -> None:
    found = []
    for one in configurations.configurations():
        made = one.candidate.make(one.candidate.columns)
        settings = {k: v for k, v in made.get_params().items() if isinstance(v, int | float)}
        found.append([one.name, list(one.candidate.columns), type(made).__name__, settings])
    assert differences(found, HERE / "configurations.json") == []
    names = [name for name, *_ in found]
    assert names[0] == "the recipe" and len(set(names)) == len(names)


def test_taught_on_the_first_day_only_gives_the_other_rows_no_weight(design: Design) -> None:
    rows = first_day_only(design).frame
    assert rows.filter(pl.col("weight") > 0)["months_before"].unique().to_list() == [0]
    assert set(rows["weight"]) == {0.0, 1.0}


def test_configurations_are_compared_by_their_log_loss_beside_the_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], design: Design
) -> None:
    tried = [Configuration("one", BASELINES[1]), Configuration("other", BASELINES[0])]
    text = compare_configurations(design, tried, date(2018, 1, 1))
    lines = text.splitlines()
    assert len(lines) == 3 * 4 and lines[1] == "on the first day: 100 rows, 46 below good"
    assert "+0.0000 [+0.0000, +0.0000]" in lines[2]
    low, high = (float(v.strip("[],")) for v in lines[3].split("LL")[1].split()[2:4])
    assert low < float(lines[3].split("LL")[1].split()[1]) < high
    monkeypatch.setattr(configurations, "configurations", lambda: tried)
    monkeypatch.setattr(configurations, "count_tries", lambda *given: (list(given[2]), 389)[1])
    assert configurations.main(["--data", str(folder)]) == 0
    assert capsys.readouterr().out == f"{text}\n\n389 tries counted in all.\n"


def test_the_table_of_regrets_names_the_worst() -> None:
    found = {
        name: {"none": Result(r, 1.5, 1.25), "filter": Result(r / 2, 1.25, 1.0)}
        for name, r in (("stable", 0.01), ("step down", 0.12))
    }
    assert regret_table(found).splitlines()[2:] == [
        "| none | 0.010 | 0.120 | 0.120 | 1.50, 1.25 |",
        "| filter | 0.005 | 0.060 | 0.060 | 1.25, 1.00 |",
    ]


def test_scenarios_turn_in_the_middle_of_the_calendar() -> None:
    years = np.array([-2.5, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
    started = date(2020, 1, 1).toordinal() + 365.25 * (years - np.median(years))
    fall = {2014: 0.0, 2015: 0.4, 2016: -0.1, 2017: -1.3}
    found = {n: v.tolist() for n, v in scenarios(InspectionCalendar(started, started + 60), fall).items()}
    assert differences({"scenarios": found, "methods": list(levels.methods())}, HERE / "scenarios.json") == []


def test_the_comparison_of_ways_to_follow_counts_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pl.DataFrame({"published": [date(2020, 1, 1)]})
    asked: list[int] = []

    def simulated(calendar: object, truth: object, tried: dict[str, object], replicates: int) -> dict[str, Result]:
        asked.append(replicates)
        return {name: Result(0.01, 1.5, 1.25) for name in tried}

    monkeypatch.setattr(levels, "read_record", lambda _: SimpleNamespace(judgements=rows))
    monkeypatch.setattr(levels, "calendar_of", lambda _: InspectionCalendar(np.array([1.0]), np.array([2.0])))
    monkeypatch.setattr(levels, "fall_of_2016", lambda _: dict.fromkeys((2014, 2015, 2016, 2017), 0.0))
    monkeypatch.setattr(levels, "simulate_levels", simulated)
    monkeypatch.setattr(levels, "count_tries", lambda *given: len(given[2]))
    assert levels.main(["--data", "x"]) == 0 == levels.main(["--data", "x", "--replicates", "3"])
    assert asked == [200] * 6 + [3] * 6
    assert "| none | 0.010 | 0.010 |" in capsys.readouterr().out
