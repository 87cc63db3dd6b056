"""The registry is data; these tests hold the parts of it together."""

from pathlib import Path

from features.registry import (
    ALL_MEASURES,
    COUNTS,
    EXTRACTS,
    INPUT_PARTS,
    MEASURES,
    RETURN,
    RETURN_INPUTS,
    FieldType,
    Kind,
    Unit,
)
from flows.papers.dictionary import dictionary


def test_every_formula_reads_inputs_that_exist() -> None:
    for measure in MEASURES:
        assert set(measure.inputs) <= set(INPUT_PARTS), measure.name


def test_every_count_reads_fields_of_its_own_extract() -> None:
    for count in COUNTS:
        names = {f.name for f in EXTRACTS[count.extract].fields}
        assert set(count.needs) <= names, count.name


def test_names_are_unique() -> None:
    for names in ([m.name for m in ALL_MEASURES], [c.name for c in COUNTS]):
        assert len(names) == len(set(names))


def test_a_return_column_and_its_input_are_held_in_the_same_parts() -> None:
    for column, name in RETURN_INPUTS.items():
        assert 10 ** RETURN.field(column).decimals == INPUT_PARTS[name], column


def test_every_return_column_feeds_an_input() -> None:
    columns = {f.name for f in EXTRACTS[Kind.RETURN].fields} - {"la_code", "reference_date"}
    assert columns == set(RETURN_INPUTS)


def test_coded_fields_are_text_with_codes_and_flags_have_none() -> None:
    for extract in EXTRACTS.values():
        for field in extract.fields:
            assert not field.codes or field.type is FieldType.CODE, field.name


def test_official_measures_name_the_published_column() -> None:
    assert all(m.dfe_column for m in MEASURES if m.official)


#: DfE's own measures, in the registry's order.
OFFICIAL = [
    "vacancy_rate_fte",
    "agency_rate_fte",
    "agency_rate_headcount",
    "turnover_rate_fte",
    "turnover_rate_headcount",
    "caseload_fte",
    "absence_rate_fte",
    "agency_cover_rate_fte",
    "vacancy_agency_cover_rate_fte",
]
#: Fractions that may pass 100 per cent: more may leave, start or close than there are at month end.
ABOVE_ONE = {
    "turnover_rate_fte",
    "turnover_rate_headcount",
    "absence_rate_fte",
    "agency_cover_rate_fte",
    "vacancy_agency_cover_rate_fte",
    "turnover_rate_3m_annualised",
    "starters_rate_fte",
    "net_change_rate_fte",
    "manager_turnover_rate_headcount",
    "senior_manager_turnover_rate_headcount",
    "closure_ratio_3m",
}
#: The columns without which a file is not read.
REQUIRED = {
    Kind.WORKFORCE: "la_code reference_date worker_ref agency_worker org_role fte role_start_date role_end_date "
    "reason_leave cases working_days_lost",
    Kind.ESTABLISHMENT: "la_code reference_date vacancy_fte agency_fte agency_headcount",
    Kind.CASELOAD: "la_code reference_date case_ref allocated_worker_ref case_status referral_date closed_date",
    Kind.RETURN: "la_code reference_date inpost_fte leavers_fte agency_fte vacancy_fte case_holders_fte cases "
    "working_days_lost_fte",
}


def test_dfes_names_are_for_dfes_measures_alone() -> None:
    assert [m.name for m in MEASURES if m.official] == OFFICIAL


def test_a_fraction_is_bounded_unless_it_may_pass_one() -> None:
    assert {m.name for m in MEASURES if m.unit is Unit.FRACTION and not m.bounded} == ABOVE_ONE


def test_what_is_plausible_of_a_fraction_lies_between_0_and_1() -> None:
    limits = {m.name: (m.unit, *m.plausible) for m in MEASURES if m.plausible is not None}
    assert len(limits) == 7
    for unit, low, high in limits.values():
        assert 0 <= low < high <= (1 if unit is Unit.FRACTION else 30)


def test_counts_are_held_in_the_parts_of_their_unit() -> None:
    parts = {Unit.FTE: 100, Unit.DAYS: 10, Unit.HEADCOUNT: 1, Unit.CASES: 1}
    assert {c.name: c.parts for c in COUNTS} == {c.name: parts[c.unit] for c in COUNTS}


def test_which_columns_a_file_must_have() -> None:
    assert {k: [f.name for f in e.fields if f.required] for k, e in EXTRACTS.items()} == {
        kind: names.split() for kind, names in REQUIRED.items()
    }


def test_the_committed_dictionary_says_what_is_declared() -> None:
    """Limits, floors and flags stand once in the code; the generated page is where a change of one is seen."""
    page = Path(__file__).parents[3] / "docs" / "data-dictionary.md"
    assert dictionary() == page.read_text(encoding="utf-8"), "holdfast papers --write"
