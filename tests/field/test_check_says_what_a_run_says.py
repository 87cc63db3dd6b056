"""`holdfast check`, given what a run remembers, says of any file what the run says: fate, counts and effect."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings

from expectations.fates import Fate
from flows.alerts.files import council_files
from flows.extracts.check_files import CheckedFiles, check_files
from flows.extracts.checking import Past
from flows.extracts.reading.table import Limits
from flows.month.edition import TakenIn
from tests.conftest import SHARED
from tests.field.region import ARRIVED, LAST, FieldRegion
from tests.field.sector import csww
from tests.field.test_one_council import HIT, Spoil, spoils

Fates = dict[str, tuple[object, ...]]
Found = set[tuple[object, ...]]


def by_run(region: FieldRegion, taken: TakenIn, la_code: str) -> tuple[Fates, Found]:
    council = region.context().register.by_code[la_code]
    files = council_files(taken.manifest, taken.outcome.failures, council, LAST)
    own = taken.outcome.failures.filter(la_code=la_code)
    found = {
        (r["check"], r["severity"], r["column"], r["rows"], tuple(r["row_numbers"]), r["effect"], r["accepted"])
        for r in own.iter_rows(named=True)
    }
    came = [f for f in files.files if f.fate is not Fate.MISSING]
    fates = {str(f.kind): (str(f.fate), f.rows, f.errors, f.queries, f.withheld) for f in came}
    return fates, found


def by_check(region: FieldRegion, la_code: str, *, told: bool = True) -> tuple[Fates, Found]:
    """`told`: whether the council and the month are given, or to be known from where the files lie."""
    context = region.context()
    past = Past(context.history, context.cutoff, context.register, (), context.key, Limits())
    paths = sorted((region.landing / str(LAST) / la_code).iterdir())
    where: dict[str, Any] = {"council": la_code, "month": LAST} if told else {}
    (checked,) = [one for one in check_files(paths, **where, past=past) if isinstance(one, CheckedFiles)]
    found = {
        (i.check, str(i.severity), i.column, i.rows, i.row_numbers, i.effect, i.accepted) for i in checked.report.items
    }
    fates = {str(f.kind): (str(f.fate), f.rows, f.errors, f.queries, f.withheld) for f in checked.report.files.files}
    return fates, found


def test_a_file_in_another_councils_or_months_folder_is_refused_by_both(
    field_region: FieldRegion, tmp_path: Path
) -> None:
    region = field_region.copy(tmp_path / "region")
    region.put("Z01", "workforce", region.table("Z02", "workforce"))
    region.put("Z02", "workforce", region.table("Z02", "workforce", LAST.plus(-1)))
    said = [by_check(region, la_code, told=False) for la_code in ("Z01", "Z02")]
    taken = region.take_in()
    assert said == [by_run(region, taken, la_code) for la_code in ("Z01", "Z02")]
    assert [fates["workforce"][0] for fates, _ in said] == ["refused", "refused"]


def nothing(_region: FieldRegion) -> None:
    """The file as it is."""


def _agree(spoil: Spoil, base: FieldRegion, folder: Path, councils: Sequence[str] = (HIT,)) -> None:
    region = base.copy(folder)
    spoil(region)
    # The check first: it leaves no trace that the run could find.
    said_by_check = [by_check(region, la_code) for la_code in councils]
    taken = region.take_in()
    for (fates, found), la_code in zip(said_by_check, councils, strict=True):
        assert (fates, found) == by_run(region, taken, la_code)


@settings(max_examples=2)
@given(spoil=spoils())
@example(spoil=nothing)
def test_check_and_run_agree(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil) -> None:
    _agree(spoil, field_region, tmp_path_factory.mktemp("checked") / "region")


#: Files from the field, each in the place of one council's own of that kind.
CASES = {
    "Z01": "01-sept/workforce.csv",
    "Z02": "30-annex-a-lookup-errors/annex_a.xlsx",
    "Z03": "32-ssd-no-referral-id/ssd",
}
MORE = ("04-text-formula/workforce.csv", "08-hidden-rows/workforce.xlsx", "25-title-above-header/workforce.csv")


@pytest.mark.parametrize("cases", [CASES, *(pytest.param({"Z01": case}, marks=pytest.mark.soak) for case in MORE)])
def test_check_and_run_agree_on_files_from_the_field(
    field_region: FieldRegion, tmp_path: Path, cases: dict[str, str]
) -> None:
    sources = {la_code: SHARED / "cases" / case for la_code, case in cases.items()}
    if not all(source.exists() for source in sources.values()):
        pytest.skip("the cases from the field are not on this machine; set HOLDFAST_SHARED to their folder")

    def sent_instead(region: FieldRegion) -> None:
        for la_code, source in sources.items():
            folder = region.landing / str(LAST) / la_code
            kinds = (
                ("workforce",) if source.name.startswith("workforce") else ("workforce", "caseload", "establishment")
            )
            for kind in kinds:
                region.file(la_code, kind).unlink()
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / source.name)
            for file in (folder, *folder.rglob("*")):
                os.utime(file, (ARRIVED, ARRIVED))

    _agree(sent_instead, field_region, tmp_path / "region", list(cases))


def _with_a_return(of: str) -> bytes:
    text = csww().replace("2026-09-30", str(LAST.last_day)).replace("<LEA>370<", f"<LEA>{of}<")
    return text.encode()


def test_check_and_run_agree_where_a_return_or_a_second_file_lies_beside_the_extracts(
    field_region: FieldRegion, tmp_path: Path
) -> None:
    def beside(region: FieldRegion) -> None:
        folders = [region.landing / str(LAST) / la_code for la_code in ("Z01", "Z02", "Z03", "Z04")]
        for folder in folders[:3]:
            (folder / "csww.xml").write_bytes(_with_a_return(folder.name))
        # Its own extract does not count beside a return only if it is not there.
        region.file("Z02", "workforce").unlink()
        (folders[2] / "csww.xml").write_bytes(_with_a_return("370"))
        # Two files of one kind: the newer one counts.
        own = region.table("Z04", "workforce")
        (folders[3] / "workforce.parquet").write_bytes(b"PAR1")
        (folders[3] / "workforce (2).csv").write_bytes(own.head(own.height - 3).write_csv().encode())
        for folder in folders:
            for number, file in enumerate(sorted(folder.iterdir())):
                os.utime(file, (ARRIVED + number, ARRIVED + number))

    _agree(beside, field_region, tmp_path / "region", ["Z01", "Z02", "Z03", "Z04"])


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=300)
@given(spoil=spoils())
def test_check_and_run_agree_at_length(
    field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory, spoil: Spoil
) -> None:
    _agree(spoil, field_region, tmp_path_factory.mktemp("checked") / "region")
