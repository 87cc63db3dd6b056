"""The elements of the return: their order, types and codes.

Source: the XML schema of the 2022 collection in `SocialFinanceDigitalLabs/liia-tools`
(`liiatools/spec/social_work_workforce/social_work_workforce_2022.xsd`), a third party's reconstruction of DfE's
specification. We could not obtain DfE's own workbook. If another source says otherwise, the element accepts both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from features.registry import LEAVER_DESTINATIONS, ORG_ROLES, REASONS_LEAVE


class ElementForm(Enum):
    """How an element's text is written."""

    CODE = "one of its codes"
    DECIMAL = "a number"
    WHOLE = "a whole number, 0 or more"
    DATE = "a date, YYYY-MM-DD"
    REGISTRATION = "two letters and ten digits, or SW and up to ten digits"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a worker or of the vacancies block."""

    number: int
    """Its place among its siblings, from 1: the last two digits of the rules made for it."""
    name: str
    form: ElementForm
    codes: tuple[str, ...] = ()
    decimals: int = 0
    maximum: int | None = None
    """Numbers are never below 0."""
    always: bool = False
    """Every record has it."""
    direct: bool = False
    """Every record whose AgencyWorker is not 1 has it."""
    repeats: bool = False
    """The schema lets it occur more than once."""

    @property
    def parts(self) -> int:
        """A typed number is a whole number of 1 / parts."""
        return int(10**self.decimals)

    @property
    def in_words(self) -> str:
        """The permitted values, in words."""
        if self.form is ElementForm.CODE:
            return f"one of {', '.join(self.codes)}"
        if self.form is ElementForm.DECIMAL:
            upper = "or more" if self.maximum is None else f"to {self.maximum}"
            return f"a number, 0 {upper}, with at most {self.decimals} decimals"
        return str(self.form.value)


_WHITE, _MIXED = ("WBRI", "WIRI", "WOTH"), ("MWBC", "MWBA", "MWAS", "MOTH")
_ASIAN, _BLACK = ("AIND", "APKN", "ABAN", "AOTH"), ("BCRB", "BAFR", "BOTH")
_ETHNICITIES = (*_WHITE, *_MIXED, *_ASIAN, *_BLACK, "CHNE", "OOTH", "REFU", "NOBT")
_ABSENCES = ("MAT", "OTH", "PUB", "SIC", "TRN", "UNA", "UNP")
_NO_YES = ("0", "1")
_1_TO_3, _1_TO_4, _1_TO_10 = (tuple(str(n) for n in range(1, last + 1)) for last in (3, 4, 10))

#: The children of a CSWWWorker, in the order of the schema. The schema does not say which of them a directly paid
#: worker must have: that is the list `NON_AGENCY_MANDATORY_TAG` in liia-tools' validator.py.
WORKER: tuple[Element, ...] = (
    Element(1, "AgencyWorker", ElementForm.CODE, _NO_YES, always=True),
    Element(2, "SWENo", ElementForm.REGISTRATION, always=True),
    Element(3, "FTE", ElementForm.DECIMAL, decimals=6, maximum=1),
    Element(4, "PersonBirthDate", ElementForm.DATE, direct=True),
    Element(5, "GenderCurrent", ElementForm.CODE, ("0", "1", "2", "9"), direct=True),
    Element(6, "Ethnicity", ElementForm.CODE, _ETHNICITIES, direct=True),
    Element(7, "QualInst", ElementForm.TEXT, direct=True, repeats=True),
    Element(8, "QualLevel", ElementForm.CODE, _1_TO_3),
    Element(9, "StepUpGrad", ElementForm.CODE, _NO_YES, direct=True),
    Element(10, "OrgRole", ElementForm.CODE, tuple(ORG_ROLES), direct=True),
    Element(11, "RoleStartDate", ElementForm.DATE, direct=True),
    Element(12, "StartOrigin", ElementForm.CODE, _1_TO_10, direct=True),
    Element(13, "RoleEndDate", ElementForm.DATE),
    Element(14, "LeaverDestination", ElementForm.CODE, tuple(LEAVER_DESTINATIONS)),
    Element(15, "ReasonLeave", ElementForm.CODE, tuple(REASONS_LEAVE)),
    Element(16, "FTE30", ElementForm.DECIMAL, decimals=6, maximum=1, direct=True),
    Element(17, "Cases30", ElementForm.WHOLE),
    Element(18, "WorkingDaysLost", ElementForm.DECIMAL, decimals=2, direct=True),
    Element(19, "ContractWeeks", ElementForm.DECIMAL, decimals=1, repeats=True),
    Element(20, "FrontlineGrad", ElementForm.CODE, _NO_YES, direct=True),
    Element(21, "Absat30Sept", ElementForm.CODE, _NO_YES, repeats=True),
    Element(22, "ReasonAbsence", ElementForm.CODE, _ABSENCES, repeats=True),
    Element(23, "CFKSSstatus", ElementForm.CODE, _1_TO_4, repeats=True),
)

#: The children of LALevelVacancies.
VACANCIES: tuple[Element, ...] = (
    Element(1, "NumberOfVacancies", ElementForm.DECIMAL, decimals=2, always=True),
    Element(2, "NoAgencyFTE", ElementForm.DECIMAL, decimals=2, always=True),
    Element(3, "NoAgencyHeadcount", ElementForm.WHOLE, always=True),
)

#: The children of Header / CollectionDetails and of Header / Source.
COLLECTION_DETAILS = ("Collection", "Year", "ReferenceDate")
SOURCE = ("SourceLevel", "LEA", "SoftwareCode", "DateTime")

NAMES: tuple[str, ...] = tuple(e.name for e in WORKER)
BY_NAME: dict[str, Element] = {e.name: e for e in WORKER}
POSITION: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
