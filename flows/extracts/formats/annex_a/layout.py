"""The eleven lists of Annex A: the names of their sheets and columns, in Ofsted's words and in councils'.

A name is compared without case, spaces and punctuation (“Date of Referral:” is `dateofreferral`), first as
written, then without a part in brackets at its end. The patterns are regular expressions for the whole
name. docs/annex-a.md shows this table; a test holds the two together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from flows.extracts.reading.headers import normalised


class ColumnContent(StrEnum):
    """How a column's cells are read."""

    CHILD = "child"
    DATE = "date"
    STATUS = "status"
    YES_NO = "yes or no"
    NUMBER = "number"
    WORKER = "worker's name"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read."""

    name: str
    """Ours, within its list."""
    header: str
    """Ofsted's."""
    holds: ColumnContent
    pattern: str
    """What else it is called, normalised."""


@dataclass(frozen=True, slots=True)
class AnnexList:
    """One list of the eleven."""

    number: int
    title: str
    names: str
    """Pattern of its sheet's name, normalised, without a number."""
    columns: tuple[Column, ...] = ()
    """The columns that are read; none for lists that no measure depends on."""
    dropped: tuple[str, ...] = ()
    """Ofsted's other headers, in order: they help to recognise the list and are never read."""

    @property
    def is_read(self) -> bool:
        return bool(self.columns)

    def __str__(self) -> str:
        return f"Annex A list {self.number} ({self.title})"

    def column(self, name: str) -> Column:
        """The column of that name; raises KeyError."""
        for candidate in self.columns:
            if candidate.name == name:
                return candidate
        raise KeyError(name)


_ID = "(?:id|identifier|identificationnumber|ref|reference|refno|number|no)"
_CHILD = Column(
    "child",
    "Child Unique ID",
    ColumnContent.CHILD,
    rf"(?:unique)?(?:childrens?|childs?|client|person|pers|individual|serviceuser|case)(?:unique)?{_ID}"
    rf"|(?:lcs|ics|cms|mosaic|eclipse|liquidlogic|carefirst|frameworki|swift|azeus)(?:client|person|child)?{_ID}"
    rf"|unique{_ID}|upi|childuniqueid(?:lcs|ics|mosaic|eclipse|liquidlogic)",
)
_TEAM = Column(
    "team",
    "Allocated Team",
    ColumnContent.TEAM,
    r"(?:current|currently|case)?(?:allocated|responsible|socialwork|socialworkers|workers)?team(?:name|allocated)?",
)
_WORKER = Column(
    "worker",
    "Allocated Worker",
    ColumnContent.WORKER,
    r"(?:current|currently|lead)?(?:allocated)?(?:social|case|key|lead)?worker(?:name|allocated)?"
    r"|(?:current)?allocated(?:sw|cw|to)(?:name)?|(?:sw|keyworker)name",
)
_THE = r"(?:the)?"
_LAST = r"(?:latest|last|mostrecent)"
_12_MONTHS = r"(?:in|within|during)?(?:the)?(?:last|past|previous|preceding)?(?:12|twelve)(?:months?|mths?|m)"
_CP = r"(?:childprotection|cp|cpp)"
_ABOUT = ("Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)")
_DISABILITY = "Does the Child have a Disability"

