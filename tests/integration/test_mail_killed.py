"""A real process is killed with SIGKILL while a real server talks to it; the next run puts it right."""

from __future__ import annotations

import os
import signal
from collections import Counter
from email import message_from_bytes
from pathlib import Path

import pytest

from flows.store.ledger import Ledger, Status
from flows.store.local import LocalStore
from tests.integration.smtp_server import Authority, Mailbox, running
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH
from tests.warm import Warm

pytestmark = pytest.mark.integration


def start(store: Path, port: int, authority: Authority) -> Warm:
    return Warm("tests.integration.mail_run", str(store), str(port), authority.file, env=os.environ)


@pytest.mark.parametrize("moment", ["before the text", "after the text"])
def test_killed_while_the_server_speaks_everyone_has_one_message_and_the_ledger_is_true(
    tmp_path: Path, moment: str
) -> None:
    mailbox, authority = Mailbox(), Authority(tmp_path, "127.0.0.1")
    folder = tmp_path / "store"
    running_now: list[Warm] = []

    def kill() -> None:
        process = running_now[-1]
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    if moment == "before the text":
        mailbox.on_recipient = kill
    else:
        mailbox.on_text = kill
    with running(mailbox, authority) as port:
        running_now.append(start(folder, port, authority))
        assert running_now[-1].wait(60) == -signal.SIGKILL
        taken_by_then = len(mailbox.mail)
        ledger = Ledger(LocalStore(folder))
        assert {e.status for e in ledger.month(MONTH)} == {Status.SENDING}

        mailbox.on_recipient = mailbox.on_text = lambda: None
        for _ in range(2):
            assert start(folder, port, authority).wait(60) == 0

    assert taken_by_then == (1 if moment == "after the text" else 0)
    copies = Counter(address for to, _ in mailbox.mail for address in to)
    assert copies == dict.fromkeys(ASHCOMBE.recipients, 1 + taken_by_then)
    assert len({message_from_bytes(content)["Message-ID"] for _, content in mailbox.mail}) == 1
    assert {e.status for e in ledger.month(MONTH)} == {Status.SENT}
    objects = [o.name for o in LocalStore(folder).list("alerts/") if o.name.endswith(".json")]
    assert objects == [f"alerts/{MONTH}/991.json"]
