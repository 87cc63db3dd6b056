"""The questions of `holdfast map`, the fewest that are needed, and the mapping that the answers make.

A question is put only if the file leaves something open, and Enter takes what is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from features.councils import Council
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.mapping import HeaderMapping
from flows.extracts.propose.asking import Answers, Back, Question, WrongAnswer
from flows.extracts.propose.columns import TableAnswers, choose_columns, mapping_of_table
from flows.extracts.propose.look import FoundTable
from flows.extracts.propose.proposal import best_guess, telling_apart
from flows.extracts.propose.table_questions import TableQuestions
from flows.extracts.propose.word_questions import ask_words

#: A table without a known key is proposed if at least this many of its columns come near fields.
_FEWEST_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Settled:
    mapping: HeaderMapping
    open: tuple[str, ...]
    """Questions nobody answered, as sentences. The mapping may not be saved while there are any."""
    notes: tuple[str, ...]


def run_session(
    seen: Sequence[FoundTable], council: Council, since: Month, *, said: HeaderMapping | None, answers: Answers
) -> Settled:
    """Use sure matches first, then `said` (a file of answers), then ask; going back puts the question before again.

    Raises HeaderMismatch if `said` names a header that does not exist, and HoldfastError if nobody is asked and the
    rows have nothing that tells them apart.
    """
    answers.restart()
    while True:
        try:
            return _Session(seen, council, since, said, answers).settled()
        except Back:
            answers.restart(without_last=True)


class _Session:
    def __init__(
        self, seen: Sequence[FoundTable], council: Council, since: Month, said: HeaderMapping | None, answers: Answers
    ) -> None:
        self.seen, self.council, self.since, self.said, self.answers = seen, council, since, said, answers
        self.kind: Kind = seen[0].proposal.kind

    def settled(self) -> Settled:
        """Ask what must be asked, and put the mapping together."""
        chosen = self._tables()
        tables: list[TableAnswers] = []
        week: float | None = None
        for number, (seen, said) in enumerate(chosen):
            of = choose_columns(seen, said, self.answers, first=number == 0)
            week = TableQuestions(of, said, self.answers, self.since, week).put()
            tables.append(of)
        notes = ask_words(tables, self.said, self.answers)
        shared = {
            "council": self.council.la_code,
            "kind": self.kind,
            "since": self.since,
            "by_folder": tuple(n for n in tables[0].by_folder),
            "name": "the new mapping",
        }
        several = len({seen.file for seen, _ in chosen}) > 1
        first, *more = [mapping_of_table(of, shared, several_files=several) for of in tables]
        fields = {f.name: getattr(first, f.name) for f in HeaderMapping.__dataclass_fields__.values()}
        mapping = HeaderMapping(**{**fields, "lacks": self._lacks(tables), "more": tuple(more)})
        return Settled(mapping, tuple(self.answers.open), tuple(notes))

    def _tables(self) -> list[tuple[FoundTable, HeaderMapping | None]]:
        """The tables that are read, each with what the file of answers says of it."""
        if self.said is not None and (self.said.more or self.said.sheet or self.said.file):
            found: list[tuple[FoundTable, HeaderMapping | None]] = [
                (s, t) for t in self.said.tables for s in self.seen if _is_it(s, t)
            ]
            if len(found) == len(self.said.tables):
                return found
        if len(self.seen) == 1:
            return [(self.seen[0], self.said)]
        key = EXTRACTS[self.kind].key[0]
        likely = [i for i, s in enumerate(self.seen) if _may_hold_rows(s, key)]
        likely = likely or [0]
        listed = "\n".join(
            f"  {i} {s.title}: {s.table.cells.height:,} rows under {', '.join(f'“{h}”' for h in s.table.headers[:4])} …"
            for i, s in enumerate(self.seen, start=1)
        )
        proposed = ",".join(str(i + 1) for i in likely)

        def read(text: str) -> list[int]:
            numbers = re.findall(r"[0-9]+", text or proposed)
            if not numbers or any(not 1 <= int(n) <= len(self.seen) for n in numbers):
                raise WrongAnswer(f"Numbers of tables, for example {proposed}.")
            return [int(n) - 1 for n in dict.fromkeys(numbers)]

        row = EXTRACTS[self.kind].row_is
        chosen = self.answers.put(
            Question(
                "tables",
                f"There are {len(self.seen)} tables. Which hold the rows of the {self.kind} extract ({row})? They are "
                f"read as one list.\n{listed}",
                read,
                proposed=proposed,
                open=[
                    f"Which tables hold the rows? Probably {proposed}. Answer with sheet or file and more.\n{listed}"
                ],
                otherwise=likely,
            )
        )
        return (
            [(self.seen[i], None) for i in chosen]
            if self.said is None
            else [(self.seen[i], self.said if n == 0 else None) for n, i in enumerate(chosen)]
        )

    def _lacks(self, tables: Sequence[TableAnswers]) -> tuple[str, ...]:
        """The needed fields that no table has, once somebody has agreed to go on without them."""
        there = {n for of in tables for n in (*of.columns, *of.always, *of.by_folder)}
        known = set(self.said.lacks) if self.said else set()
        lacking = [f for f in EXTRACTS[self.kind].fields if f.required and f.name not in there]
        asked = [f for f in lacking if f.name not in known]
        if asked:
            names = ", ".join(f.name for f in asked)
            described = "\n".join(f"  {f.name}: {f.description}" for f in asked)
            if not self.answers.yes(
                f"without {names}",
                f"There is no column for {names}. Every figure that needs {'them' if len(asked) > 1 else 'it'} will be "
                f"missing. Go on without? (n: go back to the columns)\n{described}",
                True,
                f"There is no column for {names}, and it is needed. Answer in columns, or "
                f"with lacks = [{', '.join(f'“{f.name}”' for f in asked)}] to do without.",
            ):
                raise Back
        return tuple(f.name for f in lacking)


def _may_hold_rows(seen: FoundTable, key: str) -> bool:
    """Whether a table has a column that may tell its rows apart, and others that come near fields."""
    if any(p.field.name == key and p.candidates for p in seen.proposal.fields):
        return True
    guessed = best_guess(seen.proposal)
    return (
        len(guessed) >= _FEWEST_FIELDS and telling_apart(seen.table, [c.header for c in guessed.values()]) is not None
    )


def _is_it(seen: FoundTable, table: HeaderMapping) -> bool:
    """Whether a table is the one that the answers mean."""
    return (not table.sheet or seen.sheet == table.sheet) and (not table.file or seen.file == table.file)
