"""Opens the mail transport that the settings name, and makes the mail policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flows.mail.courier import Courier
from flows.mail.policy import MailPolicy
from flows.mail.transports.outbox import OutboxTransport
from flows.mail.transports.port import Transport
from flows.mail.transports.smtp import Heard, SignInToken, SmtpServer, SmtpTransport, ignore_step
from flows.settings.settings import Environment, Settings, TransportChoice
from flows.store import open_store
from flows.store.ledger import Ledger

if TYPE_CHECKING:
    from flows.mail.transports.ses import SesTransport


def open_transport(settings: Settings, heard: Heard = ignore_step) -> Transport:
    """The transport that the settings name. `heard` is called after each step of an SMTP conversation."""
    mail = settings.mail
    if mail.transport is TransportChoice.SMTP:
        server = SmtpServer(
            host=mail.host,
            port=mail.port,
            user=mail.user,
            password=mail.password.get_secret_value() if mail.password else "",
            implicit_tls=mail.implicit_tls,
            ca_file=mail.ca_file,
        )
        return SmtpTransport(server, _token(settings), heard)
    if mail.transport is TransportChoice.SES:
        return _ses(settings)
    return OutboxTransport(open_store(settings, mail.outbox))


def _token(settings: Settings) -> SignInToken | None:
    app = settings.mail.microsoft
    if not app.tenant or app.client_secret is None:
        return None
    from flows.mail.transports.microsoft import ApplicationToken

    secret = app.client_secret.get_secret_value()
    return ApplicationToken(app.authority, app.tenant, app.client_id, secret, ca_file=app.ca_file)


def _ses(settings: Settings) -> SesTransport:
    from flows.mail.transports.ses import SesTransport, ses_client

    ses = settings.mail.ses
    keys = {
        "aws_access_key_id": ses.access_key_id,
        "aws_secret_access_key": ses.secret_access_key,
        "aws_session_token": ses.session_token,
    }
    client = ses_client(
        ses.region or settings.s3.region, **{name: key.get_secret_value() for name, key in keys.items() if key}
    )
    return SesTransport(client, configuration_set=ses.configuration_set or None)


def open_courier(
    settings: Settings,
    *,
    patient: bool = True,
    may_go: Callable[[], str] = lambda: "",
    ledger: Ledger | None = None,
) -> Courier:
    """A courier by the settings, with retries and rate. `may_go` returns why the run must stop sending, or “”."""
    transport, mail = open_transport(settings), settings.mail

    def rate() -> float | None:
        return mail.per_second or getattr(transport, "sending_rate", None)

    patience = mail.retry_minutes * 60 if patient else 0.0
    return Courier(transport, patience_seconds=patience, per_second=rate, may_go=may_go, ledger=ledger)


def mail_policy(settings: Settings) -> MailPolicy:
    """The settings' policy. In the demo the outbox stands for the directors' inboxes: nothing leaves the machine."""
    mail = settings.mail
    return MailPolicy(
        sender=mail.sender,
        reply_to=mail.reply_to,
        production=settings.environment is Environment.PRODUCTION,
        allowed_domains=mail.allowed_domains,
        redirect_to=mail.redirect_to,
    )
