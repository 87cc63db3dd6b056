"""The table of what each form can give says what the readers do."""

from __future__ import annotations

from features.registry import MEASURES
from flows.extracts.formats.asked import Form
from flows.extracts.formats.known import BY_FORM
from flows.papers.formats import NO, PART, SEPTEMBER, YES, given_by
from tests.unit.flows.extracts.formats.ssd.test_round_trip import LOST

SSD = BY_FORM[Form.SSD]


def test_what_the_ssd_cannot_give_is_what_the_round_trip_loses() -> None:
    """The round trip has no establishment extract, whose measures the SSD cannot give either."""
    missing = {m.name for m in MEASURES if given_by(m, SSD) == NO}
    of_establishment = {m.name for m in MEASURES if set(m.inputs) & {"vacancy_fte", "agency_fte", "agency_headcount"}}
    assert missing - of_establishment == LOST
    assert [m.name for m in MEASURES if given_by(m, SSD) == PART] == ["caseload_fte"]


def test_annex_a_loses_what_its_page_says_and_the_published_file_holds_dfes_own_rates() -> None:
    cases = [m for m in MEASURES if given_by(m, SSD) == YES]
    lost = {m.name for m in cases if given_by(m, BY_FORM[Form.ANNEX_A]) == NO}
    assert lost == {"cp_reviews_in_time_rate", "three_workers_rate"}
    assert all(given_by(m, BY_FORM[Form.DFE]) == SEPTEMBER for m in MEASURES if m.official)
