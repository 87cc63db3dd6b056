"""The layouts Holdfast reads: the headers that identify them, and the columns that are taken.

A later release with more rows, more columns or another file name needs no change here. A renamed column does, and is
refused until it is added.
"""

from __future__ import annotations

from models.record.tables import Layout

_DFE = "DfE"
_OFSTED = "Ofsted"

#: Columns every table of the DfE statistics service starts with.
_PLACE = {
    "time_period": "time_period",
    "geographic_level": "geographic_level",
    "old_la_code": "old_la_code",
    "new_la_code": "new_la_code",
    "la_name": "la_name",
    "region_name": "region_name",
}


def _same(*names: str) -> dict[str, str]:
    return {n: n for n in names}


WORKFORCE_2023 = Layout(
    "workforce figures (headers since 2023)",
    _DFE,
    ("inpost_fte", "leavers_fte"),
    {
        **_PLACE,
        **_same(
            "inpost_fte",
            "leavers_fte",
            "agency_fte",
            "vacancy_fte",
            "case_holders_fte",
            "cases",
            "working_days_lost_fte",
        ),
    },
    _same(
        "inpost_headcount",
        "starters_fte",
        "starters_headcount",
        "leavers_headcount",
        "agency_headcount",
        "agency_cover_fte",
    ),
)
WORKFORCE_2022 = Layout(
    "workforce figures (headers to 2022)",
    _DFE,
    ("social_worker_fte", "leaver_fte"),
    {
        **_PLACE,
        "inpost_fte": "social_worker_fte",
        "leavers_fte": "leaver_fte",
        **_same("agency_fte", "vacancy_fte", "case_holders_fte", "cases", "working_days_lost_fte"),
    },
    {
        "inpost_headcount": "social_worker_headcount",
        "leavers_headcount": "leaver_headcount",
        **_same("starters_fte", "starters_headcount", "agency_headcount", "agency_cover_fte"),
    },
)
REFERRALS = Layout(
    "referrals and re-referrals (children in need, table C1)",
    _DFE,
    ("referral_count", "rereferral_.*"),
    {**_PLACE, "referrals_12m": "referral_count", "re_referrals_12m": "rereferral_count"},
)
SECTION_47 = Layout(
    "section 47 enquiries and conferences (children in need, table C4)",
    _DFE,
    ("section47", "duration_.*"),
    {
        **_PLACE,
        "section_47s_12m": "section47",
        "icpcs_12m": "icpc",
        "icpc_0_10": r"duration_0-10_days",
        "icpc_11_15": r"duration_11-15_days",
    },
)
CHILDREN_IN_NEED = Layout(
    "children in need (table B1)",
    _DFE,
    ("at31_episodes", "started_episodes"),
    {**_PLACE, "open_cases": "at31_episodes"},
)
REPEAT_PLANS = Layout(
    "second and later child protection plans (children in need, table D3)",
    _DFE,
    ("cpp_start", "cpp_subsequent.*"),
    {**_PLACE, "cp_plans_started_12m": "cpp_start", "repeat_cp_plans_12m": "cpp_subsequent"},
)
POPULATION = Layout(
    "population estimates",
    _DFE,
    ("age_group", "population_.*"),
    {**_PLACE, "age_group": "age_group", "population_0_17": "population_estimate"},
)
LAIT = Layout(
    "Local Authority Interactive Tool long table",
    _DFE,
    ("short desc", "la and regions"),
    {"item": "short desc", "year": "years", "value": "values", "old_la_code": "la number"},
)
DEPRIVATION = Layout(
    "Indices of Deprivation, upper-tier file",
    "MHCLG",
    (r"upper tier local authority district code \(\d{4}\)", "imd .*"),
    {
        "new_la_code": r"upper tier local authority district code \(\d{4}\)",
        "name": r"upper tier local authority district name \(\d{4}\)",
        "imd_score": r"imd - average score",
    },
)
NEIGHBOURS = Layout(
    "statistical neighbours",
    _DFE,
    ("sn_?1", "sn_?10"),
    {"old_la_code": "(?:old_la_code|la num)", **{f"n{i}": f"sn_?{i}" for i in range(1, 11)}},
)
LOOKUP = Layout(
    "council look-up",
    "ofsted-ilacs-scrape-tool",
    ("urn", "la_code_new", "region_code"),
    {
        "urn": "urn",
        "old_la_code": "la_code",
        "new_la_code": "la_code_new",
        "la_name": "local_authority_ons_name",
        "region_name": "region_name",
    },
    {"also_known_as": "also_known_as", "council_type": "ons_la_type"},
)
REPORTS = Layout(
    "history parsed from inspection reports",
    "ofsted-ilacs-scrape-tool",
    ("publication_date", "impact_of_leaders_.*"),
    {
        "published": "publication_date",
        "inspection_type": "inspection_framework",
        "started": "inspection_start_date",
        "overall": "overall_effectiveness_grade",
        "leaders": "impact_of_leaders_grade",
        "help": "help_and_protection_grade",
        "care": "in_care_grade",
        "care_leavers": "care_leavers_grade",
    },
    # A council is found by whichever of these columns the file has.
    {"urn": "urn", "la_name": "local_authority.*", "old_la_code": "la_code", "new_la_code": "la_code_new"},
)

