"""Which editions a month is measured from, what counts as an aggregate return, and what is looked at when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from expectations.fates import Fate
from features.frames import MEASURES_SCHEMA, NATIONAL, counts_schema
from features.measuring.returns import CELL_REASONS
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.month import measure as module
from flows.month.measure import _returned, extract_log, known_editions, measure, without
from flows.store import LocalStore
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest
from tests.unit.flows.month import examples
from tests.unit.flows.month.examples import CUTOFF, OCTOBER, REGISTER, manifest


def record(la_code: str, kind: Kind, received: date | None) -> ExtractRecord:
    fate = Fate.ACCEPTED if received else Fate.MISSING
    return ExtractRecord(la_code, kind, fate, date(2026, 11, 6), received, sha256="x" if received else None)


class Stored:
    """A history that has been asked for tables."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Month], str]] = []

    def tables(self, manifests: list[Manifest], name: str, schema: pl.Schema) -> pl.DataFrame:
        self.asked.append(([m.month for m in manifests], name))
        return schema.to_frame()


def test_only_returns_that_came_are_known_and_from_the_day_they_came() -> None:
    came = date(2026, 11, 4)
    with_return = Manifest(
        OCTOBER,
        1,
        "x",
        came,
        (
            record("301", Kind.RETURN, came),
            record("302", Kind.RETURN, None),
            record("303", Kind.WORKFORCE, came),
        ),
        {},
    )
    without = Manifest(OCTOBER.plus(-1), 1, "x", came, (record("303", Kind.WORKFORCE, came),), {})
    stored: Any = Stored()
    found = _returned(cast(History, stored), [without, with_return])
    assert found is not None
    rows, known, reasons = found
    assert known.rows() == [("301", OCTOBER.last_day, came)]
    assert (rows.schema, reasons.schema) == (EXTRACTS[Kind.RETURN].schema, CELL_REASONS)
    assert stored.asked == [([OCTOBER], "return"), ([OCTOBER], "cell-reasons")]
    assert _returned(cast(History, stored), [without]) is None


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalStore(tmp_path))


def test_the_newest_edition_of_each_month_by_the_cut_off_oldest_month_first(history: History) -> None:
    for back in (0, 1, 2, 3):
        history.write(manifest(month=OCTOBER.plus(-back)), {})
    history.write(replace(manifest(fingerprint="late", known_to=date(2026, 11, 21)), edition=2), {})
    history.write(replace(manifest(month=OCTOBER.plus(-1), fingerprint="again"), edition=2), {})
    found = known_editions(history, OCTOBER, CUTOFF, 3)
    assert [(str(m.month), m.edition) for m in found] == [("2026-08", 1), ("2026-09", 2), ("2026-10", 1)]
    assert known_editions(history, OCTOBER, date(2026, 11, 21), 1)[0].fingerprint == "late"


def test_the_log_has_what_was_owed_and_the_day_another_content_came() -> None:
    owed = replace(examples.record("371", day=9), first_received=date(2026, 11, 4), restates="x")
    month = manifest(
        examples.record("370", Kind.CASELOAD),
        examples.record("370", Kind.RETURN),  # a yearly return, which nobody owes
        owed,
        examples.record("370", Kind.WORKFORCE, Fate.MISSING, None),
        examples.record("999"),
    )
    due, last = date(2026, 11, 6), OCTOBER.last_day
    assert extract_log([month], REGISTER).rows() == [
        ("370", last, "caseload", due, date(2026, 11, 4), "accepted", None),
        ("371", last, "workforce", due, date(2026, 11, 4), "accepted", date(2026, 11, 9)),
        ("370", last, "workforce", due, None, "missing", None),
    ]


def rates(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    full = [{"la_code": la, "month": OCTOBER.last_day, "measure": m, "value": v} for la, m, v in rows]
    return pl.DataFrame([{n: row.get(n) for n in MEASURES_SCHEMA} for row in full], schema=MEASURES_SCHEMA)


def test_a_missing_figure_does_not_hide_a_published_one() -> None:
    ours = rates(("370", "agency_rate_fte", None), ("370", "vacancy_rate_fte", 0.1), ("371", "agency_rate_fte", 0.2))
    left = without(ours, rates(("370", "agency_rate_fte", 0.3)))
    assert left.select("la_code", "measure").rows() == [("370", "vacancy_rate_fte"), ("371", "agency_rate_fte")]


def counts(*rows: tuple[str, Month, int]) -> pl.DataFrame:
    """A hundred open cases, and how many of them nobody holds."""
    schema = counts_schema(Kind.CASELOAD)
    given = [
        {"la_code": la, "month": m.last_day, "known_from": date(2026, 11, 4), "open_cases": 100, "unallocated_cases": n}
        for la, m, n in rows
    ]
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in given], schema=schema)