LISTS: tuple[AnnexList, ...] = (
    AnnexList(
        1,
        "Contacts",
        r"(?:initial|all)?contacts?",
        dropped=("Child Unique ID", *_ABOUT, "Date of Contact", "Contact Source"),
    ),
    AnnexList(
        2,
        "Early Help Assessments",
        r"(?:earlyhelp|eh|ehas?)(?:assessments?|episodes?)?|earlyhelpandcafs?|cafs?",
        dropped=(
            "Child Unique ID",
            *_ABOUT,
            "Assessment start date",
            "Assessment completion date",
            "Organisation completing assessment",
        ),
    ),
    AnnexList(
        3,
        "Referrals",
        r"(?:all)?referrals?",
        (
            _CHILD,
            Column(
                "referred",
                "Date of referral",
                ColumnContent.DATE,
                rf"(?:date)?(?:of)?{_THE}(?:{_LAST})?referral(?:date|received|receiveddate|startdate|starts?|dttm)?"
                r"|datereferral(?:was)?received|datereferred|referraldateofreceipt",
            ),
            Column(
                "no_further_action",
                "Referral NFA?",
                ColumnContent.YES_NO,
                r"(?:was|is)?(?:the)?(?:referral)?(?:a|an|resultedin|outcome|ended)?(?:nfa|nofurtheraction)(?:d|flag|yn|referral)?",
            ),
            Column(
                "earlier",
                "Number of Referrals in Last 12 Months",
                ColumnContent.NUMBER,
                rf"(?:number|no|count|num)?(?:of)?(?:previous|prior|earlier)?referrals{_12_MONTHS}",
            ),
            _TEAM,
            _WORKER,
        ),
        (*_ABOUT, "Referral Source"),
    ),
    AnnexList(
        4,
        "Assessments",
        r"(?:all)?(?:continuous|single|core|socialcare|cin|candf|cf|cfa|childandfamily|childrenandfamil(?:y|ies))?"
        r"assessments?",
        (
            _CHILD,
            Column(
                "started",
                "Continuous Assessment Start Date",
                ColumnContent.DATE,
                r"(?:continuous|single|candf|cf|childandfamily|cin)?assessment(?:start|started|began|commenced)(?:date)?"
                r"|(?:date)(?:of)?(?:continuous|single|candf|cf)?assessment(?:start|started|began|commenced)"
                r"|startdateof(?:the)?(?:continuous|single)?assessment",
            ),
            Column(
                "authorised",
                "Continuous Assessment Date of Authorisation",
                ColumnContent.DATE,
                r"(?:continuous|single|candf|cf|childandfamily|cin)?assessment"
                r"(?:dateof|date)?(?:authori[sz]ation|authori[sz]ed|auth|completion|completed|closed|end|ended)(?:date)?"
                r"|(?:dateof|date)(?:the)?(?:continuous|single|candf|cf)?(?:assessment)?(?:was)?authori[sz](?:ation|ed)"
                r"|authori[sz](?:ation|ed)date",
            ),
            _TEAM,
            _WORKER,
        ),
        (
            *_ABOUT,
            _DISABILITY,
            "Child Seen During Continuous Assessment",
            "Was the child assessed as requiring LA children's social care support?",
        ),
    ),
    AnnexList(
        5,
        "Section 47 Enquiries and ICPCs",
        r"(?:section47|sec47|s47)s?(?:enquir(?:y|ies)|investigations?)?(?:and|with)?"
        r"(?:icpcs?|initialchildprotectionconferences?|initialcpconferences?|conferences?)?(?:oc)?",
        (
            _CHILD,
            Column(
                "strategy",
                "Strategy discussion initiating Section 47 Enquiry Start Date",
                ColumnContent.DATE,
                r"(?:dateof)?(?:the)?strat(?:egy)?(?:discussion|meeting)(?:date)?"
                r"(?:initiating|leadingto)?(?:a|the)?(?:section47|sec47|s47)?(?:enquiry|investigation)?(?:start)?(?:date)?"
                r"|(?:section47|sec47|s47)(?:enquiry|investigation)?(?:start|started|startdate|date|datestarted)"
                r"|datestrategydiscussion(?:held)?",
            ),
            Column(
                "conference",
                "Date of Initial Child Protection Conference",
                ColumnContent.DATE,
                r"(?:dateof|date)?(?:the)?(?:icpc|initial(?:childprotection|cp)conf(?:erence)?)(?:date|held|dateheld)?",
            ),
            _TEAM,
            _WORKER,
        ),
        (
            *_ABOUT,
            _DISABILITY,
            "Was an Initial Child Protection Conference deemed unnecessary?",
            "Did the Initial Child Protection Conference Result in a Child Protection Plan",
            "Number of Section 47 Enquiries in the last 12 months",
            "Number of ICPCs in the last 12 months",
        ),
    ),
    AnnexList(
        6,
        "Children in Need",
        r"(?:cin|ch?ildreninneed|childinneed)(?:cases|episodes|plans?)?(?:cin)?",
        (
            _CHILD,
            Column(
                "began",
                "CIN Start Date",
                ColumnContent.DATE,
                r"(?:cin|childreninneed|childinneed)(?:episode|case|plan)?(?:start|started|began|commenced)(?:date)?"
                r"|(?:episode|case)?startdate|datecin(?:episode)?(?:start|started|began)|startdateofcin(?:episode)?",
            ),
            Column(
                "seen",
                "Date Child Was Last Seen",
                ColumnContent.DATE,
                r"(?:date)?(?:the)?child(?:was)?lastseen(?:date)?|datelastseen|lastseendate"
                rf"|(?:dateof)?(?:the)?{_LAST}(?:cin|statutory|socialwork|sw)?visit(?:date)?",
            ),
            Column(
                "closed",
                "CIN Closure Date",
                ColumnContent.DATE,
                r"(?:cin|childreninneed|childinneed|episode|case)?(?:episode|case|plan)?"
                r"(?:closure|closed|closing|end|ended)(?:date)?|date(?:of)?(?:cin|case|episode)?(?:closure|closed|ended)",
            ),
            Column(
                "status", "Case Status", ColumnContent.STATUS, r"(?:current)?(?:case|cin|child)?status(?:ofthecase)?"
            ),
            _TEAM,
            _WORKER,
        ),
        (*_ABOUT, _DISABILITY, "Primary Need Code", "Reason for Closure"),
    ),
    AnnexList(
        7,
        "Child Protection",
        rf"{_CP}s?(?:plans?|cases|list|register)?|childprotectionplans?cpp?s?",
        (
            _CHILD,
            Column(
                "plan",
                "Child Protection Plan Start Date",
                ColumnContent.DATE,
                rf"{_CP}(?:plan)?(?:start|started|began|commenced)(?:date)?|date{_CP}(?:plan)?(?:start|started|began)"
                rf"|startdateof{_THE}{_CP}(?:plan)?",
            ),
            Column(
                "ended",
                "Child Protection Plan End Date",
                ColumnContent.DATE,
                rf"{_CP}(?:plan)?(?:end|ended|ceased|closed|closure|cease)(?:date)?|date{_CP}(?:plan)?(?:end|ended|ceased)"
                rf"|enddateof{_THE}{_CP}(?:plan)?",
            ),
            Column(
                "visit",
                "Date of the Last Statutory Visit",
                ColumnContent.DATE,
                rf"(?:dateof)?{_THE}{_LAST}(?:statutory|{_CP})?visit(?:date)?",
            ),
            Column(
                "review",
                "Date of latest review conference",
                ColumnContent.DATE,
                rf"(?:dateof)?{_THE}{_LAST}(?:{_CP})?review(?:{_CP})?(?:conference|conf)?(?:date)?|{_LAST}rcpc(?:date)?",
            ),
            Column(
                "previous",
                "Number of Previous Child Protection Plans",
                ColumnContent.NUMBER,
                rf"(?:number|no|count|num)?(?:of)?(?:previous|prior|earlier){_CP}(?:plans?)?",
            ),
            _TEAM,
            _WORKER,
        ),
        (
            *_ABOUT,
            _DISABILITY,
            "Initial Category of Abuse",
            "Latest Category of Abuse",
            "Was the Child Seen Alone?",
            "Subject to Emergency Protection Order or Protected Under Police Powers in Last Six Months (Y/N)",
        ),
    ),
    AnnexList(
        8,
        "Children in Care",
        r"childrenincare|childrenlookedafter|lookedafter(?:children)?|(?:cla|lac|cic)s?(?:cases|list|children)?"
        r"|childrenincare(?:cic|cla|lac)|(?:openandclosed)?(?:cla|lac)",
        (
            _CHILD,
            Column(
                "entered",
                "Date Started to be Looked After",
                ColumnContent.DATE,
                r"(?:date)?(?:child)?(?:started|became|begantobe)(?:to)?(?:be)?(?:lookedafter|lac|cla)(?:date)?"
                r"|loo+kedafter(?:start|started|startdate)|(?:lac|cla|cic|care)start(?:date)?|date(?:child)?entered(?:into)?care"
                r"|dateof(?:entrytocare|becominglookedafter)|datelookedafterstarted",
            ),
            Column(
                "left",
                "Date Ceased to be Looked After",
                ColumnContent.DATE,
                r"(?:date)?(?:child)?(?:ceased|stopped|ended)(?:to)?(?:be|being)?(?:lookedafter|lac|cla)(?:date)?"
                r"|lookedafter(?:end|ended|enddate|ceased|ceaseddate)|(?:lac|cla|cic|care)(?:end|ceased)(?:date)?"
                r"|date(?:child)?leftcare|datelookedafter(?:ended|ceased)",
            ),
            Column(
                "visit",
                "Date of Last Social Work Visit",
                ColumnContent.DATE,
                rf"(?:dateof)?{_THE}{_LAST}(?:socialwork(?:er)?s?|sw|statutory|lac|cla)?visit(?:date)?",
            ),
            _TEAM,
            _WORKER,
        ),
        (
            *_ABOUT,
            "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)",
            _DISABILITY,
            "Child's Category of Need",
            "Is this a second or subsequent period of being a Looked After Child within the last 12 months (Y/N)",
            "Start date of current legal status",
            "Child's Legal Status",
            "Date of Latest Statutory Review",
            "What is the permanence plan for this child?",
            "Date of Last IRO Visit / Contact to the Child",
            "Date of Last Health Assessment",
            "Date of Last Dental Check",
            "Number of Placements in the Last 12 months",
            "Reason Ceased to be Looked After",
            "Start Date of Most Recent Placement",
            "Placement Type",
            "Placement Provider",
            "Placement postcode",
            "URN of Placement",
            "Placement Location",
            "LA of Placement",
            "Number of Episodes the Child has been 'Missing' from their Placement in the last 12 months",
            "Number of Episodes the Child has been 'Absent' from their Placement in the last 12 months",
            "Was the child offered a Return Interview after their last missing episode (Y/N)?",
            "Did the child accept a Return Interview after their last missing episode (Y/N)?",
        ),
    ),
    AnnexList(
        9,
        "Leaving Care Services",
        r"(?:care)leavers?|leavingcare(?:services?)?|careexperienced(?:youngpeople)?",
        dropped=(
            "Child Unique ID",
            *_ABOUT,
            "Unaccompanied Asylum Seeking Child (UASC), or formerly UASC if 18 or over (Y/N)",
            _DISABILITY,
            "Allocated Team",
            "Allocated Worker",
            "Allocated Personal Advisor",
            "Eligibility Category",
            "Latest Pathway Plan Review Date",
            "LA in Touch",
            "Latest Date of Contact",
            "Type of Accommodation",
            "Suitability of Accommodation",
            "Activity Status",
        ),
    ),
    AnnexList(
        10,
        "Adoption",
        r"adoptions?|adopted(?:children)?|children(?:foradoption|adopted)",
        dropped=(
            "Child Unique ID",
            "Family identifier",
            *_ABOUT,
            _DISABILITY,
            "Date the Child Entered Care",
            "Date of Decision that Child Should be Placed for Adoption",
            "Date of Placement Order",
            "Date of Matching Child and Prospective Adopters",
            "Date Placed for Adoption",
            "Date of Adoption Order",
            "Date of Decision that Child Should No Longer be Placed for Adoption",
            "Reason Why Child No Longer Placed for Adoption",
            "Date the child was placed for fostering in FFA or concurrent planning placement",
        ),
    ),
    AnnexList(
        11,
        "Adopters",
        r"(?:prospective)?adopters?",
        dropped=(
            "Individual adopter identifier",
            "Family identifier",
            "Gender",
            "Ethnicity",
            "Disability",
            "Is the (prospective) adopter fostering for adoption?",
            "Date enquiry received",
            "Date Stage 1 started",
            "Date Stage 1 ended",
            "Date Stage 2 started",
            "Date Stage 2 ended",
            "Date application submitted",
            "Date application approved",
            "Date adopter matched with child(ren)",
            "Date child/children placed with adopter(s)",
            "No. of children placed",
            "Date of Adoption Order",
            "Date of leaving adoption process",
            "Reason for leaving adoption process",
        ),
    ),
)

