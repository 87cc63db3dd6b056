from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import HoldfastError, MailError, SettingsError
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import Message, render_message
from flows.mail.policy import MailPolicy, addressed, checked_address, message_id, record_of
from flows.mail.transports.mime import message_of, mime_bytes, parsed_message
from flows.mail.transports.outbox import preview_html
from flows.mail.transports.port import Outgoing, Picture
from tests.unit.flows.alerts.examples import ASHCOMBE, alert, score
from tests.unit.flows.alerts.faults import Postbox

AT = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
LIVE = MailPolicy(
    sender="Holdfast Nord-Süd <holdfast@alliance.example>",
    reply_to="data-team@alliance.example",
    production=True,
    allowed_domains=("ashcombe.example",),
)
TEST = replace(LIVE, production=False, redirect_to="inbox@alliance.example")
MESSAGE = render_message(alert(score(0.6)), Contact())


class Reaching(Postbox):
    """A transport that would reach people."""

    name = "SMTP"
    reaches_people = True


def made(
    policy: MailPolicy = LIVE, recipients: tuple[str, ...] = ASHCOMBE.recipients, message: Message = MESSAGE
) -> Outgoing:
    return addressed(message, recipients=recipients, policy=policy, transport=Reaching(), at=AT)


def headers(finished: Outgoing) -> EmailMessage:
    return parsed_message(mime_bytes(finished))


def test_the_message_has_its_parts_and_headers() -> None:
    mail = headers(made())
    assert mail["Subject"] == MESSAGE.subject
    assert mail["From"] == "Holdfast Nord-Süd <holdfast@alliance.example>"
    assert mail["To"] == ", ".join(ASHCOMBE.recipients)
    assert mail["Reply-To"] == "data-team@alliance.example"
    assert mail["Message-ID"] == "<holdfast.2026-10.991.r1.new_watch@alliance.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [p.get_content_type() for p in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    image = list(mail.walk())[-1]
    assert f'src="cid:{str(image["Content-ID"]).strip("<>")}"' in MESSAGE.html
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == MESSAGE.text.strip()


def test_the_same_input_gives_the_same_bytes_and_fits() -> None:
    content = record_of(made())
    assert record_of(made()) == content
    assert len(content) < 100_000
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


def test_the_preview_is_whole_without_the_message() -> None:
    html = preview_html(made())
    assert "cid:" not in html
    assert "data:image/png;base64," in html


@pytest.mark.parametrize(
    "address",
    [
        "director@ashcombe.example\nBcc: all@else.example",
        "director@ashcombe.example\r\nSubject: x",
        "director@ashcombe.example, other@else.example",
        "Director <director@ashcombe.example>",
        '"a b"@ashcombe.example',
        "director@ashcombe",
        "director",
        "",
        "d\x00r@ashcombe.example",
        "a" * 250 + "@ashcombe.example",
    ],
)
def test_a_recipient_that_is_more_than_an_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(MailError) as refused:
        made(recipients=(address,))
    assert "register's recipients of council 991" in str(refused.value)
    assert not address or address not in str(refused.value)


@given(st.text(max_size=60))
def test_no_text_of_the_register_becomes_a_header(text: str) -> None:
    """Whatever is in the register, the message has the headers it should have, or is refused."""
    expected = set(headers(made()).keys())
    try:
        finished = made(recipients=(text,))
    except HoldfastError:
        return
    assert set(headers(finished).keys()) == expected
    assert finished.addressees == (text.strip(),)


@given(st.text(max_size=80))
def test_no_council_name_becomes_a_header(name: str) -> None:
    message = replace(MESSAGE, subject=f"{name}, October 2026")
    mail = headers(made(message=message))
    assert set(mail.keys()) == set(headers(made()).keys())
    assert "\n" not in mail["Subject"]


def test_a_domain_that_is_not_allowed_stops_the_message_for_everyone() -> None:
    with pytest.raises(MailError, match="1 of 2 recipients"):
        made(recipients=("director@ashcombe.example", "director@ashcombe.example.evil.example"))


