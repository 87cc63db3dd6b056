"""From settings to a way for mail to leave, and the policy under which it does."""

from __future__ import annotations

from flows.mail.policy import MailPolicy
from flows.mail.transports.outbox import OutboxTransport
from flows.mail.transports.port import Transport
from flows.mail.transports.smtp import SmtpServer, SmtpTransport
from flows.settings.settings import Environment, Settings, TransportChoice
from flows.store import open_store


def open_transport(settings: Settings) -> Transport:
    """The transport the settings name."""
    mail = settings.mail
    if mail.transport is TransportChoice.SMTP:
        return SmtpTransport(
            SmtpServer(
                host=mail.host,
                port=mail.port,
                user=mail.user,
                password=mail.password.get_secret_value() if mail.password else "",
                implicit_tls=mail.implicit_tls,
                ca_file=mail.ca_file,
            )
        )
    if mail.transport is TransportChoice.SES:
        from flows.mail.transports.ses import SesTransport, ses_client

        return SesTransport(ses_client(region=settings.s3.region))
    return OutboxTransport(open_store(settings, mail.outbox))


def mail_policy(settings: Settings) -> MailPolicy:
    """Who may be written to. In the demo the outbox stands for the directors' inboxes: nothing leaves the machine."""
    mail = settings.mail
    return MailPolicy(
        sender=mail.sender,
        reply_to=mail.reply_to,
        production=settings.environment is Environment.PRODUCTION,
        allowed_domains=mail.allowed_domains,
        redirect_to=mail.redirect_to,
    )
