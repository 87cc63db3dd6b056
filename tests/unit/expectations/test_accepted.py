"""The reviewed list of accepted failures."""

from __future__ import annotations

import polars as pl
import pytest

from expectations.accepted import Accepted, accepting, expired, may_be_accepted, read_accepted, unmatched
from expectations.batch import Severity
from expectations.passing.static_pass import RULES
from features.errors import SettingsError
from features.months import Month
from features.registry import Kind
from tests.unit.expectations.examples import OCTOBER, batch_of, check_batch, checks_of, large_rows

TEXT = """
[[accepted]]
check = "workforce.fte.*"
council = "901"
extract = "workforce"
column = "fte"
reason = "A new payroll gives hours; it is put right in December."
accepted_by = "data team lead"
expires = "2026-12"
"""


def _entry(check: str = "workforce.org_role.code", council: str = "901", expires: Month = OCTOBER) -> Accepted:
    return Accepted(check, council, "workforce", "*", "Known.", "data team lead", expires)


def test_the_list_is_read() -> None:
    (entry,) = read_accepted(TEXT, "accepted.toml")
    assert entry.expires == Month(2026, 12)
    assert entry.matches("workforce.fte.range", "901", "workforce", "fte")


@pytest.mark.parametrize(
    ("check", "council", "extract", "column"),
    [
        ("workforce.cases.range", "901", "workforce", "fte"),
        ("workforce.fte.range", "902", "workforce", "fte"),
        ("workforce.fte.range", "901", "return", "fte"),
        ("workforce.fte.range", "901", "workforce", "cases"),
        ("workforce.fte.range", "901", "workforce", None),
    ],
)
def test_an_entry_matches_only_what_it_names(check: str, council: str, extract: str, column: str | None) -> None:
    (entry,) = read_accepted(TEXT, "accepted.toml")
    assert not entry.matches(check, council, extract, column)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            TEXT.replace('reason = "A new payroll gives hours; it is put right in December."', ""),
            "reason must be given",
        ),
        (TEXT.replace('expires = "2026-12"', ""), "expires must be given"),
        (TEXT.replace("column =", "colunm ="), "nobody reads colunm"),
        (TEXT.replace("[[accepted]]", "[accepted]"), "two brackets"),
        ("[[acepted]]\ncheck = 'x'", "not acepted"),
        ("check = ", "is not TOML"),
    ],
)
def test_a_faulty_list_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_accepted(text, "accepted.toml")
    assert str(caught.value).startswith("accepted.toml")


def test_accepted_failures_are_marked_and_withhold_nothing() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:40]:
        worker["org_role"] = "9"
    batch = batch_of({"901": rows, "902": rows})
    outcome = check_batch(batch, None, (_entry(),))
    marked = outcome.failures.filter(pl.col("check") == "workforce.org_role.code").select("la_code", "accepted").rows()
    assert sorted(marked) == [("901", True), ("902", False)]
    assert outcome.withheld == {("902", Kind.WORKFORCE, "org_role")}
    assert outcome.errors == 1


def test_an_expired_acceptance_accepts_nothing_and_is_named() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:40]:
        worker["org_role"] = "9"
    old = _entry(expires=Month(2026, 9))
    outcome = check_batch(batch_of({"901": rows}), None, (old,))
    assert outcome.withheld == {("901", Kind.WORKFORCE, "org_role")}
    assert expired((old, _entry()), OCTOBER) == (old,)


def test_acceptances_of_what_no_longer_happens_are_named() -> None:
    rows = large_rows()
    rows[Kind.WORKFORCE][10]["org_role"] = "9"
    used, idle = _entry(), _entry(council="902")
    outcome = check_batch(batch_of({"901": rows}), None, (used, idle))
    assert checks_of(outcome.failures, "901") == {"workforce.org_role.code"}
    assert unmatched((used, idle), outcome.failures, OCTOBER) == (idle,)


