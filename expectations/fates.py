"""What became of a council's files in a month. It is decided here once; every other place only shows it.

Officers' mail, directors' mail, the team's mail, Prefect's artifacts, the validation pages, the region page, the
terminal and JSON all show these objects, so no two of them can say different things about one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import polars as pl

from expectations.batch import Batch, Effect, Outcome, Severity
from features.errors import PersonalDataRefused
from features.months import Month
from features.registry import EXTRACTS, Kind
from features.words import count_words, listed


class Fate(StrEnum):
    """What became of one expected extract. Whether it was late or sent again is stated separately."""

    ACCEPTED = "accepted"
    QUERIES = "accepted with queries"
    IN_PART = "used in part"
    """Figures with errors are withheld; the rest of the file is used."""
    QUARANTINED = "quarantined"
    """It could be read, but nothing in it can be trusted."""
    REFUSED = "refused"
    """It is damaged, or belongs to another council or month."""
    PERSONAL = "personal data"
    """It was refused and not kept."""
    MISSING = "missing"
    UNREAD = "not read"
    """It came, but a fault of ours kept us from reading it; the next run tries again."""

    @classmethod
    def _missing_(cls, value: object) -> Fate | None:
        """Reads the older name: alerts of version 0.1.0 say “partly used”."""
        return cls.IN_PART if value == "partly used" else None

    @property
    def words(self) -> str:
        """In words, to follow “the file was”."""
        return _WORDS[self]

    @property
    def used(self) -> bool:
        """Whether figures are made from the file."""
        return self in (Fate.ACCEPTED, Fate.QUERIES, Fate.IN_PART)

    @property
    def severity(self) -> Severity:
        """How much the council needs to act on it."""
        if self in (Fate.ACCEPTED, Fate.UNREAD):
            return Severity.INFORMATION
        return Severity.QUERY if self is Fate.QUERIES else Severity.ERROR


_WORDS = {
    Fate.ACCEPTED: "used",
    Fate.QUERIES: "used",
    Fate.IN_PART: "used in part",
    Fate.QUARANTINED: "not used",
    Fate.REFUSED: "refused",
    Fate.PERSONAL: "refused and not kept: it holds personal data",
    Fate.MISSING: "not received",
    Fate.UNREAD: "not read yet, through a fault of ours",
}


@dataclass(frozen=True, slots=True)
class FileFate:
    """One extract of one council and month, and what became of it."""

    kind: Kind
    fate: Fate
    file: str = ""
    """The file's name as the council knows it; empty if nothing came."""
    rows: int = 0
    errors: int = 0
    """Number of errors that nobody accepted; each is one check of one column."""
    queries: int = 0
    withheld: tuple[str, ...] = ()
    """Columns whose figures are withheld, in the extract's order."""
    reason: str = ""
    """Why the file is not used, as a sentence for the council; empty if the fault is ours."""
    received: date | None = None
    late: bool = False
    restated: bool = False
    """The file replaces an earlier submission with different content."""

    def with_failures(self, failures: pl.DataFrame) -> FileFate:
        """The same file with the results of the checks, from the council's FAILURES of the month."""
        # A council has a handful of failures, which are counted more quickly here than by a query.
        rows = zip(*(failures[name].to_list() for name in ("extract", "severity", "accepted")), strict=True)
        own = [severity for extract, severity, accepted in rows if extract == str(self.kind) and not accepted]
        errors, queries = own.count(str(Severity.ERROR)), own.count(str(Severity.QUERY))
        fate = self.fate
        if fate is Fate.ACCEPTED:
            fate = Fate.IN_PART if errors or self.withheld else Fate.QUERIES if queries else fate
        return replace(self, fate=fate, errors=errors, queries=queries)

    @property
    def title(self) -> str:
        """The extract's name at the start of a line: `Workforce`."""
        return str(self.kind).capitalize()

    @property
    def state(self) -> str:
        """Everything there is to say in one phrase: `used in part, late; 2 errors, 1 query`."""
        parts = [self.fate.words]
        parts += ["late"] if self.late else []
        parts += ["sent again with changes"] if self.restated else []
        counts = [count_words(self.errors, "error", "errors")] if self.errors else []
        counts += [count_words(self.queries, "query", "queries")] if self.queries else []
        return "; ".join([", ".join(parts), *([", ".join(counts)] if counts else [])])

    @property
    def sentence(self) -> str:
        """`Workforce: received 12 November, used in part; 2 errors.` and the reason, if there is one."""
        came = f"received {self.received.day} {self.received:%B}, " if self.received else ""
        text = f"{self.title}: {came}{self.state}."
        return f"{text} {self.reason.rstrip('.')}." if self.reason else text

    @property
    def detail(self) -> str:
        """The sentence and the withheld columns, for whoever makes or looks after the file."""
        return f"{self.sentence} Withheld: {listed(self.withheld)}." if self.withheld else self.sentence

    @property
    def remarkable(self) -> bool:
        """Whether it belongs in the data team's list of exceptions."""
        return self.fate not in (Fate.ACCEPTED, Fate.QUERIES) or self.late or self.restated


