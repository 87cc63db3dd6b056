"""Cells of published files: symbols that are not numbers, and dates in several forms."""

from __future__ import annotations

import polars as pl

from features.registry import DFE_SYMBOLS


def _trimmed(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.replace_all(",", "").str.strip_suffix("%")


def number(column: str) -> pl.Expr:
    """The cell as a Float64; a symbol, a word or an empty cell is null, never a number."""
    value = _trimmed(column).cast(pl.Float64(), strict=False)
    return pl.when(value.is_finite()).then(value)


def missing_reason(column: str) -> pl.Expr:
    """Why a cell holds no number: DfE's symbol in words, `not reported` if empty, else null."""
    symbol = pl.col(column).str.strip_chars().str.to_lowercase()
    known = symbol.replace_strict({s: str(m) for s, m in DFE_SYMBOLS.items()}, default="not reported")
    return pl.when(number(column).is_null()).then(known.fill_null("not reported"))


def unknown_symbols(frame: pl.DataFrame, columns: list[str]) -> list[str]:
    """Cells that are neither numbers nor known symbols: they are read as missing, and reported."""
    found: set[str] = set()
    for column in columns:
        odd = frame.filter(pl.col(column).is_not_null() & number(column).is_null())[column]
        found |= {s.strip().lower() for s in odd.unique() if s is not None} - set(DFE_SYMBOLS)
    return sorted(found)


def day(column: str) -> pl.Expr:
    """A date in any of the publishers' forms; two-digit years are of this century."""
    text = pl.col(column).str.strip_chars()
    # %Y would read 19/11/21 as the year 21, so the length of the form is checked first.
    forms = {
        r"^\d{4}-\d{2}-\d{2}": "%Y-%m-%d",
        r"^\d{1,2}/\d{1,2}/\d{4}$": "%d/%m/%Y",
        r"^\d{1,2}/\d{1,2}/\d{2}$": "%d/%m/%y",
        r"^\d{1,2}-\d{1,2}-\d{4}$": "%d-%m-%Y",
        r"^\d{1,2} [A-Za-z]+ \d{4}$": "%d %B %Y",
    }
    return pl.coalesce(
        text.str.extract(f"({pattern})").str.to_date(form, strict=False) for pattern, form in forms.items()
    )
