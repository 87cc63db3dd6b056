"""Every rule on a worker's record: one that breaks it, and one that comes close and does not."""

from __future__ import annotations

from typing import cast

import pytest

from flows.extracts.formats.csww.elements import NAMES, WORKER
from flows.extracts.formats.csww.rules.kinds import Collection, Looks, ReturnRule, WorkerTest
from flows.extracts.formats.csww.rules.years import BASE
from tests.unit.flows.extracts.formats.csww.made_up import AGENCY, DAY, LEFT, Worker, record, records, worker

RULES = {r.code: r for r in BASE if r.looks is Looks.WORKER}

#: Rule -> (a record that breaks it, a record that does not).
ACROSS: dict[str, tuple[Worker, Worker]] = {
    "CSWW-W201": (worker(StartOrigin=None), worker(StartOrigin=None, RoleStartDate=None)),
    "CSWW-W202": (worker(RoleStartDate=None), worker(AGENCY)),
    "CSWW-W203": (worker(LEFT, FTE="0.5"), worker(LEFT, FTE="0.000000")),
    "CSWW-W204": (worker(LEFT, ReasonLeave=None), worker(LEFT)),
    "CSWW-W205": (worker(LEFT, LeaverDestination=None), worker(LEFT)),
    "CSWW-W206": (worker(ReasonLeave="1"), worker(LEFT)),
    "CSWW-W207": (worker(LeaverDestination="1"), worker(LEFT)),
    "CSWW-W208": (worker(LEFT, RoleStartDate="2022-04-01"), worker(LEFT, RoleStartDate="2022-03-31")),
    "CSWW-W209": (worker(RoleStartDate="2022-10-01"), worker(RoleStartDate="2022-09-30")),
    "CSWW-W210": (worker(LEFT, RoleEndDate="2022-10-01"), worker(LEFT, RoleEndDate="2022-09-30")),
    "CSWW-W211": (worker(LEFT, RoleEndDate="2021-09-30"), worker(LEFT, RoleEndDate="2021-10-01")),
    "CSWW-W212": (worker(PersonBirthDate="2010-01-01"), worker(PersonBirthDate="2002-09-01")),
    "CSWW-W213": (worker(RoleStartDate="2000-01-01"), worker(RoleStartDate="2003-04-01")),
    "CSWW-W214": (worker(FTE="0", FTE30="0"), worker(LEFT)),
    "CSWW-W215": (worker(FTE="0", FTE30="0"), worker(FTE="0", FTE30="0", Cases30="0")),
    "CSWW-W216": (worker(Cases30=None), worker(Cases30="0")),
    "CSWW-W217": (worker(OrgRole="6"), worker(OrgRole="6", Cases30="0")),
    "CSWW-W218": (worker(LEFT, Cases30="3"), worker(LEFT)),
    "CSWW-W219": (worker(FTE="0.5"), worker(FTE="0.80")),
    "CSWW-W220": (worker(FTE="0"), worker(FTE="0", FTE30="0")),
    "CSWW-W221": (worker(LEFT, FTE30="0.8"), worker(LEFT)),
    "CSWW-W222": (worker(WorkingDaysLost="254.01"), worker(WorkingDaysLost="254")),
    "CSWW-W223": (worker(Absat30Sept="1"), worker(Absat30Sept="1", ReasonAbsence="SIC")),
    "CSWW-W224": (worker(ReasonAbsence="SIC"), worker(Absat30Sept="1", ReasonAbsence="SIC")),
    "CSWW-W225": (worker(LEFT, Absat30Sept="1", ReasonAbsence="SIC"), worker(Absat30Sept="1", ReasonAbsence="SIC")),
    "CSWW-W226": (worker(FTE=None, FTE30=None), worker(AGENCY, FTE30=None)),
    "CSWW-W227": (worker(Cases30="201"), worker(Cases30="200")),
    "CSWW-W228": (worker(StepUpGrad="1", FrontlineGrad="1"), worker(StepUpGrad="1")),
    "CSWW-W402": (worker(Nickname="x"), worker()),
}

