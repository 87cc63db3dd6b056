"""Failures that ingest found: cells it could not read, files it refused."""

from __future__ import annotations

from collections.abc import Mapping

from features.errors import (
    ExtractError,
    HeaderMismatch,
    PersonalDataRefused,
    UnreadableExtract,
    WrongCouncilOrMonth,
)
from features.months import Month
from features.registry import COUNTS, EXTRACTS, FieldType, Kind

_TO_DO_BY_TYPE: dict[FieldType, str] = {
    FieldType.DATE: "Write dates as YYYY-MM-DD or DD/MM/YYYY; leave the cell empty if there is none.",
    FieldType.INTEGER: "Write a whole number, or leave the cell empty.",
    FieldType.DECIMAL: "Write a number with a point, such as 0.8, or leave the cell empty.",
    FieldType.FLAG: "Write 1 for yes and 0 for no.",
    FieldType.CODE: "Use one of the codes.",
    FieldType.REFERENCE: "Write the reference as text.",
    FieldType.TEXT: "Write plain text.",
}

_REFUSALS: tuple[tuple[type[ExtractError], str], ...] = (
    (PersonalDataRefused, "personal_data"),
    (HeaderMismatch, "headers"),
    (WrongCouncilOrMonth, "council_or_month"),
    (UnreadableExtract, "unreadable"),
)


def problem_message(kind: Kind, column: str, problem: str, rows: str, texts: Mapping[str, str]) -> str:
    """The message about cells that ingest could not read; `problem` is ingest's code, `texts` its wording.

    `rows` says how many rows of how many, and where they are if that is elsewhere in the file.
    """
    if problem in texts:
        return f"{column} could not be read: {rows}. The cell {texts[problem]}."
    what, to_do = problem.replace("_", " "), _TO_DO_BY_TYPE[EXTRACTS[kind].field(column).type]
    return f"{column} could not be read ({what}): {rows}. {to_do}"


def refusal_check(kind: Kind, error: ExtractError) -> str:
    """The code of the check that a refused file failed."""
    what = next((name for cause, name in _REFUSALS if isinstance(error, cause)), "refused")
    return f"{kind}.file.{what}"


def refusal_message(kind: Kind, file: str, month: Month, error: ExtractError) -> str:
    """Why a file was refused, without its name, council and month, which stand beside it wherever it is shown."""
    said = str(error)
    before, here, rest = said.partition(f"{file}: ")
    if not here or before and not before.endswith(f", {month.in_words}, "):
        return said
    begins_with_field = rest.partition(" ")[0].strip("“”:,") in {f.name for f in EXTRACTS[kind].fields}
    return rest if begins_with_field else f"{rest[:1].upper()}{rest[1:]}"


def not_counted(kind: Kind, column: str) -> str:
    """What a file without this column gives no count of, as a sentence after a space; empty if nothing needs it."""
    counts = [c.description.rstrip(".") for c in COUNTS if c.extract is kind and column in c.needs]
    return f" Without it these are not counted: {'; '.join(counts)}." if counts else ""


def gone_message(kind: Kind, column: str, was_empty: float) -> str:
    """The message about a column that the file had in earlier months and does not have any more."""
    return (
        f"The file has no column {column} any more, which was filled in {1 - was_empty:.0%} of rows."
        f"{not_counted(kind, column)} Send the file again with it, or tell the data team that it has gone for good."
    )


def rows_of(rows: int, of: int) -> str:
    """`3 of 210 rows`, or `1 of 1 row`."""
    return f"{rows:,} of {of:,} {'row' if of == 1 else 'rows'}"
