"""Tells what the values of a column, or a text, look like: personal numbers, addresses, births, people's names.

It never returns what it found, only the kind. Shapes that can occur by chance (a number of ten digits, a code like a
postcode) count if most of a column has them; shapes that nothing else has count at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

import polars as pl

from flows.extracts.personal.headers import words_of
from flows.extracts.personal.words import (
    ALSO_WORDS,
    FAMILY_NAMES,
    FIRST_NAMES,
    LABEL_WORDS,
    OTHER_DATES,
    PEOPLE,
    PLACES,
    THINGS,
    TITLES,
)

#: A cell with more characters than this cannot be a header.
SHORT = 40
EMAIL, NATIONAL, ADDRESS = "an e-mail address", "a national number", "a postcode"
TELEPHONE, BIRTH, NAME, FREE_TEXT = "a telephone number", "dates of birth", "names of people", "free text"

#: A longer cell is a text that somebody wrote; only this many characters are searched.
_LOOKED_AT = 4_000
# Every part has an upper bound, so that the time is linear whatever a cell holds.
_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NI = re.compile(
    r"(?<![A-Z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ .-]?\d\d[ .-]?\d\d[ .-]?\d\d[ .-]?[A-D]"
    r"(?![A-Z0-9])",
    re.IGNORECASE,
)
_NHS = re.compile(r"(?<![\d.-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?![\d-]|\.\d)")
#: The letters that UK postcodes begin with.
_AREAS = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|"
    "L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)
_POSTCODE = re.compile(
    rf"(?<![A-Z0-9])(?:{_AREAS})(?:\d{{1,2}}|\d[A-Z])(?P<gap>[ \u00a0]{{1,4}}|)\d[ABD-HJLNP-UW-Z]{{2}}(?![A-Z0-9])",
    re.IGNORECASE,
)
_TELEPHONE = re.compile(
    r"(?<![\w.+/-])(?:\+44[ -]?(?:\(0\))?[ -]?[1-9]|0044[ -]?[1-9]|\(0[1-9]\d{1,4}\)|07\d|0[12378]\d{1,4}[ -])"
    r"(?:[ -]?\d){5,10}(?![\w/-])"
)
_BARE_TELEPHONE = re.compile(r"^(?:0[12378]\d{8,9}|0?7[1-9]\d{8}|44[127]\d{8,9})$")
_SAYS_BIRTH = re.compile(r"\b(?:d\.?\s?o\.?\s?b\.?|date of birth|born(?: on| in)?)\W{0,4}\d", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MADE_BY = re.compile(
    r"\b(?:author|user|contact|owner|printed|prepared|produced|generated|exported|extracted|created|run|written|made|"
    r"requested|report(?:ed)?|queries|questions|send|return)\b",
    re.IGNORECASE,
)
_VOWEL = re.compile("[aeiouyàáâäåæèéêëìíîïòóôöøùúûü]", re.IGNORECASE)
_GENITIVE = re.compile(r"[’']s\b")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_PROSE = re.compile(r"\b[a-z]{2,}\b")
_INITIALED = re.compile(r"^(?:[A-Z](?:\. ?| )){1,3}[A-Z][\w'’-]{2,}$|^[A-Z][\w'’-]{2,},? [A-Z]\.?(?: ?[A-Z]\.?)?$")
_DAY = re.compile(
    r"^(?:(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)"
    r"|(?P<d2>\d\d?)[ /.-](?P<m2>\d\d?|[A-Za-z]{3,9})[ /.-](?P<y2>\d{4}|\d\d)"
    r"|(?P<m3>[A-Za-z]{3,9})\.? (?P<d3>\d\d?),? (?P<y3>\d{4})|(?P<y4>(?:19|20)\d\d)(?P<m4>[01]\d)(?P<d4>[0-3]\d))"
    r"(?:[ T].*)?$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_UPN = re.compile(r"(?<![A-Z0-9])([A-HJ-NP-RT-Z])(\d{11}[\dA-Z])(?![A-Z0-9])")
_NOT_NAMES = LABEL_WORDS | THINGS | PEOPLE | PLACES
#: Family names like these are names of towns and districts too (Burton, Shipley).
_TOWN = re.compile(
    r"(?:ton|ley|ham|ford|field|worth|wood|well|by|bury|don|den|land|brook|ridge|hurst|low|combe|marsh|bank)s?$"
)
#: Words that are a name and nothing else, and the number of a person or post beside a name.
_ONLY_NAMES = FIRST_NAMES | {name for name in FAMILY_NAMES if not _TOWN.search(name)}
_ONLY_NAMES -= ALSO_WORDS | _NOT_NAMES
_NUMBER = re.compile(r"(?<![\w/-])[\w/-]{0,12}\d[\w/-]{0,12}")

_FEW, _SOME, _MOST = 0.2, 0.3, 0.6
_FEWEST_BIRTHS = 3
_ENOUGH, _PLENTY = 8, 12  # with fewer values, the look of a column, or of single words, shows nothing
_LONG_TEXT, _MANY_WORDS = 60, 6
_TELEPHONE_DIGITS = (10, 13)
_CHILD, _ADULT, _OLDEST = 18.5, 18.0, 90.0


def personal_in_column(header: str, values: pl.Series, *, people: bool = False, on: date | None = None) -> str | None:
    """The kind of personal data in the values of a column outside the contract, or None.

    `values` is text; `people`: the header names a kind of person; `on`: the day the file describes.
    """
    given = values.drop_nulls()
    distinct = [v.strip() for v in given.unique(maintain_order=True).to_list() if v.strip()]
    if not distinct:
        return None
    return (
        _by_shape(distinct)
        or _by_share(distinct)
        or (BIRTH if _are_births(header, given, on) else None)
        or (NAME if _are_names(header, distinct, given.len(), people) else None)
        or (FREE_TEXT if _is_free_text(distinct) else None)
    )


def personal_in_text(text: str, *, names: bool = True) -> str | None:
    """The kind of personal data anywhere in a text, or None."""
    text = text[:_LOOKED_AT]
    if "@" in text and _EMAIL.search(text):
        return EMAIL
    if _SAYS_BIRTH.search(text):
        return BIRTH
    if any(c.isdigit() for c in text):
        if _NI.search(text) or any(map(_is_upn, _UPN.finditer(text))) or any(map(_is_nhs, _ten_digits(text))):
            return NATIONAL
        if any(m["gap"] and m[0].isupper() for m in _POSTCODE.finditer(text)):
            return ADDRESS
        if any(_is_telephone(m[0]) for m in _TELEPHONE.finditer(text)):
            return TELEPHONE
    return NAME if names and _names_somebody(text) else None


def is_name(text: str) -> bool:
    """Whether a whole cell is one person's name, judged by known names."""
    words = [w.casefold() for w in _WORD.findall(_ASIDE.sub("", text))]
    if not 2 <= len(words) <= 5 or any(c.isdigit() for c in text):
        return False
    if words[0] in TITLES:
        return not set(words[1:]) & _NOT_NAMES
    outer = words[-1] if "," in text else words[0]
    rest = [w for w in words if w != outer]
    known = _is_in(outer, FIRST_NAMES) and (
        all(_is_in(w, FAMILY_NAMES) for w in rest) or not set(rest) & _NOT_NAMES and outer not in ALSO_WORDS
    )
    turned = words[-1] in FIRST_NAMES and words[0] in FAMILY_NAMES
    return known or turned


