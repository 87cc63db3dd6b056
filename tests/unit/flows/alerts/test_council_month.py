"""A council's month: with what its score is compared, and what became of its message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flows.alerts.alert import Correction
from flows.alerts.council_month import CouncilMonth, council_month
from flows.alerts.state import AlertState, Band, Change
from models.score import Reason
from tests.unit.flows.alerts.examples import FILES, MONTH, alert, score, told

EARLIER = MONTH.plus(-1)


@pytest.mark.parametrize(
    ("previous", "moved"),
    [
        (None, "score 88%"),
        (told(0.3, EARLIER), "score 88%, 30% in September 2026"),
        (told(0.6, EARLIER), "score 88%, 60% when its director was last told, in September 2026"),
        (told(None, EARLIER, told(0.6, MONTH.plus(-2))), "score 88%, 60% in August 2026"),
        (told(0.6, EARLIER).model_copy(update={"told": None, "telling": None, "recent": ()}), "score 88%"),
    ],
)
def test_a_score_is_compared_with_the_one_last_told_or_else_with_the_last(
    previous: AlertState | None, moved: str
) -> None:
    assert council_month(alert(score(0.88), previous=previous), FILES, told=False).moved == moved


def test_scores_of_two_models_are_not_compared() -> None:
    for probability in (0.3, 0.6):
        now = alert(score(0.88, version="4"), previous=told(probability, EARLIER))
        assert council_month(now, FILES, told=False).moved == "score 88%"


def test_a_month_without_a_score_says_why_and_since_when() -> None:
    unseen = council_month(
        alert(score(None), previous=told(None, EARLIER, told(0.6, MONTH.plus(-2)))), None, told=False
    )
    assert (unseen.band, unseen.months_not_scored, unseen.moved) == (Band.NOT_SCORED, 2, "")
    assert unseen.why_not_scored.startswith("5 of the 9 measures")
    seen = council_month(alert(score(0.88)), FILES, told=False)
    assert (seen.why_not_scored, seen.months_not_scored) == ("", 0)


@pytest.mark.parametrize(
    ("probability", "given", "message"),
    [
        (0.88, {"told": True}, "informed"),
        (0.88, {"told": False}, "due, not sent"),
        (0.88, {"told": False, "held": "files contradict"}, "held: files contradict"),
        (0.1, {"told": False}, "no message due"),
    ],
)
def test_what_became_of_the_message(probability: float, given: dict[str, Any], message: str) -> None:
    assert council_month(alert(score(probability)), FILES, **given).message == message


@pytest.mark.parametrize(("revised", "for_director"), [(True, True), (True, False), (False, True)])
def test_a_revision_says_what_it_changed_and_is_due_if_the_director_read_otherwise(
    revised: bool, for_director: bool
) -> None:
    correction = Correction(
        replaces_revision=1, what_changed=("The figure", "the band"), for_director=for_director, message_revision=1
    )
    now = alert(score(0.1)).model_copy(update={"correction": correction, "revision": 2})
    month = council_month(now, FILES, told=False, revised=revised)
    assert month.revised == ("The figure; the band." if revised else "")
    assert (month.due, month.revision, now.message_revision) == (for_director, 2, 1)
    assert alert(score(0.1)).due is False


def test_an_alert_keeps_the_facts_of_its_reasons() -> None:
    plain = score(0.3)
    reasoned = replace(plain, reasons=(Reason("caseload_fte", "caseload_fte", False, 0.3, "Caseload 17 cases"),))
    kept = [{f.measure for f in alert(one, signals=False).facts} for one in (plain, reasoned)]
    assert ["caseload_fte" in measures for measures in kept] == [False, True]


OPEN = (Band.WATCH, Band.LOSING_GRIP)
TO_CALL = {(band, change) for band in OPEN for change in (Change.NEW, Change.WORSENING)}


@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("band", Band)
def test_whom_to_call_what_continues_and_what_changed(band: Band, change: Change) -> None:
    month = CouncilMonth("991", "Ashcombe", band, change)
    assert month.to_call is ((band, change) in {*TO_CALL, (Band.RECOVERING, Change.WORSENING)})
    assert month.continues is (band in OPEN and change is Change.CONTINUING)
    assert month.changed is (
        band is not Band.NOT_SCORED and change in (Change.NEW, Change.WORSENING, Change.EASING, Change.RESOLVED)
    )
    assert month.who == "Ashcombe (991)"
