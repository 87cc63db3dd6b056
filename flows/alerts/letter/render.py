"""Renders a letter as a message: text and HTML with the same content, and the chart as an inline image.

The same letter always gives the same message.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from features.months import Month
from features.words import commands_in_html, wrapped
from flows.alerts.alert import Alert
from flows.alerts.letter.compose import Contact, alert_letter
from flows.alerts.letter.letter import ASKED_FIRST, FIGURES_HEADING, Letter, LetterTable

_LINE = 74

#: The largest message. Some mail programs cut larger ones, and they are slow on a phone.
SIZE_LIMIT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Inline:
    """An inline image of a message, with its content id."""

    cid: str
    png: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered message without addressees, which is stored, previewed and sent."""

    key: str
    """Stable name of council, month, revision and kind: `2026-10/370/r1/new_watch`. Message-ID and ledger use it."""
    la_code: str
    month: Month
    subject: str
    text: str
    html: str
    images: tuple[Inline, ...]
    letter: Letter

    def standalone_html(self) -> str:
        """The HTML with its images embedded, for a browser."""
        html = self.html
        for image in self.images:
            data = base64.b64encode(image.png).decode()
            html = html.replace(f'src="cid:{image.cid}"', f'src="data:image/png;base64,{data}"')
        return html


def render_message(alert: Alert, contact: Contact) -> Message:
    """The message to the director for an alert. Raises ValueError if the alert calls for none."""
    letter = alert_letter(alert, contact)
    return render_letter(letter, key=alert.message_key, la_code=alert.la_code, month=alert.month)


def render_letter(letter: Letter, *, key: str, la_code: str, month: Month) -> Message:
    """Render any letter. `key` must be stable, as it becomes the Message-ID and the ledger's folder."""
    cid = f"chart.{key.replace('/', '.')}@holdfast"
    images = (Inline(cid, letter.chart.png, letter.chart.alt),) if letter.chart else ()
    return Message(
        key=key,
        la_code=la_code,
        month=month,
        subject=letter.subject,
        text=_render("message.txt.j2", letter, cid),
        html=_render("message.html.j2", letter, cid),
        images=images,
        letter=letter,
    )


def with_notice(message: Message, notice: str) -> Message:
    """The same message with a notice above everything else, for example that it is a redirected test."""
    return render_letter(
        replace(message.letter, notice=notice), key=message.key, la_code=message.la_code, month=message.month
    )


def _render(template: str, letter: Letter, cid: str) -> str:
    text = (
        _environment()
        .get_template(template)
        .render(letter=letter, cid=cid, figures_heading=FIGURES_HEADING, asked_first=ASKED_FIRST)
    )
    if template.endswith(".txt.j2"):
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip() + "\n"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows.alerts.letter"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "wrapped": _wrapped,
        "underlined": _underlined,
        "upper_line": str.upper,
        "as_text_table": _text_table,
        "whole_addresses": _whole_addresses,
        "commands": commands_in_html,
    }
    return environment


def _wrapped(text: str, indent: str = "") -> str:
    return wrapped(text, _LINE - len(indent)).replace("\n", f"\n{indent}")


def _whole_addresses(text: str) -> Markup:
    """The text, in which an e-mail address goes to a line of its own before it is broken at a hyphen."""
    span = r'<span style="display:inline-block;max-width:100%;overflow-wrap:anywhere;">\1</span>'
    return Markup(re.sub(r"(\S+@[\w.-]*\w)", span, str(escape(text))))


def _underlined(text: str) -> str:
    return f"{text}\n{'-' * len(text)}"


def _text_table(table: LetterTable) -> str:
    """A table as one paragraph for each row, which suits narrow screens and screen readers."""
    rows = []
    for row in table.rows:
        pairs = [f"{h}: {c}" if i else c for i, (h, c) in enumerate(zip(table.headers, row, strict=True)) if c]
        rows.append("* " + _wrapped("; ".join(pairs), "  "))
    return "\n".join(rows)
