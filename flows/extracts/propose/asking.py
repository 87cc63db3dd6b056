"""Puts questions one after the other, remembers each answer as it is given, and goes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from features.errors import HoldfastError

T = TypeVar("T")


class WrongAnswer(Exception):
    """The answer cannot be read; the message says what can."""


class Back(Exception):
    """The person wants the question before this one again."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One question to a person."""

    key: str
    """The same each time the question is put, so that a kept answer is known again."""
    text: str
    read: Callable[[str], T]
    """The meaning of an answer; raises WrongAnswer. An empty text is what is proposed."""
    proposed: str = ""
    """What Enter means, in words; empty if nothing can be proposed."""
    open: Sequence[str] = ()
    """The same for a file of answers: what is not known, and where to answer it."""
    otherwise: T | None = None
    """What stands in for an answer while nobody is asked."""


#: Puts a question to a person: their text. Raises Back.
Ask = Callable[[Question[Any]], str]


@dataclass
class Answers:
    """The answers of one session, in order. `keep` stores them after each one, so that a later start can go on."""

    about: str
    """What the answers are about; those about another file are not used."""
    ask: Ask | None
    keep: Callable[[bytes], None] = lambda _: None
    given: list[tuple[str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    at: int = 0

    def resume(self, kept: bytes) -> int:
        """Take up kept answers: how many there are."""
        try:
            found = json.loads(kept)
            if found["about"] == self.about:
                self.given = [(str(key), str(text)) for key, text in found["answers"]]
        except (ValueError, KeyError, TypeError):
            self.given = []
        return len(self.given)

    def restart(self, *, without_last: bool = False) -> None:
        """Begin again with the answers so far."""
        self.at = 0
        self.open = []
        if without_last and self.given:
            self.given.pop()
            self._keep()

    def put(self, question: Question[T]) -> T:
        """The kept answer to the question, or a person's."""
        if self.ask is None:
            self.open += question.open
            if question.otherwise is None:
                raise HoldfastError(question.text)
            return question.otherwise
        if self.at < len(self.given) and self.given[self.at][0] == question.key:
            try:
                meant = question.read(self.given[self.at][1])
                self.at += 1
                return meant
            except WrongAnswer:
                pass  # the file has changed since, and the kept answer no longer fits: asked again
        del self.given[self.at :]
        text = self.ask(question)
        meant = question.read(text)
        self.given.append((question.key, text))
        self.at += 1
        self._keep()
        return meant

    def _keep(self) -> None:
        self.keep(json.dumps({"about": self.about, "answers": self.given}, ensure_ascii=False).encode())

    def yes(self, key: str, text: str, likely: bool, open_question: str) -> bool:

        def read(answer: str) -> bool:
            plain = answer.strip().lower()
            if plain not in ("", "y", "yes", "n", "no"):
                raise WrongAnswer("y or n, please.")
            return likely if not plain else plain.startswith("y")

        proposed = "y" if likely else "n"
        return self.put(Question(key, text, read, proposed=proposed, open=[open_question], otherwise=likely))
