"""What a restatement did to the measures of a council, in the words of a letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.frames import MEASURES_SCHEMA, counts_schema
from features.registry import Kind
from flows.month.edition import TakenIn
from flows.month.restated import _changes, restatements
from flows.store import LocalStore
from flows.store.editions import History
from flows.store.manifest import Manifest
from tests.unit.flows.month.examples import CUTOFF, OCTOBER, REGISTER, manifest, outcome, record

Rates = dict[str, float | None]


def measures(la_code: str, rates: Rates) -> pl.DataFrame:
    rows = [{"la_code": la_code, "month": OCTOBER.last_day, "measure": m, "value": v} for m, v in rates.items()]
    return pl.DataFrame([{n: row.get(n) for n in MEASURES_SCHEMA} for row in rows], schema=MEASURES_SCHEMA)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ({"vacancy_rate_fte": 0.14}, {"vacancy_rate_fte": 0.18}, ("Vacancy rate 14% → 18%",)),
        ({"vacancy_rate_fte": 0.14}, {"vacancy_rate_fte": 0.14}, ()),
        ({"vacancy_rate_fte": 0.141}, {"vacancy_rate_fte": 0.142}, ()),  # both are shown as 14%
        ({"vacancy_rate_fte": None}, {"vacancy_rate_fte": 0.18}, ()),
        ({"vacancy_rate_fte": 0.14}, {"vacancy_rate_fte": None}, ()),
        ({"vacancy_rate_fte": 0.14}, {}, ()),
        (
            {"vacancy_rate_fte": 0.2, "agency_rate_fte": 0.2, "turnover_rate_fte": 0.0},
            {"vacancy_rate_fte": 0.22, "agency_rate_fte": 0.1, "turnover_rate_fte": 0.3},
            ("Turnover in 12 months 0% → 30%", "Agency rate 20% → 10%", "Vacancy rate 20% → 22%"),
        ),
    ],
)
def test_rates_whose_shown_value_changed_the_largest_relative_change_first(
    was: Rates, now: Rates, said: tuple[str, ...]
) -> None:
    others = measures("371", {"vacancy_rate_fte": 0.5})
    new = measures("371", {"vacancy_rate_fte": 0.9})
    assert _changes(pl.concat([measures("370", was), others]), pl.concat([measures("370", now), new]), "370") == said


def counts(cases: int, allocated: int) -> pl.DataFrame:
    row = {"la_code": "370", "month": OCTOBER.last_day, "known_from": date(2026, 11, 4), "extract_sha256": "x"}
    own = row | {"open_cases": cases, "unallocated_cases": cases - allocated}
    schema = counts_schema(Kind.CASELOAD)
    return pl.DataFrame([{n: own.get(n) for n in schema}], schema=schema)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalStore(tmp_path))


def taken(history: History, before: Manifest | None, mark: str | None, allocated: int) -> TakenIn:
    """The next edition of the month, with a caseload of a hundred open cases."""
    known = record("370", Kind.CASELOAD, sha256=mark)
    number = history.next_number(OCTOBER)
    made = replace(manifest(known, fingerprint=f"mark {number}"), edition=number)
    stored = history.write(made, {"counts-caseload": counts(100, allocated)})
    return TakenIn(stored, outcome(), before)


def test_a_file_sent_again_with_other_content_shows_what_it_changed(history: History) -> None:
    first = taken(history, None, "one", 90)
    again = taken(history, first.manifest, "two", 80)
    (found,) = restatements(history, REGISTER, [first, again], CUTOFF)
    assert (found.name, found.month, found.extract) == ("Barnsley", OCTOBER, "caseload")
    assert found.changes == ("Cases without a worker 10% → 20%",)


@pytest.mark.parametrize("marks", [("one", "one"), (None, "two"), ("one", None)])
def test_the_same_content_a_first_file_and_a_lost_one_restate_nothing(
    history: History, marks: tuple[str | None, str | None]
) -> None:
    first = taken(history, None, marks[0], 90)
    again = taken(history, first.manifest, marks[1], 80)
    assert restatements(history, REGISTER, [again], CUTOFF) == []
