"""Rules on the parts of the file, its header and the council's own totals: one file each that breaks just them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from flows.extracts.formats.csww.rules.kinds import FileTest, Looks
from flows.extracts.formats.csww.rules.years import BASE
from flows.extracts.formats.csww.stream import Stream
from tests.unit.flows.extracts.formats.csww.made_up import csww, header, message, record, vacancies, worker

RULES = {r.code: r for r in BASE if r.looks in (Looks.FILE, Looks.VACANCIES)}
W = record(worker())


def _of(**head: str | None) -> bytes:
    return csww(worker(), **head)


def _with(**changes: str | None) -> bytes:
    return message(header(), vacancies(**changes), W)


#: Rule -> (files that break it, files that come close and do not).
FILES: Mapping[str, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {
    "CSWW-S01": ((message(vacancies(), header(), W), message(header(), W, vacancies())), (_of(),)),
    "CSWW-S02": ((message(header(), "<Notes/>", vacancies(), W),), (_of(),)),
    "CSWW-S03": ((message(header(), vacancies(), record(worker(fte30="1"))),), (_of(),)),
    "CSWW-S04": ((message(header(), W), message(header(), vacancies(), vacancies(), W)), (_of(),)),
    "CSWW-H01": ((message(vacancies(), W), message(header(), header(), vacancies(), W)), (_of(),)),
    "CSWW-H02": ((_of(Collection=None), _of(Collection="CIN")), (_of(),)),
    "CSWW-H03": ((_of(Year="2021"), _of(Year=None)), (_of(), _of(Year="2023", ReferenceDate="2023-09-30"))),
    "CSWW-H04": ((_of(ReferenceDate=None), _of(ReferenceDate="30/09/2022")), (_of(),)),
    "CSWW-H05": ((_of(ReferenceDate="2022-10-31"),), (_of(), _of(ReferenceDate=None))),
    "CSWW-H06": ((_of(SourceLevel="S"), _of(SourceLevel=None)), (_of(),)),
    "CSWW-H07": ((_of(LEA=None), _of(LEA="30"), _of(LEA="E09000002")), (_of(),)),
    "CSWW-H08": ((_of(DateTime="yesterday"), _of(DateTime=None)), (_of(), _of(DateTime="2022-11-01T09:00:00.5+00:00"))),
    "CSWW-H09": ((message(header(), header(), vacancies(), W),), (_of(),)),
    "CSWW-V01": ((_with(NumberOfVacancies=None), _with(NumberOfVacancies="3,5")), (_with(NumberOfVacancies="0"),)),
    "CSWW-V02": ((_with(NoAgencyFTE=None), _with(NoAgencyFTE="-1")), (_with(NoAgencyFTE="0.75"),)),
    "CSWW-V03": ((_with(NoAgencyHeadcount=None), _with(NoAgencyHeadcount="1.5")), (_with(NoAgencyHeadcount="12"),)),
    "CSWW-V11": ((_with(NoAgencyFTE="1.01"),), (_with(NoAgencyFTE="1.00"), _with(NoAgencyFTE="x"))),
}


def breaks(code: str, content: bytes) -> bool:
    stream = Stream(content, "return.xml")
    list(stream.chunks())
    return cast(FileTest, RULES[code].test)(stream.outline)


@pytest.mark.parametrize("code", FILES)
def test_rule_on_the_file(code: str) -> None:
    wrong, right = FILES[code]
    assert [breaks(code, content) for content in (*wrong, *right)] == [True] * len(wrong) + [False] * len(right)


def test_every_rule_on_the_file_has_its_test() -> None:
    assert set(FILES) == set(RULES)


def test_a_good_file_breaks_none() -> None:
    assert [code for code in RULES if breaks(code, _of())] == []