_LEADERS = r"(?:the )?impact of leaders.*"
_HELP = r"(?:the )?experiences and progress of children who need help and protection"
_CARE = r"(?:the )?experiences and progress of children in care(?: and care leavers)?"
_CARE_LEAVERS = r"(?:the )?experiences and progress of care leavers"

#: Ofsted's layout of 2025: history since 2018, and the list as at 31 March (which has no type column).
INSPECTIONS = Layout(
    "inspection outcomes",
    _OFSTED,
    ("local authority area code", "inspection date", ".*impact of leaders.*"),
    {
        "new_la_code": "local authority area code",
        "la_name": "local authority name",
        "started": "inspection date",
        "published": "publication date",
        "leaders": _LEADERS,
        "help": _HELP,
        "care": _CARE,
    },
    {"inspection_type": "inspection type", "overall": "overall effectiveness", "care_leavers": _CARE_LEAVERS},
)
#: The year's inspections and visits, in the layout of 2025 (with area code) and of 2023 (without).
IN_YEAR = Layout(
    "in-year inspections and visits",
    _OFSTED,
    ("inspection/visit date", "inspection/visit type"),
    {
        "la_name": "local authority name",
        "started": "inspection/visit date",
        "inspection_type": "inspection/visit type",
        "leaders": _LEADERS,
        "help": _HELP,
        "care": _CARE,
    },
    {
        "new_la_code": "local authority area code",
        "published": "publication date",
        "overall": "overall effectiveness",
        "care_leavers": _CARE_LEAVERS,
    },
)
#: The 2023 release's list as at 31 March: inspection dates, no codes, no publication dates.
AS_AT_2023 = Layout(
    "latest judgements",
    _OFSTED,
    ("web link", "local authority name", "inspection date", "impact of leaders"),
    {
        "la_name": "local authority name",
        "started": "inspection date",
        "overall": "overall effectiveness",
        "leaders": _LEADERS,
        "help": _HELP,
        "care": _CARE,
    },
    {"care_leavers": _CARE_LEAVERS},
)


def _sif(round_name: str, publication: str) -> Layout:
    prefix = rf"{round_name} "
    return Layout(
        f"inspections 2009 to 2023, {round_name}",
        _OFSTED,
        ("local authority name", rf"{prefix}overall judgement.*"),
        {
            "la_name": "local authority name",
            "published": publication,
            "overall": rf"{prefix}overall judgement \(oe\)",
            "leaders": rf"{prefix}leadership, management and governance",
            "help": rf"{prefix}children who need help and protection",
            "care": rf"{prefix}children looked after and achieving permanence",
            "care_leavers": rf"{prefix}cla sub: experiences and progress of care leavers",
        },
    )


def _ilacs(ordinal: str) -> Layout:
    prefix = rf"{ordinal} ?ilacs framework" if ordinal else "ilacs framework"
    return Layout(
        f"inspections 2009 to 2023, {ordinal} ILACS".replace(",  ", ", "),
        _OFSTED,
        ("local authority name", rf"{prefix} publication date"),
        {
            "la_name": "local authority name",
            "published": f"{prefix} publication date",
            "inspection_type": f"{prefix} inspection type",
            "overall": f"{prefix} overall effectiveness",
            "leaders": f"{prefix} impact of leaders",
            "help": f"{prefix} experiences and progress of children who need help and protection",
            "care": f"{prefix} experiences and progress of children in care(?: and care leavers)?",
        },
        {"care_leavers": f"{prefix} experiences and progress of care leavers"},
    )


WIDE_SIF = (
    _sif("first sif", r"single inspection of la children's services \(sif\) first sif publication date"),
    _sif(
        "sif re-inspection", r"single inspection of la children's services \(sif\) sif re-inspection publication date"
    ),
)
#: “First …”, “Second …” and so on, and the unnumbered form of the table of abolished councils.
WIDE_ILACS = tuple(_ilacs(o) for o in ("first", "second", "third", "fourth", ""))

WORKFORCE = (WORKFORCE_2023, WORKFORCE_2022)
CHILDREN = (REFERRALS, SECTION_47, CHILDREN_IN_NEED, REPEAT_PLANS)
EVERY = (
    *WORKFORCE,
    *CHILDREN,
    POPULATION,
    LAIT,
    DEPRIVATION,
    NEIGHBOURS,
    LOOKUP,
    REPORTS,
    INSPECTIONS,
    IN_YEAR,
    AS_AT_2023,
    *WIDE_SIF,
    *WIDE_ILACS,
)
