"""The table of what each form can give says what the readers do."""

from __future__ import annotations

from features.registry import MEASURES
from flows.papers import formats as overview
from tests.unit.flows.extracts.formats.ssd.test_round_trip import LOST

_FORM = {form: i for i, form in enumerate(overview.FORMS)}


def test_what_the_ssd_cannot_give_is_what_the_round_trip_loses() -> None:
    """The round trip has no establishment extract, whose measures the SSD cannot give either."""
    missing = {m.name for m in MEASURES if overview.given_by(m)[_FORM["SSD"]] == overview.NO}
    of_establishment = {m.name for m in MEASURES if set(m.inputs) & {"vacancy_fte", "agency_fte", "agency_headcount"}}
    assert missing - of_establishment == LOST
    in_part = [m.name for m in MEASURES if overview.given_by(m)[_FORM["SSD"]] == overview.PART]
    assert in_part == ["caseload_fte"]


def test_annex_a_loses_what_its_page_says_and_the_published_file_holds_dfes_own_rates() -> None:
    cases = [m for m in MEASURES if overview.given_by(m)[_FORM["SSD"]] == overview.YES]
    lost = {m.name for m in cases if overview.given_by(m)[_FORM["Annex A"]] == overview.NO}
    assert lost == {"cp_reviews_in_time_rate", "three_workers_rate"}
    assert all(
        overview.given_by(m)[_FORM["DfE’s published file"]] == overview.SEPTEMBER for m in MEASURES if m.official
    )
