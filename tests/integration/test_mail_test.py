"""`holdfast mail-test` against a real server: every step is named with its answer, and no secret is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app
from tests.integration.smtp_server import HANG_UP, PASSWORD, USER, Authority, Mailbox, running
from tests.integration.test_mail_faults import troubled

pytestmark = pytest.mark.integration

STEPS = ["name", "connect", "TLS", "sign-in", "sender", "recipient", "data"]


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    mailbox, authority = Mailbox(), Authority(tmp_path, "localhost")
    with running(mailbox, authority) as port:
        given = {
            "CONFIG": "",
            "ENVIRONMENT": "test",
            "MAIL__TRANSPORT": "smtp",
            "MAIL__HOST": "localhost",
            "MAIL__PORT": str(port),
            "MAIL__USER": USER,
            "MAIL__PASSWORD": PASSWORD,
            "MAIL__CA_FILE": authority.file,
            "MAIL__DATA_TEAM": "team@alliance.example",
            "MAIL__REDIRECT_TO": "team@alliance.example",
        }
        for name, value in given.items():
            monkeypatch.setenv(f"HOLDFAST_{name}", value)
        yield mailbox


def tried(*, code: int) -> Result:
    done = CliRunner().invoke(app, ["mail-test"])
    assert done.exit_code == code, done.output
    assert PASSWORD not in done.output
    return done


def test_each_step_says_what_was_answered(mailbox: Mailbox) -> None:
    lines = tried(code=0).output.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == STEPS
    assert all(" ok " in line for line in lines[:-1])
    assert "as holdfast" in lines[3]
    ((to, content),) = mailbox.mail
    assert to == ["team@alliance.example"]
    assert b"holdfast mail-test" in content


@pytest.mark.parametrize(
    ("stage", "reply", "step", "said"),
    [
        ("CONNECT", "421 too busy", "connect", "421 too busy"),
        ("AUTH", "535 5.7.8 wrong", "sign-in", "refused the sign-in (535)"),
        ("MAIL", "550 5.7.60 not allowed to send as", "sender", "5.7.60"),
        ("RCPT", "550 5.1.1 no such mailbox", "recipient", "550 5.1.1 no such mailbox"),
        ("DATA", "554 5.7.1 spam", "data", "554 5.7.1 spam"),
        ("DATA", HANG_UP, "data", "broke off"),
    ],
)
def test_the_step_that_failed_is_named_with_its_answer(
    mailbox: Mailbox, stage: str, reply: str, step: str, said: str
) -> None:
    mailbox.trouble = troubled(stage, reply, 9)
    lines = tried(code=16).output.splitlines()
    assert [line.split()[0] for line in lines if " ok " in line] == STEPS[: STEPS.index(step)]
    assert lines[-1].startswith(f"{step} ") or " FAILED " in lines[-1]
    assert said in " ".join(lines[-1].split())


@pytest.mark.parametrize(
    ("setting", "value", "step", "said"),
    [
        ("HOST", "no-such-host.invalid", "name", "the name is not known"),
        ("HOST", "127.0.0.1", "TLS", "cannot be trusted"),
        ("PASSWORD", "hunter2hunter2", "sign-in", "refused the sign-in"),
    ],
)
def test_a_setting_that_is_wrong_is_found_at_its_step(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, step: str, said: str
) -> None:
    monkeypatch.setenv(f"HOLDFAST_MAIL__{setting}", value)
    output = tried(code=16).output
    assert output.splitlines()[-1].startswith(step)
    assert said in output
    assert "hunter2" not in output
    assert mailbox.mail == []


def test_the_outbox_is_one_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    monkeypatch.setenv("HOLDFAST_MAIL__OUTBOX", str(tmp_path / "outbox"))
    assert tried(code=0).output.startswith("outbox     ok")
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
