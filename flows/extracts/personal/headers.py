"""Tells what a column holds from its header: personal data of some kind, a plain label, or something unknown.

Headers are split into words (“childDOB”, “NI_number” and “Post-Code (home)” too), and the words are searched for
anywhere in them. A word that is harmless in the sector's own headers (“Team name”, “Age of case”) is ignored there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from flows.extracts.personal.words import (
    ALONE,
    CASE_WORDS,
    COMBINED,
    HARMLESS,
    LABEL_WORDS,
    PEOPLE,
    PERSONAL_HEADERS,
    THINGS,
)

#: Inside longer text, only words with this many letters are recognised; shorter ones would be found by chance.
_LONG = 7
_STEM = 5
_LOOKED_AT = 300
_LONGEST_LABEL = 60
_MOST_WORDS = 9
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_NO_LABEL = re.compile(r"[^\w\s()/&.,:?’'-]")
_POSSESSIVE = re.compile(r"[’']s\b", re.IGNORECASE)


def column_letters(position: int) -> str:
    """The letters a spreadsheet shows above a column; the first is 0."""
    text, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


@lru_cache(maxsize=4096)
def words_of(header: str) -> tuple[str, ...]:
    """A header's words and numbers in lower case, with plurals and genitives as written."""
    plain = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", header).replace("\u2019", "'"))
    spaced = "".join(c if c.isalnum() else " " for c in plain)
    return tuple(w.casefold() for piece in spaced.split() for w in _CAMEL.sub(" ", piece).split())


@lru_cache(maxsize=4096)
def personal_header(header: str) -> str | None:
    """The kind of personal data that a header shows (“a date of birth or age”), or None."""
    words = tuple(w for w in words_of(header[:_LOOKED_AT]) if not w.isdigit())
    if not words:
        return None
    joined = "".join(words)
    lexical = tuple(_singular(w) for w in words)
    without = _without_harmless(lexical)
    if without != lexical:
        joined = "".join(without)
    for what, phrases in _PHRASES.items():
        if _EXACT[what] & set(without) or any(_stands_in(phrase, without, joined) for phrase in phrases):
            return what
    if joined in ALONE:
        return ALONE[joined]
    for what, first, second in COMBINED:
        if set(first) & set(without) and (set(second) & set(without) or not second):
            return what
    if _is_age(without):
        return "a date of birth or age"
    return "a name" if _is_a_name(without) else None


def names_kind_of_person(header: str) -> bool:
    """Whether a header names a kind of person (“Line manager”): its values decide what the column holds."""
    words = [_singular(w) for w in words_of(header[:_LOOKED_AT])]
    return bool(words) and words[-1] in PEOPLE and not set(words) & {"number", "no", "count", "is", "of"}


def is_plain_label(header: str) -> bool:
    """Whether every word of a header is a word for labels, so that it is not personal data and may be repeated."""
    if len(header) > _LONGEST_LABEL:
        return False
    words = words_of(header)
    if len(words) > _MOST_WORDS or _NO_LABEL.search(header):
        return False
    return all(_is_label_word(w) for w in words) and any(len(w) > 1 and w.isalpha() for w in words)


def named_column(header: str, position: int) -> str:
    """A column's name for a sentence: its number and letter, and its header only if that is plainly a label."""
    place = f"column {position + 1} ({column_letters(position)})"
    return f"“{' '.join(header.split())}” in {place}" if is_plain_label(header) else place


def _is_label_word(word: str) -> bool:
    if word.isdigit():
        return len(word) <= 2
    return word in LABEL_WORDS or _singular(word) in LABEL_WORDS


@lru_cache(maxsize=4096)
def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def _without_harmless(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without phrases that are harmless as a whole."""
    for phrase in _HARMLESS:
        for at in _places(phrase, words):
            words = (*words[:at], "-", *words[at + len(phrase) :])
    return words


def _stands_in(phrase: tuple[str, ...], words: tuple[str, ...], joined: str) -> bool:
    """Whether the phrase occurs as consecutive words, inside one of the words, or, if long, divided in any way."""
    if any(True for _ in _places(phrase, words)):
        return True
    together = "".join(phrase)
    if together == joined:
        return True
    if together == "dob":
        return any(w.endswith(together) or w.startswith(together) for w in words)
    if len(phrase) == 1 and len(together) >= _LONG and together in joined:
        return True
    if len(together) > _LONG and joined.startswith(together):
        return True
    return len(together) >= _STEM and any(together in w for w in words)


def _places(phrase: tuple[str, ...], words: tuple[str, ...]) -> Iterator[int]:
    return (i for i in range(len(words) - len(phrase) + 1) if words[i : i + len(phrase)] == phrase)


def _is_age(words: tuple[str, ...]) -> bool:
    """An age is a person's unless the header mentions a case, a post or another thing with an age."""
    return "age" in words and (not set(words) & CASE_WORDS or bool(set(words) & PEOPLE))


def _is_a_name(words: tuple[str, ...]) -> bool:
    """A name is a person's unless it is the name of a team, a post, a file or another thing."""
    if words[-1] == "initial":
        return True
    for i, word in enumerate(words):
        if word in ("name", "nm"):
            before, rest = words[i - 1] if i else "", words[i + 1 :]
            of_thing = bool(set(rest) & THINGS) and not set(rest) & PEOPLE and rest[0] in {"of", *THINGS}
            if before not in THINGS and not of_thing:
                return True
        elif word.startswith("nameof"):
            return not any(word.endswith(thing) for thing in THINGS)
        elif word.endswith("name") and not any(word[:-4].endswith(thing) for thing in THINGS):
            return True
    return False


def _split(phrases: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_singular(w) for w in phrase.split()) for phrase in phrases)


_PHRASES = {what: _split(p for p in phrases if p[0] != "=") for what, phrases in PERSONAL_HEADERS.items()}
_EXACT = {what: {_singular(p[1:]) for p in phrases if p[0] == "="} for what, phrases in PERSONAL_HEADERS.items()}
_HARMLESS = _split(HARMLESS)
