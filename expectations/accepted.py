"""Failures that somebody has looked at and accepted for a limited time.

The list is a reviewed file (`accepted.toml`), not a switch. Each entry says who accepted what, why, and until which
month. A failure that matches is marked in every report and never dropped, and it no longer withholds anything. An entry
is about one thing, so at most one of its four names may hold a wildcard. A failure that makes a whole file useless, or
figures in another unit, cannot be accepted: no reason would justify showing such a number.

To accept that references were reissued is to confirm it: nobody can be followed into that month all the same, and the
charts of what needs the month before begin anew there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import polars as pl

from expectations.suites.rules import identifies
from features.errors import SettingsError
from features.months import Month
from features.registry import Kind

#: The last part of the code of checks that can never be accepted: the number cannot be what the column says, or the
#: rows belong to nobody.
_NEVER = frozenset(
    {"range", "unit", "all_zero", "whole_hours", "exchanged", "total", "unique", "month", "core", "lost", "absent"}
)
_WILD = frozenset("*?[")

_KEYS = ("check", "council", "extract", "column", "reason", "accepted_by", "expires")


@dataclass(frozen=True)
class Accepted:
    """One accepted failure. `check`, `council`, `extract` and `column` may hold `*`; see `matches`."""

    check: str
    council: str
    extract: str
    column: str
    reason: str
    accepted_by: str
    """A role, not a name: “data team lead”."""
    expires: Month
    """The last month in which the acceptance holds."""

    def matches(self, check: str, la_code: str, extract: str, column: str | None) -> bool:
        """Whether it is meant for this failure, in any month. Not `==`: a pattern equals only itself."""
        return (
            fnmatchcase(check, self.check)
            and fnmatchcase(la_code, self.council)
            and fnmatchcase(extract, self.extract)
            and fnmatchcase(column or "", self.column)
        )

    def holds_in(self, month: Month) -> bool:
        """Whether it still holds in a month."""
        return month <= self.expires


def read_accepted(text: str, where: str) -> tuple[Accepted, ...]:
    """Read the list from TOML: tables `[[accepted]]` in which every key except `column` is required.

    Raises SettingsError naming file, entry and key.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where}: the list of accepted failures is not TOML: {error}.") from error
    except RecursionError:
        raise SettingsError(f"{where}: brackets are nested more deeply than any entry. Take them out.") from None
    if unknown := sorted(set(content) - {"accepted"}):
        raise SettingsError(f"{where}: only [[accepted]] tables belong here, not {', '.join(unknown)}.")
    entries = content.get("accepted", [])
    if not isinstance(entries, list):
        raise SettingsError(f"{where}: write [[accepted]], with two brackets, before each entry.")
    return tuple(_entry(entry, f"{where}, entry {number}") for number, entry in enumerate(entries, start=1))


def _entry(entry: dict[str, object], where: str) -> Accepted:
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise SettingsError(f"{where}: nobody reads {', '.join(unknown)}. The keys are {', '.join(_KEYS)}.")
    values = {key: str(entry.get(key, "")).strip() for key in _KEYS}
    values["column"] = values["column"] or "*"
    if missing := [key for key in _KEYS if not values[key]]:
        raise SettingsError(
            f"{where}: {', '.join(missing)} must be given; an acceptance without reason or end is a hole."
        )
    wild: list[str] = [
        key for key in ("check", "council", "extract", "column") if key in entry and _WILD & set(values[key])
    ]
    if "column" not in entry and _WILD & set(values["check"].rpartition(".")[0] or values["check"]):
        wild.append("column, which is left out")
    if len(wild) > 1:
        raise SettingsError(
            f"{where}: {', '.join(wild)} hold wildcards. An acceptance is about one thing: at most one of check, "
            "council, extract and column may hold one; write an entry for each."
        )
    if not _WILD & set(values["check"]) and not may_be_accepted(values["check"]):
        raise SettingsError(
            f"{where}: {values['check']} cannot be accepted. What makes a whole file useless, or figures of another "
            "unit, is put right at its source."
        )
    return Accepted(
        check=values["check"],
        council=values["council"],
        extract=values["extract"],
        column=values["column"],
        reason=values["reason"],
        accepted_by=values["accepted_by"],
        expires=Month.parse(values["expires"]),
    )


def may_be_accepted(check: str) -> bool:
    """Whether anybody may accept a failure of this check (`extract.column.what`)."""
    extract, _, rest = check.partition(".")
    column, _, what = rest.rpartition(".")
    if what in _NEVER or column == "file":
        return False
    # Rows without a readable key or month cannot be attributed to anybody. “Gone” and “reissued” are about the key too,
    # but only ask about missing people and new references.
    return what in ("gone", "reissued") or extract not in set(Kind) or not identifies(Kind(extract), column)


def accepting(
    entries: Sequence[Accepted], check: str, la_code: str, extract: str, column: str | None, month: Month
) -> Accepted | None:
    """The first entry that accepts this failure in this month, or None."""
    if not may_be_accepted(check):
        return None
    return next((e for e in entries if e.holds_in(month) and e.matches(check, la_code, extract, column)), None)


def expired(entries: Sequence[Accepted], month: Month) -> tuple[Accepted, ...]:
    """Entries that no longer hold: to be reviewed, then renewed with a new reason or removed."""
    return tuple(e for e in entries if not e.holds_in(month))


def unmatched(entries: Sequence[Accepted], failures: pl.DataFrame, month: Month) -> tuple[Accepted, ...]:
    """Entries that hold but matched none of the month's FAILURES: perhaps the cause is gone."""
    seen = failures.filter(pl.col("accepted")).select("check", "la_code", "extract", "column").unique().rows()
    return tuple(e for e in entries if e.holds_in(month) and not any(e.matches(*row) for row in seen))
