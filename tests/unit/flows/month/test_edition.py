"""What an edition says of every file, and that nothing withheld is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from expectations.batch import Severity
from expectations.fates import Fate
from features.errors import HeaderMismatch, PersonalDataRefused
from features.frames import REASONS, counts_schema
from features.months import Month
from features.registry import RETURN, WORKFORCE, Kind
from flows.extracts.checking import STATES
from flows.extracts.receive import Received
from flows.month import count
from flows.month.count import Ahead, count_month, without_withheld
from flows.month.edition import store_edition, unreported
from flows.month.take_in import Checked, Read
from flows.store import LocalStore, ObjectInfo
from flows.store.editions import History
from flows.store.manifest import ExtractRecord, Manifest
from tests.unit.expectations.examples import frame_of, sound_rows
from tests.unit.flows.month.examples import (
    BARNSLEY,
    DONCASTER,
    OCTOBER,
    REGISTER,
    came,
    checked,
    failure,
    failures,
    landed,
    manifest,
    outcome,
    read,
    record,
    submission,
)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalStore(tmp_path))


def stored(history: History, month: Checked) -> Manifest:
    return store_edition(history, REGISTER, count_month(Ahead(history), month), due_working_day=5).manifest


def of(manifest: Manifest, la_code: str, kind: Kind = Kind.WORKFORCE) -> ExtractRecord:
    (found,) = (e for e in manifest.of(la_code) if e.kind is kind)
    return found


def refused(error: PersonalDataRefused | HeaderMismatch) -> Read:
    file = landed(DONCASTER, Kind.WORKFORCE)
    own = submission(file, "refused", Fate.REFUSED)
    return Read(file, own, None, str(error), received=Received(file, own, None, error))


def test_every_expected_extract_and_every_other_that_came_has_one_record(history: History) -> None:
    made = stored(history, checked([read(DONCASTER, Kind.CASELOAD), read(BARNSLEY, Kind.WORKFORCE)]))
    assert [(e.la_code, e.kind, e.outcome) for e in made.extracts] == [
        ("370", Kind.CASELOAD, Fate.MISSING),
        ("370", Kind.WORKFORCE, Fate.ACCEPTED),
        ("371", Kind.CASELOAD, Fate.ACCEPTED),
        ("371", Kind.WORKFORCE, Fate.MISSING),
    ]
    assert {e.due for e in made.extracts} == {date(2026, 11, 6)}, "the fifth working day of November"
    own = of(made, "370")
    assert (own.received, own.first_received, own.rows, own.name) == (
        date(2026, 11, 4),
        date(2026, 11, 4),
        len(sound_rows()[Kind.WORKFORCE]),
        "2026-10/370/workforce.csv",
    )
    assert (own.sha256, own.restates) == ("370-workforce", None)


def test_the_edition_is_known_from_its_last_file_or_the_month_before_it(history: History) -> None:
    first = stored(history, checked([read(BARNSLEY, Kind.WORKFORCE, 4), read(BARNSLEY, Kind.CASELOAD, 9)]))
    assert (first.known_to, first.edition, first.after) == (date(2026, 11, 9), 1, "")
    before = manifest(month=OCTOBER.plus(-1), fingerprint="earlier", known_to=date(2026, 11, 12))
    history.write(before, {})
    second = stored(history, checked([read(BARNSLEY, Kind.WORKFORCE, 4)], replaces=first))
    assert (second.known_to, second.edition, second.after) == (date(2026, 11, 12), 2, "earlier")


def test_a_month_without_a_file_is_known_from_its_last_day(history: History) -> None:
    assert stored(history, checked([])).known_to == date(2026, 10, 31)


def test_a_file_sent_again_keeps_the_day_it_first_came(history: History) -> None:
    first = stored(history, checked([read(BARNSLEY, Kind.WORKFORCE, 4)]))
    again = stored(history, checked([read(BARNSLEY, Kind.WORKFORCE, 12, mark="corrected")], replaces=first))
    own = of(again, "370")
    assert (own.received, own.first_received, own.restates) == (date(2026, 11, 12), date(2026, 11, 4), "370-workforce")


def test_of_two_files_of_one_month_the_earlier_is_recorded_too(history: History) -> None:
    newest, earlier = read(BARNSLEY, Kind.WORKFORCE, 12, mark="corrected"), read(BARNSLEY, Kind.WORKFORCE, 4)
    assert earlier.received is not None
    own = of(stored(history, checked([replace(newest, earlier=(earlier.received,))])), "370")
    assert (own.received, own.first_received, own.restates) == (date(2026, 11, 12), date(2026, 11, 4), "370-workforce")


@pytest.mark.parametrize(
    ("error", "fate"),
    [(HeaderMismatch("No column fte."), Fate.REFUSED), (PersonalDataRefused("It names people."), Fate.PERSONAL)],
)
def test_a_refused_file_says_why(history: History, error: PersonalDataRefused | HeaderMismatch, fate: Fate) -> None:
    own = of(stored(history, checked([refused(error)])), "371")
    assert (own.outcome, own.reason, own.rows, own.received) == (fate, str(error), 0, date(2026, 11, 4))


def test_a_file_that_could_not_be_read_through_a_fault_of_ours_is_not_recorded_as_received(history: History) -> None:
    whole = read(BARNSLEY, Kind.WORKFORCE)
    ours = replace(whole, extract=None, received=None, refusal="reading failed", fault=True)
    own = of(stored(history, checked([ours])), "370")
    assert (own.outcome, own.reason, own.sha256) == (Fate.UNREAD, "reading failed", None)
    assert (own.received, own.first_received) == (date(2026, 11, 4), date(2026, 11, 4))
    assert not list(history.store.list("submissions/"))


def test_a_council_at_which_counting_fails_is_unread_and_the_others_are_counted(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = count.count_usable

    def broken(batch, *rest):  # type: ignore[no-untyped-def]
        if "371" in batch.frames[Kind.WORKFORCE]["la_code"]:
            raise ZeroDivisionError
        return sound(batch, *rest)

    monkeypatch.setattr(count, "count_usable", broken)
    reads = [read(BARNSLEY, Kind.WORKFORCE), read(DONCASTER, Kind.WORKFORCE)]
    taken = store_edition(history, REGISTER, count_month(Ahead(history), checked(reads)), due_working_day=5)
    assert [s.partition(":")[0] for s in taken.faults] == ["Doncaster (371)"]
    assert "counting failed" in taken.faults[0]
    assert (of(taken.manifest, "370").outcome, of(taken.manifest, "371").outcome) == (Fate.ACCEPTED, Fate.UNREAD)
    assert taken.manifest.fingerprint == "mark-incomplete", "the next run takes it in again"
    kept = {"workforce": WORKFORCE.schema, "counts-workforce": counts_schema(Kind.WORKFORCE)}
    for table, schema in (kept | {"state-workforce": STATES[Kind.WORKFORCE]}).items():
        assert history.table(taken.manifest, table, schema)["la_code"].unique().to_list() == ["370"]


def test_the_statistics_count_errors_that_nobody_accepted_and_all_failures(history: History) -> None:
    found = failures(
        failure("370", Severity.ERROR), failure("370", Severity.ERROR, accepted=True), failure("370", Severity.QUERY)
    )
    month = checked([read(BARNSLEY, Kind.WORKFORCE)], found=outcome(found))
    assert stored(history, month).checks == {"rows": 7.0, "checks": 3.0, "errors": 1.0, "failures": 3.0}


def test_reports_are_told_before_the_edition_is_there(history: History) -> None:
    told: list[tuple[Manifest, bool]] = []

    def tell(made: Manifest) -> None:
        told.append((made, history.store.info(f"{made.prefix}manifest.json") is not None))

    taken = store_edition(history, REGISTER, count_month(Ahead(history), checked([])), due_working_day=5, tell=tell)
    assert told == [(taken.manifest, False)]


def test_a_withheld_field_is_null_for_its_council_alone() -> None:
    rows = [row for row in sound_rows()[Kind.RETURN]]
    frame = pl.concat([frame_of(Kind.RETURN, rows, code) for code in ("370", "371")])
    withheld = frozenset({("370", Kind.RETURN, "cases"), ("371", Kind.WORKFORCE, "fte")})
    kept = without_withheld(frame, Kind.RETURN, outcome(withheld=withheld))
    assert kept["cases"].to_list() == [None, 1900]
    assert kept.drop("cases").equals(frame.drop("cases"))


def test_a_return_is_stored_without_its_withheld_fields(history: History) -> None:
    withheld = frozenset({("370", Kind.RETURN, "cases")})
    made = stored(history, checked([read(BARNSLEY, Kind.RETURN)], found=outcome(withheld=withheld)))
    kept = history.table(made, "return", RETURN.schema)
    assert (kept["cases"].to_list(), kept["open_cases"].to_list()) == ([None], [2000])
    assert of(made, "370", Kind.RETURN).withheld == ("cases",)


def test_why_whole_extracts_are_missing_in_the_words_of_the_measures() -> None:
    kinds = [Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD, Kind.RETURN]
    month = manifest(
        *(
            record("370", kind, fate)
            for kind, fate in zip(kinds, [Fate.MISSING, Fate.REFUSED, Fate.PERSONAL, Fate.QUARANTINED], strict=True)
        ),
        record("371", Kind.WORKFORCE, Fate.UNREAD),
        record("371", Kind.CASELOAD, Fate.ACCEPTED),
    )
    assert unreported([month]).rows() == [
        ("370", OCTOBER.last_day, "workforce", "not reported"),
        ("370", OCTOBER.last_day, "establishment", "the file could not be used"),
        ("370", OCTOBER.last_day, "caseload", "the file could not be used"),
        ("370", OCTOBER.last_day, "return", "the file could not be used"),
        ("371", OCTOBER.last_day, "workforce", "not read yet, through a fault of ours"),
    ]
    assert unreported([]).is_empty()


def test_a_mapping_that_came_after_the_file_makes_the_edition_known_from_its_day(history: History) -> None:
    whole = read(BARNSLEY, Kind.WORKFORCE, 4)
    file = replace(whole.file, mapping=ObjectInfo("mappings/370/workforce.toml", 80, came(13)))
    assert stored(history, checked([replace(whole, file=file)])).known_to == date(2026, 11, 13)


def test_leavers_are_found_in_the_month_before(history: History) -> None:
    """Without the month before there is no count of them; with it there is."""
    workers = read(BARNSLEY, Kind.WORKFORCE)
    alone = stored(history, checked([workers]))
    before = manifest(month=Month(2026, 9), fingerprint="earlier")
    state = history.table(alone, "state-workforce", STATES[Kind.WORKFORCE])
    assert state.height
    history.write(before, {"state-workforce": state.with_columns(month=pl.lit(date(2026, 9, 30)))})
    after = stored(history, checked([workers], replaces=alone))
    reasons = [history.table(m, "reasons", REASONS)["reason"].to_list() for m in (alone, after)]
    assert "a month of the window is missing" in reasons[0]
    assert "a month of the window is missing" not in reasons[1]