BY_NUMBER: dict[int, AnnexList] = {one.number: one for one in LISTS}

#: Columns that do not show which list it is.
EVERYWHERE = frozenset({"child", "team", "worker"})

#: Case Status, normalised and without its letter -> the caseload extract's code.
STATUSES: tuple[tuple[str, str], ...] = (
    ("a", r"(?:child)?lookedafter(?:child|children)?|lac|cla|cic|child(?:ren)?incare|incare"),
    ("b", rf"(?:subjectto)?(?:a)?{_CP}(?:plan)?|childprotectionplancp"),
    ("c", r"(?:childreninneed|childinneed|cin)(?:plan)?|cinplan"),
    (
        "d",
        r"(?:open|inassessment|underassessment)?assessment(?:open|inprogress)?|open(?:in)?assessment|underassessment",
    ),
    ("e", r"(?:case)?(?:closed|closure)(?:episode|case)?"),
)


_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*[?:*]*\s*$")


@lru_cache(maxsize=4096)
def forms_of(header: str) -> tuple[str, ...]:
    """A header normalised, as written and without a part in brackets at its end."""
    bare = _IN_BRACKETS.sub("", header)
    return tuple(dict.fromkeys(f for f in (normalised(header), normalised(bare)) if f))


@lru_cache(maxsize=4096)
def columns_of_list(number: int, header: str) -> tuple[str, ...]:
    """The columns of a list that a header can mean: by Ofsted's own wording, else by the patterns."""
    columns, forms = BY_NUMBER[number].columns, forms_of(header)
    exact = tuple(c.name for c in columns if normalised(c.header) in forms)
    return exact or tuple(c.name for c in columns if any(re.fullmatch(c.pattern, f) for f in forms))


@lru_cache(maxsize=4096)
def is_dropped(number: int, header: str) -> bool:
    """Whether a header is one of the list's known columns that are not read."""
    known = {f for h in BY_NUMBER[number].dropped for f in forms_of(h)}
    return any(f in known for f in forms_of(header))


_NUMBERED = re.compile(r"(?:(?:annexa|aa)?list|annexa|aa|l|tab)?0*(1[01]|[1-9])(?!\d)")


@lru_cache(maxsize=1024)
def lists_named(sheet: str) -> tuple[int, ...]:
    """The lists that a sheet's name means: none, one, or two that contradict each other (“List 6 Referrals”)."""
    name = normalised(sheet)
    if name.startswith("sheet"):
        return ()
    by_number: tuple[int, ...] = ()
    title = name.removeprefix("annexa").removeprefix("list")
    if match := _NUMBERED.match(name):
        by_number, title = (int(match[1]),), name[match.end() :]
    by_title = {one.number for one in LISTS for t in (title, name) if re.fullmatch(one.names, t)}
    return tuple(sorted({*by_number, *by_title}))
