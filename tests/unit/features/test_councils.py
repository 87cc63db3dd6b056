from datetime import date

import pytest

from features.councils import Council, Judgement, Register, read_register, write_register
from features.errors import ReferenceDataError
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
    assert Register((WHOLE, NORTH)).by_folder("Z02-Z03") == NORTH


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
