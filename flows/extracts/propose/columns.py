"""Which column of a table is which field: what is proposed, and a person's changes to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from features.errors import HeaderMismatch
from features.registry import EXTRACTS, FieldType
from flows.extracts.mapping import FROM_THE_FOLDER, HeaderMapping
from flows.extracts.personal.headers import column_letters
from flows.extracts.propose.asking import Answers, Question, WrongAnswer
from flows.extracts.propose.look import FoundTable
from flows.extracts.propose.proposal import FieldProposal, best_guess, telling_apart
from flows.extracts.reading.headers import normalised

#: A field and the header of its column, or None for no column.
ColumnChange = tuple[str, str | None]
_ACCEPTED: ColumnChange = ("", None)
_CHANGE = re.compile(r"\s*([0-9]+)\s*=\s*(.+?)\s*")


@dataclass
class TableAnswers:
    """What is known of one table so far."""

    seen: FoundTable
    first: bool = True
    """Whether the other tables only add rows to this one."""
    columns: dict[str, str] = field(default_factory=dict)
    by_folder: list[str] = field(default_factory=list)
    computed: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    dates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Words that mean something else in other tables."""
    totals: tuple[str, ...] | None = None
    in_post_only: bool | None = None

    def cells(self, name: str) -> list[str]:
        """The filled cells of a field's column."""
        at = self.seen.table.headers.index(self.columns[name])
        return [c for c in self.seen.table.cells[str(at)].to_list() if c is not None]


def choose_columns(seen: FoundTable, said: HeaderMapping | None, answers: Answers, *, first: bool) -> TableAnswers:
    """Every field's column: from the answers of a file, sure, or as a person says.

    Raises HeaderMismatch if the answers name a header that does not exist.
    """
    of = TableAnswers(seen, first)
    there = {normalised(h): h for h in seen.table.headers if h}
    for name, header in (said.headers() if said else {}).items():
        if normalised(header) not in there:
            raise HeaderMismatch(f"The answers say that {name} is “{header}”, and {seen.title} has no such header.")
        of.columns[name] = there[normalised(header)]
    refused = {normalised(h) for h in said.left_out} if said else set()
    settled = {*of.columns, *(said.always if said else ()), *(said.by_folder if said else ())}
    guessed = {
        name: c
        for name, c in best_guess(seen.proposal).items()
        if name not in settled and normalised(c.header) not in refused and c.header not in of.columns.values()
    }
    sure = {p.field.name: p.sure for p in seen.proposal.fields if p.sure is not None}
    of.columns |= {n: guessed[n].header for n in (p.field.name for p in seen.proposal.fields) if n in guessed}
    key = EXTRACTS[seen.proposal.kind].key[0]
    passed = [h for h in seen.table.headers if h in of.columns.values() or normalised(h) in refused]
    apart = telling_apart(seen.table, passed) if key not in (*of.columns, *FROM_THE_FOLDER) else None
    if apart is not None:
        of.columns[key] = apart
    unsure = [p for p in seen.proposal.fields if p.field.name in {*guessed, key} - settled - set(sure)]
    of.by_folder = [n for n in FROM_THE_FOLDER if n not in of.columns]
    by_folder = [n for n in of.by_folder if first and (said is None or n not in said.by_folder)]
    if unsure or by_folder or _lacking(of):
        _confirm(of, answers, [*_open_columns(unsure, of), *_open_folder(by_folder)], {*sure, *settled})
    return of


def _open_columns(unsure: list[FieldProposal], of: TableAnswers) -> list[str]:
    said = []
    for one in unsure:
        options = "; ".join(f"“{c.header}” ({c.evidence})" for c in one.candidates)
        needed = "needed" if one.field.required else "if there is one"
        said.append(
            f"Which column of {of.seen.title} is {one.field.name}, {needed}? {one.field.description} It may be "
            f"{options}. Answer in columns.{one.field.name}, or name what it is not in left_out."
        )
    return said


def _open_folder(names: list[str]) -> list[str]:
    return [
        f"The file has no column for {n}. Take it from the folder the file lies in? Answer with by_folder = [“{n}”]."
        for n in names
    ]


def _lacking(of: TableAnswers) -> list[str]:
    key = EXTRACTS[of.seen.proposal.kind].key[0]
    return [key] if key not in of.columns and key not in of.by_folder else []


