"""Which months have something new, what is read of them, and what a fault of ours leaves of a month.

Tidying the landing store up restates nothing, and closed months stay closed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from expectations.accepted import Accepted
from expectations.batch import FAILURES
from expectations.fates import Fate
from features.councils import Council, Register
from features.months import LONDON, Month
from features.registry import Kind
from flows.extracts.landing import Unrecognised
from flows.extracts.reading.table import Limits
from flows.month import count, take_in
from flows.month.count import check_months
from flows.month.take_in import (
    Due,
    fingerprint,
    month_batch,
    months_due,
    of_councils,
    read_files,
    to_be_tried_again,
    unread,
)
from flows.store import LocalStore, ObjectInfo
from flows.store.editions import RECORDS_KEPT_FROM, History
from flows.store.manifest import Manifest
from tests.unit.flows.month import examples
from tests.unit.flows.month.examples import BARNSLEY, DONCASTER, came, checked, due, failure, failures, landed, read

SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
CUTOFF = date(2026, 11, 20)
REGISTER = Register((Council("370", "Barnsley", Month(2020, 1)),))


@pytest.fixture
def landing(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "landing")
    for month in (SEPTEMBER, OCTOBER):
        put(store, f"{month}/370/workforce.csv", b"one")
    return store


@pytest.fixture
def history(tmp_path: Path, landing: LocalStore) -> History:
    """Both months taken in as they lie there."""
    made = History(LocalStore(tmp_path / "store"))
    for one in found(landing, made):
        made.write(Manifest(one.month, 1, one.fingerprint, date(2026, 11, 10), (), {}), {})
    return made


def put(store: LocalStore, name: str, content: bytes, day: int = 10) -> None:
    store.replace(name, content)
    moment = datetime(2026, 11, day, 12, tzinfo=UTC).timestamp()
    os.utime(store.root / name, (moment, moment))


def found(landing: LocalStore, history: History, *accepted: Accepted, cutoff: date = CUTOFF) -> list[Due]:
    return months_due(landing, History(history.store), REGISTER, [SEPTEMBER, OCTOBER], lambda _: cutoff, accepted)


def months(due: list[Due]) -> list[Month]:
    return [d.month for d in due]


def test_nothing_new_is_nothing_to_do(landing: LocalStore, history: History) -> None:
    assert found(landing, history) == []


def test_a_file_sent_again_restates_its_month_and_the_one_after(landing: LocalStore, history: History) -> None:
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


@pytest.mark.parametrize("harm", [None, b"half"])
def test_a_month_is_counted_anew_if_the_one_it_was_compared_with_is_lost_and_another_takes_its_place(
    landing: LocalStore, history: History, harm: bytes | None
) -> None:
    september, october = history.as_of(SEPTEMBER, CUTOFF), history.as_of(OCTOBER, CUTOFF)
    assert september is not None and october is not None
    history.write(replace(october, edition=2, after=september.fingerprint), {})
    name = f"{september.prefix}manifest.json"
    history.store.delete(name) if harm is None else history.store.replace(name, harm)
    assert months(found(landing, history)) == [SEPTEMBER], "it will be the same edition again"
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


def test_a_month_that_comes_after_its_successor_is_compared_with(landing: LocalStore, tmp_path: Path) -> None:
    late = landing.read(file := f"{SEPTEMBER}/370/workforce.csv")
    landing.delete(file)
    history = History(LocalStore(tmp_path / "store"))
    (october,) = found(landing, history)
    history.write(Manifest(OCTOBER, 1, october.fingerprint, october.cutoff, (), {}), {})
    put(landing, file, late, day=12)
    assert months(found(landing, history)) == [SEPTEMBER, OCTOBER]


def test_a_month_whose_folder_was_emptied_keeps_what_was_taken_in(landing: LocalStore, history: History) -> None:
    landing.delete(f"{SEPTEMBER}/370/workforce.csv")
    assert found(landing, history) == []
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    landing.delete(f"{OCTOBER}/370/workforce.csv")
    assert months(found(landing, history)) == [SEPTEMBER]


def test_nothing_is_taken_in_for_a_closed_month(landing: LocalStore, history: History) -> None:
    history.store.replace(RECORDS_KEPT_FROM, b'{"month": "2026-10"}')
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert found(landing, history) == []
    put(landing, f"{OCTOBER}/370/workforce.corrected.csv", b"two", day=12)
    assert months(found(landing, history)) == [OCTOBER]


@pytest.mark.parametrize("month", [SEPTEMBER, OCTOBER])
@pytest.mark.parametrize("harm", [None, b"half"])
def test_a_month_whose_stored_table_is_lost_or_cut_off_is_due_again_while_its_files_are_there(
    landing: LocalStore, history: History, month: Month, harm: bytes | None
) -> None:
    """Of a month before, the run reads this table no more; that it lies there whole is looked at all the same."""
    newest = history.as_of(month, CUTOFF)
    assert newest is not None
    stored = history.write(replace(newest, edition=2), {"failures": FAILURES.to_frame()})
    assert found(landing, history) == []
    assert stored.tables is not None
    file = f"{stored.prefix}{stored.tables['failures'].file}"
    history.store.delete(file) if harm is None else history.store.replace(file, harm)
    assert months(found(landing, history)) == [month]
    landing.delete(f"{month}/370/workforce.csv")
    assert month not in months(found(landing, history)), "nothing is there to take in"


def test_what_came_after_the_cut_off_is_not_looked_at(landing: LocalStore, history: History) -> None:
    put(landing, f"{OCTOBER}/370/workforce.corrected.csv", b"two", day=20)
    put(landing, f"{OCTOBER}/370/notes.txt", b"see you", day=20)
    assert found(landing, history, cutoff=date(2026, 11, 19)) == []
    (one,) = found(landing, history, cutoff=date(2026, 11, 20))
    assert [f.filename for f in one.files] == ["workforce.csv", "workforce.corrected.csv"]
    assert [u.name for u in one.unrecognised] == [f"{OCTOBER}/370/notes.txt"]
    assert (one.cutoff, one.replaces) == (date(2026, 11, 20), history.standing(OCTOBER, CUTOFF))


def test_a_mapping_that_came_by_the_cut_off_is_read_with_the_file(landing: LocalStore, history: History) -> None:
    put(landing, "mappings/370/workforce.toml", b"", day=20)
    found_now = found(landing, history, cutoff=date(2026, 11, 20))
    mappings = [[f.mapping and f.mapping.name for f in one.files] for one in found_now]
    assert mappings == [["mappings/370/workforce.toml"]] * 2
    assert found(landing, history, cutoff=date(2026, 11, 19)) == []


def test_a_file_that_nobody_recognises_is_news_too(landing: LocalStore, history: History) -> None:
    put(landing, f"{OCTOBER}/370/notes.txt", b"see you")
    assert months(found(landing, history)) == [OCTOBER]


def test_a_month_after_a_restated_one_needs_no_pages_of_its_own(landing: LocalStore, history: History) -> None:
    put(landing, f"{SEPTEMBER}/370/workforce.corrected.csv", b"two", day=12)
    assert [one.needs_pages for one in found(landing, history)] == [True, False]


def test_a_month_of_which_pages_are_gone_is_due_and_only_the_last_one(landing: LocalStore, history: History) -> None:
    def due_now() -> list[Due]:
        both, gone = [SEPTEMBER, OCTOBER], ["validation/2026-10/index.html"]
        return months_due(landing, History(history.store), REGISTER, both, lambda _: CUTOFF, (), gone)

    assert [(one.month, one.pages_gone, one.needs_pages) for one in due_now()] == [(OCTOBER, True, True)]
    landing.delete(f"{OCTOBER}/370/workforce.csv")
    assert due_now() == []


def test_a_month_compared_with_an_edition_that_no_longer_stands_is_due(landing: LocalStore, history: History) -> None:
    """A run that died between the two months left the later one behind."""
    september, october = (history.as_of(m, CUTOFF) for m in (SEPTEMBER, OCTOBER))
    assert september is not None and october is not None
    history.write(replace(october, edition=2, after=september.fingerprint), {})
    assert found(landing, history) == []
    history.write(replace(october, edition=3, after="another"), {})
    assert months(found(landing, history)) == [OCTOBER]


def test_a_month_is_judged_anew_when_another_failure_is_accepted(landing: LocalStore, history: History) -> None:
    october = history.as_of(OCTOBER, CUTOFF)
    assert october is not None
    history.write(replace(october, edition=2), {"failures": failures(failure("370", "error"))})
    named = Accepted("workforce.fte.changed", "370", "workforce", "fte", "counted by hand", "data lead", OCTOBER)
    other, earlier = replace(named, council="371"), replace(named, expires=SEPTEMBER)
    assert found(landing, history) == []
    assert found(landing, history, other, earlier) == []
    assert months(found(landing, history, other, named)) == [OCTOBER]
    history.write(replace(october, edition=3), {"failures": failures(failure("370", "error", accepted=True))})
    assert found(landing, history, named) == []
    assert months(found(landing, history, other)) == [OCTOBER]


def test_the_fingerprint_is_of_what_lies_there_in_any_order() -> None:
    one, two = landed(BARNSLEY, Kind.WORKFORCE), landed(DONCASTER, Kind.WORKFORCE)
    mapped = replace(one, mapping=ObjectInfo("mappings/370/workforce.toml", 80, came(2)))
    strange = Unrecognised("2026-10/370/notes.txt", 7, came(3), "a reason")
    assert fingerprint([one, two]) == fingerprint([two, one])
    assert len(fingerprint([one])) == 16
    every = [
        fingerprint([one]),
        fingerprint([one, two]),
        fingerprint([one], [strange]),
        fingerprint([one], [replace(strange, size=8)]),
        fingerprint([one], [replace(strange, modified=came(4))]),
        fingerprint([replace(one, size=91)]),
        fingerprint([replace(one, modified=came(5))]),
        fingerprint([replace(one, name="2026-10/370/workforce.v2.csv")]),
        fingerprint([mapped]),
        fingerprint([replace(mapped, mapping=ObjectInfo("mappings/370/workforce.toml", 81, came(2)))]),
    ]
    assert len(set(every)) == len(every)
    assert fingerprint([one], [replace(strange, reason="another")]) == fingerprint([one], [strange])


def test_files_are_read_council_by_council() -> None:
    one, two, three = (
        landed(BARNSLEY, Kind.WORKFORCE),
        landed(DONCASTER, Kind.WORKFORCE),
        landed(BARNSLEY, Kind.CASELOAD),
    )
    month = Due(OCTOBER, CUTOFF, (one, two, three), (), "mark", None)
    assert month.by_council() == [[one, three], [two]]


def test_the_newest_file_of_each_kind_is_used_and_the_others_are_kept(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    files = [
        landed(BARNSLEY, Kind.WORKFORCE, 4),
        landed(BARNSLEY, Kind.WORKFORCE, 9, "workforce.corrected.csv"),
        landed(BARNSLEY, Kind.CASELOAD, 4),
    ]
    for file in files:
        store.replace(file.name, b"not,an,extract\n1,2,3\n")
    workforce, caseload = read_files(store, files, key=b"0" * 32, limits=Limits())
    assert (workforce.file, [e.file for e in workforce.earlier]) == (files[1], [files[0]])
    assert (caseload.file, caseload.earlier) == (files[2], ())
    assert workforce.extract is None and not workforce.fault
    assert workforce.received is not None and workforce.refusal == str(workforce.received.error)
    assert workforce.submission == workforce.received.submission


def test_a_file_that_we_could_not_read_is_marked_as_our_fault_once_for_each_kind() -> None:
    files = [
        landed(BARNSLEY, Kind.WORKFORCE, 4),
        landed(BARNSLEY, Kind.WORKFORCE, 9, "workforce.corrected.csv"),
        landed(BARNSLEY, Kind.CASELOAD, 4),
    ]
    workforce, caseload = unread(files, "reading failed")
    assert (workforce.file, caseload.file) == (files[1], files[2])
    assert all(r.fault and r.extract is None and r.refusal == "reading failed" for r in (workforce, caseload))
    own = workforce.submission
    assert (own.outcome, own.kept, own.name, own.size) == (Fate.REFUSED, False, "workforce.corrected.csv", 90)


def test_a_month_with_something_unread_is_tried_again_and_marked_once() -> None:
    good, bad = read(BARNSLEY, Kind.WORKFORCE), unread([landed(DONCASTER, Kind.WORKFORCE)], "reading failed")
    month = due([good])
    assert to_be_tried_again(month, [good]) == month
    again = to_be_tried_again(month, [good, *bad])
    assert again == replace(month, fingerprint="mark-incomplete")
    assert to_be_tried_again(again, bad) == again


def test_a_batch_names_the_files_that_came_and_not_those_that_we_failed_to_read() -> None:
    bad = unread([landed(DONCASTER, Kind.WORKFORCE)], "reading failed")
    batch = month_batch(OCTOBER, [read(BARNSLEY, Kind.WORKFORCE), *bad])
    assert batch.files == {("370", Kind.WORKFORCE): "2026-10/370/workforce.csv"}
    assert batch.refused == {}


def test_a_council_taken_out_of_a_month_counts_as_unread_and_leaves_nothing() -> None:
    reads = [read(BARNSLEY, Kind.WORKFORCE), read(DONCASTER, Kind.WORKFORCE)]
    both = frozenset(("370", "371"))
    outcome = examples.outcome(
        failures(failure("370", "error"), failure("371", "error")),
        withheld=frozenset((la, Kind.WORKFORCE, "fte") for la in both),
        quarantined=frozenset((la, Kind.WORKFORCE) for la in both),
        checked={(la, Kind.WORKFORCE): 6 for la in both},
    )
    month = checked(reads, found=outcome)
    assert month.codes == ["370", "371"]
    assert month.without({}) is month
    left = month.without({"371": "counting failed"})
    assert [(r.file.council.la_code, r.fault) for r in left.reads] == [("370", False), ("371", True)]
    assert (left.codes, left.due.fingerprint) == (["370"], "mark-incomplete")
    assert left.batch.frames[Kind.WORKFORCE]["la_code"].unique().to_list() == ["370"]
    assert left.outcome.failures["la_code"].to_list() == ["370"]
    assert {w[0] for w in (*left.outcome.withheld, *left.outcome.quarantined, *left.outcome.checked)} == {"370"}
    assert of_councils(month.batch, None) is month.batch
    assert of_councils(month.batch, ["371"]).frames[Kind.WORKFORCE]["la_code"].unique().to_list() == ["371"]


def test_a_council_at_which_checking_fails_is_left_out_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = take_in.month_batch

    def broken(month, reads):  # type: ignore[no-untyped-def]
        if any(r.file.council.la_code == "371" for r in reads):
            raise ZeroDivisionError
        return make(month, reads)

    monkeypatch.setattr(count, "month_batch", broken)
    reads = [read(BARNSLEY, Kind.WORKFORCE), read(DONCASTER, Kind.WORKFORCE)]
    history = History(LocalStore(tmp_path))
    ((month,), failed) = check_months(history, [due(reads)], [reads], ())
    (said,) = failed.values()
    assert said.startswith("Doncaster (371): checking failed: a fault in Holdfast (ZeroDivisionError")
    assert [r.fault for r in month.reads] == [False, True]
    assert month.due.fingerprint == "mark-incomplete"
    assert set(month.outcome.checked) == {("370", Kind.WORKFORCE)}


@pytest.mark.parametrize(("moment", "read"), [("2026-11-20T23:59", True), ("2026-11-21T00:01", False)])
@pytest.mark.parametrize("summer", [False, True])
def test_what_came_by_the_cut_off_is_told_by_londons_day(
    landing: LocalStore, history: History, moment: str, read: bool, summer: bool
) -> None:
    """In summer London's day ends an hour before that of UTC."""
    cutoff = date(2026, 7, 20) if summer else CUTOFF
    came = datetime.fromisoformat(moment).replace(tzinfo=LONDON)
    came = came.replace(month=7) if summer else came
    month = Month(2026, 6) if summer else OCTOBER
    for name in ("workforce.csv", "workforce.corrected.csv"):
        put(landing, f"{month}/370/{name}", name.encode())
        os.utime(landing.root / f"{month}/370/{name}", (came.timestamp(), came.timestamp()))
    due = months_due(landing, History(history.store), REGISTER, [month], lambda _: cutoff)
    assert [f.name for one in due for f in one.files] == (
        [f"{month}/370/workforce.corrected.csv", f"{month}/370/workforce.csv"] if read else []
    )
