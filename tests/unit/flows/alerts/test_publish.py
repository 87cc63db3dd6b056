from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from features.registry import BY_NAME, Missing
from flows.alerts.alert import Alert, NotKnown, alert_name
from flows.alerts.facts import MeasureFact
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message
from flows.alerts.publish import (
    Publication,
    councils_told,
    director_changes,
    latest_alert,
    previous_alerts,
    publish_alert,
    rendered_names,
    was_told,
)
from flows.alerts.state import MessageKind
from flows.mail.deliver import deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.outbox import OutboxTransport
from flows.papers.alert_schema import schema_text
from flows.store.ledger import Status
from flows.store.local import LocalStore
from models.score import Stage
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score, told

CONTACT = Contact()
POLICY = MailPolicy(sender="Holdfast <holdfast@holdfast.example>", reply_to="data-team@holdfast.example")
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts have their own tests; here they would only take time."""
    monkeypatch.setattr("flows.alerts.letter.compose.draw_chart", lambda *_: None)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def names(store: LocalStore, prefix: str = "") -> list[str]:
    return [o.name for o in store.list(prefix)]


def send(store: LocalStore, message: Message) -> list[Status]:
    outbox = OutboxTransport(LocalStore(store.root.parent / "outbox"))
    done = deliver(store, outbox, message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)
    return [d.status for d in done]


def test_the_object_is_created_once_and_the_same_again_writes_nothing(store: LocalStore) -> None:
    first = publish_alert(store, alert(score(0.6)), CONTACT)
    before = {name: store.read(name) for name in names(store)}
    second = publish_alert(store, alert(score(0.6)), CONTACT)
    assert (first.outcome, second.outcome) == (Publication.CREATED, Publication.UNCHANGED)
    assert {name: store.read(name) for name in names(store)} == before
    assert sorted(before) == [
        "alerts/2026-10/991.json",
        "alerts/2026-10/991.message.html",
        "alerts/2026-10/991.message.txt",
    ]


def test_a_steady_council_has_an_object_and_no_message(store: LocalStore) -> None:
    published = publish_alert(store, alert(score(0.2), signals=False), CONTACT)
    assert published.message is None
    assert names(store) == ["alerts/2026-10/991.json"]


def test_a_message_lost_between_object_and_text_is_put_there_by_the_next_run(store: LocalStore) -> None:
    published = publish_alert(store, alert(score(0.6)), CONTACT)
    html, text = rendered_names(published.alert)
    kept = store.read(html)
    store.delete(html)
    store.delete(text)
    assert publish_alert(store, alert(score(0.6)), CONTACT).outcome is Publication.UNCHANGED
    assert store.read(html) == kept


def test_a_difference_is_a_revision_that_says_what_changed(store: LocalStore) -> None:
    first = publish_alert(store, alert(score(0.74)), CONTACT)
    assert first.message is not None
    send(store, first.message)
    second = publish_alert(store, alert(score(0.57), signals=False), CONTACT)
    assert second.outcome is Publication.REVISED
    assert second.name == "alerts/2026-10/991.r2.json"
    assert second.alert.correction is not None
    assert second.alert.correction.what_changed[0] == "The band is now watch, not losing grip"
    assert second.alert.kind is MessageKind.CORRECTION
    assert second.message is not None
    assert "corrected message" in second.message.subject
    assert latest_alert(store, MONTH, "991") == second.alert
    assert Alert.from_bytes(store.read(first.name)) == first.alert


def test_a_revision_nobody_was_told_of_is_no_correction(store: LocalStore) -> None:
    publish_alert(store, alert(score(0.74)), CONTACT)
    second = publish_alert(store, alert(score(0.57), signals=False), CONTACT)
    assert second.alert.kind is MessageKind.NEW_WATCH
    assert second.message is not None
    assert second.message.key == "2026-10/991/r2/new_watch"


def test_a_revision_for_the_record_sends_nothing_again(store: LocalStore) -> None:
    first = publish_alert(store, alert(score(0.6)), CONTACT)
    assert first.message is not None
    assert send(store, first.message) == [Status.SENT, Status.SENT]
    other_code = alert(score(0.6))
    other_code = other_code.model_copy(
        update={"provenance": other_code.provenance.model_copy(update={"code_version": "0.2.0"})}
    )
    second = publish_alert(store, other_code, CONTACT)
    assert second.outcome is Publication.REVISED
    assert second.alert.correction is not None
    assert second.alert.correction.what_changed == ("For the record only: provenance",)
    assert second.message is not None
    assert (second.message.key, second.message.subject) == (first.message.key, first.message.subject)
    assert (second.message.text, second.message.html) == (first.message.text, first.message.html)
    before = names(store, "ledger/")
    send(store, second.message)
    assert names(store, "ledger/") == before


def test_a_revision_for_the_record_after_a_correction_sends_nothing_again(store: LocalStore) -> None:
    first = publish_alert(store, alert(score(0.74)), CONTACT)
    assert first.message is not None
    send(store, first.message)
    corrected = alert(score(0.57), signals=False)
    second = publish_alert(store, corrected, CONTACT)
    assert second.message is not None
    send(store, second.message)
    other_code = corrected.model_copy(
        update={"provenance": corrected.provenance.model_copy(update={"code_version": "0.2.0"})}
    )
    third = publish_alert(store, other_code, CONTACT)
    assert third.outcome is Publication.REVISED
    assert third.message is not None
    assert (third.message.key, third.message.text) == (second.message.key, second.message.text)
    before = names(store, "ledger/")
    send(store, third.message)
    assert names(store, "ledger/") == before


def test_a_correction_to_steady_is_told(store: LocalStore) -> None:
    first = publish_alert(store, alert(score(0.6)), CONTACT)
    assert first.message is not None
    send(store, first.message)
    second = publish_alert(store, alert(score(0.3), signals=False), CONTACT)
    assert second.message is not None
    assert "steady" in second.message.text
    third = publish_alert(store, alert(score(0.3), signals=False), CONTACT)
    assert third.outcome is Publication.UNCHANGED
    assert third.message is not None
    assert third.message.key == second.message.key


def test_the_previous_alert_is_the_nearest_earlier_month(store: LocalStore) -> None:
    earlier = score(0.6, MONTH.plus(-3))
    publish_alert(store, alert(earlier), CONTACT)
    found = previous_alerts(store, MONTH, ("991", "99"))
    assert {folder: one.month for folder, one in found.items()} == {"991": MONTH.plus(-3)}
    assert not was_told(store, found["991"])


def test_previous_alerts_are_each_council_s_latest_revision_of_its_nearest_month(store: LocalStore) -> None:
    for folder, back in (("991", 3), ("992", 1), ("992", 2), ("314-318", 2)):
        publish_alert(store, alert(score(0.6, MONTH.plus(-back))).model_copy(update={"folder": folder}), CONTACT)
    revised = alert(score(0.7, MONTH.plus(-1))).model_copy(update={"folder": "992"})
    publish_alert(store, revised, CONTACT)
    together = previous_alerts(store, MONTH, ("991", "992", "314-318", "993"))
    found = {folder: (one.month, one.revision) for folder, one in together.items()}
    assert found == {"991": (MONTH.plus(-3), 1), "992": (MONTH.plus(-1), 2), "314-318": (MONTH.plus(-2), 1)}


def test_who_was_told_in_a_month_is_one_listing(store: LocalStore) -> None:
    published = publish_alert(store, alert(score(0.6)), CONTACT)
    assert councils_told(store, MONTH) == frozenset()
    assert published.message is not None
    send(store, published.message)
    assert councils_told(store, MONTH) == {"991"}


def test_folders_that_begin_alike_are_apart(store: LocalStore) -> None:
    publish_alert(store, alert(score(0.6)).model_copy(update={"folder": "991-992", "la_code": "991 / 992"}), CONTACT)
    assert latest_alert(store, MONTH, "991") is None


def test_of_many_at_once_one_creates_and_the_others_find_it(store: LocalStore) -> None:
    same = alert(score(0.6))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: publish_alert(store, same, CONTACT).outcome, range(8)))
    assert outcomes.count(Publication.CREATED) == 1
    assert outcomes.count(Publication.UNCHANGED) == 7


def test_of_different_ones_at_once_none_is_lost(store: LocalStore) -> None:
    different = [alert(score(0.56 + i / 100, version=str(i)), signals=False) for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        published = list(pool.map(lambda a: publish_alert(store, a, CONTACT), different))
    assert sorted(p.alert.revision for p in published) == [1, 2, 3, 4]
    assert len({p.alert.score.model_version for p in published}) == 4


def test_the_bytes_are_the_same_for_the_same_content_and_read_back_equal() -> None:
    one, two = alert(score(0.6)), alert(score(0.6))
    assert one.to_bytes() == two.to_bytes()
    assert Alert.from_bytes(one.to_bytes()) == one
    assert json.loads(one.to_bytes())["month"] == "2026-10"


def test_the_object_holds_no_count_of_people_and_no_address() -> None:
    text = alert(score(0.6), previous=told(0.3, MONTH.plus(-1))).to_bytes().decode()
    assert "numerator" not in text
    assert "@" not in text


def test_every_kind_of_object_fits_the_published_schema() -> None:
    from tests.golden.messages.cases import ALERTS

    schema = json.loads(schema_text())
    validator = jsonschema.Draft202012Validator(schema)
    for make in ALERTS.values():
        validator.validate(json.loads(make().to_bytes()))
    wrong = json.loads(alert(score(0.6)).to_bytes()) | {"schema_version": "9.9"}
    assert not validator.is_valid(wrong)


def test_names() -> None:
    assert alert_name(MONTH, "314-318", 1) == "alerts/2026-10/314-318.json"
    assert alert_name(MONTH, "314-318", 2) == "alerts/2026-10/314-318.r2.json"


def test_a_correction_says_a_stage_only_with_its_signs() -> None:
    def staged(number: int, *signs: str) -> Alert:
        return alert(replace(score(0.6), stage=Stage(number, "", signs)))

    agency, cases = "Agency rate 23%; neighbours 13%", "Cases without a worker 7.2%; neighbours 2.1%"
    first = staged(1, agency)
    assert director_changes(first, staged(3, cases, agency)) == [
        "The signs of this month (cases without a worker and agency rate) are now those of stage 3 of four"
    ]
    late, vacant = (
        "Assessments within 45 working days (12 months) 78%; neighbours 84%",
        "Vacancy rate 10%; neighbours 10%",
    )
    (words,) = director_changes(first, staged(3, cases, agency, late, vacant))
    assert "rate, assessments within 45 working days (12 months) and 1 more) are now those of stage 3" in words
    assert director_changes(first, staged(0)) == [
        "What our earlier message said of a stage of difficulty no longer holds"
    ]
    assert director_changes(staged(1), staged(3)) == [], "neither message said a stage"


def test_a_correction_says_what_is_known_and_what_is_worse_but_no_change_that_nobody_could_see() -> None:
    first = alert(replace(score(0.6), stage=None))
    agency = BY_NAME["agency_rate_fte"]

    def with_agency(**given: object) -> Alert:
        facts = tuple(f.model_copy(update=given) if f.measure == agency.name else f for f in first.facts)
        unknown = NotKnown(reason=Missing.WITHHELD, labels=(agency.label,))
        known = first.not_known if given.get("value", 0.1) is not None else (unknown, *first.not_known)
        return first.model_copy(update={"facts": facts, "not_known": known})

    lost = with_agency(value=None)
    assert director_changes(first, lost) == ["Agency rate is not known; it is not 23%"]
    assert director_changes(lost, first) == ["Agency rate is 23%; it was not known"]
    assert director_changes(first, with_agency(toward=None)) == ["Agency rate is not worse than your usual pattern"]
    assert director_changes(with_agency(toward=None), first) == ["Agency rate is worse than your usual pattern"]
    assert director_changes(with_agency(value=0.101), with_agency(value=0.1045)) == [], "both are shown as 10%"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"workforce": "new"}, "This follows from your workforce file, which came after our earlier message."),
        ({"workforce": "new", "return": "x"}, "from your workforce and return files, which came after"),
        ({}, "Your files of this month are the same. An earlier month was restated, or our calculation changed."),
    ],
)
def test_a_correction_names_the_files_that_came_since_and_no_other_cause(
    store: LocalStore, sent: dict[str, str], says: str
) -> None:
    first = publish_alert(store, alert(score(0.6)), CONTACT)
    assert first.message is not None
    send(store, first.message)
    now = alert(score(0.3), signals=False)
    basis = now.provenance.model_copy(update={"extracts": now.provenance.extracts | sent})
    second = publish_alert(store, now.model_copy(update={"provenance": basis}), CONTACT)
    assert second.message is not None and says in " ".join(second.message.text.split())


@pytest.mark.parametrize(("back", "found"), [(1, True), (12, True), (13, False), (0, False), (-1, False)])
def test_an_alert_is_looked_for_in_the_twelve_months_before(store: LocalStore, back: int, found: bool) -> None:
    earlier = alert(score(0.6, MONTH.plus(-back)))
    publish_alert(store, earlier, CONTACT)
    assert set(previous_alerts(store, MONTH, {"991", "992"})) == ({"991"} if found else set())


@pytest.mark.parametrize(
    ("was", "now", "change"),
    [
        (0.200, 0.210, ["Agency rate is 21%, not 20%"]),
        (0.2051, 0.2049, []),  # shown as 21% and 20%, but they differ by less than a fiftieth
        (0.0600, 0.0612, []),  # exactly a fiftieth
        (0.0600, 0.0613, ["Agency rate is 6.1%, not 6.0%"]),
        (0.2501, 0.2549, []),  # both are shown as 25%
        (0.0, 0.001, ["Agency rate is 0.1%, not 0%"]),
    ],
)
def test_a_figure_is_corrected_if_it_moved_by_a_fiftieth_and_is_shown_otherwise(
    was: float, now: float, change: list[str]
) -> None:
    def with_rate(value: float) -> Alert:
        one = alert(score(0.6))
        rates = [f.model_copy(update={"value": value}) if f.measure == "agency_rate_fte" else f for f in one.facts]
        return one.model_copy(update={"facts": tuple(rates)})

    assert director_changes(with_rate(was), with_rate(now)) == change


@pytest.mark.parametrize(("now", "changed"), [(51.0, False), (51.1, True), (49.0, False), (48.9, True)])
def test_a_figure_that_moved_by_exactly_a_fiftieth_is_not_corrected(now: float, changed: bool) -> None:
    def with_caseload(value: float) -> Alert:
        one = alert(score(0.6))
        drawn = one.charts[0].model_copy(update={"measure": "caseload_fte"})
        return one.model_copy(update={"facts": (MeasureFact(measure="caseload_fte", value=value),), "charts": (drawn,)})

    assert bool(director_changes(with_caseload(50.0), with_caseload(now))) is changed