def _confirm(of: TableAnswers, answers: Answers, open_questions: list[str], sure: set[str]) -> None:
    """Show the whole assignment until a person accepts it."""
    fields = [p.field.name for p in of.seen.proposal.fields]
    headers = [(column_letters(of.seen.table.place(i)), h) for i, h in enumerate(of.seen.table.headers) if h]
    times = 0
    while True:

        def read(text: str) -> ColumnChange:
            if not text.strip():
                if lacking := _lacking(of):
                    number = fields.index(lacking[0]) + 1
                    raise WrongAnswer(
                        f"{lacking[0]} tells the rows apart, so it needs a column: {number}=A, for example."
                    )
                return _ACCEPTED
            return _change(text, fields, headers)

        change = answers.put(
            Question(
                f"columns of {of.seen.title} {times}",
                _shown(of, headers, sure),
                read,
                proposed="" if _lacking(of) else "read it so",
                open=open_questions,
                otherwise=None if _lacking(of) else _ACCEPTED,
            )
        )
        name, header = change
        if not name:
            return
        of.columns.pop(name, None)
        of.by_folder = [n for n in of.by_folder if n != name]
        if header is None:
            of.by_folder += [name] if name in FROM_THE_FOLDER else []
        else:
            coded = _is_coded(of, name)
            taken = [n for n, h in of.columns.items() if h == header and not (coded and _is_coded(of, n))]
            for other in taken:
                del of.columns[other]
            of.columns[name] = header
        sure.add(name)
        times += 1


def _is_coded(of: TableAnswers, name: str) -> bool:
    return EXTRACTS[of.seen.proposal.kind].field(name).type in (FieldType.FLAG, FieldType.CODE)


def _change(text: str, fields: list[str], headers: list[tuple[str, str]]) -> ColumnChange:
    """`6=E`, `6=Contracted Hours` or `6=0`: the field, and its column's header or None."""
    found = _CHANGE.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= len(fields):
        raise WrongAnswer(f"A field's number, = and a column, for example 6=E; 6=0 for none. 1 to {len(fields)}.")
    name, column = fields[int(found[1]) - 1], found[2]
    if column == "0":
        return name, None
    by_name = [h for letter, h in headers if normalised(h) == normalised(column)]
    by_letter = [h for letter, h in headers if letter == column.upper()]
    if not (meant := by_letter or by_name):
        raise WrongAnswer(f"There is no column {column}. It has {', '.join(letter for letter, _ in headers)}.")
    return name, meant[0]


def _shown(of: TableAnswers, headers: list[tuple[str, str]], sure: set[str]) -> str:
    """The assignment as a list, and the columns that are left."""
    evidence = {p.field.name: {c.header: c.evidence for c in p.candidates} for p in of.seen.proposal.fields}
    letter_of = {h: letter for letter, h in headers}
    width = max(len(p.field.name) for p in of.seen.proposal.fields)
    lines = [f"{of.seen.title}: {of.seen.table.cells.height:,} rows. Is each field read from the right column?"]
    for number, one in enumerate(of.seen.proposal.fields, start=1):
        name = one.field.name
        if name in of.columns:
            header = of.columns[name]
            why = evidence[name].get(header, "different in every row" if name not in sure else "chosen by you")
            said = f"{letter_of[header]:>2} “{header}”  {'' if name in sure else '? '}{why}"
        elif name in of.by_folder:
            said = " - the folder says it"
        else:
            said = f" - {'no column; needed' if one.field.required and of.first else 'no column'}"
        lines.append(f"  {number:>2} {name.ljust(width)} {said}")
    left = [f"{letter} “{h}”" for letter, h in headers if h not in of.columns.values()]
    lines.append(f"Not read: {', '.join(left)}." if left else "Every column is read.")
    lines.append("Enter: yes. Else a field's number and its column, 6=E for example; 6=0 for none.")
    return "\n".join(lines)


def others_left_out(of: TableAnswers) -> tuple[str, ...]:
    """The headers that are not read."""
    taken = {normalised(h) for h in of.columns.values()}
    return tuple(h for h in of.seen.table.headers if h and normalised(h) not in taken)


def mapping_of_table(of: TableAnswers, shared: Mapping[str, object], *, several_files: bool) -> HeaderMapping:
    """One table's part of the mapping."""
    return HeaderMapping(
        **shared,  # type: ignore[arg-type]
        codes=of.codes,
        columns={n: h for n, h in of.columns.items() if n not in of.computed},
        left_out=others_left_out(of),
        computed=of.computed,
        dates=of.dates,
        always=of.always,
        totals=of.totals,
        in_post_only=of.in_post_only,
        file=of.seen.file if several_files else "",
        sheet=of.seen.sheet,
        header_rows=of.seen.header_rows,
    )
