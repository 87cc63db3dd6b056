from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from expectations.batch import FAILURES, Effect, Severity
from expectations.fates import CouncilFiles, Fate, FileFate, file_as_checked, files_as_checked
from features.errors import UnreadableExtract
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import batch_of, check_batch, large_rows, record_rows

OCTOBER = Month(2026, 10)
DAY = OCTOBER.last_day


def failure(severity: Severity, kind: Kind = Kind.WORKFORCE, *, accepted: bool = False) -> tuple[object, ...]:
    file, effect = f"{kind}.csv", str(Effect.NONE)
    return ("a.check", str(severity), "901", DAY, str(kind), file, "fte", 3, [2, 3, 4], "Look.", effect, accepted)


def failures(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=FAILURES, orient="row")


def council(*files: FileFate) -> CouncilFiles:
    return CouncilFiles("901", "Ashcombe", OCTOBER, files)


CAME = FileFate(Kind.WORKFORCE, Fate.ACCEPTED, "workforce.csv", 200, received=date(2026, 11, 4))


def test_failures_of_the_file_alone_decide_how_an_accepted_file_stands() -> None:
    error, query, note = (failure(s) for s in Severity)
    elsewhere = failure(Severity.ERROR, Kind.CASELOAD)
    assert CAME.with_failures(failures(note, elsewhere)).fate is Fate.ACCEPTED
    assert CAME.with_failures(failures(query, note)).fate is Fate.QUERIES
    assert CAME.with_failures(failures(error, query)) == replace(CAME, fate=Fate.IN_PART, errors=1, queries=1)
    assert CAME.with_failures(failures(failure(Severity.ERROR, accepted=True))).fate is Fate.ACCEPTED


def test_what_stands_already_is_not_weighed_again() -> None:
    for fate in (Fate.QUARANTINED, Fate.REFUSED, Fate.PERSONAL, Fate.MISSING, Fate.UNREAD):
        assert replace(CAME, fate=fate).with_failures(failures(failure(Severity.QUERY))).fate is fate


@pytest.mark.parametrize(
    ("fate", "headline", "verdict"),
    [
        (Fate.ACCEPTED, "your files are in order", "Used. Nothing to put right."),
        (Fate.QUERIES, "1 query to answer", "Used. Please look at 1 query."),
        (
            Fate.IN_PART,
            "1 error to correct and 1 query to answer",
            "Used in part: 1 error withholds figures. Please put it right and send again. Please look at 1 query.",
        ),
        (
            Fate.QUARANTINED,
            "1 file not used",
            "Not used: workforce.csv. Please put it right and send again.",
        ),
        (Fate.MISSING, "1 file missing", "Not received: workforce. Please send what is missing."),
        (
            Fate.UNREAD,
            "1 file not read through a fault of ours",
            "Not read yet, through a fault of ours: workforce.csv. Nothing needs to be sent again.",
        ),
    ],
)
def test_a_council_reads_what_became_of_its_file(fate: Fate, headline: str, verdict: str) -> None:
    errors, queries = int(fate is Fate.IN_PART), int(fate in (Fate.QUERIES, Fate.IN_PART))
    found = council(replace(CAME, fate=fate, errors=errors, queries=queries))
    assert (found.headline, found.verdict) == (headline, verdict)


def test_a_line_says_when_it_came_how_it_stands_and_why() -> None:
    part = replace(CAME, fate=Fate.IN_PART, errors=2, queries=1, late=True, restated=True, withheld=("fte", "cases"))
    assert part.sentence == (
        "Workforce: received 4 November, used in part, late, sent again with changes; 2 errors, 1 query."
    )
    assert part.detail.endswith("1 query. Withheld: fte and cases.")
    refused = replace(CAME, fate=Fate.REFUSED, reason="It is no text.")
    assert refused.sentence == "Workforce: received 4 November, refused. It is no text."


files_of = st.builds(FileFate, st.sampled_from(Kind), st.sampled_from(Fate), st.just("a.csv"), errors=st.integers(0, 3))


