"""The answer to files handed in: the report of `holdfast check` as a page, and as a letter to the data officer.

It is worked out in a process of its own, which gets the files through a pipe and ends with its answer. So a file that
takes all memory or never comes to an end harms nobody else, and nothing of a file is left anywhere.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from expectations.fates import Fate
from features.councils import Council
from features.errors import ExtractError, PersonalDataRefused
from features.months import Month, london_day
from flows.alerts.council import validation_facts
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import LetterSection, Para
from flows.alerts.letter.render import Message
from flows.desk.past import landing_of, past_of
from flows.extracts.check_files import CheckedFiles, Handed, HandedReport, check_handed, page_of
from flows.mail.officers import files_sections, tried_message
from flows.settings.settings import Settings

#: How long a check may take. England's largest extracts take a few seconds.
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Files handed in together, and how they are to be answered."""

    settings: Settings | None
    now: datetime
    files: tuple[Handed, ...]
    council: str | None = None
    month: Month | None = None
    template: str = "page.html.j2"
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the template shows besides."""
    officer: Council | None = None
    """The council whose data officer gets a letter too."""
    mark: str = ""
    """Tells these files from others, in the letter's key."""
    problems: tuple[str, ...] = ()
    """What is said of files that were not even taken."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The report as a page, and as a letter if one was asked for."""

    page: bytes
    letter: Message | None = None
    personal: tuple[str, ...] = ()
    """Files refused because they hold personal data, which are not to be kept."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence in place of a report."""

    verdict: str
    title: str = "Not checked"
    template: str = "problem.html.j2"
    personal: str = ""
    """The file it is about, if that was refused because it holds personal data."""


DeskResult = HandedReport | Problem


def answered(question: Inquiry, seconds: float = SECONDS) -> Answered:
    """The answer, worked out in a process of its own. A check that fails or takes too long is answered too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "flows.desk.child"],
            input=pickle.dumps(question),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env=environment,
            check=True,
        )
        found = pickle.loads(done.stdout)
        assert isinstance(found, Answered)
    except subprocess.TimeoutExpired:
        why = f"The check was stopped after {seconds:.0f} seconds. Hand in fewer files, or smaller ones."
        return written(question, [Problem(why)])
    except (subprocess.CalledProcessError, EOFError, pickle.UnpicklingError):
        why = "The check ended through a fault of ours, not of your files. Please tell the data team."
        return written(question, [Problem(why)])
    return found


def answer_here(question: Inquiry) -> Answered:
    """The answer, worked out here. A file that cannot be placed is named, and the others are checked."""
    settings = question.settings
    past = past_of(settings, question.now) if settings else None
    landing = landing_of(settings) if settings else None

    def check(files: Sequence[Handed]) -> Sequence[DeskResult]:
        return check_handed(files, council=question.council, month=question.month, landing=landing, past=past)

    try:
        return written(question, check(question.files))
    except ExtractError:
        return written(question, _apart(question.files, check))


def _apart(files: Sequence[Handed], check: Callable[[Sequence[Handed]], Sequence[DeskResult]]) -> list[DeskResult]:
    """A problem for each file that cannot be checked, and the reports on the others, checked together."""
    problems: list[DeskResult] = []
    good = []
    for file in files:
        try:
            check([file])
            good.append(file)
        except ExtractError as error:
            problems.append(Problem(str(error), personal=file.name if isinstance(error, PersonalDataRefused) else ""))
    return [*problems, *(check(good) if good else ())]


def written(question: Inquiry, found: Sequence[DeskResult]) -> Answered:
    """The page and the letter."""
    found = [*(Problem(why) for why in question.problems), *found]
    page = page_of(found, template=question.template, **question.facts)
    personal = tuple(name for one in found for name in _personal(one))
    if question.officer is None or question.settings is None:
        return Answered(page, personal=personal)
    sections = [section for one in found for section in _sections(one)]
    months = [one.report.files.month for one in found if isinstance(one, CheckedFiles)]
    month = months[0] if months else Month.of(london_day(question.now)).plus(-1)
    contact = Contact.of(question.settings)
    return Answered(page, tried_message(question.officer, month, sections, contact, question.mark), personal)


def _personal(one: DeskResult) -> list[str]:
    """The files of a report that were refused because they hold personal data."""
    if isinstance(one, CheckedFiles):
        return [f.file for f in one.report.files.files if f.fate is Fate.PERSONAL]
    return [one.personal] if isinstance(one, Problem) and one.personal else []


def _sections(one: DeskResult) -> Sequence[LetterSection]:
    if isinstance(one, CheckedFiles):
        files = one.report.files
        notes = validation_facts(one.failures, one.council, files.month).notes
        return [LetterSection(one.report.title, (Para(files.verdict),)), *files_sections(files, notes)]
    return [LetterSection(one.title, (Para(one.verdict),))]
