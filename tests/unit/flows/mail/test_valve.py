"""What the storm valve holds, over any order of runs, decisions, releases and faults of the mail server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.councils import Council, Register, write_register
from features.errors import MailError
from flows.alerts.decide import Storm
from flows.alerts.letter.compose import Contact
from flows.alerts.publish import Published, publish_alert, sent_message_keys
from flows.mail import approval
from flows.mail.approval_form import Answer, ApprovalRefused
from flows.mail.approved import carry_out
from flows.mail.by_hand import release
from flows.mail.courier import Courier
from flows.mail.deliver import Delivery, deliver_council
from flows.mail.month_mail import MonthMail
from flows.mail.transports.open import mail_policy
from flows.mail.undelivered import note_undelivered, undelivered
from flows.mail.valve import hold_in_marker, valve_hold
from flows.orchestration import send as sending
from flows.orchestration.look_at_months import month_notices
from flows.settings.run_form import ApprovalVerdict, RunRequest, Send
from flows.settings.settings import Settings, WatchdogSettings
from flows.store.context import RunContext
from flows.store.editions import History
from tests.simulation.world import START, Seat, World
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, score
from tests.unit.flows.alerts.faults import Postbox
from tests.unit.flows.mail.test_undelivered import Refusing

CODES = ("301", "302", "303")
COUNCILS = {code: replace(ASHCOMBE, la_code=code, name=f"Council {code}") for code in CODES}
CUTOFF = date(2026, 11, 20)
STORM = Storm(held=True, alerting=3, decided=3, reason="3 of 3 councils have a new or worse alert.")
CALM = Storm(held=False, alerting=0, decided=3, reason="")

STEPS = st.one_of(
    st.tuples(st.just("run"), st.sampled_from([STORM, CALM]), st.sampled_from(list(Send))),
    st.tuples(st.just("approve"), st.sampled_from(list(ApprovalVerdict)), st.sampled_from(CODES)),
    st.tuples(st.just("release"), st.sampled_from([(), ("301",)]), st.none()),
    st.tuples(st.just("worse"), st.sampled_from(CODES), st.sampled_from([0.7, 0.9])),
    st.tuples(st.just("mail server"), st.booleans(), st.none()),
)


@dataclass
class Region:
    """A month of three councils in memory, and what the model knows of it."""

    settings: Settings
    store: Any = field(default_factory=lambda: Seat(World(), (), lambda: None, lambda: None))
    levels: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CODES, 0.6))
    way: Any = field(default_factory=Postbox)
    valve: frozenset[str] = frozenset()
    """Keys that the last run held and that nobody has answered for."""
    decided: frozenset[str] = frozenset()
    """Keys that a person has answered for."""
    now: Any = START

    def published(self) -> list[Published]:
        made = [alert(score(self.levels[c], la_code=c), council=COUNCILS[c]) for c in CODES]
        return [publish_alert(self.store, one, Contact.of(self.settings)) for one in made]

    def due(self) -> frozenset[str]:
        return frozenset(p.message.key for p in self.published() if p.message)

    def run(self, storm: Storm, want: Send) -> None:
        published = self.published()
        context = cast(
            RunContext,
            SimpleNamespace(
                store=self.store, month=MONTH, register=Register(tuple(COUNCILS.values())), cutoff=CUTOFF,
                now=self.now, settings=self.settings, history=History(self.store),
            ),
        )  # fmt: skip
        mail = sending.mail_month(
            context, RunRequest(month=str(MONTH), send=want), storm, published, cast(Any, None), cast(Any, None),
            cast(Any, self),
        )  # fmt: skip
        assert isinstance(mail, MonthMail)
        marker = {"month": str(MONTH), **hold_in_marker(mail.valve, mail.held_because)}
        self.store.replace(f"runs/{MONTH}/success.json", json.dumps(marker).encode())
        note_undelivered(self.store, self.settings, MONTH)
        waits = want is not Send.HOLD and storm.held
        self.valve = self.due() - self.decided if waits else frozenset()

    def approve(self, verdict: ApprovalVerdict, code: str) -> None:
        waits = approval.waiting_round(self.store, MONTH)
        named = [code] if verdict is ApprovalVerdict.HOLD_SOME else []
        answer = Answer(decision=verdict, councils=named, reason="checked", by="J. Marsh")
        try:
            done = carry_out(self.store, Courier(self.way), self.settings, MONTH, answer, at=self.now)
        except ApprovalRefused:
            return
        assert waits is not None
        assert done.ruling.decision is verdict
        latest = approval.latest_round(self.store, MONTH)
        assert latest is not None
        self.decided |= {m.message_key for m in latest.messages}

    def release(self, codes: Sequence[str]) -> None:
        try:
            made = release(
                self.store, self.way, self.settings, MONTH, codes, reason="checked", by="J. Marsh", at=self.now
            )
        except MailError:
            return
        self.decided |= {d.key for each in made.values() for d in each}


def _sent(context: Any, due: Sequence[tuple[Council, Published]], faults: Any, post: Any) -> dict[str, list[Delivery]]:
    policy = mail_policy(post.settings)
    return {c.la_code: deliver_council(post.store, post.way, c, p, policy, post.now) for c, p in due}


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "register.csv").write_text(write_register(list(COUNCILS.values())))
    monkeypatch.setenv("HOLDFAST_LANDING", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_MAIL__OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    monkeypatch.setattr("flows.alerts.letter.compose.draw_chart", lambda *_: None)
    monkeypatch.setattr("flows.mail.approved._write_to_officers", lambda *given: None)
    monkeypatch.setattr(sending, "send", _sent)
    return Settings.load()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=1, max_size=8))
def test_held_is_what_the_last_run_held_until_somebody_answers(chosen: Settings, steps: list[Any]) -> None:
    region = Region(chosen)
    for what, one, other in [("run", CALM, Send.NO), *steps]:
        region.now += timedelta(hours=1)
        before = sent_message_keys(region.store, MONTH)
        match what:
            case "run":
                region.run(one, other)
            case "approve":
                region.approve(one, other)
            case "release":
                region.release(one)
            case "worse":
                region.levels[one] = other
            case _:
                region.way = Postbox() if one else Refusing()
        new = sent_message_keys(region.store, MONTH) - before
        if what == "run" and one is STORM and other is Send.YES:
            assert new <= region.decided, "the valve let a message go that nobody had answered for"
        hold = valve_hold(region.store, MONTH)
        gone = sent_message_keys(region.store, MONTH)
        assert (hold.messages if hold else frozenset()) == region.valve - region.decided - gone
        said = [n.cause for n in month_notices(region.store, date(2026, 12, 1), WatchdogSettings())]
        assert said == ([f"held-{MONTH}"] if hold else [])
        held = approval.held_councils(region.store, MONTH)
        missing = {u.key for u in undelivered(region.store, chosen, MONTH)}
        assert not missing & (hold.messages if hold else frozenset())
        assert not {key.split("/")[1] for key in missing} & set(held)


@pytest.mark.parametrize("answer", ["approve", "release"])
def test_what_a_person_let_go_is_sent_though_the_first_try_failed(chosen: Settings, answer: str) -> None:
    """The round was decided on the command line: the marker still said “held”, and nobody tried the mail again."""
    region = Region(chosen, way=Refusing())
    region.run(STORM, Send.HOLD)
    region.run(STORM, Send.YES)
    assert undelivered(region.store, chosen, MONTH) == ()
    if answer == "approve":
        region.approve(ApprovalVerdict.SEND_ALL, "301")
    else:
        region.release(())
    assert valve_hold(region.store, MONTH) is None
    assert {u.folder for u in undelivered(region.store, chosen, MONTH)} == set(CODES)
    region.way = Postbox()
    region.run(STORM, Send.YES)
    assert undelivered(region.store, chosen, MONTH) == ()


def test_one_released_council_does_not_release_the_others(chosen: Settings) -> None:
    region = Region(chosen)
    region.run(STORM, Send.YES)
    region.release(("301",))
    hold = valve_hold(region.store, MONTH)
    assert hold is not None
    assert hold.folders == {"302", "303"}
    region.levels["301"] = 0.9
    region.run(STORM, Send.YES)
    hold = valve_hold(region.store, MONTH)
    assert hold is not None
    assert hold.folders == set(CODES), "the correction was answered for by nobody"


def test_a_marker_of_0_1_0_names_no_messages_and_any_answer_ends_its_hold(chosen: Settings) -> None:
    region = Region(chosen)
    region.published()
    region.store.replace(f"runs/{MONTH}/success.json", b'{"held": true}')
    hold = valve_hold(region.store, MONTH)
    assert hold is not None
    assert hold.folders == set(CODES)
    with mock.patch.object(region, "way", Refusing()):
        region.release(("301",))
    assert valve_hold(region.store, MONTH) is None
