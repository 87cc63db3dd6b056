"""Whatever is thrown at the reader: a sentence, a problem or the right answer, never a wrong number in silence."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from features.errors import ExtractError
from features.registry import Kind
from flows.extracts.formats.asked import Form as Forms
from flows.extracts.formats.csww.elements import BY_NAME, NAMES, WORKER, ElementForm
from flows.extracts.formats.csww.reader import TAKEN, read
from flows.extracts.formats.csww.validate import validate
from flows.extracts.formats.known import BY_FORM
from flows.extracts.ingest import IngestedExtract
from tests.unit.flows.extracts.formats.csww.made_up import (
    AGENCY,
    IN_POST,
    LEFT,
    asked,
    csww,
    header,
    message,
    record,
    records,
    vacancies,
    worker,
)

KINDS = BY_FORM[Forms.CSWW].kinds
#: Text that XML can carry.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(str),
    st.from_regex(r"\A[ +-]?[0-9]{0,14}[.,]?[0-9]{0,9}[ %]?\Z"),
)
DATES = st.one_of(st.dates().map(str), st.dates().map(lambda d: d.strftime("%d/%m/%Y")), st.datetimes().map(str))
VALUES = st.one_of(TEXTS, NUMBERS, DATES, st.sampled_from(["", "0", "1", "10", "NULL", "n/a", "c", "x", ":", "Yes"]))
SPACE = st.text(" \t\n\r", max_size=4)


def taken(content: bytes, kind: Kind) -> IngestedExtract | str:
    """The extract, or the sentence of the refusal."""
    try:
        return read(content, asked(kind))
    except ExtractError as refusal:
        assert str(refusal).strip().endswith((".", "XML"))
        return str(refusal)


@given(name=st.sampled_from(NAMES), text=VALUES, base=st.sampled_from([IN_POST, LEFT, AGENCY]))
@example(name="FTE30", text="1e-1", base=IN_POST)
@example(name="FTE30", text="٠.٥", base=IN_POST)
@example(name="Cases30", text="9" * 400, base=IN_POST)
def test_any_text_in_any_element(name: str, text: str, base: dict[str, str]) -> None:
    """A number that is taken is the number that was written, whoever reads it; anything else is named by a rule."""
    content = csww(worker(base, **{name: text}), worker(SWENo="SW1"))
    validate(content, "return.xml")
    for kind in KINDS:
        taken(content, kind)
    element = BY_NAME[name]
    value = records(worker(base, **{name: text}))[name].item()
    if value is None or element.form not in (ElementForm.DECIMAL, ElementForm.WHOLE):
        return
    assert Decimal(value) / element.parts == Decimal(text.strip())
    assert value >= 0 and (element.maximum is None or value <= element.maximum * element.parts)


@given(text=VALUES)
def test_an_fte_in_the_extract_is_the_one_written(text: str) -> None:
    found = taken(csww(worker(FTE=None, FTE30=text)), Kind.WORKFORCE)
    assert isinstance(found, IngestedExtract)
    row = found.frame.row(0, named=True)
    if row["fte"] is None:
        return
    assert abs(Decimal(row["fte"]) / 100 - Decimal(text.strip().replace(",", ""))) <= Decimal("0.005")


@given(text=VALUES, field=st.sampled_from(["role_start_date", "role_end_date"]))
def test_a_date_in_the_extract_is_the_one_written(text: str, field: str) -> None:
    found = taken(csww(worker(**{TAKEN[field]: text}), worker(SWENo="SW1")), Kind.WORKFORCE)
    assert isinstance(found, IngestedExtract)
    of_first = found.frame.filter(file_row=1)
    day = of_first[field].item() if of_first.height else None
    digits = re.findall(r"\d+", text)
    if day is not None and len(digits) >= 3:
        assert {day.day, day.month, day.year} <= {int(d) for d in digits}
    if day is None and of_first.height and text.strip() and found.problems.is_empty():
        assert text.strip() in ("NULL", "9999-12-31", "31/12/9999") or text.strip().startswith(
            ("9999-12-31", "31/12/9999")
        )


@given(order=st.permutations([n for n in NAMES if n in LEFT]))
def test_the_order_of_elements_changes_no_figure(order: list[str]) -> None:
    usual = message(header(), vacancies(), record(worker()), record(worker(LEFT)))
    mixed = message(header(), vacancies(), record(worker()), record(worker(LEFT), order))
    assert records(worker(LEFT)).height == 1
    for kind in KINDS:
        one, other = read(usual, asked(kind)), read(mixed, asked(kind))
        assert one.frame.equals(other.frame) and one.problems.equals(other.problems)


@given(before=SPACE, after=SPACE, name=st.sampled_from(NAMES))
def test_white_space_changes_no_figure(before: str, after: str, name: str) -> None:
    base = worker(**{name: IN_POST.get(name, LEFT.get(name, "1"))}) if name in IN_POST else worker()
    spaced = worker(base, **({name: f"{before}{base[name]}{after}"} if name in IN_POST else {}))  # type: ignore[arg-type]
    for kind in KINDS:
        assert read(csww(base), asked(kind)).frame.equals(read(csww(spaced), asked(kind)).frame)


@given(gone=st.sets(st.sampled_from(NAMES)))
def test_missing_elements_are_errors_or_make_no_difference(gone: set[str]) -> None:
    """Nothing that a rate rests on can be missing without a rule or a reason that says so."""
    content = csww(worker({n: t for n, t in LEFT.items() if n not in gone}), worker(SWENo="SW1"))
    validation = validate(content, "return.xml")
    needed = {e.name for e in WORKER if e.always or e.direct} & set(LEFT)
    codes = {f.code for f in validation.findings}
    assert {f"CSWW-W{100 + BY_NAME[n].number}" for n in gone & needed} <= codes
    if "RoleEndDate" in gone and not {"ReasonLeave", "LeaverDestination"} <= gone:
        assert codes & {"CSWW-W206", "CSWW-W207"}
    for kind in KINDS:
        taken(content, kind)


@given(
    name=st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,12}\Z"),
    text=TEXTS,
    inside=st.booleans(),
)
def test_extra_elements_change_nothing_and_are_named_by_a_rule(name: str, text: str, inside: bool) -> None:
    extra = record({name: text})
    if name in NAMES or name in ("Header", "LALevelVacancies", "CSWWWorker"):
        return
    plain = csww(worker())
    inner = record(worker()).replace("  </CSWWWorker>", extra.split("\n")[1] + "\n  </CSWWWorker>")
    outer = f"<{name}>x</{name}>"
    content = message(header(), vacancies(), *([inner] if inside else [record(worker()), outer]))
    assert {f.code for f in validate(content, "return.xml").findings} & {"CSWW-W402", "CSWW-S02", "CSWW-S03"}
    for kind in KINDS:
        found = taken(content, kind)
        assert isinstance(found, str) or found.frame.equals(read(plain, asked(kind)).frame)


@given(name=st.sampled_from(NAMES), one=VALUES, two=VALUES)
def test_an_element_that_says_two_things_gives_no_value(name: str, one: str, two: str) -> None:
    if one.strip() == two.strip():
        return
    content = csww(worker(**{name: [one, two]}), worker(SWENo="SW1"))
    found = taken(content, Kind.WORKFORCE)
    fields = [f for f, element in TAKEN.items() if element == name]
    if isinstance(found, str) or not fields:
        return
    row = found.frame.filter(file_row=1)
    assert row.height == 0 or row[fields[0]].item() is None
    if not BY_NAME[name].repeats:
        assert f"CSWW-W{300 + BY_NAME[name].number}" in {f.code for f in validate(content, "return.xml").findings}


@given(cut=st.integers(0, len(csww(worker(), worker(LEFT))) - 2))
def test_a_file_cut_anywhere_is_refused(cut: int) -> None:
    content = csww(worker(), worker(LEFT))[:cut]
    for kind in KINDS:
        assert isinstance(taken(content, kind), str)


@given(content=st.binary(max_size=400))
def test_any_bytes_are_refused_in_a_sentence(content: bytes) -> None:
    assert isinstance(taken(content, Kind.WORKFORCE), str)


@given(position=st.integers(0, 3000), byte=st.integers(0, 255))
def test_one_wrong_byte_is_never_a_traceback(position: int, byte: int) -> None:
    good = bytearray(csww(worker(), worker(LEFT), worker(AGENCY)))
    good[position % len(good)] = byte
    for kind in KINDS:
        taken(bytes(good), kind)
    with suppress(ExtractError):
        validate(bytes(good), "return.xml")