def _is_in(word: str, names: frozenset[str]) -> bool:
    """Whether a word, or a part of a double name, is one of these names."""
    return word in names or ("-" in word and any(part in names for part in word.split("-")))


def _names_somebody(text: str) -> bool:
    """Whether a known first name is followed by a possible family name, both with a capital."""
    if is_name(text):
        return True
    text = _GENITIVE.sub("", text)
    words = list(_WORD.finditer(text))
    for first, second in zip(words, words[1:], strict=False):
        between = text[first.end() : second.start()]
        if between not in (" ", ", ") or not (first[0][0].isupper() and second[0][0].isupper()):
            continue
        one, other = first[0].casefold(), second[0].casefold()
        if one in TITLES and other not in _NOT_NAMES and between == " ":
            return True
        if {one, other} & (_NOT_NAMES - FAMILY_NAMES - FIRST_NAMES):
            continue
        if (one in FIRST_NAMES and other in FAMILY_NAMES) or (one in FAMILY_NAMES and other in FIRST_NAMES):
            return True
    return False


def _by_shape(distinct: Sequence[str]) -> str | None:
    """Shapes that nothing else has.

    One in eleven ten-digit numbers passes the NHS check by chance, so if many of them fail they are other numbers.
    """
    found = {what for v in distinct if (what := personal_in_text(v, names=False)) is not None}
    if NATIONAL in found and not any(_NI.search(v) for v in distinct):
        runs = [run for v in distinct for run in _ten_digits(v)]
        if sum(map(_is_nhs, runs)) < len(runs) / 2:
            found.discard(NATIONAL)
    return min(found, default=None)


