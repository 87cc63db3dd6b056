"""What the watchdog says of a month, a server and its deployments, on literal days; and that it says it once a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from features.errors import MailError, SettingsError
from features.months import Month
from flows.cli.app import app
from flows.mail.approval_form import Pending
from flows.mail.deliver import deliver
from flows.mail.notices import Notice, notice_message, opened_store, tell
from flows.mail.transports.open import mail_policy
from flows.mail.transports.outbox import OutboxTransport
from flows.mail.transports.port import HandedOver, NotTaken, Outgoing
from flows.mail.valve import hold_in_marker
from flows.orchestration import look as watchdog
from flows.orchestration.failures import failure_notice
from flows.orchestration.look import (
    Look,
    WatchdogRequest,
    begun_late_notices,
    deployment_notices,
    late_notices,
    look,
    watch,
)
from flows.orchestration.look_at_months import approval_notices, month_notices, month_to_be_done
from flows.orchestration.server_view import SeenDeployment, SeenRun, ServerAway
from flows.settings.settings import ClaimSettings, Settings, WatchdogSettings, WebhookForm
from flows.store import LocalStore
from flows.store.claims import Owner, latest_claim, take_claim
from flows.store.ledger import Ledger, Status
from flows.store.processes import Process, this_process
from tests.unit.flows.mail.messages import letter
from tests.unit.flows.orchestration.test_restart import RUN, Server

OCTOBER = Month(2026, 10)
RULES = WatchdogSettings(done_by_working_day=12, remind_after_days=2, late_minutes=60)
#: The 12th working day of November 2026 is Tuesday the 17th.
BEFORE, ON_THE_DAY = date(2026, 11, 16), date(2026, 11, 17)
NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "store").mkdir()
    return LocalStore(tmp_path / "store")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOLDFAST_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HOLDFAST_MAIL__OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    return Settings.load()


def mark_done(store: LocalStore, month: Month) -> None:
    store.replace(f"runs/{month}/success.json", json.dumps({"month": str(month), "held": False}).encode())


def causes(notices: Sequence[Notice]) -> list[str]:
    return [n.cause for n in notices]


@pytest.mark.parametrize(
    ("today", "month"),
    [
        (BEFORE, Month(2026, 9)),
        (ON_THE_DAY, OCTOBER),
        (date(2026, 11, 30), OCTOBER),
        (date(2026, 12, 1), OCTOBER),
        (date(2026, 4, 17), Month(2026, 2)),  # Easter: Good Friday and Easter Monday are no working days
        (date(2026, 4, 20), Month(2026, 3)),
    ],
)
def test_from_which_day_a_month_must_be_done(today: date, month: Month) -> None:
    assert month_to_be_done(today, 12) == month


def test_a_month_without_a_success_marker_is_said_from_its_working_day_on(store: LocalStore) -> None:
    mark_done(store, Month(2026, 9))
    assert month_notices(store, BEFORE, RULES) == []
    (notice,) = month_notices(store, ON_THE_DAY, RULES)
    assert notice.cause == "not-done-2026-10"
    assert "runs/2026-10/success.json" in notice.what
    assert "17 November 2026, working day 12" in notice.what
    assert any("holdfast run --month 2026-10" in s for s in notice.to_do)
    mark_done(store, OCTOBER)
    assert month_notices(store, ON_THE_DAY, RULES) == []


def test_a_month_that_was_missed_is_said_until_the_next_is_due(store: LocalStore) -> None:
    mark_done(store, Month(2026, 8))
    assert causes(month_notices(store, BEFORE, RULES)) == ["not-done-2026-09"]


def test_a_new_installation_has_missed_nothing_but_must_do_its_first_month(store: LocalStore) -> None:
    assert month_notices(store, BEFORE, RULES) == []
    assert causes(month_notices(store, ON_THE_DAY, RULES)) == ["not-done-2026-10"]


def test_a_month_that_is_at_work_says_who_holds_it(store: LocalStore) -> None:
    take_claim(store, OCTOBER, Owner("monthly “2026-10”", "run-1", Process("ash", "", 1, "")), NOON, ClaimSettings())
    (notice,) = month_notices(store, ON_THE_DAY, RULES)
    assert "monthly “2026-10” holds it and was last heard of at 12:00 UTC" in notice.what


def test_held_mail_is_reminded_of_until_it_is_released(store: LocalStore) -> None:
    marker = hold_in_marker(["2026-10/301/r1/new_watch"], "5 of 9 councils have a new or worse alert.")
    store.replace("runs/2026-10/success.json", json.dumps(marker).encode())
    (notice,) = month_notices(store, ON_THE_DAY, RULES)
    assert notice.cause == "held-2026-10"
    assert "1 message waits for a person. 5 of 9 councils" in notice.what
    assert any("holdfast release --month 2026-10" in s for s in notice.to_do)
    note = {"at": NOON.isoformat(), "councils": ["301"], "messages": ["2026-10/301/r1/new_watch"]}
    store.create("releases/2026-10/20261117T120000Z.json", json.dumps(note).encode())
    assert month_notices(store, ON_THE_DAY, RULES) == []


def waiting(since: datetime) -> Pending:
    return Pending(
        month=OCTOBER, number=1, cutoff=BEFORE, since=since, flow_run_id="", reason="", held_because="", messages=()
    )


def test_a_month_that_waits_for_approval_is_reminded_of_and_not_called_undone(store: LocalStore) -> None:
    since = NOON - timedelta(days=2)
    (notice,) = approval_notices([waiting(since)], NOON, RULES)
    assert notice.cause == "approval-2026-10"
    assert any("holdfast approve --month 2026-10" in s for s in notice.to_do)
    assert approval_notices([waiting(since + timedelta(hours=1))], NOON, RULES) == []
    assert month_notices(store, ON_THE_DAY, RULES, waiting=[waiting(since)]) == []


WELL = SeenDeployment("monthly", "d1", False, 1, 1, (NOON + timedelta(days=30),))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        pytest.param([WELL], [], id="all is well"),
        pytest.param([], ["missing-monthly"], id="not there"),
        pytest.param([replace(WELL, paused=True)], ["paused-monthly"], id="deployment paused"),
        pytest.param([replace(WELL, active_schedules=0)], ["paused-monthly"], id="schedule off"),
        pytest.param([replace(WELL, next_runs=())], ["no-dates-monthly"], id="no next run"),
        pytest.param(
            [replace(WELL, next_runs=(NOON + timedelta(days=46),))], ["no-dates-monthly"], id="the next run is far off"
        ),
        pytest.param([replace(WELL, next_runs=(NOON,))], ["no-dates-monthly"], id="only past runs"),
    ],
)
def test_what_is_wrong_with_a_scheduled_deployment(seen: list[SeenDeployment], said: list[str]) -> None:
    assert causes(deployment_notices(seen, [("monthly", True)], NOON)) == said


def test_a_deployment_started_by_hand_needs_no_dates() -> None:
    assert deployment_notices([SeenDeployment("train", "d2", False, 0, 0)], [("train", False)], NOON) == []


def test_runs_nobody_begins_are_said_once_for_all() -> None:
    (notice,) = late_notices([RUN, replace(RUN, id="run-2")], RULES)
    assert notice.cause == "nothing-serves"
    assert notice.what.count("last complete month") == 1
    assert late_notices([], RULES) == []


def test_a_server_that_is_gone_is_said_and_the_month_is_looked_at_all_the_same(
    settings: Settings, store: LocalStore
) -> None:
    def gone() -> Server:
        raise ServerAway("The Prefect server at http://127.0.0.1:4200/api does not answer (ConnectError).")

    notices, _ = look(settings, NOON, view=gone, expected=[])
    assert causes(notices) == ["not-done-2026-10", "server-away"]
    assert "http://127.0.0.1:4200/api does not answer" in notices[1].what


def test_what_died_is_begun_again_and_said(settings: Settings, store: LocalStore) -> None:
    mark_done(store, OCTOBER)
    server = Server(running=[RUN])
    notices, _ = look(settings, NOON, view=lambda: server, expected=[])
    assert causes(notices) == ["died-run-1"]
    assert list(server.begun) == ["run-1"]
    untouched = Server(running=[RUN])
    assert look(settings, NOON, view=lambda: untouched, expected=[], begin_again=False)[0] == []
    assert untouched.ended == {}


def test_a_store_that_is_away_is_said_by_mail_though_nothing_can_be_recorded(
    settings: Settings, tmp_path: Path
) -> None:
    found = watch(settings, NOON, WatchdogRequest(), [], server=False)
    assert causes(found.notices) == ["store-away"]
    assert [d.status for d in found.deliveries] == [Status.SENT]
    assert len(list((tmp_path / "outbox").rglob("*.eml"))) == 1
    assert not (tmp_path / "store").exists()


def test_one_mail_per_cause_and_day_whoever_looks(settings: Settings, store: LocalStore, tmp_path: Path) -> None:
    first = watch(settings, NOON, WatchdogRequest(), [], server=False)
    again = watch(settings, NOON + timedelta(hours=5), WatchdogRequest(), [], server=False)
    tomorrow = watch(settings, NOON + timedelta(days=1), WatchdogRequest(), [], server=False)
    assert [[d.attempted for d in found.deliveries] for found in (first, again, tomorrow)] == [[True], [False], [True]]
    identities = {t.message_id for t in Ledger(store).told(Month(2026, 11))}
    assert {i.split("@")[0] for i in identities} == {
        "<holdfast.2026-11.watchdog.2026-11-17-not-done-2026-10",
        "<holdfast.2026-11.watchdog.2026-11-18-not-done-2026-10",
    }
    assert "told of 0 now and of 1 earlier today" in again.to_text()


def test_the_day_of_a_mail_is_londons(settings: Settings) -> None:
    notice = Notice("x", "title", "What.", ("Do.",))
    late_in_summer = datetime(2026, 7, 31, 23, 30, tzinfo=UTC)
    assert notice_message(notice, late_in_summer, "team@a.example").key == "2026-08/watchdog/2026-08-01-x"


class Busy:
    """A mail server that takes nothing today."""

    name, reaches_people = "busy", False

    def send(self, message: Outgoing, recipients: Sequence[str]) -> HandedOver:
        raise NotTaken("The mail server does not answer.")


def test_what_cannot_be_mailed_is_tried_again_at_the_next_look(settings: Settings, store: LocalStore) -> None:
    notice = Notice("not-done-2026-10", "October 2026 has not been run to its end", "It was due.", ("Run it.",))
    (failed,) = tell(settings, store, Busy(), [notice], NOON)
    assert failed.status is Status.DEFERRED
    assert "Not told: The mail server does not answer." in Look((notice,), (failed,)).to_text()
    outbox = OutboxTransport(LocalStore(store.root.parent / "outbox"))
    (sent,) = tell(settings, store, outbox, [notice], NOON + timedelta(hours=1))
    assert (sent.status, sent.attempted) == (Status.SENT, True)
    (unrecorded,) = tell(settings, None, Busy(), [notice], NOON)
    assert unrecorded.status is Status.DEFERRED


def test_an_address_changed_during_the_day_is_told_too(settings: Settings, store: LocalStore) -> None:
    outbox = OutboxTransport(LocalStore(store.root.parent / "outbox"))
    notice = Notice("not-done-2026-10", "title", "What.", ("Do.",))
    tell(settings, store, outbox, [notice], NOON)
    moved = settings.model_copy(update={"mail": settings.mail.model_copy(update={"data_team": "new@team.example"})})
    (done,) = tell(moved, store, outbox, [notice], NOON + timedelta(hours=1))
    assert (done.address, done.status, done.attempted) == ("new@team.example", Status.SENT, True)


def test_a_cause_is_a_plain_name() -> None:
    with pytest.raises(ValueError, match="no name of a cause"):
        Notice("../2026", "t", "w", ())


def test_a_failure_quotes_our_sentences_and_no_one_elses() -> None:
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Crashed, Failed

    run = FlowRun.model_construct(id="5f0c", name="2026-10", deployment_id="d")
    ours = failure_notice("monthly", run, Failed(data=SettingsError("pseudonym_key is not set.")))
    assert ours.title == "the monthly run “2026-10” failed"
    assert "pseudonym_key is not set." in ours.what
    theirs = failure_notice("monthly", run, Failed(data=ValueError("cannot read “Ada Smith, born 2012-01-02”")))
    assert "Ada" not in theirs.to_text()
    assert "(ValueError)" in theirs.what
    assert failure_notice("monthly", run, Crashed()).title.endswith("crashed")


def test_the_hook_tells_of_runs_a_server_started(settings: Settings, store: LocalStore, tmp_path: Path) -> None:
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Failed

    from flows.monthly import monthly

    by_hand = FlowRun.model_construct(id="5f0c", name="2026-10", deployment_id=None)
    served = FlowRun.model_construct(id="5f0c", name="2026-10", deployment_id="d")
    state = Failed(data=SettingsError("pseudonym_key is not set."))
    for hook in monthly.on_failure_hooks:
        hook(flow=monthly, flow_run=by_hand, state=state)  # by these names, as Prefect's runner calls it
    assert not (tmp_path / "outbox").exists()
    for hook in (*monthly.on_failure_hooks, *monthly.on_crashed_hooks):
        hook(flow=monthly, flow_run=served, state=state)
    (mail,) = (tmp_path / "outbox").rglob("*.eml")
    assert b"pseudonym_key is not set." in mail.read_bytes()


def run_command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def test_the_command_answers_with_an_exit_code(
    settings: Settings, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.store.claims.wall_clock", lambda: NOON)
    code, said = run_command("watchdog", "--no-server")
    assert code == 21
    assert said.startswith("October 2026 has not been run to its end. There is no runs/2026-10/success.json in file://")
    mark_done(store, OCTOBER)
    assert run_command("watchdog", "--no-server") == (0, "All is in order.\n")


def test_a_server_that_is_not_named_is_said(settings: Settings, store: LocalStore) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        code, said = run_command("watchdog", "--no-mail")
    assert code == 21
    assert "No Prefect server is named. Set PREFECT_API_URL." in said


def test_claims_are_shown_and_ended_by_a_persons_word(settings: Settings, store: LocalStore) -> None:
    assert run_command("claims") == (0, "No month is being run.\n")
    take_claim(store, OCTOBER, Owner("monthly “2026-10”", "", Process("birch", "", 7, "")), NOON, ClaimSettings())
    code, said = run_command("claims")
    assert "October 2026 is held by monthly “2026-10” (process 7 on birch)" in said
    done = CliRunner().invoke(app, ["claims", "--free", "2026-10"])
    assert isinstance(done.exception, SettingsError)
    code, said = run_command("claims", "--free", "2026-10", "--by", "J. Marsh", "--reason", "birch was taken away")
    assert (code, said[:6]) == (0, "Ended.")
    after = latest_claim(store, OCTOBER)
    assert after is not None
    assert after.owner.who == "J. Marsh: birch was taken away"
    assert after.owner.process == this_process()


def test_a_store_that_is_no_folder_is_no_store(tmp_path: Path) -> None:
    assert opened_store(Settings(store=str(tmp_path / "nowhere"))) is None
    assert MailError.exit_code == 16


def test_a_late_run_is_no_run_of_the_unfinished(settings: Settings, store: LocalStore) -> None:
    class Late(Server):
        def late(self, before: datetime) -> list[SeenRun]:
            return [RUN] if RUN.expected < before else []

    mark_done(store, OCTOBER)
    assert causes(look(settings, NOON, view=Late, expected=[])[0]) == ["nothing-serves"]


def test_every_month_since_the_first_is_looked_at(store: LocalStore) -> None:
    for month in (Month(2026, 6), Month(2026, 7), Month(2026, 10)):
        mark_done(store, month)
    assert causes(month_notices(store, ON_THE_DAY, RULES)) == ["not-done-2026-08", "not-done-2026-09"]
    assert causes(month_notices(store, ON_THE_DAY, RULES, fixed=OCTOBER)) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"month": "2026-10"}', b"\xff\xfe"])
def test_a_damaged_marker_is_said_and_the_rest_is_looked_at(
    settings: Settings, store: LocalStore, content: bytes
) -> None:
    marker = hold_in_marker(["2026-09/301/r1/new_watch"], "5 of 9 councils have a new or worse alert.")
    store.replace("runs/2026-09/success.json", json.dumps(marker).encode())
    store.replace("runs/2026-10/success.json", content)
    notices, _ = look(settings, NOON, view=None, expected=[])
    assert causes(notices) == ["held-2026-09", "damaged-2026-10"]


def test_a_damaged_approval_is_said_and_the_months_are_looked_at_all_the_same(
    settings: Settings, store: LocalStore
) -> None:
    store.create("approvals/2026-10/1/pending.json", b'{"month": "2026-')
    notices, _ = look(settings, NOON, view=None, expected=[])
    assert "not-done-2026-10" in causes(notices)
    assert any(cause.startswith("damaged-") for cause in causes(notices))


@pytest.mark.parametrize("part", ["pending", "month_notices", "approval_notices", "_mail_notices"])
def test_a_look_that_fails_in_whatever_way_is_said_and_the_others_go_on(
    settings: Settings, store: LocalStore, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    store.replace("runs/2026-10/success.json", b"")

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a value that must not be told")

    monkeypatch.setattr(watchdog, part, fails)
    notices, _ = look(settings, NOON, view=None, expected=[])
    (failed,) = [n for n in notices if n.cause.startswith("unread-")]
    assert "ZeroDivisionError" in failed.what and "must not be told" not in failed.to_text()
    assert ("damaged-2026-10" in causes(notices)) is (part != "month_notices")


def test_undelivered_mail_is_said_until_it_has_gone(settings: Settings, store: LocalStore) -> None:
    mark_done(store, OCTOBER)
    message = letter("2026-10/files/991/a1")
    policy, at = mail_policy(settings), NOON - timedelta(hours=1)
    deliver(store, Busy(), message, recipients=("officer@ashcombe.example",), policy=policy, at=at)
    (notice,) = look(settings, NOON, view=None, expected=[])[0]
    assert notice.cause == "undelivered-2026-10"
    assert notice.title == "1 message of October 2026 not delivered"
    assert "991, data officer: to be sent. The mail server does not answer" in notice.what
    outbox = OutboxTransport(LocalStore(store.root.parent / "outbox"))
    deliver(store, outbox, message, recipients=("officer@ashcombe.example",), policy=policy, at=at)
    assert look(settings, NOON, view=None, expected=[])[0] == []


def test_what_could_not_be_addressed_is_said_from_the_marker(settings: Settings, store: LocalStore) -> None:
    store.replace("runs/2026-10/success.json", json.dumps({"held": False, "unaddressed": 2}).encode())
    (notice,) = look(settings, NOON, view=None, expected=[])[0]
    assert notice.title == "2 messages of October 2026 not delivered"


def test_a_scheduled_run_that_began_late_is_said() -> None:
    late = replace(RUN, expected=NOON - timedelta(days=3), began=NOON)
    (notice,) = begun_late_notices([late])
    assert notice.title.endswith("began late")
    assert "due on 14 November 2026 at 12:00 and began on 17 November 2026 at 12:00" in notice.what


class Heard(BaseHTTPRequestHandler):
    """A channel's webhook and a signal's address on one local server."""

    said: ClassVar[list[tuple[str, str, bytes]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        self._hear("POST", self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._hear("GET", b"")

    def _hear(self, method: str, body: bytes) -> None:
        Heard.said.append((method, self.path, body))
        self.send_response(Heard.status)
        self.end_headers()

    def log_message(self, *given: object) -> None:
        """Nothing."""


@pytest.fixture
def channel(settings: Settings) -> Iterator[Settings]:
    Heard.said, Heard.status = [], 200
    server = ThreadingHTTPServer(("127.0.0.1", 0), Heard)
    Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    urls = {"webhook_url": SecretStr(f"{at}/hook/secret"), "signal_url": SecretStr(f"{at}/alive/secret")}
    try:
        yield settings.model_copy(update={"watchdog": settings.watchdog.model_copy(update=urls)})
    finally:
        server.shutdown()
        server.server_close()


def test_the_watchdog_speaks_in_the_teams_channel_too_once_a_day(channel: Settings, store: LocalStore) -> None:
    for hours in (0, 5, 24):
        watch(channel, NOON + timedelta(hours=hours), WatchdogRequest(), [], server=False)
    posts = [json.loads(body) for method, path, body in Heard.said if path == "/hook/secret"]
    assert len(posts) == 2
    card = posts[0]["attachments"][0]["content"]
    assert "October 2026 has not been run to its end" in card["body"][0]["text"]
    assert "holdfast run --month 2026-10" in card["body"][1]["text"]


def test_slack_gets_text(channel: Settings, store: LocalStore) -> None:
    form = channel.watchdog.model_copy(update={"webhook_form": WebhookForm.SLACK})
    watch(channel.model_copy(update={"watchdog": form}), NOON, WatchdogRequest(), [], server=False)
    assert "October 2026 has not been run" in json.loads(Heard.said[0][2])["text"]


def test_the_channel_is_told_where_mail_fails_and_no_sign_of_life_is_given(
    channel: Settings, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.orchestration.look.open_transport", lambda settings: Busy())
    found = watch(channel, NOON, WatchdogRequest(), [], server=False)
    assert [d.reason for d in found.untold] == ["The mail server does not answer."]
    assert [path for _, path, _ in Heard.said] == ["/hook/secret"]


def test_a_sign_of_life_is_given_after_each_look_that_could_tell_what_it_found(
    channel: Settings, store: LocalStore
) -> None:
    mark_done(store, OCTOBER)
    found = watch(channel, NOON, WatchdogRequest(), [], server=False)
    assert (found.notices, found.unsignalled) == ((), "")
    assert [(method, path) for method, path, _ in Heard.said] == [("GET", "/alive/secret")]


def test_a_channel_that_refuses_is_untold_and_no_address_is_shown(channel: Settings, store: LocalStore) -> None:
    Heard.status = 410
    found = watch(channel, NOON, WatchdogRequest(), [], server=False)
    assert [d.reason for d in found.untold] == ["The webhook answered 410. Check watchdog.webhook_url."]
    assert "secret" not in found.to_text()
    mark_done(store, OCTOBER)
    assert "answers 410" in watch(channel, NOON, WatchdogRequest(), [], server=False).to_text()


def test_a_watchdog_whose_mail_cannot_leave_ends_with_another_code_than_0(
    settings: Settings, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.orchestration.look.open_transport", lambda settings: Busy())
    done = CliRunner().invoke(app, ["watchdog", "--no-server"])
    assert done.exit_code == MailError.exit_code
