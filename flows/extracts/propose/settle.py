"""Turns a proposal and a person's answers into a mapping; an unanswered question stays open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from features.councils import Council
from features.errors import HeaderMismatch
from features.months import Month
from features.registry import EXTRACTS, Field
from flows.extracts.mapping import FROM_THE_FOLDER, HeaderMapping
from flows.extracts.propose.proposal import Proposal, WordProposal, declared_words, words_to_map
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import RawTable


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a person. `options` are the possible answers, with the meaning of each."""

    text: str
    options: Mapping[str, str]
    default: str | None = None


#: Puts a question to a person; None means that none of the options is right.
Ask = Callable[[Question], str | None]


@dataclass(frozen=True, slots=True)
class Settled:
    """The result."""

    mapping: HeaderMapping
    open: tuple[str, ...]
    """Questions nobody answered, as sentences. The mapping may not be saved while there are any."""
    notes: tuple[str, ...]


def settle(
    table: RawTable,
    proposal: Proposal,
    council: Council,
    since: Month,
    *,
    answers: HeaderMapping | None,
    ask: Ask | None,
) -> Settled:
    """Use sure matches first, then `answers`, then ask.

    Raises HeaderMismatch if the answers name a header or a code that does not exist, or the file has nothing for a
    needed field.
    """
    session = _Session(table, proposal, answers, ask)
    session.columns_of_fields()
    session.words_of_columns()
    taken = {normalised(h) for h in session.columns.values()}
    left_out = tuple(h for h in table.headers if h and normalised(h) not in taken)
    mapping = HeaderMapping(
        council.la_code,
        proposal.kind,
        since,
        session.columns,
        session.codes,
        left_out,
        tuple(session.by_folder),
        "the new mapping",
    )
    return Settled(mapping, tuple(session.open), tuple(session.notes))


class _Session:
    def __init__(self, table: RawTable, proposal: Proposal, answers: HeaderMapping | None, ask: Ask | None) -> None:
        self.table, self.proposal, self.answers, self.ask = table, proposal, answers, ask
        self.columns: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.by_folder: list[str] = []
        self.open: list[str] = []
        self.notes: list[str] = []

    def columns_of_fields(self) -> None:
        """Every field's column: from the answers, sure, from a question, or none."""
        there = {normalised(h): h for h in self.table.headers}
        said = self.answers.columns if self.answers else {}
        refused = {normalised(h) for h in self.answers.left_out} if self.answers else set()
        for name, header in said.items():
            if normalised(header) not in there:
                raise HeaderMismatch(f"The answers say that {name} is “{header}”, and the file has no such header.")
        for one in self.proposal.fields:
            name = one.field.name
            if name in said:
                self.columns[name] = there[normalised(said[name])]
            elif one.sure is not None and normalised(one.sure) not in refused:
                self.columns[name] = one.sure
        used = {normalised(h) for h in self.columns.values()}
        by_folder = self.answers.by_folder if self.answers else ()
        for one in self.proposal.fields:
            if one.field.name in self.columns:
                continue
            if one.field.name in by_folder:
                self.by_folder.append(one.field.name)
                continue
            offered = [c for c in one.candidates if normalised(c.header) not in used | refused]
            chosen = self._ask_column(one.field, [(c.header, c.evidence) for c in offered]) if offered else None
            if chosen is not None:
                self.columns[one.field.name] = chosen
                used.add(normalised(chosen))
            elif not offered or self.ask is not None:
                self._lacking(one.field)

    def _ask_column(self, field: Field, offered: Sequence[tuple[str, str]]) -> str | None:
        options = {str(i): f"“{header}” ({evidence})" for i, (header, evidence) in enumerate(offered, start=1)}
        needed = "needed" if field.required else "if there is one"
        text = f"Which column is {field.name}, {needed}? {field.description}"
        if self.ask is None:
            listed = "; ".join(options.values())
            self.open.append(
                f"{text} It may be {listed}. Answer in columns.{field.name}, or name what it is not in left_out."
            )
            return None
        answer = self.ask(Question(text, options))
        return offered[int(answer) - 1][0] if answer is not None else None

    def _lacking(self, field: Field) -> None:
        """Handle a field without a column: the folder gives it, it is not needed, or the file cannot be mapped."""
        if not field.required:
            return
        if field.name not in FROM_THE_FOLDER:
            raise HeaderMismatch(
                f"The file has no column for {field.name}, which is needed. {field.description} Add the column."
            )
        text = f"The file has no column for {field.name}. Take it from the folder the file lies in?"
        if self.ask is None:
            self.open.append(f"{text} Answer with by_folder = [“{field.name}”].")
            return
        if self.ask(Question(text, {"y": "yes, by the folder"})) is None:
            raise HeaderMismatch(f"Without {field.name} the file cannot be read. Add the column.")
        self.by_folder.append(field.name)

    def words_of_columns(self) -> None:
        """The council's words for flags and codes."""
        for name, header in self.columns.items():
            declared = EXTRACTS[self.proposal.kind].field(name)
            words, hidden = words_to_map(self.table, header, declared)
            if hidden:
                self.notes.append(
                    f"“{header}” holds texts in {hidden:,} rows that are no words of a category; they are not shown, "
                    f"and {name} stays unreadable there."
                )
            said = {normalised(w): c for w, c in (self.answers.codes.get(name, {}) if self.answers else {}).items()}
            for word in words:
                code = said.get(normalised(word.word)) or self._ask_word(header, word)
                if code is not None:
                    self.codes.setdefault(name, {})[word.word] = code

    def _ask_word(self, header: str, asked: WordProposal) -> str | None:
        options, name = declared_words(asked.field), asked.field.name
        rows = f"{asked.rows:,} row{'s' if asked.rows != 1 else ''}"
        text = f"“{header}” says “{asked.word}” in {rows}. Which {name} is that?"
        if self.ask is None:
            likely = asked.suggested
            probably = f" Probably {likely} ({options[likely]})." if likely is not None else ""
            self.open.append(f"{text}{probably} Answer in codes.{name}.")
            return None
        return self.ask(Question(text, options, asked.suggested))