@dataclass(frozen=True, slots=True)
class CouncilFiles:
    """All files of one council and month, and what became of them."""

    la_code: str
    name: str
    month: Month
    files: tuple[FileFate, ...]

    @property
    def who(self) -> str:
        """The council's name and code: `Ashby (Z01)`."""
        return f"{self.name} ({self.la_code})" if self.name else f"Council {self.la_code}"

    @property
    def errors(self) -> int:
        return sum(f.errors for f in self.files)

    @property
    def queries(self) -> int:
        return sum(f.queries for f in self.files)

    def of(self, *fates: Fate) -> tuple[FileFate, ...]:
        """The files with one of these fates."""
        return tuple(f for f in self.files if f.fate in fates)

    @property
    def unused(self) -> tuple[FileFate, ...]:
        """Files that came but are not used because of their content."""
        return self.of(Fate.QUARANTINED, Fate.REFUSED, Fate.PERSONAL)

    @property
    def severity(self) -> Severity:
        """The severity of the worst file."""
        found = {f.fate.severity for f in self.files}
        return next((s for s in Severity if s in found), Severity.INFORMATION)

    @property
    def to_put_right(self) -> bool:
        """Whether the council has anything to do."""
        return self.severity is not Severity.INFORMATION

    @property
    def headline(self) -> str:
        """A few words for a subject or a table: `1 file not used and 2 errors to correct`."""
        missing, unread = self.of(Fate.MISSING), self.of(Fate.UNREAD)
        in_use = [f for f in self.files if f.fate.used]
        errors, queries = (sum(getattr(f, what) for f in in_use) for what in ("errors", "queries"))
        counts = (
            (len(self.unused), "file not used", "files not used"),
            (len(missing), "file missing", "files missing"),
            (errors, "error to correct", "errors to correct"),
            (queries, "query to answer", "queries to answer"),
            (len(unread), "file not read through a fault of ours", "files not read through a fault of ours"),
        )
        said = [count_words(*each) for each in counts if each[0]]
        return listed(said) if said else "your files are in order" if self.files else "no file is recorded"

    @property
    def verdict(self) -> str:
        """Sentences that say whether the files can be used, and what to do."""
        return " ".join(self._verdict()) or "No file is recorded."

    def _verdict(self) -> Iterator[str]:
        in_part, missing, unread = self.of(Fate.IN_PART), self.of(Fate.MISSING), self.of(Fate.UNREAD)
        if self.unused:
            yield f"Not used: {listed([f.file or str(f.kind) for f in self.unused])}."
        if missing:
            yield f"Not received: {listed([str(f.kind) for f in missing])}."
        if in_part:
            errors = count_words(sum(f.errors for f in in_part), "error withholds", "errors withhold")
            yield f"Used in part: {errors} figures."
        if self.unused or in_part:
            one = len(self.unused) + sum(f.errors for f in in_part) == 1
            yield f"Please put {'it' if one else 'them'} right and send again."
        elif missing:
            yield "Please send what is missing."
        if unread:
            names = listed([f.file or str(f.kind) for f in unread])
            yield f"Not read yet, through a fault of ours: {names}. Nothing needs to be sent again."
        queries = sum(f.queries for f in self.files if f.fate.used)
        sound = not (self.unused or in_part or missing or unread)
        if sound and self.files:
            yield "Used." if queries else "Used. Nothing to put right."
        if queries:
            yield f"Please look at {count_words(queries, 'query', 'queries')}."


def file_as_checked(batch: Batch, outcome: Outcome, la_code: str, kind: Kind) -> FileFate:
    """What a month's check says of one file that came. The day it came is not known here."""
    key = (la_code, kind)
    base = FileFate(kind, Fate.ACCEPTED, batch.file(la_code, kind), outcome.checked.get(key, 0))
    if (error := batch.refused.get(key)) is not None:
        fate = Fate.PERSONAL if isinstance(error, PersonalDataRefused) else Fate.REFUSED
        return replace(base, fate=fate, reason=str(error))
    if key in outcome.quarantined:
        why = outcome.of_council(la_code).filter(
            (pl.col("extract") == str(kind)) & (pl.col("effect") == str(Effect.QUARANTINED)) & ~pl.col("accepted")
        )
        reason = str(why["message"][0]) if why.height else "The file cannot be trusted."
        return replace(base, fate=Fate.QUARANTINED, reason=reason)
    fields = [field.name for field in EXTRACTS[kind].fields]
    return replace(base, withheld=tuple(name for name in fields if (*key, name) in outcome.withheld))


def files_as_checked(batch: Batch, outcome: Outcome, la_code: str, name: str = "") -> CouncilFiles:
    """The files a council sent, as the checks see them. Expected files that did not come are not known here."""
    came = {kind for la, kind in (*outcome.checked, *batch.files, *batch.refused) if la == la_code}
    failures = outcome.of_council(la_code)
    files = [file_as_checked(batch, outcome, la_code, k).with_failures(failures) for k in Kind if k in came]
    return CouncilFiles(la_code, name, outcome.month, tuple(files))
