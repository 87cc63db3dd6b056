"""The words in a home-made file: how near two names are, and which code a word of a category probably means."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import polars as pl

from features.registry import Field, FieldType
from flows.extracts.propose.hints import ABBREVIATIONS, CODE_WORDS, OTHER_POSTS
from flows.extracts.reading.cells import read_cells
from flows.extracts.reading.headers import normalised
from flows.extracts.reading.table import RawTable

#: Words of a category are short and repeat; a column of many different texts is not a category.
_MOST_WORDS, _LONGEST_WORD = 40, 60


@dataclass(frozen=True, slots=True)
class WordProposal:
    """A word in the file that is not one of the field's codes."""

    field: Field
    word: str
    rows: int
    suggested: str | None
    """The code it probably is; to be confirmed."""


@lru_cache(maxsize=20_000)
def near(one: str, other: str) -> float:
    """Likeness of two names: by their letters, and by their words in any order.

    Only the same words in another order, or a typing slip, score above 0.9. A name with one more word means something
    else (“absence start date”), however much of it is the same.
    """
    if one.replace(" ", "") == other.replace(" ", ""):
        return 1.0
    ours, theirs = one.split(), other.split()
    if sorted(ours) == sorted(theirs):
        return 0.95
    words = 2 * len(set(ours) & set(theirs)) / (len(set(ours)) + len(set(theirs)))
    # Most pairs share no word and too few letters. The letters in their order need not be compared then.
    if not words and 2 * (_letters(one) & _letters(other)).total() < 0.8 * (len(one) + len(other)):
        return 0.0
    letters = SequenceMatcher(None, one, other).ratio()
    if letters >= 0.9 and len(ours) == len(theirs):
        return 0.92
    # “Assignment” and “absent” share most of their letters and nothing else.
    return min(max(words, letters if letters >= 0.8 or words else 0.0), 0.85)


@lru_cache(maxsize=20_000)
def _letters(name: str) -> Counter[str]:
    return Counter(name)


@lru_cache(maxsize=20_000)
def words_in(text: str) -> tuple[str, ...]:
    """The words of a name, short forms written out."""
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", text.replace("%", " percent"))
    found = re.findall(r"[a-z0-9]+", split.casefold())
    return tuple(word for short in found for word in ABBREVIATIONS.get(short, short).split())


def declared_words(declared: Field) -> dict[str, str]:
    """Code -> label of a field with codes; of a flag 1 and 0."""
    if declared.type is FieldType.FLAG:
        return {"1": "yes", "0": "no"}
    return dict(declared.codes)


def is_category(filled: pl.Series) -> bool:
    """Whether the column has few, short words that repeat, as a category does and names or notes do not."""
    distinct = filled.unique()
    long = distinct.str.len_chars().max()
    few = distinct.len() <= max(3, min(_MOST_WORDS, filled.len() // 2))
    return few and isinstance(long, int) and long <= _LONGEST_WORD


def words_to_map(table: RawTable, header: str, declared: Field) -> tuple[list[WordProposal], int]:
    """The words of a column that are not codes of the field, and how many rows hold no category word.

    A text with digits as in a number, an @ or of unusual length may be somebody's data: it is counted, not shown.
    """
    if not declared_words(declared):
        return [], 0
    position = next(i for i, h in enumerate(table.headers) if normalised(h) == normalised(header))
    filled = table.cells[str(position)].drop_nulls()
    problems = read_cells(filled, declared).problems
    if problems is None:
        return [], 0
    strange = filled.filter(problems.is_not_null())
    if not is_category(filled):
        return [], strange.len()
    counts = strange.value_counts().sort(strange.name, descending=False)
    found, hidden = [], 0
    for word, rows in counts.iter_rows():
        if re.search(r"\d{4}|@", word):
            hidden += rows
        else:
            found.append(WordProposal(declared, word, rows, _suggested(word, declared)))
    return sorted(found, key=lambda w: (-w.rows, w.word)), hidden


def _suggested(word: str, declared: Field) -> str | None:
    """The code whose label or usual words are nearest, if one is clearly nearer than the others."""
    usual = CODE_WORDS.get(declared.name, {})
    given = " ".join(words_in(word))
    names = {
        code: [" ".join(words_in(n)) for n in (label, *usual.get(code, ()))]
        for code, label in declared_words(declared).items()
    }
    scores = {code: max(near(given, n) for n in known) for code, known in names.items()}
    best = max(scores, key=lambda c: scores[c])
    second = max((s for c, s in scores.items() if c != best), default=0.0)
    if scores[best] >= 0.75 and scores[best] - second >= 0.05:
        return best
    # “Social Worker (Locum)” holds the name of a post; of several, the longest is meant.
    held = [(len(n), n, code) for code, known in names.items() for n in known if f" {n} " in f" {given} "]
    if not held or OTHER_POSTS & (set(given.split()) - set(max(held)[1].split())):
        return None
    return max(held)[2]


def known_words(filled: pl.Series, declared: Field) -> float:
    """The share of a category's cells with a word that systems use for one of the field's codes."""
    known = sum(int(rows) for word, rows in filled.value_counts().iter_rows() if _suggested(word, declared))
    return known / filled.len()


def _says_agency(filled: pl.Series, declared: Field) -> int:
    """In how many rows a column of a category says that somebody is an agency worker, or is not."""
    return int(filled.str.contains(r"(?i)\b(?:agency|locum|permanent|fixed term)\b").sum())


def _says_roles(filled: pl.Series, declared: Field) -> int:
    """In how many rows a column of a category names a post, if most do."""
    known = known_words(filled, declared)
    return round(known * filled.len()) if known > 0.5 else 0


#: Fields that are also found by the words in a column, whatever its name.
BY_WORDS: Mapping[str, Callable[[pl.Series, Field], int]] = {"agency_worker": _says_agency, "org_role": _says_roles}