WILD = [
    {"check": "*", "council": "*", "extract": "*", "column": "*"},
    {"check": "workforce.*", "council": "*"},
    {"check": "*", "column": ""},
    {"council": "9*", "extract": "work*"},
    {"check": "workforce.[a-z]*.missing", "column": ""},
]


@pytest.mark.parametrize("changes", WILD)
def test_an_entry_is_about_one_thing(changes: dict[str, str]) -> None:
    given = {"check": "workforce.team.missing", "council": "901", "extract": "workforce", "column": "team"} | changes
    lines = [f'{key} = "{value}"' for key, value in given.items() if value]
    text = "\n".join(["[[accepted]]", *lines, 'reason = "r"', 'accepted_by = "b"', 'expires = "2026-12"'])
    with pytest.raises(SettingsError, match=r"entry 1: .* hold wildcards"):
        read_accepted(text, "accepted.toml")


#: Whatever makes a file useless, and numbers of another unit.
NEVER = [
    rule.code
    for rules in RULES.values()
    for rule in rules
    if rule.severity is Severity.ERROR and (rule.whole_file or rule.code.endswith(".range"))
] + [
    "workforce.file.size",
    "caseload.file.sent_twice",
    "caseload.file.stale",
    "workforce.worker_ref.digits_lost_in_excel",
    "workforce.agency_worker.core",
    "caseload.case_status.lost",
    "workforce.team.absent",
    "establishment.vacancy_fte.unit",
    "workforce.fte.whole_hours",
]


@pytest.mark.parametrize("check", NEVER)
def test_what_makes_a_file_useless_cannot_be_accepted(check: str) -> None:
    with pytest.raises(SettingsError, match="cannot be accepted"):
        read_accepted(TEXT.replace("workforce.fte.*", check), "accepted.toml")
    anything = Accepted("*", "*", "*", "*", "Known.", "data team lead", OCTOBER)
    assert accepting([anything], check, "901", check.partition(".")[0], None, OCTOBER) is None


def test_the_officers_word_on_a_doubted_month_can_be_kept_in_the_list() -> None:
    (entry,) = read_accepted(TEXT.replace("workforce.fte.*", "workforce.figures.doubted"), "accepted.toml")
    assert entry.check == "workforce.figures.doubted"


@pytest.mark.parametrize("changes", [{"check": "workforce.team.*"}, {"council": "9*"}, {"extract": "work*"}, {}])
def test_one_wildcard_may_stand_and_a_column_that_is_left_out_is_every_column(changes: dict[str, str]) -> None:
    given = {"check": "workforce.team.missing", "council": "901", "extract": "workforce"} | changes
    lines = [f'{key} = "{value}"' for key, value in given.items()]
    text = "\n".join(["[[accepted]]", *lines, 'reason = "r"', 'accepted_by = "b"', 'expires = "2026-12"'])
    (entry,) = read_accepted(text, "accepted.toml")
    assert entry.column == "*"
    assert entry.matches("workforce.team.missing", "901", "workforce", None)


@pytest.mark.parametrize("check", ["workforce.worker_ref.gone", "caseload.case_ref.reissued", "workforce.team.missing"])
def test_what_only_asks_about_a_key_can_be_accepted(check: str) -> None:
    assert may_be_accepted(check)
    entry = _entry(check)
    assert accepting([entry], check, "901", "workforce", None, OCTOBER) is entry
    assert accepting([entry], check, "901", "workforce", None, OCTOBER.plus(1)) is None


def test_what_is_accepted_stays_an_error_without_effect() -> None:
    rows = large_rows()
    for worker in rows[Kind.WORKFORCE][10:40]:
        worker["org_role"] = "9"
    outcome = check_batch(batch_of({"901": rows}), None, (_entry(),))
    (found,) = outcome.failures.filter(check="workforce.org_role.code").to_dicts()
    assert (found["severity"], found["effect"], found["accepted"], found["rows"]) == ("error", "", True, 30)
    assert found["message"].endswith("Accepted by data team lead until October 2026: Known.")
    assert unmatched((_entry(expires=Month(2026, 9)),), outcome.failures, OCTOBER) == ()