def _by_share(distinct: Sequence[str]) -> str | None:
    """Shapes that count if many values of a column have them."""
    count = len(distinct)
    postcodes = [found["gap"] for v in distinct if (found := _POSTCODE.fullmatch(v))]
    if len(postcodes) >= max(1 if any(postcodes) else 2, _SOME * count):
        return ADDRESS
    bare = ["".join(v.split()) for v in distinct]
    if sum(1 for v in bare if _BARE_TELEPHONE.match(v.removesuffix(".0"))) >= max(1, _MOST * count):
        return TELEPHONE
    if sum(1 for v in distinct if v.casefold().rstrip(".") in TITLES) >= max(2, _MOST * count):
        return NAME
    return None


def _are_births(header: str, given: pl.Series, on: date | None) -> bool:
    """Whether dates are spread like births: adults' lie 18 years back or more, children's evenly over all ages."""
    if set(words_of(header[:_LOOKED_AT])) & OTHER_DATES:
        return False
    texts = given.to_list()
    year = on.year if on is not None else 2099
    days = [d for d in (_as_day(text, year) for text in texts) if d is not None]
    if len(days) < _FEWEST_BIRTHS or len(days) < _MOST * len(texts):
        return False
    today = on or max(days)
    ages = sorted((today - d).days / 365.25 for d in days)
    low, middle, high = (ages[min(len(ages) - 1, int(len(ages) * q))] for q in (0.1, 0.5, 0.9))
    adults = low >= _ADULT and high <= _OLDEST and middle >= _ADULT + 4
    # Many cases or posts began recently; children are evenly spread over all ages.
    even = ages[0] >= -1 and ages[-1] <= _CHILD + 7 and high >= 13.5 and middle >= 0.4 * high and low < 9
    return adults or (even and len(days) >= _ENOUGH)


def _as_day(text: str, century: int) -> date | None:
    """A date in any of the usual notations; a two-digit year is never after `century`, the year of the file."""
    found = _DAY.match(text.strip())
    if found is None:
        return None
    written = found["y"] or found["y2"] or found["y3"] or found["y4"]
    month = (found["m"] or found["m2"] or found["m3"] or found["m4"]).lower()
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1 if month[:3] in _MONTHS else 0
    year = int(written)
    if len(written) == 2:
        year += century // 100 * 100 - (100 if year > century % 100 else 0)
    try:
        return date(year, number, int(found["d"] or found["d2"] or found["d3"] or found["d4"]))
    except ValueError:
        return None


