"""What the council's words mean, for all tables together: one question for each field with codes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from features.registry import EXTRACTS, Field
from flows.extracts.mapping import ANY_OTHER, UNREAD, HeaderMapping
from flows.extracts.propose.asking import Answers, Question, WrongAnswer
from flows.extracts.propose.columns import TableAnswers
from flows.extracts.propose.words import WordProposal, declared_words, words_to_map


def ask_words(tables: Sequence[TableAnswers], said: HeaderMapping | None, answers: Answers) -> list[str]:
    """Write the meaning of each table's words into its codes; returns notes on texts that are no words.

    The first table's codes hold for all tables, unless a table has its own for a field.
    """
    notes: list[str] = []
    first, *others = tables
    for field in EXTRACTS[first.seen.proposal.kind].fields:
        shared = [of for of in tables if field.name in of.columns and field.name not in of.codes]
        headers, words = _words_of(field, shared, notes)
        known = dict(said.codes.get(field.name, {})) if said else {}
        rest = [w for w in words if w.word not in known and ANY_OTHER not in known]
        known |= _ask(field, headers, rest, answers) if rest else {}
        if known and field.name not in first.codes:
            first.codes[field.name] = known
        elif known:
            for of in others:
                of.codes.setdefault(field.name, known)
    return notes


def _words_of(field: Field, tables: Sequence[TableAnswers], notes: list[str]) -> tuple[list[str], list[WordProposal]]:
    """The headers of a field's columns, and the words in them that are no codes."""
    found: dict[str, WordProposal] = {}
    headers: list[str] = []
    for of in tables:
        if field.name not in of.columns or not declared_words(field):
            continue
        header = of.columns[field.name]
        words, hidden = words_to_map(of.seen.table, header, field)
        if hidden:
            notes.append(
                f"“{header}” holds texts in {hidden:,} rows that are no words of a category; they are not shown, and "
                f"{field.name} stays unreadable there."
            )
        headers += [header] if words and header not in headers else []
        for word in words:
            rows = word.rows + (found[word.word].rows if word.word in found else 0)
            found[word.word] = WordProposal(field, word.word, rows, word.suggested)
    return headers, list(found.values())


def _ask(field: Field, headers: list[str], words: list[WordProposal], answers: Answers) -> dict[str, str]:
    name, options = field.name, declared_words(field)
    agency = name == "agency_worker" and any(w.suggested == "1" for w in words)
    # In a list of posts or grades, what does not say “agency” is the council's own.
    likely = {w.word: w.suggested or ("0" if agency else None) for w in words}
    named = " and ".join(f"“{h}”" for h in headers)
    lines = [f"{named}: what does each word mean for {name}? {field.description}"]
    width = max(len(w.word) for w in words)
    for i, w in enumerate(words, start=1):
        code = likely[w.word]
        meant = f"{code} {options[code]}" if code is not None else "?  (left unread, unless you say)"
        lines.append(f"  {i:>2} {w.word.ljust(width)} {w.rows:>5,} row{'s' if w.rows != 1 else ' '}  = {meant}")
    lines.append("Codes: " + "; ".join(f"{c} {label}" for c, label in options.items()) + ".")
    known = not field.required or any(likely.values())
    lines.append(
        f"{'Enter: yes. Else a' if known else 'A'} word's number and its code, 3=6 for example, several with blanks; "
        "3=- if none."
    )

    def read(text: str) -> dict[str, str]:
        if not (text.strip() or known):
            raise WrongAnswer(f"Nothing can be proposed for these words: 1={next(iter(options))}, for example.")
        meant = dict(likely)
        for part in text.split():
            found = re.fullmatch(r"([0-9]+)=([0-9A-Za-z]+|-)", part)
            if found is None or not 1 <= int(found[1]) <= len(words):
                raise WrongAnswer(f"{part}: a word's number, = and a code, for example 1={next(iter(options))}.")
            if found[2] != "-" and found[2] not in options:
                raise WrongAnswer(f"{found[2]} is no code of {name}: {', '.join(options)}, or - if none is right.")
            meant[words[int(found[1]) - 1].word] = UNREAD if found[2] == "-" else found[2]
        return {word: code or UNREAD for word, code in meant.items()}

    probably = {
        w.word: f" Probably {likely[w.word]} ({options[likely[w.word] or '']})." if likely[w.word] else ""
        for w in words
    }
    return answers.put(
        Question(
            f"words of {name}: {'|'.join(w.word for w in words)}",
            "\n".join(lines),
            read,
            proposed="as listed" if known else "",
            open=[
                f"{named} says “{w.word}” in {w.rows:,} row{'s' if w.rows != 1 else ''}. Which {name} is that?"
                f"{probably[w.word]} Answer in codes.{name}."
                for w in words
            ],
            otherwise={word: code for word, code in likely.items() if code is not None},
        )
    )