def measured(history: History, **given: Any) -> module.Measured:
    asked: dict[str, Any] = {"history_months": 3, "usual_cutoff": lambda m: m.plus(1).last_day, **given}
    return measure(history, REGISTER, OCTOBER, CUTOFF, NATIONAL.to_frame(), **asked)


@pytest.fixture
def three(history: History) -> History:
    """Three months of both councils; only October's caseload of Doncaster is late."""
    for back in (2, 1, 0):
        month = OCTOBER.plus(-back)
        rows = [(la, month, 10 * (back + 1)) for la in ("370", "371")]
        late = examples.record("370", Kind.CASELOAD, day=9)
        history.write(manifest(late, month=month), {"counts-caseload": counts(*rows)})
    return history


def of(frame: pl.DataFrame, measure: str, la_code: str = "370") -> list[tuple[date, float | None]]:
    return frame.filter(la_code=la_code, measure=measure).select("month", "value").rows()


def test_without_any_edition_there_is_nothing_to_measure(history: History) -> None:
    found = measured(history)
    assert (found.month, found.manifests, found.measures.height, found.features.height) == (OCTOBER, (), 0, 0)


def test_measures_of_every_month_from_the_first_edition_and_features_of_the_last(three: History) -> None:
    ends = [OCTOBER.plus(-back).last_day for back in (2, 1, 0)]
    found = measured(three, feature_months=2)
    assert of(found.measures, "unallocated_rate") == list(zip(ends, [0.3, 0.2, 0.1], strict=True))
    assert of(found.features, "unallocated_rate") == list(zip(ends[1:], [0.2, 0.1], strict=True))
    assert [m.month for m in found.manifests] == [OCTOBER.plus(-2), OCTOBER.plus(-1), OCTOBER]
    assert found.faults == {}
    assert of(measured(three, history_months=1).measures, "unallocated_rate") == [(ends[2], 0.1)]


def test_a_month_is_looked_at_on_its_own_cut_off_and_the_newest_on_the_runs(three: History) -> None:
    """The file of the ninth had not come on the fifth."""
    at_once = measured(three, usual_cutoff=lambda month: CUTOFF)
    assert [v for _, v in of(at_once.measures, "extracts_missing_rate")] == [0.0, 0.0, 0.0]
    early = measured(three, usual_cutoff=lambda month: date(2026, 11, 5))
    assert [v for _, v in of(early.measures, "extracts_missing_rate")] == [1.0, 1.0, 0.0]
    later = measured(three, usual_cutoff=lambda month: date(2027, 1, 1))
    assert later.measures.equals(at_once.measures), "no month is looked at after the run's own cut-off"


def test_figures_from_elsewhere_stand_in_the_place_of_our_own(three: History) -> None:
    beside = rates(("370", "unallocated_rate", 0.9), ("371", "unallocated_rate", None))
    found = measured(three, beside=beside)
    assert of(found.measures, "unallocated_rate")[-1] == (OCTOBER.last_day, 0.9)
    assert len(of(found.measures, "unallocated_rate")) == 3
    assert of(found.measures, "unallocated_rate", "371")[-1] == (OCTOBER.last_day, None)


def test_a_council_that_cannot_be_measured_has_a_sentence_and_no_rows(
    three: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = module.build_inputs

    def broken(counts: dict[Kind, pl.DataFrame], register: Any, *rest: Any, **more: Any) -> Any:
        if "371" in register.by_code:
            raise ZeroDivisionError
        assert counts[Kind.CASELOAD]["la_code"].unique().to_list() == ["370"], "it is given its own rows alone"
        return build(counts, register, *rest, **more)

    monkeypatch.setattr(module, "build_inputs", broken)
    found = measured(three)
    assert list(found.faults) == ["371"]
    assert found.faults["371"].startswith("Doncaster (371): measuring failed: a fault in Holdfast (ZeroDivisionError")
    assert set(found.measures["la_code"]) == set(found.features["la_code"]) == {"370"}
