"""Reads the file as a stream: header and vacancies as they are written, workers a few thousand at a time.

The parser is defusedxml's. It refuses document types, and with them every entity and every external reference. Only the
chunk being filled is kept, so memory does not grow with the file. A file that is not a return is refused in a sentence
that repeats none of its content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from features.errors import UnreadableExtract
from flows.extracts.formats.csww.elements import COLLECTION_DETAILS, NAMES, POSITION, SOURCE, VACANCIES

CHUNK_WORKERS = 10_000
_READ_BYTES = 1 << 16
#: No value of a return is longer than this. Longer text is cut off, and the element is then not a permitted value.
_LONGEST_TEXT = 1_000
_DEEPEST = 20
#: No single tag is this long; expat would have to hold all of it.
_LONGEST_TAG = 4_000_000

_AGAIN = "Export the return again and send it."
#: expat's errors: unknown encoding, incorrect encoding.
_ENCODING_FAULTS = (18, 19)

_BLOCKS = ("Header", "LALevelVacancies", "CSWWWorker")
_VACANCY_NAMES = tuple(e.name for e in VACANCIES)
_LOOKALIKE = {name.casefold(): name for name in (*NAMES, *_VACANCY_NAMES, *COLLECTION_DETAILS, *SOURCE, *_BLOCKS)}

#: A chunk: the worker's number in the file from 1, the line on which its record begins, the state of its elements, and
#: the text of each, null if the element is missing and "" if it is empty.
WORKERS = pl.Schema(
    {
        "worker": pl.UInt32(),
        "line": pl.UInt32(),
        "twice": pl.UInt32(),  # bit i: element i occurs more than once
        "differs": pl.UInt32(),  # bit i: … with another text
        "unordered": pl.Boolean(),
        "unknown": pl.UInt32(),  # elements the return does not have
        **dict.fromkeys(NAMES, pl.String()),
    }
)


@dataclass(slots=True)
class Block:
    """The header or the vacancies, as text by element name; an element that occurs twice keeps both texts."""

    count: int = 0
    line: int = 0
    texts: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The text of an element, None if it is missing or says two different things."""
        given = set(self.texts.get(name, ()))
        return given.pop() if len(given) == 1 else None


@dataclass(slots=True)
class Outline:
    """What the file holds besides its workers; complete once the stream has been read to its end."""

    header: Block = field(default_factory=Block)
    vacancies: Block = field(default_factory=Block)
    sources: int = 0
    workers: int = 0
    unordered_blocks: bool = False
    unknown_blocks: int = 0
    lookalikes: dict[str, int] = field(default_factory=dict)
    """How often each known element was written with different capitals; these are not read."""


class Stream:
    """Reads a return once, from its beginning to its end."""

    def __init__(self, source: bytes | Path, name: str, chunk: int = CHUNK_WORKERS) -> None:
        self._source, self._name, self._chunk = source, name, chunk
        self.outline = Outline()

    def chunks(self) -> Iterator[pl.DataFrame]:
        """WORKERS, in the order of the file. Raises UnreadableExtract for a file that is not a return."""
        # This keeps defusedxml's safeguards without its wrappers around each event, which take most of the time.
        parser = XMLParser(target=object(), forbid_dtd=True)
        target = _Target(parser.parser, self.outline, self._name)
        fed = 0
        with _opened(self._source, self._name) as file:
            try:
                while content := file.read(_READ_BYTES):
                    _feed(parser, content, target, self._name)
                    fed += len(content)
                    if fed - max(parser.parser.CurrentByteIndex, 0) > _LONGEST_TAG:
                        raise UnreadableExtract(f"{self._name}: a tag of the file never ends. {_AGAIN}")
                    if len(target.rows) >= self._chunk:
                        yield target.take()
                if not fed:
                    raise UnreadableExtract(f"{self._name}: the file is empty. Send it again.")
                parser.close()
            except DefusedXmlException:
                raise UnreadableExtract(
                    f"{self._name}: the file declares a document type or entities, which a return never needs and "
                    "which can be used to do harm. It was not read. Export the return again without them."
                ) from None
            except ParseError as fault:
                raise UnreadableExtract(f"{self._name}: {_where_broken(fault, target.began)}. {_AGAIN}") from None
        yield target.take()
        if not self.outline.workers:
            raise UnreadableExtract(f"{self._name}: the return has no CSWWWorker. Export it again with its workers.")


def _feed(parser: Any, content: bytes, target: _Target, name: str) -> None:
    """Hand bytes to the parser; an encoding that XML does not allow is found before the first element."""
    try:
        parser.feed(content)
    except (LookupError, ValueError) as error:
        if target.began or isinstance(error, DefusedXmlException):
            raise
        raise UnreadableExtract(
            f"{name}: the encoding the file names is not known. Export the return as UTF-8."
        ) from None