@given(st.lists(files_of, max_size=4))
@example([FileFate(Kind.WORKFORCE, Fate.UNREAD, "a.csv")])
def test_in_order_is_said_if_and_only_if_nothing_is_to_be_done(files: list[FileFate]) -> None:
    """“In order” and “nothing to put right” go with files that are all accepted without a word, and only with those."""
    counted = [
        replace(f, errors=f.errors if f.fate is Fate.IN_PART else 0, queries=f.fate is Fate.QUERIES) for f in files
    ]
    counted = [replace(f, errors=max(f.errors, 1)) if f.fate is Fate.IN_PART else f for f in counted]
    found = council(*counted)
    sound = bool(files) and all(f.fate is Fate.ACCEPTED for f in files)
    assert (found.headline == "your files are in order") == sound
    assert ("Nothing to put right" in found.verdict) == sound
    assert found.to_put_right == any(f.fate not in (Fate.ACCEPTED, Fate.UNREAD) for f in files)
    for file in found.unused:
        assert found.severity is Severity.ERROR
        assert file.file in found.verdict


@pytest.mark.parametrize(
    ("fate", "severity", "used", "remarkable"),
    [
        (Fate.ACCEPTED, Severity.INFORMATION, True, False),
        (Fate.QUERIES, Severity.QUERY, True, False),
        (Fate.IN_PART, Severity.ERROR, True, True),
        (Fate.QUARANTINED, Severity.ERROR, False, True),
        (Fate.REFUSED, Severity.ERROR, False, True),
        (Fate.PERSONAL, Severity.ERROR, False, True),
        (Fate.MISSING, Severity.ERROR, False, True),
        (Fate.UNREAD, Severity.INFORMATION, False, True),
    ],
)
def test_each_fate_weighs_what_it_asks_of_the_council(
    fate: Fate, severity: Severity, used: bool, remarkable: bool
) -> None:
    file = replace(CAME, fate=fate)
    assert (fate.severity, fate.used, file.remarkable) == (severity, used, remarkable)
    assert council(file).severity is severity
    assert replace(file, late=True).remarkable and replace(file, restated=True).remarkable


def test_the_older_name_of_a_fate_is_read_and_no_other() -> None:
    assert Fate("partly used") is Fate.IN_PART
    with pytest.raises(ValueError, match="fully used"):
        Fate("fully used")


def test_a_file_of_which_nothing_is_known_has_nothing() -> None:
    file = FileFate(Kind.CASELOAD, Fate.MISSING)
    assert (file.rows, file.errors, file.queries, file.state) == (0, 0, 0, "not received")
    assert file.detail == file.sentence == "Caseload: not received."


def test_a_file_that_is_not_used_is_told_with_its_own_reason() -> None:
    """The workforce extract's core is wrong, the caseload's months are, and the return was refused."""
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][:21]:
        worker["agency_worker"] = None
    rows[Kind.WORKFORCE][50]["fte"] = 3700
    for case in rows[Kind.CASELOAD][:3]:
        case["reference_date"] = date(2026, 9, 30)
    for case in rows[Kind.CASELOAD][20:90]:
        case["case_status"] = "z"
    rows[Kind.ESTABLISHMENT][0]["vacancy_fte"] = None
    refused = {("901", Kind.RETURN): UnreadableExtract("return.csv: it is damaged.")}
    batch = batch_of({"901": rows, "902": record_rows()}, refused=refused)
    outcome = check_batch(batch)
    found = {f.kind: f for f in files_as_checked(batch, outcome, "901").files}
    assert [(f.fate, f.rows) for f in found.values()] == [
        (Fate.QUARANTINED, 100),
        (Fate.IN_PART, 1),
        (Fate.QUARANTINED, 100),
        (Fate.REFUSED, 0),
    ]
    assert found[Kind.WORKFORCE].reason.startswith("agency_worker is wrong in 21 of 100 rows")
    assert found[Kind.CASELOAD].reason.startswith("reference_date is in another month than the file's: 3 of 100 rows")
    assert found[Kind.RETURN].reason == "return.csv: it is damaged."
    assert found[Kind.ESTABLISHMENT].withheld == ("vacancy_fte",)
    told = outcome.failures.filter(check="return.file.unreadable").select("rows", "accepted").rows()
    assert told == [(0, False)]
    sent = [f.kind for f in files_as_checked(batch, outcome, "902").files]
    assert sent == [Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD]
    unsaid = replace(outcome, failures=outcome.failures.clear())
    assert file_as_checked(batch, unsaid, "901", Kind.WORKFORCE).reason == "The file cannot be trusted."