#: Element -> texts it may not say, and texts it may.
FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AgencyWorker": (("2", "yes", "", "01"), ("0", "1")),
    "SWENo": (
        ("SW", "SW12345678901", "AB123", "1234567", "AB12345678901", ""),
        ("SW1", "sw1234567890", "Oz2054309383"),
    ),
    "FTE": (
        ("1.0000001", "1.000001", "-0.1", "0,5", "1e-1", "37", "half", ".", ""),
        ("0", "1", "0.521371", ".5", "+1.0"),
    ),
    "PersonBirthDate": (("04/03/1985", "1985-02-30", "1985-3-4", "0000-00-00", ""), ("1985-03-04", "1985-03-04Z")),
    "GenderCurrent": (("3", "F", ""), ("0", "1", "2", "9")),
    "Ethnicity": (("wbri", "White", ""), ("WBRI", "NOBT")),
    "QualInst": ((), ("", "anything at all")),
    "QualLevel": (("0", "4"), ("1", "2", "3")),
    "StepUpGrad": (("2", "true"), ("0", "1")),
    "OrgRole": (("0", "7", "5.0"), ("1", "6")),
    "RoleStartDate": (("13.05.2019", "2019-13-01"), ("2019-05-13", "2019-05-13+01:00")),
    "StartOrigin": (("0", "11"), ("1", "10")),
    "RoleEndDate": (("9999", "31/12/9999"), ("2022-03-31",)),
    "LeaverDestination": (("0", "10"), ("1", "9")),
    "ReasonLeave": (("0", "11"), ("1", "10")),
    "FTE30": (("2", "100%"), ("0.603665",)),
    "Cases30": (("1.5", "-1", "many", "1" * 10), ("0", "72", "+3")),
    "WorkingDaysLost": (("15.311", "-1", "3 days"), ("15.31", "0")),
    "ContractWeeks": (("2.55", "x"), ("288.7", "141.0")),
    "FrontlineGrad": (("N",), ("0", "1")),
    "Absat30Sept": (("2", "Y"), ("0", "1")),
    "ReasonAbsence": (("sick",), ("MAT", "UNP")),
    "CFKSSstatus": (("0", "5"), ("1", "4")),
}


def breaks(rule: ReturnRule, *workers: Worker) -> list[bool]:
    """Which of these records break the rule."""
    frame = records(*workers)
    test = cast(WorkerTest, rule.test)(Collection(DAY)).fill_null(False)
    return frame.select(test.alias("broken"))["broken"].to_list()


@pytest.mark.parametrize("code", ACROSS)
def test_rule_across_elements(code: str) -> None:
    assert breaks(RULES[code], *ACROSS[code]) == [True, False]


def test_elements_out_of_order() -> None:
    from flows.extracts.formats.csww.stream import Stream
    from tests.unit.flows.extracts.formats.csww.made_up import header, message, vacancies

    one = worker()
    swapped = [n for n in NAMES if n in one]
    swapped[2], swapped[3] = swapped[3], swapped[2]
    content = message(header(), vacancies(), record(one, swapped), record(one))
    (chunk,) = Stream(content, "return.xml").chunks()
    assert chunk["unordered"].to_list() == [True, False]
    assert "CSWW-W401" in RULES


@pytest.mark.parametrize("element", WORKER, ids=lambda e: e.name)
def test_form_of_an_element(element) -> None:  # type: ignore[no-untyped-def]
    wrong, right = FORMS[element.name]
    rule = RULES[f"CSWW-W{element.number:03d}"]
    texts = [*wrong, *right]
    assert breaks(rule, *(worker(**{element.name: t}) for t in texts)) == [t in wrong for t in texts]
    assert breaks(rule, worker(**{element.name: None})) == [False], "a missing element is another rule's"


def test_what_every_record_must_have() -> None:
    for element in WORKER:
        code = f"CSWW-W{100 + element.number}"
        if not (element.always or element.direct):
            assert code not in RULES
            continue
        without = worker(**{element.name: None})
        of_agency = {**without, "AgencyWorker": "1"} if element.name != "AgencyWorker" else without
        assert breaks(RULES[code], without, worker(), of_agency) == [True, False, element.always], code


def test_elements_that_stand_twice() -> None:
    for element in WORKER:
        code = f"CSWW-W{300 + element.number}"
        if element.repeats:
            assert code not in RULES
            continue
        twice = worker(**{element.name: ["1", "1"]})
        assert breaks(RULES[code], twice, worker()) == [True, False], code


def test_every_rule_on_a_record_has_its_test() -> None:
    made = {c for c in RULES if c[6] in "013"}
    assert set(RULES) - made == set(ACROSS) | {"CSWW-W401"}


def test_a_good_record_breaks_no_rule() -> None:
    for good in (worker(), worker(LEFT), worker(AGENCY)):
        assert [code for code, rule in RULES.items() if breaks(rule, good) != [False]] == []


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_what_why_and_what_to_do(code: str) -> None:
    rule = RULES[code]
    assert rule.says and rule.remedy.endswith(".") and rule.why