def _opened(source: bytes | Path, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return BytesIO(source)
    try:
        return source.open("rb")
    except OSError:
        raise UnreadableExtract(f"There is no file {name}, or it may not be read.") from None


def _where_broken(fault: ParseError, began: bool) -> str:
    """Where the XML breaks off; expat's own words give no content, and its numbers are enough."""
    if fault.code in _ENCODING_FAULTS:
        return "its text is not in the encoding it names; export the return as UTF-8"
    if not began:
        return "the file is no XML"
    line, column = fault.position
    return f"the XML breaks off or is damaged, or its text is not UTF-8, at line {line:,}, character {column + 1:,}"


class _Target:
    """Receives the parser's events: the header's texts into the outline, each worker into a row.

    Nine events in ten belong to a worker's elements, so workers have their own handlers that do nothing else.
    """

    def __init__(self, parser: Any, outline: Outline, name: str) -> None:
        self.parser, self.outline, self.name = parser, outline, name
        self.rows: list[tuple[Any, ...]] = []
        self.depth = 0
        self.began = False
        self._text = ""
        self._block = ""
        self._group = ""
        self._last_block = 0
        # State of the worker being read:
        self._cells: list[str | None] = []
        self._line = self._last = self._twice = self._differs = self._unknown = 0
        self._unordered = self._mixed = False
        parser.CharacterDataHandler = self.data
        self._listen()

    def take(self) -> pl.DataFrame:
        """Return the workers gathered so far as WORKERS, and forget them."""
        columns = list(zip(*self.rows, strict=True)) or [()] * len(WORKERS)
        self.rows = []
        return pl.DataFrame(dict(zip(WORKERS, columns, strict=True)), schema=WORKERS)

    def data(self, text: str) -> None:
        if len(self._text) <= _LONGEST_TEXT:
            self._text += text

    def _listen(self) -> None:
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end

    def start(self, tag: str, attributes: object) -> None:
        self.depth += 1
        self._text = ""
        if self.depth > _DEEPEST:
            raise UnreadableExtract(f"{self.name}: elements are nested more deeply than any return's. {_AGAIN}")
        if self.depth == 1:
            self.began = True
            if tag != "Message":
                raise UnreadableExtract(f"{self.name}: {_other_root(tag)}")
        elif self.depth == 2:
            self._open_block(tag)
        elif self.depth == 3 and self._block == "Header":
            self._group = tag
            self._check_name(tag, ("CollectionDetails", "Source"))
            self.outline.sources += tag == "Source"

    def end(self, tag: str) -> None:
        depth, self.depth = self.depth, self.depth - 1
        if depth == 3 and self._block == "LALevelVacancies":
            self._put(self.outline.vacancies, tag, _VACANCY_NAMES)
        elif depth == 4 and self._block == "Header":
            self._put(self.outline.header, tag, COLLECTION_DETAILS if self._group == "CollectionDetails" else SOURCE)

    def _open_block(self, tag: str) -> None:
        self._block = tag
        if tag not in _BLOCKS:
            self._check_name(tag, ())
            self.outline.unknown_blocks += 1
            return
        number = _BLOCKS.index(tag)
        self.outline.unordered_blocks |= number < self._last_block
        self._last_block = max(number, self._last_block)
        if tag == "CSWWWorker":
            self._cells = [None] * len(NAMES)
            self._line, self._last = self.parser.CurrentLineNumber, -1
            self._twice = self._differs = self._unknown = 0
            self._unordered = self._mixed = False
            self.parser.StartElementHandler = self._start_in_worker
            self.parser.EndElementHandler = self._end_in_worker
            return
        block = self.outline.header if tag == "Header" else self.outline.vacancies
        block.count += 1
        block.line = self.parser.CurrentLineNumber

    def _start_in_worker(self, tag: str, attributes: object) -> None:
        self.depth += 1
        self._text = ""
        if self.depth > 3:
            if self.depth > _DEEPEST:
                raise UnreadableExtract(f"{self.name}: elements are nested more deeply than any return's. {_AGAIN}")
            self._mixed = True
            self._unknown += 1

    def _end_in_worker(self, tag: str) -> None:
        depth, self.depth = self.depth, self.depth - 1
        if depth > 3:
            return
        if depth == 2:
            self.outline.workers += 1
            state = (self._twice, self._differs, self._unordered, self._unknown)
            self.rows.append((self.outline.workers, self._line, *state, *self._cells))
            self._listen()
            return
        number = POSITION.get(tag)
        if number is None:
            self._unknown += 1
            self._check_name(tag, ())
        else:
            # An element inside an element leaves no text that could be mistaken for its value.
            self._put_cell(number, "<" if self._mixed else self._text.strip())
        self._mixed = False

    def _put_cell(self, number: int, text: str) -> None:
        there = self._cells[number]
        if there is None:
            self._cells[number] = text
        else:
            self._twice |= 1 << number
            if there != text:
                self._differs |= 1 << number
        if number < self._last:
            self._unordered = True
        self._last = number

    def _put(self, block: Block, tag: str, known: tuple[str, ...]) -> None:
        if tag in known:
            block.texts.setdefault(tag, []).append(self._text.strip())
        else:
            self._check_name(tag, known)

    def _check_name(self, tag: str, known: tuple[str, ...]) -> None:
        meant = _LOOKALIKE.get(tag.casefold())
        if meant is not None and tag not in known and tag != meant:
            self.outline.lookalikes[meant] = self.outline.lookalikes.get(meant, 0) + 1


def _other_root(tag: str) -> str:
    if tag.rpartition("}")[2] == "Message":
        return (
            "the elements belong to an XML namespace, and those of a return do not. "
            "Export the return without a namespace."
        )
    return "the file is XML, but no workforce return: it does not begin with Message. Check which file was sent."
