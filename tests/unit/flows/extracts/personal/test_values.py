"""What gives away a column without a telling header, and what does not."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.extracts.personal.values import (
    ADDRESS,
    BIRTH,
    EMAIL,
    FREE_TEXT,
    NAME,
    NATIONAL,
    TELEPHONE,
    personal_in_column,
    personal_in_text,
)

ON = date(2026, 10, 31)


def _found(values: list[str | None], header: str = "Info", *, people: bool = False) -> str | None:
    return personal_in_column(header, pl.Series(values, dtype=pl.String), people=people, on=ON)


def _nhs(first: int) -> str:
    digits = f"{first:09d}"
    check = (11 - sum(int(d) * (10 - i) for i, d in enumerate(digits)) % 11) % 11
    return f"{digits}{check}" if check < 10 else _nhs(first + 1)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("AB123456C", NATIONAL),
        ("ab 12 34 56 c", NATIONAL),
        ("see JK-12-34-56-D", NATIONAL),
        ("943 476 5919", NATIONAL),
        ("NHS 9434765919", NATIONAL),
        ("jane.o'neil+hr@council.gov.uk", EMAIL),
        ("write to a@b.example today", EMAIL),
        ("SE18 6HQ", ADDRESS),
        ("12 High St, M1 1AE", ADDRESS),
        ("EC1A 1BB", ADDRESS),
        ("07700 900123", TELEPHONE),
        ("07700900123", TELEPHONE),
        ("+44 7700 900123", TELEPHONE),
        ("020 7946 0018", TELEPHONE),
        ("(0161) 496 0000", TELEPHONE),
        ("tel 01632 960123", TELEPHONE),
        ("born 12/03/2011", BIRTH),
        ("D.O.B.: 2011", BIRTH),
        ("moved in with Jane Smith in May", NAME),
        ("Mrs Okonedo", NAME),
        ("Smith, Jane", NAME),
    ],
)
def test_one_such_text_is_enough(value: str, what: str) -> None:
    assert personal_in_text(value) == what
    if what != NAME:
        assert _found(["ok", None, "fine", value, "good"]) == what


@pytest.mark.parametrize(
    "value",
    [
        "", "Grade 10", "2026-10-31", "31/10/2026 07:30", "0712345", "W1000234", "1,234.50", "Assessment North", "Y",
        "GB123456A", "CP", "999-999", "Team Manager", "Victoria House", "St James Road", "Rose Cottage", "PC/2026/0012",
        "ZZ123456A", "12345678901234", "00000012345", "1234567890", "CC 104 22", "Mason Street Hub", "Grant maintained",
        "Social Worker Level 2", "Kent and Medway", "A1-B2", "10.0.0.1", "B12", "North West 3", "E1", "Level M1 2",
    ],
)  # fmt: skip
def test_what_codes_dates_and_places_look_like_is_nobodys(value: str) -> None:
    assert personal_in_text(value) is None
    assert _found([value] * 3 + ["x"]) is None


def test_numbers_of_ten_digits_are_nhs_numbers_only_where_most_pass_their_check() -> None:
    assert _found([_nhs(400_000_000 + 7919 * i) for i in range(12)]) == NATIONAL
    assert _found([_nhs(4_012_345_67)]) == NATIONAL
    random_ids = [f"{n:010d}" for n in random.Random(1).sample(range(10**9, 10**10), 200)]
    assert _found(random_ids) is None


def test_shapes_a_code_may_have_count_where_many_values_have_them() -> None:
    assert _found(["SE186HQ", "M11AE", "B338TH"]) == ADDRESS
    assert _found(["se18 6hq", "m1 1ae", "b33 8th"]) == ADDRESS
    assert _found(["7700900123", "7700900124", "7700900125"]) == TELEPHONE
    assert _found(["01632960001", "01632960002", "01632960003"]) == TELEPHONE
    assert _found(["Mr", "Mrs", "Ms", "Mrs", "Dr"]) == NAME


@pytest.mark.parametrize(
    "values",
    [
        ["Jane Smith", "Mohammed Khan", "Priya Patel"],
        ["SMITH, JANE", "KHAN, MOHAMMED", "PATEL, PRIYA"],
        ["jane smith", "mohammed khan", "priya patel"],
        ["Smith Jane", "Khan Mohammed", "Patel Priya"],
        ["Mr J Smith", "Mrs P Patel", "Dr A Khan"],
        ["J. Smith", "P. Patel", "A Khan"],
        ["Smith J", "Patel P", "Khan A"],
        ["Ngozi Eze", "Tadeusz Wrona", "Leila Haddad"],
        ["12345 - Jane Smith", "12346 - Mohammed Khan"],
        ["Team 4", "Jane Smith", "Team 5"],
        ["Duty", "Jane Smith (agency)", "Vacant"],
        ["Xanthe Oyelaran", "Bronagh Mbeki", "Tyra Quist", "Odalys Fenn", "Zephyr Ankrah", "Io Brathwaite",
         "Lachlan Voss", "Perpetua Szabo", "Quill Harrow-Tate", "Ysolde Marchetti"],
        ["Smith", "Jones", "Patel", "Khan", "Taylor", "Brown", "Evans", "Hughes"],
        ["Jane", "Mohammed", "Priya", "Emma", "Oluwaseun", "Piotr", "Sarah", "David"],
    ],
)  # fmt: skip
def test_columns_of_names_are_known_without_a_header(values: list[str]) -> None:
    assert _found(values * 1) == NAME


@pytest.mark.parametrize(
    "values",
    [
        ["Assessment North", "Assessment South", "Duty and Assessment", "Children with Disabilities"] * 20,
        ["Social Worker", "Senior Social Worker", "Advanced Practitioner", "Team Manager"] * 20,
        ["Rowan", "Willow", "Hazel", "Holly"] * 30,
        ["Victoria House", "Town Hall", "Albert Road", "Florence Court", "Civic Centre"] * 10,
        ["Permanent", "Fixed Term", "Agency", "Secondment", "Casual"] * 10,
        ["Barnsley", "Bexley", "Kingston upon Thames", "Tower Hamlets", "Kirklees", "Rutland", "Wigan", "Leeds"],
        ["Gr 9", "Gr 10", "PO3", "SO1"] * 5,
        ["Police", "School", "Health", "Individual", "Anonymous"] * 9,
        ["WBRI", "BCRB", "AIND", "MWBA"] * 9,
        ["Hays", "Reed", "Liquid Personnel", "Charles Hunter Associates", "Randstad", "Pertemps"] * 9,
        ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "£34,567.00", "2026-10-31T07:12:33.123Z"],
        [f"CC{n}" for n in range(200)],
        [f"{n}" for n in range(100_000, 100_300)],
        ["Yes", "No"] * 40,
        ["N1", "N2", "N5"],
    ],
)
def test_teams_posts_places_and_codes_are_no_names(values: list[str]) -> None:
    assert _found(list(values)) is None


def test_a_column_headed_by_a_kind_of_person_holds_names_unless_codes_or_flags() -> None:
    assert _found(["Ngozi A", "Tamsyn", "Bo"], "Line manager", people=True) == NAME
    assert _found(["ZQMARKER", None], "Supervisor", people=True) == NAME
    for harmless in (["Y", "N"], ["1004", "1005"], ["TM01", "TM02"], ["Agency", "Permanent"], ["Senior Social Worker"]):
        assert _found(list(harmless), "Social worker", people=True) is None


def _dates(generator: random.Random, youngest: float, oldest: float, count: int) -> list[str | None]:
    return [(ON - timedelta(days=generator.uniform(youngest, oldest) * 365.25)).isoformat() for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_dates_that_spread_as_births_do_are_births(seed: int) -> None:
    generator = random.Random(seed)
    assert _found(_dates(generator, 0, 18, 60), "Info") == BIRTH
    adults = _dates(generator, 22, 67, 60)
    assert _found(adults, "Info") == BIRTH
    british = ["/".join(reversed(str(d).split("-"))) for d in adults]
    assert _found([f"{d} 00:00:00" for d in british], "Column12") == BIRTH


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("header", ["Info", "Continuous service", "Date 2"])
def test_dates_of_service_and_of_cases_are_no_births(seed: int, header: str) -> None:
    generator = random.Random(seed)
    service: list[str | None] = [
        (ON - timedelta(days=min(40.0, generator.expovariate(1 / 6)) * 365.25)).isoformat() for _ in range(200)
    ]
    cases: list[str | None] = [
        (ON - timedelta(days=generator.expovariate(1 / 0.8) * 365.25)).isoformat() for _ in range(300)
    ]
    assert _found(service, header) is None
    assert _found(cases, header) is None
    inspections = _dates(generator, 3.2, 13, 300)
    assert _found(inspections, header) is None
    assert _found([(ON + timedelta(days=n)).isoformat() for n in range(60)], header) is None


@pytest.mark.parametrize("written", ["%d/%m/%y", "%d %b %Y", "%d-%B-%Y", "%Y/%m/%d", "%d.%m.%Y 00:00"])
def test_births_are_known_in_every_notation(written: str) -> None:
    adults = [date(1960 + n, 1 + n % 12, 1 + n) for n in range(0, 28, 4)]
    assert _found([d.strftime(written) for d in adults]) == BIRTH


def test_a_unique_pupil_number_is_known_by_its_check_letter() -> None:
    assert personal_in_text("UPN H801200001001") == NATIONAL
    assert personal_in_text("A801200001001") is None


def test_what_is_called_after_people_is_no_name_below_a_header_that_says_so() -> None:
    schools = ["St Mary's", "Thomas Tallis", "John Roan", "Holy Trinity", "King Edward VI", "Harris Academy"]
    assert _found(schools * 20, "School") is None
    assert _found(["Jane Smith", "Thomas Brown", "John Roan"], "School") == NAME


def test_sentences_are_free_text() -> None:
    told = [f"Seen at home on visit {n}; the family asked for help with rent and school." for n in range(5)]
    assert _found([*told, None, "n/a"]) == FREE_TEXT
    codes: list[str | None] = [", ".join(f"E0{n}0000{m}" for m in range(10, 22)) for n in range(9)]
    assert _found(codes) is None
    assert _found(["Children in need and child protection service, northern locality team"] * 50) is None


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=12), st.text(max_size=12))
def test_no_column_stops_the_search(values: list[str | None], header: str) -> None:
    _found(values, header)


@pytest.mark.parametrize(
    "values",
    [["Smith"], ["Jane", "Omar"], ["J. Okonkwo"], ["A Khan"], ["Smith J 1234"], ["Anne-Marie Lloyd-Jones"],
     ["Jane Smith (SW)"],
     ["W1001 Smith", "W1002 Patel"]],
)  # fmt: skip
@pytest.mark.parametrize("rows", [1, 60])
def test_names_are_seen_however_few_they_are(values: list[str], rows: int) -> None:
    """Each stands once, or again and again, in a column that is otherwise blank."""
    assert _found([*values, *[None] * 40]) == NAME
    assert _found([*values * rows, *[None] * 9]) == NAME


@pytest.mark.parametrize(
    "values",
    [["Green", "Amber", "Red"], ["April", "May", "June"], ["East", "West"], ["Grant"], ["Band A", "Band B"], ["B Team"],
     ["Team 4", "Team 5"], ["PO1", "PO2"], ["St Mary's"], ["Permanent", "Fixed Term"], ["Y", "N"], ["Mosaic"],
     ["Burton"], ["Newton", "Morley", "Shipley"], ["Lincoln"], ["Preston", "Chorley"],
     ["Stanley", "Consett"], ["Ward", "Marsh"]],
)  # fmt: skip
@pytest.mark.parametrize("rows", [1, 60])
def test_a_few_ordinary_words_are_nobodys_name(values: list[str], rows: int) -> None:
    assert _found([*values * rows, *[None] * 9]) is None


#: Made up, so that no list has them.
_UNHEARD = """Quorthwaite Abellinsky Oyefarian Drevnik Tschumper Vanterlane Pocheville Mzungari Ellisquist Hranovec
Bilquesh Ossendorp Karvouna Yttersven Zabrinkel Fjordane"""


def test_single_family_names_in_no_list_are_seen_by_how_little_they_recur() -> None:
    names = _UNHEARD.split()
    assert _found([*names, *names[:4]]) == NAME
    assert _found([name.upper() for name in names]) == NAME
    assert _found(names * 3) is None, "words that recur are a category"
    assert _found([*names[:6]]) is None, "so few show nothing"
    assert _found([f"{name[:2]}{n}" for n, name in enumerate(names)]) is None
    codes = "QWRT PLKT XCVB BNMK GHJK DFGH ZXCV WRTP SDFG HJKL TRWQ KLMN"
    assert _found([*codes.split()]) is None


@pytest.mark.parametrize("how", ["%b %d, %Y", "%Y%m%d", "%d.%m.%Y", "%d-%b-%y", "%Y-%m-%dT00:00:00"])
def test_births_are_seen_however_they_are_written(how: str) -> None:
    assert _found([(date(2009, 1, 5) + timedelta(days=173 * i)).strftime(how) for i in range(36)]) == BIRTH


def test_one_postcode_in_small_letters_is_an_address() -> None:
    assert _found(["s70 2tw", None, None]) == ADDRESS
