import csv
import io
from dataclasses import replace
from datetime import date
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.addresses import is_plain_address
from features.councils import Council, Register, read_register, write_register
from features.errors import ReferenceDataError
from features.frameworks import Judgement
from features.months import Month
from features.registry import Kind

WHOLE = Council("Z01", "Ashmere", Month(2015, 4), valid_to=Month(2023, 3), recipients=("dcs@ashmere.example",))
NORTH = Council(
    "Z02 / Z03",
    "North and South Ashmere",
    Month(2023, 4),
    predecessors=("Z01",),
    neighbours=("Z04", "Z01"),
    judgements=(Judgement(date(2021, 5, 1), "Inadequate"), Judgement(date(2024, 2, 1), "Good")),
    expects=(Kind.RETURN,),
    population_0_17=41_000,
    imd_score=22.5,
)


def test_register_reads_back_what_it_wrote() -> None:
    register = Register((WHOLE, NORTH))
    assert read_register(write_register(register.councils), "register.csv") == register


def test_an_abolished_council_is_not_expected_to_report() -> None:
    register = Register((WHOLE, NORTH))
    assert [c.la_code for c in register.valid_in(Month(2023, 3))] == ["Z01"]
    assert [c.la_code for c in register.valid_in(Month(2023, 4))] == ["Z02 / Z03"]


def test_a_joint_code_is_one_folder() -> None:
    assert NORTH.folder == "Z02-Z03"
    assert Register((WHOLE, NORTH)).by_folder["Z02-Z03"] == NORTH


def test_a_judgement_is_known_from_its_publication() -> None:
    assert NORTH.judged_by(date(2021, 4, 30)) is None
    known = NORTH.judged_by(date(2024, 1, 31))
    assert known is not None
    assert known.impact_of_leaders == "Inadequate"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("la_code,name\nZ01,Ashmere\n", "lacks the columns"),
        (write_register([WHOLE]).replace("2015-04", "April"), "line 2"),
        (write_register([NORTH]).replace("Inadequate", "Poor"), "is no grade"),
        (write_register([WHOLE, WHOLE]), "twice"),
        (write_register([WHOLE]).replace("data_officer", "data_officer,colour"), "nobody reads: colour"),
    ],
)
def test_a_broken_register_is_refused_with_the_place(broken: str, says: str) -> None:
    with pytest.raises(ReferenceDataError, match=says):
        read_register(broken, "register.csv")


SOUND = WHOLE, NORTH


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("imd_score", v) for v in ("nan", "inf", "-inf", "-1", "1e3", "101", "1_0", "١٢", "22,5")),
        *(("population_0_17", v) for v in ("-41000", "0", "41000.0", "1e5", "nan", "41_000", "9999999", "99")),
        *(("la_code", v) for v in ("", "  ")),
        ("name", ""),
        *(("valid_from", v) for v in ("", "2023", "2023-13", "April")),
        *(("valid_to", v) for v in ("2023-00", "2014-01")),
        ("expects", "return;wages"),
        *(("judgements", v) for v in ("2021-05-01", "2021-05-01 Poor", "1 May 2021 Good", "2021-02-30 Good")),
        *(
            ("recipients", v)
            for v in (
                "jo..smith@ashmere.example",
                "Jo Smith <jo@ashmere.example>",
                "jo@ashmere",
                "jo@ashmere.example,al@ashmere.example",
                ".jo@ashmere.example",
                "jo@-ashmere.example",
                "jö@ashmere.example",
                f"{'j' * 65}@ashmere.example",
                ";".join(f"d{n}@ashmere.example" for n in range(51)),
            )
        ),
        *(("data_officer", v) for v in ("jo..smith@ashmere.example", "a@b.example;c@d.example")),
    ],
)
def test_a_cell_that_cannot_be_right_is_refused_with_line_and_column(column: str, value: str) -> None:
    rows = list(csv.reader(io.StringIO(write_register(SOUND))))
    rows[2][rows[0].index(column)] = value
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    with pytest.raises(ReferenceDataError, match=rf"^register.csv, line 3, column {column}: ") as caught:
        read_register(out.getvalue(), "register.csv")
    if column in ("recipients", "data_officer"):
        assert "ashmere" not in str(caught.value), "an address is not repeated"


def test_fifty_recipients_are_taken_and_one_more_is_refused_by_the_true_limit() -> None:
    many = tuple(f"d{n}@ashmere.example" for n in range(51))
    fits = replace(WHOLE, recipients=many[:50])
    assert read_register(write_register([fits]), "register.csv").councils == (fits,)
    with pytest.raises(ReferenceDataError, match="51 addresses; a message can go to 50 at most"):
        read_register(write_register([replace(WHOLE, recipients=many)]), "register.csv")


@given(st.text(alphabet="ab.@-+'\"<>() _;,é", max_size=30))
def test_what_the_register_takes_the_mail_writer_can_write(text: str) -> None:
    if is_plain_address(text):
        message = EmailMessage()
        message["To"] = text
        assert [a.addr_spec for a in message["To"].addresses] == [text]