def test_production_without_allowed_domains_writes_to_nobody() -> None:
    with pytest.raises(SettingsError, match="allowed_domains"):
        made(replace(LIVE, allowed_domains=()))


def test_nobody_registered_is_said() -> None:
    with pytest.raises(MailError, match="no recipients"):
        made(recipients=())


def test_outside_production_everything_goes_to_the_named_inbox_and_says_so() -> None:
    finished = made(TEST)
    mail = headers(finished)
    assert finished.addressees == ("inbox@alliance.example",)
    assert mail["To"] == "inbox@alliance.example"
    assert mail["Subject"].startswith("[TEST] ")
    assert finished.key == f"{MESSAGE.key}.redirected"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "redirected here" in body.get_content()
    assert b"director@ashcombe.example" not in mime_bytes(finished)


def test_outside_production_without_an_inbox_no_one_is_reached() -> None:
    with pytest.raises(SettingsError, match="redirect_to"):
        made(replace(TEST, redirect_to=""))


def test_the_demo_outbox_shows_who_would_be_written_to() -> None:
    finished = addressed(
        MESSAGE, recipients=ASHCOMBE.recipients, policy=replace(TEST, redirect_to=""), transport=Postbox(), at=AT
    )
    assert finished.addressees == ASHCOMBE.recipients
    assert finished.key == MESSAGE.key


def test_a_message_over_the_limit_is_not_sent() -> None:
    long = replace(MESSAGE, text=MESSAGE.text * 40)
    with pytest.raises(MailError, match="over the limit"):
        record_of(made(message=long))


def test_the_id_is_stable_and_holds_nothing_but_the_key() -> None:
    assert message_id("2026-10/314-318/r2/correction", "a@Alliance.example") == (
        "<holdfast.2026-10.314-318.r2.correction@alliance.example>"
    )


def test_ordinary_addresses_are_taken() -> None:
    for address in ("a.b-c@x.gov.uk", "o'neill@ashcombe.example", "a+b_c@sub.domain.example"):
        assert checked_address(f" {address} ", "the register") == address


@given(st.from_regex(r"[A-Za-z0-9._%+'-]{1,70}@[A-Za-z0-9.-]{1,40}", fullmatch=True))
def test_every_address_that_is_taken_can_be_written(address: str) -> None:
    """An address the check lets through and the header's writer refuses would be a fault of ours, found too late."""
    try:
        checked_address(address, "the register")
    except MailError:
        return
    message = replace(made(), addressees=(address,), sender=address, reply_to=address)
    assert message_of(mime_bytes(message), message.key) == message


_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60)


@given(
    st.builds(
        Outgoing,
        key=st.just(MESSAGE.key),
        message_id=st.just("<holdfast.2026-10.991.r1.new_watch@alliance.example>"),
        at=st.integers(0, 10**9).map(lambda seconds: AT + timedelta(seconds=seconds)),
        sender=st.just("holdfast@alliance.example"),
        sender_name=_WORDS.map(lambda text: " ".join(text.split())),
        reply_to=st.just("data-team@alliance.example"),
        addressees=st.just(ASHCOMBE.recipients),
        subject=_WORDS.map(lambda text: " ".join(text.split())),
        text=_WORDS.map(lambda text: f"{text}\n"),
        html=_WORDS.map(lambda text: f"<p>{text}</p>\n"),
        pictures=st.lists(st.binary(min_size=1, max_size=90), max_size=2).map(
            lambda every: tuple(Picture(f"chart.{n}@holdfast", png, f"chart-{n}.png") for n, png in enumerate(every))
        ),
    )
)
def test_a_message_is_read_out_of_its_bytes_as_it_was(message: Outgoing) -> None:
    """The ledger keeps bytes; what a later attempt hands to a transport is what the first one did."""
    content = mime_bytes(message)
    again = message_of(content, message.key)
    assert again == message
    assert mime_bytes(again) == content
