"""Servers and a warm process for the campaigns, started once a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import S3Server, s3_server  # noqa: F401
from tests.integration.smtp_server import Authority, Mailbox, running
from tests.soak.campaign import Campaign
from tests.soak.warm import warm


@pytest.fixture(scope="module")
def campaign(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:  # noqa: F811
    """A campaign that knows what an undisturbed month is like."""
    folder = tmp_path_factory.mktemp("campaign")
    mailbox, authority = Mailbox(), Authority(folder, "127.0.0.1")
    with running(mailbox, authority) as port, warm(folder) as process:
        made = Campaign(process, s3_server, mailbox, authority, port, str(tmp_path_factory.mktemp("kept")))
        made.learn()
        yield made
