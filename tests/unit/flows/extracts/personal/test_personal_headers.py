"""Which headers refuse a file, which do not, and which may be repeated in a message."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.registry import EXTRACTS
from flows.extracts.formats.csww.elements import WORKER
from flows.extracts.personal.headers import column_letters, is_plain_label, named_column, personal_header, words_of
from flows.extracts.personal.words import PERSONAL_HEADERS

SHARED = Path(os.environ.get("HOLDFAST_SHARED", Path(__file__).parents[5] / ".." / "shared"))

#: Headers as people and systems write them; every one must refuse a file.
PERSONAL = """
Employee Name; Client name; Name of child; Name; Full Name; fullName; FULLNAME; Worker name; workerName; Staff_Name;
SW name; Social Worker Name; Manager Name; Line manager name; Child's name; childs_name; ChildName; CHILD NAME;
Name (child); Name of worker; Name of social worker; Names; Forename; Forename(s); Forenames; forename_1; Fore name;
First Name; First_name; FirstName; 1st name; Given names; Middle name; Middle Initials; Initials;
Initials of worker; Surname; Surname2; SURNAME; Sur-name; Worker surname; Last name; LastName; lname; fname;
Family name; Maiden name; Former surname; Preferred name; preferredName; Known as; Known By; AKA; Alias; Nickname;
Person full name; EmpName; employeename; Carer name; Parent's name; Mother's name; Father name; Sibling names;
Next of kin; NextOfKin; NOK; N.O.K.; Next of kin phone; Emergency contact; Emergency Contact 1; ICE contact;
User name; Username; Login; Signature; Photo; Case name; Legal name; Reviewer name; Name and address; Date of birth;
DOB; D.O.B.; d.o.b; DoB; dob_child; childDOB; Child's date of birth; Worker DOB; Birth date; BirthDate; Birthday;
Year of birth; YOB; Month of birth; Born; Date born; Place of birth; Birth year; Age; Age of child; Child age;
Worker age; Age (years); Age at referral of child; Age band; Age group; EDD; date_of_birth; DATEOFBIRTH; pers_dob;
Ethnicity; Ethnic origin; Child ethnicity; ETHNIC_CODE; ethnicity code; Ethnic group; Race; Nationality;
Citizenship; Country of birth; First language; Main language; Home language; Interpreter needed; Immigration status;
Visa expiry; Visa type; Work permit number; Gender; Gender identity; Sex; Child sex; pers_sex; Pronouns;
Marital status; Married; Civil partnership; Spouse; Sexual orientation; SexualOrientation; Sexuality; LGBT;
Pregnant; Transgender; Religion; Religion/Belief; Faith; Religious belief; Trade union; Union membership;
Political affiliation; Disability; Disabled; Disability status; Disability (Y/N); isDisabled; Diagnosis;
Medical condition; Medical notes; Health condition; Mental health; Long-term condition; Sickness reason;
Reason for sickness; Sickness category; Absence reason; Reason for absence; Sick note; Fit note; GP; GP practice;
Allergies; Medication; Occupational health; Reasonable adjustments; Special educational needs; EHCP; SEN status;
Covid vaccination; Address; Addr1; addr_2; Home address; Address line 1; AddressLine1; Postcode; Post code;
Post-Code; Home postcode; homePostcode; Placement postcode; Postal town; PCode; Zip; Street; House number; House no;
UPRN; Latitude; Longitude; Easting; Place of residence; Home town; Email; E-mail; Work email; work_email;
emailAddress; Email address (work); Telephone; Tel; Tel No; Tel. no.; Phone; Home phone; phone_number; Mobile;
Mobile no; Mob; Contact number; Contact No.; Contact details; Landline; Fax; LinkedIn; Home number; WhatsApp;
NI number; NI No; N.I. number; NINO; NiNo; NINumber; National insurance; National Insurance No; Nat Ins No;
NHS number; NHS No; NHSNumber; nhs_no; NHS; UPN; Unique pupil number; ULN; Passport number; Passport no;
Driving licence; Driving licence no; Car registration; Vehicle reg; SWE number; SWE registration; SWE No.; SWENo;
Social Work England ID; SWE ref; Registration number; Registration no; HCPC number; DBS number; DBS certificate no;
Professional registration; Bank account; Bank account no; Bank sort code; Sort code; SortCode; Account number; IBAN;
Bank details; Building society; Conviction; Criminal record; DBS result; Notes; Note; Case notes; Manager notes;
Comments; comment; Remarks; Free text; Freetext; Narrative; Observations; Additional information; Further details;
Case summary; Any other comments; Chronology; BME flag; BAME; Asylum status; M/F; Male/Female;
Maternity leave start; Relationship status; Trans; TU membership; SEN; EHC plan; Autism; ADHD; Alcohol;
Wheelchair user; pcd; Post cd; Lat; Flat no; Mail; Ph no; cell; Contact info; DL number; Social work registration;
PIN; DBS; DBS ref; Disclosure number; Bank; Acc Number; A/C No; Sort Cd; BIC; Other info; Emergency no; ICE;
Family members; Picture; Reg plate; UserID; Windows ID; Other names; Previous names; Deadname; Allocated SW name;
EmployeeSurname; Emp Fname; DoB (dd/mm/yyyy); Current age; AgeGroup; Legal sex; Is disabled; Sickness type;
Type of absence; OH referral; Addr line 1; eMail; Tel. (home); phoneNo; NatIns; NI#; passportNo; SWE Reg No;
HCPC Reg; Criminal convictions; Bank Acc No; Free-text; Next-of-Kin name; Staff login
"""

#: Headers of extra columns that HR and case systems give and that are nobody's data.
HARMLESS = """
Post number; Post no; Post title; Position number; Position title; Position ID; Job title; Job role; Role profile;
Job family; Cost centre; Cost center; Cost centre name; Cost centre code; Cost centre description; Budget code;
Grade; Grade description; Pay grade; Pay band; Scale point; Spinal point; SCP; Salary; Basic salary; Contract type;
Contract; Contract end date; Contract hours; Contracted hours; Weekly hours; Hours; Working pattern;
Full time / part time; FT/PT; Directorate; Directorate name; Department; Department name; Division; Service;
Service name; Service line; Section; Unit; Unit name; Business unit; Team code; Team name; Team ID; Team type;
Team manager post number; Location; Location name; Work location; Office; Office base; Site; Site name; Building;
Base; Employee number; Employee status; Employment type; Employment status; Employee type; Staff group;
Staff category; Payroll number; Payroll group; Payroll name; Pay number; Assignment number; Assignment status;
Headcount; Person type; ASYE; ASYE start date; Newly qualified; Qualification; Qualification level; Date qualified;
Registered; Registration date; Registration expiry date; Renewal date; Continuous service date; Start date in post;
Date joined council; Original hire date; Probation end date; Last supervision; Supervision date;
Date of last appraisal; Agency name; Agency rate; Agency reason; Supplier; Supplier name; Vacancy reason;
Vacancy status; Recruitment status; Leave balance; Annual leave; Sick days; Sickness absence days; Days absent;
Absence days; Absence start date; Maternity cover; On secondment; Secondment; Notice period; Termination date;
Leaving date; Reason for leaving; Leaving reason code; Line manager ID; Line manager post number;
Reports to post number; Supervisor ID; Manager flag; Is manager; Market supplement; Retention payment;
Car allowance; DBS check date; DBS expiry date; Right to work checked; Training completed; Mandatory training;
Directorate code; Organisation; Organisation name; Company; Company name; Employer; Region; District; Locality;
Locality name; Area; Area name; Ward name; School name; Provider name; Placement provider; Placement type;
Placement location; Legal status; Status; Case type; Case status; Case category; Category of need; Primary need;
Category of abuse; Referral source; Contact source; Contact date; Date of contact; Age of case; Case age;
Case age (days); Age of referral; Age of assessment (days); Days open; Weeks open; Working days open; Workload;
Weighting; Plan type; Plan name; Plan category; Review type; Next review date; Visit type; Visit due;
Visits in month; Assessment type; Assessment outcome; Decision; Outcome; Outcome code; Step down; Stage; Priority;
Risk level; RAG; Threshold level; Service user group; Number of children; Number of siblings; Family identifier;
Family ID; Household ID; Group ID; System ID; System name; Source system; Mosaic ID; LCS ID; Record ID; Row number;
File name; filename; Sheet name; Report name; Report date; Extract date; Extracted by system; Last updated;
Date created; Version; Month; Year; Financial year; Quarter; Week; FTE budget; Budgeted FTE; Establishment;
Establishment FTE; Post status; Vacant; Vacant FTE; Total; Count; Percentage; Rank; Full Time Equivalent;
Working days lost in month; Initial contact date; Initial assessment date; Initial CP conference; Initial category;
Date of last health assessment; Date of last dental check; Health visitor team; Home visit date;
Number of home visits; Return home interview; History; Contact type; Contact outcome; Contacts; Attribute;
Distribution; Group code; Programme; Project name; country_name; region_name; la_name; new_la_code; time_period;
geographic_level; town name; Course name; Institution name; University name
"""


def _listed(text: str) -> list[str]:
    return [h for h in (" ".join(part.split()) for part in text.replace("\n", " ").split(";")) if h]


def test_the_lists_are_long_enough_to_mean_something() -> None:
    assert len(set(_listed(PERSONAL))) >= 320
    assert len(set(_listed(HARMLESS))) >= 230


def test_every_personal_header_is_known() -> None:
    assert [h for h in _listed(PERSONAL) if personal_header(h) is None] == []


@pytest.mark.parametrize("write", [str.upper, str.lower, lambda h: h.replace(" ", "_"), lambda h: f" {h} "])
def test_personal_headers_are_known_however_they_are_written(write: object) -> None:
    assert callable(write)
    assert [h for h in _listed(PERSONAL) if personal_header(write(h)) is None and " " in h.strip()] == []


@pytest.mark.parametrize("before", ["Child", "Worker's ", "Current ", "emp_", "2nd "])
def test_a_word_before_it_hides_no_personal_header(before: str) -> None:
    words = ["Surname", "DOB", "Date of birth", "Email", "Postcode", "NI number", "Ethnicity", "Religion", "Phone"]
    assert [w for w in words if personal_header(f"{before}{w}") is None] == []


def test_no_harmless_header_refuses_a_file() -> None:
    assert {h: what for h in _listed(HARMLESS) if (what := personal_header(h)) is not None} == {}


def test_no_column_of_the_contract_refuses_a_file() -> None:
    headers = {h for e in EXTRACTS.values() for f in e.fields for h in (f.name, *f.synonyms)}
    assert {h: what for h in headers if (what := personal_header(h)) is not None} == {}


def test_of_the_workforce_return_only_what_is_about_the_person_is_personal() -> None:
    assert {e.name for e in WORKER if personal_header(e.name)} == {
        "Ethnicity",
        "GenderCurrent",
        "PersonBirthDate",
        "ReasonAbsence",
        "SWENo",
    }


@pytest.mark.skipif(not (SHARED / "reference").is_dir(), reason="the sector's lists of columns are not here")
def test_of_annex_a_and_the_ssd_only_what_is_about_the_person_is_personal() -> None:
    found: dict[str, set[str]] = {}
    for name in ("annex_a", "ssd"):
        with (SHARED / "reference" / f"{name}_columns.csv").open(encoding="utf-8") as file:
            found[name] = {row["column"] for row in csv.DictReader(file) if personal_header(row["column"])}
    assert found["annex_a"] == {
        "Age of Child (Years)",
        "Date of Birth",
        "Disability",
        "Does the Child have a Disability",
        "Ethnicity",
        "Gender",
        "Placement postcode",
    }
    assert found["ssd"] == {"prof_professional_name", "prof_social_worker_registration_no"}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("childDOB", ("child", "dob")),
        ("NHSNumber", ("nhs", "number")),
        ("Child's date_of-birth (1)", ("child", "date", "of", "birth", "1")),
        ("Addr1", ("addr", "1")),
        ("", ()),
    ],
)
def test_headers_are_taken_apart_into_words(header: str, words: tuple[str, ...]) -> None:
    assert words_of(header) == words


@pytest.mark.parametrize("header", ["Cost centre", "Grade", "Surname", "Post number 2", "Contracted_Hours"])
def test_plain_labels_may_be_repeated(header: str) -> None:
    assert named_column(header, 4) == f"“{header}” in column 5 (E)"


@pytest.mark.parametrize(
    "header",
    ["Jane Smith", "ZZMARKER", "Case ZZMARKER", "W1000234", "2014-03-01", "jane@x.example", "Mark Young", "=A1", ""],
)
def test_what_may_be_a_value_is_told_by_place_alone(header: str) -> None:
    assert not is_plain_label(header)
    assert named_column(header, 27) == "column 28 (AB)"


@given(st.integers(0, 20_000))
def test_letterss_count_as_a_spreadsheet_does(position: int) -> None:
    number = 0
    for letter in column_letters(position):
        number = number * 26 + ord(letter) - 64
    assert number == position + 1


@given(st.text(max_size=60))
def test_no_header_stops_the_search(header: str) -> None:
    assert personal_header(header) in {None, *PERSONAL_HEADERS}
    named_column(header, 0)
