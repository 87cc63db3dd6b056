"""Field cases, part C: what people and systems write for “nobody” or “not known” means the same in every format."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from features.registry import Kind
from flows.extracts.formats.asked import Content, Form
from flows.extracts.reading.nobody import says_nobody, says_unknown
from tests.field.sector import annex_a, as_folder, as_workbook, ssd
from tests.field.sent import ROWS, Made, Rows, as_csv, as_parquet, as_xlsx, asked, read

NOBODY = (
    "n/a", "N/A", "none", "(none)", "-", "--", "–", ".", "0", "000", "null", "nil", "NULL", "nan", "   ",
    "\u00a0", "\u200b", "\ufeff", "unallocated", "Not allocated", "Awaiting allocation", "un-assigned", "no worker",
    "(blank)", "not applicable",
)  # fmt: skip
#: Nobody among names, a remark among references.
WAITS = ("tbc", "TBA", "Duty", "vacant", "to be confirmed")
UNKNOWN = ("?", "??", "unknown", "Not known", "not recorded", "UNK", "missing", "see notes", "XXX", "#N/A", "99999999")
#: Identifies a row: neither word is a reference there.
NO_KEY = tuple(
    w for w in (*NOBODY, *WAITS, *UNKNOWN) if w.strip("\u00a0\u200b\ufeff ") and w not in ("null", "NULL", "nan")
)

Write = Callable[[Rows], Content]


def with_words(rows: Rows, column: str, words: Sequence[str]) -> Rows:
    """The words, one after the other, in the rows from the third on that have something in the column."""
    at, left = rows[0].index(column), list(words)
    return [r if i < 3 or not r[at] or not left else [*r[:at], left.pop(0), *r[at + 1 :]] for i, r in enumerate(rows)]


def _ssd(table: str) -> Write:
    return lambda rows: as_folder({**ssd(), table: rows})


def _annex(sheet: str) -> Write:
    return lambda rows: as_workbook({**annex_a(), sheet: rows})


#: Where a case's worker stands: the rows, their column, how they are written, and the format.
WORKERS: dict[str, tuple[Rows, str, Write, Form]] = {
    "csv": (ROWS[Kind.CASELOAD](), "allocated_worker_ref", as_csv, Form.NATIVE),
    "xlsx": (ROWS[Kind.CASELOAD](), "allocated_worker_ref", lambda r: as_xlsx(r, "caseload"), Form.NATIVE),
    "parquet": (ROWS[Kind.CASELOAD](), "allocated_worker_ref", as_parquet, Form.NATIVE),
    "annex": (annex_a()["List 6"], "Allocated Worker", _annex("List 6"), Form.ANNEX_A),
    "ssd": (ssd()["ssd_involvements"], "invo_professional_id", _ssd("ssd_involvements"), Form.SSD),
}


def made(content: Content, form: Form, kind: Kind = Kind.CASELOAD) -> Made:
    return Made(read(content, asked(kind, form), form))


@pytest.mark.parametrize("how", WORKERS)
def test_nobody_is_nobody_in_every_format(how: str) -> None:
    rows, column, write, form = WORKERS[how]
    said = (*NOBODY, *WAITS) if form is Form.ANNEX_A else NOBODY
    words = made(write(with_words(rows, column, said)), form)
    refs = words.extract.frame["allocated_worker_ref"]
    blank = made(write(with_words(rows, column, [""] * len(said))), form)
    assert refs.to_list() == blank.extract.frame["allocated_worker_ref"].to_list()
    assert refs.null_count() > len(NOBODY) - 5, "each word stands in a row of its own; five cases are of other lists"
    if form is not Form.SSD:
        assert words.extract.problems.equals(blank.extract.problems)


@pytest.mark.parametrize("how", WORKERS)
def test_unknown_is_not_nobody_in_any_format(how: str) -> None:
    rows, column, write, form = WORKERS[how]
    said = UNKNOWN if form is Form.ANNEX_A else (*UNKNOWN, *WAITS)
    words = made(write(with_words(rows, column, said)), form)
    if "allocated_worker_ref" in words.extract.lost_columns:
        return
    assert words.extract.problems.filter(column="allocated_worker_ref").height == len(said)


def test_a_blank_professional_of_a_running_involvement_is_not_nobody() -> None:
    """Somebody holds the case; two such rows are left out, and the others counted."""
    rows, column, write, form = WORKERS["ssd"]
    words = made(write(with_words(rows, column, ["", "-1"])), form)
    assert words.extract.problems.filter(column="allocated_worker_ref")["problem"].to_list() == ["empty", "empty"]
    assert "ssd_involvements" in words.extract.origins["of"][0]


@pytest.mark.parametrize(("kind", "column"), [(Kind.WORKFORCE, "worker_ref"), (Kind.CASELOAD, "case_ref")])
@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_a_key_that_names_nobody_is_an_empty_key(kind: Kind, column: str, write: Write) -> None:
    words = made(write(with_words(ROWS[kind](), column, NO_KEY)), Form.NATIVE, kind)
    assert words.extract.problems.filter(column=column).height == len(NO_KEY)
    assert words.extract.frame[column].null_count() == len(NO_KEY)


def test_a_child_that_is_nobody_is_no_child() -> None:
    """A child “0” in two lists would be one child."""
    sound = made(as_workbook(annex_a()), Form.ANNEX_A)
    lists = {name: [*rows, ["0", *rows[1][1:]], ["n/a", *rows[2][1:]]] for name, rows in annex_a().items()}
    other = made(as_workbook(lists), Form.ANNEX_A)
    assert other.values.equals(sound.values)
    assert other.notes.count("left out, as no child's") == len(lists)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("ssd_cin_episodes", "cine_person_id"),
        ("ssd_involvements", "invo_referral_id"),
        ("ssd_cp_plans", "cppl_cp_plan_id"),
        ("ssd_cin_assessments", "cina_referral_id"),
    ],
)
def test_a_join_by_words_for_nobody_joins_nothing(table: str, name: str) -> None:
    """Two rows whose keys both say “0” or “n/a” are not of one case."""
    rows = ssd()[table]
    blank = made(_ssd(table)(with_words(rows, name, ["", ""])), Form.SSD)
    for word in ("0", "n/a"):
        other = made(_ssd(table)(with_words(rows, name, [word, word])), Form.SSD)
        assert other.extract.frame.equals(blank.extract.frame)
        assert other.extract.lost_columns == blank.extract.lost_columns


@pytest.mark.parametrize("write", [as_csv, as_parquet, lambda r: as_xlsx(r, "workforce")])
def test_what_nobody_sees_makes_no_other_reference(write: Write) -> None:
    rows = ROWS[Kind.WORKFORCE]()
    marks = "\u200b\ufeff\u00ad\u200e\u2060\u00a0"
    changed = [
        rows[0],
        *([f"{marks[i % 6]}{c[:2]}{marks[i % 5]}{c[2:]} " if c else marks for c in r] for i, r in enumerate(rows[1:])),
    ]
    sound = made(write(rows), Form.NATIVE, Kind.WORKFORCE)
    assert made(write(changed), Form.NATIVE, Kind.WORKFORCE).values.equals(sound.values)


def test_no_word_says_both() -> None:
    assert not [w for w in NOBODY if says_unknown(w.strip()) and says_nobody(w.strip())]
    assert not [w for w in ("W1001", "1", "10", "Ann Oak", "A. N. Other", "No1", "NA12", "9999A") if says_nobody(w)]
    assert not [w for w in ("W1001", "1", "999", "Max Test", "Una Known", "X1") if says_unknown(w)]
