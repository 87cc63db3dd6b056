"""Says where something is, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from features.errors import ExtractError, UnreadableExtract
from features.months import Month
from features.words import listed

_SHOWN = 10


@contextmanager
def damage_as_sentence(where: Where) -> Iterator[None]:
    """Turns a library's error on a file into a sentence about the file."""
    try:
        yield
    except (ExtractError, MemoryError, TimeoutError):
        raise
    except BaseException as error:
        # The libraries' Rust parts raise panics, which are not an Exception; no other BaseException comes from the
        # file.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UnreadableExtract(
            f"{where}: the file is damaged or incomplete ({type(error).__name__}). Export it again and send it again."
        ) from None


@dataclass(frozen=True, slots=True)
class Where:
    """A council's file of a month, as the start of every sentence about it."""

    council: str
    month: Month
    filename: str

    def __str__(self) -> str:
        return f"{self.council}, {self.month.in_words}, {self.filename}"


def rows_in_words(rows: list[int]) -> str:
    """`row 4` or `rows 4, 9 and 12`, the first ten and how many more; the header is row 1."""
    more = [f"{len(rows) - _SHOWN:,} more"] if len(rows) > _SHOWN else []
    return f"row{'' if len(rows) == 1 else 's'} {listed([*map(str, rows[:_SHOWN]), *more])}"
