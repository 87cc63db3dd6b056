"""One council's publish and send as a process of its own, to be killed: `python -m tests.integration.mail_run`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from flows.alerts.letter.compose import Contact
from flows.alerts.publish import publish_alert
from flows.mail.deliver import deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.store.local import LocalStore
from tests.integration.smtp_server import PASSWORD, USER
from tests.unit.flows.alerts.examples import ASHCOMBE, alert, score

POLICY = MailPolicy(
    sender="Holdfast <holdfast@alliance.example>",
    reply_to="data-team@alliance.example",
    production=True,
    allowed_domains=("ashcombe.example",),
)
AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


def main(store: str, port: str, authority: str) -> None:
    transport = SmtpTransport(SmtpServer("127.0.0.1", int(port), USER, PASSWORD, ca_file=authority, timeout_seconds=20))
    kept = LocalStore(Path(store))
    published = publish_alert(kept, alert(score(0.6)), Contact())
    if published.message is not None:
        deliver(kept, transport, published.message, recipients=ASHCOMBE.recipients, policy=POLICY, at=AT)


if __name__ == "__main__":
    main(*sys.argv[1:])
