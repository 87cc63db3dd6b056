"""The registry is data; these tests hold the parts of it together."""

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
)


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
