"""Every kind of message, word for word.

`UPDATE_GOLDEN=1 pytest tests/golden/messages` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flows.alerts.letter.render import Message
from tests.golden.messages.cases import MESSAGES, REGION_PAGE
from tests.unit.flows.alerts.letter.refused import refused_in

HERE = Path(__file__).parent
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def whole_text(message: Message) -> str:
    return f"Subject: {message.subject}\n\n{message.text}"


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_reads_as_agreed(name: str) -> None:
    message = MESSAGES[name]()
    for ending, content in ((".txt", whole_text(message)), (".html", message.html)):
        file = HERE / f"{name}{ending}"
        if UPDATE:
            file.write_text(content, encoding="utf-8")
        assert content == file.read_text(encoding="utf-8")


class _Reader(HTMLParser):
    """The words a person gets from the HTML: text and alt texts, and its headings in order."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.headings: list[int] = []
        self.images_without_alt = 0
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("style", "title") or given.get("aria-hidden") == "true":
            self.hidden += 1
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.words.append(given.get("alt") or "")
            self.images_without_alt += not given.get("alt")

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and tag in ("style", "title", "span"):
            self.hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def read(message: Message) -> _Reader:
    reader = _Reader()
    reader.feed(message.html)
    return reader


def bare(text: str) -> list[str]:
    """Words only, in order, without marks that differ between the forms."""
    text = re.sub(r"\[Chart\]|\*\*\*|^-+$|^\* ", " ", text, flags=re.M)
    return [w for w in re.findall(r"[^\W_]+", text.lower()) if w]


@pytest.mark.parametrize("name", [n for n in MESSAGES if n != "run_summary"])
def test_text_and_html_say_the_same(name: str) -> None:
    message = MESSAGES[name]()
    assert bare(message.text) == bare(" ".join(read(message).words))


@pytest.mark.parametrize("name", MESSAGES)
def test_the_html_is_accessible(name: str) -> None:
    message = MESSAGES[name]()
    reader = read(message)
    assert '<html lang="en-GB">' in message.html
    assert reader.images_without_alt == 0
    assert reader.headings[0] == 1
    assert reader.headings.count(1) == 1
    for table in re.findall(r"<table (?!role=\"presentation\").*?</table>", message.html, flags=re.S):
        assert "<caption" in table
        assert 'scope="col"' in table


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_fits_and_calls_nowhere(name: str) -> None:
    message = MESSAGES[name]()
    size = len(message.html) + len(message.text) + sum(len(i.png) * 4 // 3 for i in message.images)
    assert size < 90_000
    leads_to = [REGION_PAGE] if name == "run_summary" else []
    assert re.findall(r'(?:src|href)="(https?:[^"]*)"', message.html) == leads_to


DIRECTORS = [n for n in MESSAGES if n not in ("run_summary", "scorecard", "data_officer")]


@pytest.mark.parametrize("name", DIRECTORS)
def test_no_naked_probability_on_the_first_screen(name: str) -> None:
    """The estimate stands once, below the track record; never in subject, title, lead or reasons."""
    letter = MESSAGES[name]().letter
    first = " ".join([letter.subject, letter.title, letter.lead, letter.chart_caption])
    estimate = re.search(r"judged below good is\s+(\d+%)", MESSAGES[name]().text)
    assert estimate is None or estimate[1] not in first
    assert not re.search(r"probab|likel|\bof ten\b", first, flags=re.I)
    body = MESSAGES[name]().text
    assert body.count("model's estimate") <= 1
    if "model's estimate" in body:
        assert body.index("Of ten") < body.index("model's estimate")


@pytest.mark.parametrize("name", DIRECTORS)
def test_the_tone_is_an_offer_and_never_blame(name: str) -> None:
    text = MESSAGES[name]().text.lower()
    for word in ("fail", "blame", "fault", "poor", "bad ", "alarm", "must ", "immediately", "unacceptable", "guilty"):
        assert word not in text, word
    for american in ("center", "behavior", "program ", "organize", "judgment", "labor"):
        assert american not in text, american
    assert "gladly" in text
    assert "this is not" in text


@pytest.mark.parametrize("name", MESSAGES)
def test_no_refused_word_is_in_any_message(name: str) -> None:
    assert refused_in(whole_text(MESSAGES[name]())) == []


@pytest.mark.parametrize("name", DIRECTORS)
def test_a_director_reads_350_words_at_most_before_what_is_folded(name: str) -> None:
    letter = MESSAGES[name]().letter
    assert len(letter.opening.split()) <= 350
    assert "Asha Bell" in letter.contact and "01632 960 123" in letter.contact


@pytest.mark.parametrize("name", DIRECTORS)
def test_no_other_council_is_named(name: str) -> None:
    text = MESSAGES[name]().text
    others = ("Elmbridge", "Dunmere") if name != "joint_return" else ("Elmbridge",)
    assert not [o for o in others if o in text]
