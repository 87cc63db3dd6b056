"""Rules on the file's parts, its header and the council's own totals."""

from __future__ import annotations

import re

from expectations.batch import Severity
from flows.extracts.formats.csww.figures import number_of
from flows.extracts.formats.csww.rules.kinds import Looks, file_rule
from flows.extracts.formats.csww.stream import Outline
from flows.extracts.formats.csww.typed import as_day

_ERROR, _QUERY = Severity.ERROR, Severity.QUERY
_DATE_TIME = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-][0-9:]{5})?"
)


@file_rule(
    "CSWW-S01",
    _ERROR,
    "the parts of the file are not in the order Header, LALevelVacancies, CSWWWorker",
    "Export the return in this order; DfE's system may not load it otherwise.",
)
def blocks_out_of_order(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools (a sequence)."""
    return outline.unordered_blocks


@file_rule(
    "CSWW-S02",
    _ERROR,
    "the file has parts that are not of a workforce return; they were not read",
    "Export the return again without them.",
)
def unknown_blocks(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return outline.unknown_blocks > 0


@file_rule(
    "CSWW-S03",
    _ERROR,
    "elements are written with other capitals than the return's (fte30 for FTE30); they were not read",
    "Write the elements exactly as in the specification.",
)
def other_capitals(outline: Outline) -> bool:
    """XML tells capitals from small letters."""
    return bool(outline.lookalikes)


@file_rule(
    "CSWW-S04",
    _ERROR,
    "the vacancies (LALevelVacancies) do not stand exactly once",
    "Send the council's vacancies and agency totals once.",
    Looks.VACANCIES,
)
def vacancies_not_once(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return outline.vacancies.count != 1


@file_rule("CSWW-H01", _ERROR, "the Header does not stand exactly once", "Send the return with one header.")
def header_not_once(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools lets it be missing; without it nobody knows whose return it is."""
    return outline.header.count != 1


@file_rule("CSWW-H02", _ERROR, "Collection is not CSWW", "Write CSWW, or check which file this is.")
def other_collection(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return outline.header.one("Collection") != "CSWW"


@file_rule(
    "CSWW-H03",
    _ERROR,
    "Year is missing or not the year of ReferenceDate",
    "Give the year of the reference date.",
)
def other_year(outline: Outline) -> bool:
    """The year's return is named for the year in which it ends (sample of liia-tools; DfE's releases)."""
    day = as_day(outline.header.one("ReferenceDate"))
    return outline.header.one("Year") != (None if day is None else str(day.year))


@file_rule("CSWW-H04", _ERROR, "ReferenceDate is missing or no date", "Write it as YYYY-MM-DD, once.")
def no_reference_date(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return as_day(outline.header.one("ReferenceDate")) is None


@file_rule("CSWW-H05", _ERROR, "ReferenceDate is not a 30 September", "The collection is of 30 September.")
def not_september(outline: Outline) -> bool:
    """DfE's methodology: the year runs from 1 October to 30 September."""
    day = as_day(outline.header.one("ReferenceDate"))
    return day is not None and (day.month, day.day) != (9, 30)


@file_rule("CSWW-H06", _ERROR, "SourceLevel is not L", "Write L: the source is a local authority.")
def other_source_level(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return outline.header.one("SourceLevel") != "L"


@file_rule("CSWW-H07", _ERROR, "LEA is missing or not three digits", "Give the council's DfE code.")
def no_council(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools."""
    return re.fullmatch("[0-9]{3}", outline.header.one("LEA") or "") is None


@file_rule("CSWW-H08", _QUERY, "DateTime is missing or no date and time", "Write it as 2026-10-12T09:30:00Z.")
def no_time_of_export(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools; a query, because nothing rests on it."""
    return _DATE_TIME.fullmatch(outline.header.one("DateTime") or "") is None


@file_rule(
    "CSWW-H09",
    _ERROR,
    "an element of the header or of the vacancies appears more than once",
    "Keep the right one.",
)
def twice_in_header(outline: Outline) -> bool:
    """The 2022 XML schema of liia-tools; several Source elements are allowed, one council's return has one."""
    blocks = (outline.header, outline.vacancies)
    return any(len(given) > 1 for block in blocks for given in block.texts.values())


@file_rule(
    "CSWW-V11",
    _ERROR,
    "NoAgencyFTE is more than NoAgencyHeadcount",
    "One person is at most 1 FTE; check both figures.",
    Looks.VACANCIES,
)
def more_fte_than_people(outline: Outline) -> bool:
    """FTE is 0 to 1 for each worker (the 2022 XML schema of liia-tools), so a sum of it is at most their number."""
    fte, people = number_of(outline, "NoAgencyFTE"), number_of(outline, "NoAgencyHeadcount")
    return fte is not None and people is not None and fte > 100 * people


RULES = (
    blocks_out_of_order,
    unknown_blocks,
    other_capitals,
    header_not_once,
    other_collection,
    other_year,
    no_reference_date,
    not_september,
    other_source_level,
    no_council,
    no_time_of_export,
    twice_in_header,
    vacancies_not_once,
    more_fte_than_people,
)