def _are_names(header: str, distinct: Sequence[str], rows: int, people: bool) -> bool:
    """Whether a column holds people's names, judged by known names, initials, or how varied its words are."""
    distinct = [v for text in distinct if (v := _without_number(text))]
    count = len(distinct)
    known = sum(1 for v in distinct if _names_somebody(v))
    # Schools, homes and agencies are called after people.
    of_things = bool(set(words_of(header[:_LOOKED_AT])) & THINGS)
    least = _MOST * count if of_things else min(_SOME * count, max(3, 0.1 * count))
    if known >= max(1, least):
        return True
    shaped = [v for v in distinct if _could_be_a_name(v)]
    initialed = [v for v in shaped if _INITIALED.match(v)]
    if (
        len(initialed) >= max(2, _MOST * count)
        or any("." in v or _is_only_a_name(v) for v in initialed)
        and (len(initialed) >= _SOME * count and not of_things)
    ):
        return True
    if people and len(shaped) >= max(1, _SOME * count):
        return True
    if not of_things and sum(1 for v in distinct if v.casefold() in _ONLY_NAMES) >= max(1, _MOST * count):
        return True
    if count >= _ENOUGH and count >= _SOME * rows:
        singles = [v.casefold() for v in distinct if v.casefold() in FIRST_NAMES or v.casefold() in FAMILY_NAMES]
        if len(singles) >= _MOST * count:
            return True
    if len(shaped) < max(3, 0.8 * count) or count < _MOST * rows or of_things:
        return False
    # Of single words in no list, those of a category recur from row to row; family names hardly do.
    if count >= _PLENTY and sum(1 for v in shaped if _WORD.fullmatch(v) and _VOWEL.search(v)) >= 0.8 * count:
        return True
    words = [w.casefold() for v in shaped for w in _WORD.findall(v)]
    return len(set(words)) >= _MOST * len(words) and len(words) >= 2 * len(shaped)


def _without_number(text: str) -> str:
    return _NUMBER.sub(" ", text).strip(" ()[]/:#-") if len(text) <= _LONG_TEXT else text


def _is_only_a_name(text: str) -> bool:
    return any(w.casefold() in _ONLY_NAMES for w in _WORD.findall(text))


def _could_be_a_name(text: str) -> bool:
    """One to four words, capitalised (or all in capitals or none), and none of them a word for a thing or place."""
    words = _WORD.findall(text)
    if not 1 <= len(words) <= 4 or any(c.isdigit() for c in text) or not 3 <= len(text) <= 50:
        return False
    if {w.casefold() for w in words if len(w) > 1} & _NOT_NAMES - FAMILY_NAMES:
        return False
    return all(w[0].isupper() for w in words) or text.islower()


def _is_free_text(distinct: Sequence[str]) -> bool:
    """Whether the values are sentences that somebody wrote: long, with many words, and hardly ever the same."""
    if any(len(v) > _LOOKED_AT for v in distinct):
        return True
    long = [v for v in distinct if len(v) >= _LONG_TEXT and len(_PROSE.findall(v)) >= _MANY_WORDS]
    return len(long) >= 3 and len(long) >= _FEW * len(distinct)


def _ten_digits(text: str) -> list[str]:
    return ["".join(m.group(1, 3, 4)) for m in _NHS.finditer(text)]


def _is_nhs(digits: str) -> bool:
    """Modulus 11 over the first nine digits gives the tenth."""
    if len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def _is_upn(found: re.Match[str]) -> bool:
    """A unique pupil number: its first letter checks the rest."""
    last = found[2][-1]
    digits = [
        *map(int, found[2][:-1]),
        int(last) if last.isdigit() else _UPN_LETTERS.index(last) if last in _UPN_LETTERS else 0,
    ]
    return _UPN_LETTERS[sum(d * (i + 2) for i, d in enumerate(digits)) % 23] == found[1]


def _is_telephone(text: str) -> bool:
    """A number in groups, or a mobile's eleven digits: other long numbers can also begin with a zero."""
    digits = "".join(c for c in text if c.isdigit())
    fewest, most = _TELEPHONE_DIGITS
    return fewest <= len(digits) <= most and (len(digits) < len(text) or len(digits) == fewest + 1)


def first_personal(texts: Iterable[str], *, makers: bool = True) -> str | None:
    """The kind found in the first such text; without `makers`, a report's maker and contact details are ignored."""
    for text in texts:
        found = personal_in_text(text)
        if found is not None and (makers or found not in (NAME, EMAIL, TELEPHONE) or not _MADE_BY.search(text)):
            return found
    return None
