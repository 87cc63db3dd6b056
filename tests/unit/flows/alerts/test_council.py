from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.councils import Council
from features.frameworks import Judgement
from flows.alerts.council import Deciding, decide_councils
from flows.alerts.facts import CouncilFacts
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import previous_alerts, publish_alert
from flows.alerts.state import Band, Change
from flows.mail.deliver import deliver_council
from flows.mail.policy import MailPolicy
from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from flows.store.port import ObjectInfo
from models.score import RETURNS
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, RULES, alert, facts, score
from tests.unit.flows.alerts.faults import Postbox

AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
POLICY = MailPolicy(
    sender="Holdfast <holdfast@alliance.example>",
    reply_to="data-team@alliance.example",
    production=True,
    allowed_domains=("ashcombe.example",),
)


def by(cutoff: date, run_working_day: int = 11) -> Deciding:
    return Deciding(RULES, cutoff, run_working_day)


class Counting(LocalStore):
    """Counts how often it is listed."""

    listed = 0

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self.listed += 1
        return super().list(prefix)


def councils(count: int) -> list[Council]:
    return [replace(ASHCOMBE, la_code=str(901 + i)) for i in range(count)]


def region_with_a_past(folder: Path, count: int) -> Counting:
    """Every council was on watch last month; the first of them was told."""
    store = Counting(folder)
    for council in councils(count):
        one = alert(score(0.6, MONTH.plus(-1), la_code=council.la_code), council=council)
        store.create(f"alerts/{one.month}/{council.folder}.json", one.to_bytes())
    ledger = Ledger(store)
    ledger.create(f"{MONTH.plus(-1)}/901/r1/new_watch", "<1@alliance.example>", ("d@ashcombe.example",), b"x", AT)
    (entry,) = ledger.month(MONTH.plus(-1))
    ledger.advance(entry, Status.SENT, AT)
    store.listed = 0
    return store


def decided(store: Counting, count: int) -> dict[str, Change]:
    every = councils(count)
    scores = {c.la_code: score(0.6, la_code=c.la_code) for c in every}
    known = {c.la_code: facts() for c in every}
    earlier = previous_alerts(store, MONTH, {c.folder for c in every})
    found, _ = decide_councils(store, every, scores, known, earlier, by(date(2026, 11, 13)))
    return {d.council.la_code: d.decision.change for d in found}


def test_who_was_told_last_month_hears_of_a_change_and_who_was_not_of_something_new(tmp_path: Path) -> None:
    assert decided(region_with_a_past(tmp_path, 2), 2) == {"901": Change.CONTINUING, "902": Change.NEW}


def test_a_larger_region_is_not_listed_more_often(tmp_path: Path) -> None:
    listings = []
    for count in (2, 6):
        store = region_with_a_past(tmp_path / str(count), count)
        decided(store, count)
        listings.append(store.listed)
    assert listings[0] == listings[1]


def test_no_council_is_no_decision(tmp_path: Path) -> None:
    assert decided(Counting(tmp_path), 0) == {}


def test_recipients_the_register_gives_wrongly_are_a_failed_delivery_not_the_end_of_the_run(tmp_path: Path) -> None:
    store, postbox = LocalStore(tmp_path), Postbox()
    published = publish_alert(store, alert(score(0.6)), Contact())
    outside = replace(ASHCOMBE, recipients=("director@elsewhere.example",))
    (done,) = deliver_council(store, postbox, outside, published, POLICY, AT)
    assert (done.status, done.attempted) == (Status.FAILED, True)
    assert "outside the allowed domains" in done.reason
    assert "elsewhere" not in done.reason
    assert Ledger(store).month(MONTH) == []


def test_nothing_is_said_to_return_where_there_never_was_a_score(tmp_path: Path) -> None:
    store, missing = LocalStore(tmp_path), score(None)
    assert missing.not_scored is not None
    scores = {"991": replace(missing, not_scored=f"No file came. Once we have it, {RETURNS}.")}
    before = alert(score(0.6, MONTH.plus(-1)))
    for earlier, returns in (({}, False), ({"991": before}, True)):
        ((decided,), _) = decide_councils(store, [ASHCOMBE], scores, {"991": facts()}, earlier, by(date(2026, 11, 13)))
        assert decided.score.not_scored is not None
        assert (RETURNS in decided.score.not_scored) == returns
        assert ("a first score needs" in decided.score.not_scored) != returns


def young(months: int) -> CouncilFacts:
    """The facts of a council that has sent files for so many months."""
    own = facts()
    gaps = (None,) * (24 - months)
    short = {m: s.model_copy(update={"values": gaps + s.values[24 - months :]}) for m, s in own.series.items()}
    return own.model_copy(update={"series": short})


@pytest.mark.parametrize(
    ("months", "run_working_day", "due"),
    [
        (
            1,
            11,
            date(2027, 10, 15),
        ),  # September 2027 is the twelfth month; its run comes in October
        (3, 11, date(2027, 8, 16)),
        (11, 11, date(2026, 12, 15)),
        (11, 1, date(2026, 12, 1)),
        (12, 11, None),
        (0, 11, None),
    ],
)
def test_a_council_in_its_first_months_is_told_when_its_first_score_is_due(
    tmp_path: Path, months: int, run_working_day: int, due: date | None
) -> None:
    store, own = LocalStore(tmp_path), {"991": young(months)}
    (one,), _ = decide_councils(
        store, [ASHCOMBE], {"991": score(None)}, own, {}, by(date(2026, 11, 20), run_working_day)
    )
    assert one.first_score == due
    assert (one.decision.band is Band.FIRST_MONTHS) is (due is not None)
    assert RETURNS not in str(one.score.not_scored), "what never was cannot return"


@pytest.mark.parametrize(
    ("grade", "published", "band", "months"),
    [
        ("Inadequate", date(2026, 5, 20), Band.RECOVERING, 6),
        ("Inadequate", date(2026, 5, 21), Band.RECOVERING, 5),
        ("Inadequate", date(2026, 11, 20), Band.RECOVERING, 0),
        ("Inadequate", date(2026, 11, 21), Band.WATCH, None),
        ("Requires improvement to be good", date(2026, 5, 20), Band.WATCH, 6),
    ],
)
def test_a_judgement_counts_from_its_publication(
    tmp_path: Path, grade: str, published: date, band: Band, months: int | None
) -> None:
    council = replace(ASHCOMBE, judgements=(Judgement(published, grade),))
    given = ({"991": score(0.6)}, {"991": facts()}, {}, by(date(2026, 11, 20)))
    (one,), _ = decide_councils(LocalStore(tmp_path), [council], *given)
    assert (one.decision.band, one.judged_months) == (band, months)
    assert one.judged == (published if months is not None else None)
