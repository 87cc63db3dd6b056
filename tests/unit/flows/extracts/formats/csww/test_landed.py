"""A landed `csww.xml`: how it is recognised, what it gives way to, what validation says of what was taken from it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from expectations.batch import Batch, Severity
from expectations.fates import Fate
from features.councils import Register
from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Form
from flows.extracts.formats.csww.reader import read
from flows.extracts.formats.known import BY_FORM
from flows.extracts.landing import LandedFile, list_month
from flows.extracts.reading.cells import PROBLEM_TEXTS
from flows.extracts.receive import receive_file
from flows.month.count import without_withheld
from flows.sample_region import generate, region
from flows.sample_region.csww_writer import september_returns
from flows.store.local import LocalStore
from tests.unit.expectations.examples import check_batch
from tests.unit.flows.extracts.conftest import record_submission
from tests.unit.flows.extracts.formats.csww.made_up import AGENCY, COUNCIL, KEY, LEFT, SEPTEMBER, asked, csww, worker

GOOD = csww(worker(), worker(AGENCY), worker(LEFT))


def landed(folder: Path, **files: tuple[str, bytes]) -> list[LandedFile]:
    """The files that count, from `name=(day of November, content)`; dots are written as two underscores."""
    for name, (day, content) in files.items():
        path = folder / "landing" / "2022-09" / "301" / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        when = datetime.fromisoformat(f"2022-11-{day}T09:00:00+00:00").timestamp()
        os.utime(path, (when, when))
    return list(list_month(LocalStore(folder / "landing"), SEPTEMBER, Register((COUNCIL,))).files)


def test_a_return_is_three_extracts(tmp_path: Path) -> None:
    found = landed(tmp_path, csww__xml=("10", GOOD))
    assert [(f.kind, f.form, f.filename) for f in found] == [
        (kind, Form.CSWW, "csww.xml") for kind in sorted([Kind.ESTABLISHMENT, Kind.RETURN, Kind.WORKFORCE])
    ]


@pytest.mark.parametrize("days", [("10", "20"), ("20", "10")], ids=["before it", "after it"])
def test_a_councils_own_extract_goes_first_whichever_came_later(tmp_path: Path, days: tuple[str, str]) -> None:
    own, theirs = days
    found = landed(tmp_path, workforce__csv=(own, b"x"), csww__xml=(theirs, GOOD))
    assert {f.kind: f.form for f in found} == {
        Kind.WORKFORCE: Form.NATIVE,
        Kind.ESTABLISHMENT: Form.CSWW,
        Kind.RETURN: Form.CSWW,
    }


def test_of_two_returns_the_newer_counts(tmp_path: Path) -> None:
    found = landed(tmp_path, csww__xml=("20", GOOD), csww__corrected__xml=("21", GOOD))
    assert {f.filename for f in found} == {"csww.corrected.xml"}


def test_of_a_good_return_its_tables_are_kept_and_of_a_bad_one_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for content, outcome in ((GOOD, Fate.ACCEPTED), (b"no XML", Fate.REFUSED)):
        for file in landed(tmp_path, csww__xml=("10", content)):
            received = receive_file(LocalStore(tmp_path / "landing"), file, key=KEY)
            record_submission(store, received.submission, received.table)
            assert received.submission.outcome is outcome
            assert received.submission.kept is (outcome is Fate.ACCEPTED)
    kept = [o.name.rpartition("/")[2] for o in store.list("received/")]
    assert [name.partition("-")[0] for name in kept] == ["establishment", "return", "workforce"]
    assert all(name.endswith(".rows.parquet") for name in kept)


def checked(*extracts: object) -> dict[str, str]:
    """Check -> severity of what validation says of extracts taken from a return."""
    return {r["check"]: r["severity"] for r in outcome_of(*extracts).failures.iter_rows(named=True)}


def outcome_of(*extracts):  # type: ignore[no-untyped-def]
    batch = Batch(
        extracts[0].month,
        {e.kind: e.frame for e in extracts},
        pl.concat([e.problems for e in extracts]),
        frozenset((e.la_code, e.kind, c) for e in extracts for c in e.absent_columns),
        {(e.la_code, e.kind): e.filename for e in extracts},
        problem_texts=PROBLEM_TEXTS,
    )
    return check_batch(batch)


@pytest.fixture(scope="module")
def good() -> list[object]:
    september = Month(2025, 9)
    made = region(1, 12, 4, september)
    ((la_code, content),) = september_returns(list(generate(made)))
    council = next(c for c in made.register.councils if c.la_code == la_code)
    return [read(content, asked(kind, council, september)) for kind in BY_FORM[Form.CSWW].kinds]


def test_validation_finds_nothing_to_put_right_in_a_good_return(good: list[object]) -> None:
    """What the form does not carry is absent, and no error of the council's."""
    assert {c for c, severity in checked(*good).items() if severity != Severity.INFORMATION} == set()


def test_validation_withholds_what_too_many_records_leave_open() -> None:
    workers = [worker(SWENo=f"SW{n}", **({"FTE": "0"} if n % 3 == 0 else {})) for n in range(30)]
    extract = read(csww(*workers), asked(Kind.WORKFORCE))
    outcome = outcome_of(extract)
    assert ("301", Kind.WORKFORCE, "fte") in outcome.withheld or ("301", Kind.WORKFORCE) in outcome.quarantined
    said = " ".join(outcome.failures["message"].to_list())
    assert "is 0 in one of FTE and FTE30 and not in the other" in said


def test_a_withheld_field_of_a_return_is_not_kept() -> None:
    """A return is not counted, so withholding must happen in the table itself."""
    extract = read(csww(worker(), worker(LEFT)), asked(Kind.RETURN))
    outcome = outcome_of(extract)
    pretended = type(outcome)(
        **{n: getattr(outcome, n) for n in outcome.__dataclass_fields__}
        | {"withheld": frozenset({("301", Kind.RETURN, "leavers_headcount"), ("301", Kind.WORKFORCE, "fte")})}
    )
    kept = without_withheld(extract.frame, Kind.RETURN, pretended)
    assert kept["leavers_headcount"].to_list() == [None] and extract.frame["leavers_headcount"].to_list() == [1]
    assert kept["working_days_lost_fte"].to_list() == [90]
