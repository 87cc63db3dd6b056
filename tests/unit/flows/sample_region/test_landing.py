"""The landing folder: bytes that repeat, forms that can be read, and each trouble where it belongs."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.councils import read_register, write_register
from features.errors import HoldfastError, PersonalDataRefused, UnreadableExtract
from features.months import Month
from features.registry import EXTRACTS, FieldType, Kind
from flows.extracts.formats.asked import Asked, Form
from flows.extracts.formats.known import read_form
from flows.extracts.ingest import IngestedExtract
from flows.extracts.reading.table import Limits
from flows.sample_region import TRUTH, MonthFrames, Sample, as_canonical, generate, region, sample_extracts
from flows.sample_region.landing import due_on

LAST = Month(2026, 10)
MONTHS = 6
KEY = b"a key for tests, of thirty-two bytes and more"


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sample]:
    folder = tmp_path_factory.mktemp("landing") / "demonstration"
    return folder, sample_extracts(folder, 12, MONTHS, 1, LAST)


@pytest.fixture(scope="module")
def last_month() -> MonthFrames:
    *_, last = generate(region(12, MONTHS, 1, LAST))
    return last


def _tree(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _ingest(folder: Path, path: Path) -> IngestedExtract:
    register = read_register((folder / "register.csv").read_text(encoding="utf-8"), "register.csv")
    council = register.by_folder.get(path.parent.name)
    assert council is not None
    kind, month = Kind(path.name.split(".")[0]), Month.parse(path.parent.parent.name)
    received = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return read_form(Form.NATIVE, path.read_bytes(), Asked(path.name, kind, council, month, KEY, received, Limits()))


def test_the_same_arguments_give_the_same_bytes_and_times(tmp_path: Path) -> None:
    for name in ("one", "two"):
        sample_extracts(tmp_path / name, 12, 2, 5, LAST)
    sample_extracts(tmp_path / "other", 12, 2, 6, LAST)
    one, two, other = (_tree(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert sum(one[k] == other[k] for k in one) <= 1  # truth.csv does not depend on the seed


def test_every_council_sends_three_files_a_month(landing: tuple[Path, Sample]) -> None:
    folder, sample = landing
    names = [p for p in folder.rglob("*") if p.is_file()]
    assert len(names) == sample.files == 12 * 3 * MONTHS + 1 + 2
    assert not list(folder.rglob(".*"))
    assert {p.name for p in folder.iterdir() if p.is_dir()} == {str(LAST.plus(-i)) for i in range(MONTHS)}
    assert (folder / str(LAST) / "Z07-Z08" / "caseload.csv").is_file()


def test_each_form_is_read_back_as_what_was_generated(landing: tuple[Path, Sample], last_month: MonthFrames) -> None:
    """CSV in three dialects, Parquet and Excel say the same; only references and teams differ, being hashed."""
    folder, sample = landing
    read = 0
    for council in sample.region.councils:
        for path in sorted((folder / str(LAST) / council.council.folder).iterdir()):
            kind = Kind(path.name.split(".")[0])
            if (council.la_code, kind) in (("Z11", Kind.WORKFORCE), ("Z13", Kind.CASELOAD)):
                continue
            said = _ingest(folder, path)
            assert said.problems.is_empty()
            assert said.absent_columns == ()
            hashed = [f.name for f in EXTRACTS[kind].fields if f.type in (FieldType.REFERENCE, FieldType.TEXT)]
            meant = as_canonical(last_month.frames[kind], kind).filter(pl.col("la_code") == council.la_code)
            got = said.frame.sort("file_row").drop(hashed)
            assert got.equals(meant.drop(hashed)), (council.la_code, kind)
            for name in hashed:
                assert said.frame[name].null_count() == meant[name].null_count()
                assert said.frame[name].n_unique() == meant[name].n_unique()
            read += 1
    assert read == 12 * 3 - 2


def test_headers_dates_and_encodings_differ_between_councils(landing: tuple[Path, Sample]) -> None:
    folder, _ = landing
    month = folder / str(LAST)
    assert (month / "Z02" / "workforce.csv").read_bytes().startswith(b"\xef\xbb\xbfLEA,ReferenceDate")
    windows = (month / "Z05" / "workforce.csv").read_bytes()
    assert b"31/10/2026" in windows
    assert b"\x92" in windows
    assert (month / "Z03" / "workforce.xlsx").read_bytes().startswith(b"PK")
    assert (month / "Z06" / "caseload.parquet").read_bytes().startswith(b"PAR1")


def test_the_broken_file_and_the_personal_data_are_in_the_last_month_only(landing: tuple[Path, Sample]) -> None:
    folder, _ = landing
    with pytest.raises(UnreadableExtract):
        _ingest(folder, folder / str(LAST) / "Z11" / "workforce.csv")
    with pytest.raises(PersonalDataRefused, match="date_of_birth"):
        _ingest(folder, folder / str(LAST) / "Z13" / "caseload.csv")
    before = folder / str(LAST.plus(-1))
    assert _ingest(folder, before / "Z11" / "workforce.csv").frame.height > 0
    assert _ingest(folder, before / "Z13" / "caseload.csv").frame.height > 0


def test_files_come_before_their_due_date_but_for_the_late_council(landing: tuple[Path, Sample]) -> None:
    folder, _ = landing
    late = set()
    for path in (folder / str(LAST)).rglob("*.*"):
        received = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        assert received.date() > LAST.last_day
        if received.date() > due_on(LAST):
            late.add(path.parent.name)
    assert late == {"Z10"}


def test_councils_in_difficulty_are_late_more_often(tmp_path: Path) -> None:
    made = sample_extracts(tmp_path, 12, 12, 1, LAST).region
    late: dict[str, int] = dict.fromkeys((c.council.folder for c in made.councils), 0)
    for path in tmp_path.rglob("establishment.*"):
        month = Month.parse(path.parent.parent.name)
        late[path.parent.name] += datetime.fromtimestamp(path.stat().st_mtime, UTC).date() > due_on(month)
    assert late["Z02"] >= 3
    assert late["Z04"] >= 3
    assert late["Z01"] == late["Z09"] == 0


def test_the_restated_month_has_both_versions_and_they_differ(landing: tuple[Path, Sample]) -> None:
    folder, _ = landing
    month = LAST.plus(-4)
    first, second = (folder / str(month) / "Z12" / f"workforce{s}.csv" for s in ("", ".restated-1"))
    assert first.stat().st_mtime < second.stat().st_mtime
    assert list(folder.rglob("*restated*")) == [second]
    before, after = _ingest(folder, first).frame, _ingest(folder, second).frame
    assert before["working_days_lost"].sum() == 0 < after["working_days_lost"].sum()
    assert before["role_end_date"].null_count() == before.height
    assert before["worker_ref"].equals(after["worker_ref"])


def test_the_truth_says_what_no_extract_does(landing: tuple[Path, Sample]) -> None:
    folder, sample = landing
    assert sample.truth.schema == TRUTH
    assert sample.truth.height == 12 * MONTHS
    read = pl.read_csv(folder / "truth.csv", schema=TRUTH)
    assert read.equals(sample.truth)
    last = read.filter(pl.col("month") == LAST.last_day)
    stages = dict(zip(last["la_code"], last["stage"], strict=True))
    assert stages["Z01"] == stages["Z09"] == 0
    assert stages["Z02"] == 4
    assert stages["Z05"] == 2
    onset = dict(zip(last["la_code"], last["onset"], strict=True))
    assert onset["Z02"] == date(2025, 5, 31)
    assert onset["Z01"] is None


def test_the_register_is_read_back_equal(landing: tuple[Path, Sample]) -> None:
    folder, sample = landing
    register = read_register((folder / "register.csv").read_text(encoding="utf-8"), "register.csv")
    assert register == sample.region.register
    for council in register.councils:
        assert all(a.endswith(".example") for a in (*council.recipients, council.data_officer))
        assert council.la_code not in council.neighbours
        assert set(council.neighbours) <= set(register.by_code)


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(HoldfastError, match="not empty"):
        sample_extracts(tmp_path, 2, 1, 1, LAST)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_writing_the_same_region_again_is_allowed_and_changes_nothing(tmp_path: Path) -> None:
    sample_extracts(tmp_path, 2, 1, 1, LAST)
    before = _tree(tmp_path)
    sample_extracts(tmp_path, 2, 1, 1, LAST)
    assert _tree(tmp_path) == before
    with pytest.raises(HoldfastError, match="not empty"):
        sample_extracts(tmp_path, 3, 1, 1, LAST)


def test_progress_is_told_after_each_month(tmp_path: Path) -> None:
    told: list[tuple[Month, int, int]] = []
    sample_extracts(tmp_path, 2, 3, 1, LAST, lambda *said: told.append(said))
    assert told == [(LAST.plus(-2), 1, 3), (LAST.plus(-1), 2, 3), (LAST, 3, 3)]


def test_a_landing_folder_as_init_leaves_it_may_be_filled_and_one_with_councils_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "register.csv").write_text(write_register([]), encoding="utf-8")
    sample_extracts(tmp_path, 2, 1, 1, LAST)
    assert len(read_register((tmp_path / "register.csv").read_text(encoding="utf-8"), "x").councils) == 2
    with pytest.raises(HoldfastError, match="something else"):
        sample_extracts(tmp_path, 3, 1, 1, LAST)
