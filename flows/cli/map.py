"""`holdfast map`: what the columns of a home-made file mean, asked once and kept for later months."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.private_files import write_private
from features.words import wrapped
from flows.cli.extracts import CouncilOption, kind_of, landing_and_council
from flows.cli.prompts import asked
from flows.cli.root import FILES, app

if TYPE_CHECKING:
    from features.councils import Council
    from features.months import Month
    from features.registry import Kind
    from flows.extracts.mapping import HeaderMapping
    from flows.extracts.propose.asking import Question
    from flows.extracts.propose.session import Settled
    from flows.store import Store

_FORMATS_PAGE = "docs/formats.md"


@app.command("map", rich_help_panel=FILES)
def map_file(
    files: Annotated[
        list[Path],
        typer.Argument(help="A home-made list, CSV or Excel; with the agency list, if that is a file of its own."),
    ],
    kind: Annotated[str, typer.Option(help="workforce, establishment, caseload or return.")],
    council: CouncilOption,
    month: Annotated[
        str | None, typer.Option(help="First month it is for, YYYY-MM; if not given, the month's folder of the file.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="TOML file of answers, as printed at the end; no question is asked.")
    ] = None,
    accept_sure: Annotated[bool, typer.Option(help="Save without asking, if nothing is in doubt.")] = False,
    ask: Annotated[bool | None, typer.Option(help="Ask what is in doubt; the default in a terminal.")] = None,
    to: Annotated[Path | None, typer.Option(help="Save the mapping in this file, not in the landing.")] = None,
) -> None:
    """Say once what the columns of a home-made file mean. Asks what it cannot know, and keeps it for later months."""
    from features.councils import Council
    from features.months import Month
    from flows.extracts.mapping import mapping_name, read_mapping
    from flows.extracts.propose.try_out import read_with
    from flows.settings.settings import Settings

    wanted = kind_of(kind)
    since = Month.parse(month) if month else _month_of_folder(files[0])
    landing, owner = (
        (None, Council(council, f"council {council}", since)) if to else landing_and_council(Settings.load(), council)
    )
    name = str(to) if to else mapping_name(owner, wanted, since)
    given = read_mapping(answers.read_bytes(), str(answers)) if answers else None
    asking = ask if ask is not None else sys.stdin.isatty() and given is None and not accept_sure
    draft = _Draft(landing, name)
    settled = _settle(files, wanted, owner, since, given, draft if asking else None)
    content = settled.mapping.to_toml()
    typer.echo("\n" + read_with(files, read_mapping(content, name), owner, since))
    if to:
        write_private(to, content)
    elif landing is not None:
        landing.replace(name, content, content_type="application/toml")
    draft.forget()
    typer.echo(f"\nSaved as {name}. It is used from {since.in_words} on.")
    typer.echo(_where_to_put(files, settled.mapping, owner, since))
    if given is None:
        typer.echo(
            f"\nThe same answers as a file for --answers ({_FORMATS_PAGE} explains each line):\n\n{content.decode()}"
        )


class _Draft:
    """The answers so far, beside the mapping that they will make."""

    def __init__(self, landing: Store | None, name: str) -> None:
        self.landing, self.name = landing, f"{name}.answers"

    def keep(self, content: bytes) -> None:
        """Write the answers; the next start goes on from them."""
        if self.landing is not None:
            self.landing.replace(self.name, content, content_type="application/json")
        else:
            write_private(Path(self.name), content)

    def kept(self) -> bytes:
        """The answers of an earlier start, or nothing."""
        if self.landing is None:
            return Path(self.name).read_bytes() if Path(self.name).is_file() else b""
        there = any(o.name == self.name for o in self.landing.list(self.name.rpartition("/")[0] + "/"))
        return self.landing.read(self.name) if there else b""

    def forget(self) -> None:
        """Delete them; the mapping says it all."""
        if not self.kept():
            return
        if self.landing is None:
            Path(self.name).unlink()
        else:
            self.landing.delete(self.name)


def _settle(
    files: list[Path], kind: Kind, owner: Council, since: Month, given: HeaderMapping | None, draft: _Draft | None
) -> Settled:
    """Ask the open questions, or raise HeaderMismatch with them if nobody can be asked."""
    from features.errors import HeaderMismatch
    from features.words import count_words
    from flows.extracts.propose.asking import Answers
    from flows.extracts.propose.look import look_at
    from flows.extracts.propose.session import run_session
    from flows.extracts.reading.where import Where

    looked = look_at(files, kind, Where(f"{owner.name} ({owner.la_code})", since, ""))
    for note in looked.notes:
        typer.echo(note)
    about = "; ".join(f"{s.title}: {', '.join(s.table.headers)}" for s in looked.tables)
    answers = Answers(about, _ask) if draft else Answers(about, None)
    if draft:
        answers.keep = draft.keep
        if earlier := answers.resume(draft.kept()):
            typer.echo(f"Going on after {count_words(earlier, 'answer', 'answers')} of an earlier start (b goes back).")
    try:
        settled = run_session(looked.tables, owner, since, said=given, answers=answers)
    except typer.Abort:
        typer.echo("\nStopped. The answers so far are kept: start the same command again, and it goes on from here.")
        raise typer.Exit(130) from None
    for note in settled.notes:
        typer.echo(note)
    if settled.open:
        listed = "\n".join(f"  - {question}" for question in settled.open)
        raise HeaderMismatch(
            f"Nothing was saved, because this is open:\n{listed}\nRun the command in a terminal, or put this into a "
            f"file, correct what is wrong, and give it with --answers:\n\n{settled.mapping.to_toml().decode()}"
        )
    return settled


def _ask(question: Question[Any]) -> str:
    """Ask one question in the terminal until the answer can be read. Enter takes what is proposed, b goes back."""
    from flows.extracts.propose.asking import Back, WrongAnswer

    width = shutil.get_terminal_size().columns
    typer.echo("\n" + "\n".join(_wrapped(line, width) for line in question.text.splitlines()))
    hint = f" [{question.proposed}]" if question.proposed else ""
    while True:
        answer = asked(f"Answer{hint}, b: back")
        if answer.lower() == "b":
            raise Back
        try:
            question.read(answer)
        except WrongAnswer as wrong:
            typer.echo(str(wrong))
        else:
            return answer


def _wrapped(line: str, width: int) -> str:
    """A line of a question on as many lines as it needs; the later ones are set in."""
    inset = " " * (len(line) - len(line.lstrip()) + 4 * line.startswith(" "))
    return wrapped(line, width, hanging=inset)


def _where_to_put(files: list[Path], mapping: HeaderMapping, owner: Council, since: Month) -> str:
    folder = f"{since}/{owner.folder}"
    each = "each later month's into the folder of its month, in the same way."
    if len({one.file for one in mapping.tables}) > 1:
        return f"Put these files together into a folder of the landing, {folder}/{mapping.kind}/, and {each}"
    return f"Put the file into the landing as {folder}/{mapping.kind}{files[0].suffix.lower()}, and {each}"


def _month_of_folder(file: Path) -> Month:
    from features.errors import HeaderMismatch
    from flows.extracts.check_files import folder_month

    if (month := folder_month(file)) is None:
        raise HeaderMismatch(f"{file} does not lie in a month's folder. Say with --month from which month on it holds.")
    return month
