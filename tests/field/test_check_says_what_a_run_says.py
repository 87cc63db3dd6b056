"""`holdfast check`, given what a run remembers, says of any file what the run says: fate, counts and effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings

from features.months import Month
from flows.alerts.files import council_files
from flows.extracts.check_files import Checked, check_files
from flows.extracts.checking import Past
from flows.month.steps import limits_of
from tests.field.region import LAST, FieldRegion
from tests.field.test_one_council import HIT, Spoil, spoils

Fates = dict[str, tuple[object, ...]]
Found = set[tuple[object, ...]]


def by_run(region: FieldRegion) -> tuple[Fates, Found]:
    taken = region.take_in()
    council = region.context().register.by_code[HIT]
    files = council_files(taken.manifest, taken.outcome.failures, council, LAST)
    own = taken.outcome.failures.filter(la_code=HIT)
    found = {
        (r["check"], r["severity"], r["column"], r["rows"], tuple(r["row_numbers"]), r["effect"], r["accepted"])
        for r in own.iter_rows(named=True)
    }
    fates = {str(f.kind): (str(f.fate), f.rows, f.errors, f.queries, f.withheld) for f in files.files}
    return fates, found


def by_check(region: FieldRegion, month: Month = LAST) -> tuple[Fates, Found]:
    context = region.context(month)
    past = Past(context.history, context.cutoff, context.register, (), context.key, limits_of(context.settings))
    paths = sorted((region.landing / str(month) / HIT).iterdir())
    (checked,) = check_files(paths, council=HIT, month=month, past=past)
    assert isinstance(checked, Checked)
    found = {
        (i.check, str(i.severity), i.column, i.rows, i.row_numbers, i.effect, i.accepted) for i in checked.report.items
    }
    fates = {str(f.kind): (str(f.fate), f.rows, f.errors, f.queries, f.withheld) for f in checked.report.files.files}
    return fates, found


def nothing(_region: FieldRegion) -> None:
    """The file as it is."""


def _agree(spoil: Spoil, base: FieldRegion, folder: Path) -> None:
    region = base.copy(folder)
    spoil(region)
    # The check first: it leaves no trace that the run could find.
    said_by_check = by_check(region)
    said_by_run = by_run(region)
    assert said_by_check[0] == said_by_run[0]
    assert said_by_check[1] == said_by_run[1]


@settings(max_examples=4)
@given(spoil=spoils())
@example(spoil=nothing)
def test_check_and_run_agree(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil) -> None:
    _agree(spoil, field_region, tmp_path_factory.mktemp("checked") / "region")


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=300)
@given(spoil=spoils())
def test_check_and_run_agree_at_length(
    field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil
) -> None:
    _agree(spoil, field_region, tmp_path_factory.mktemp("checked") / "region")
