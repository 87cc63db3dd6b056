"""Reads a TOML file as editors save it, or says in a sentence what is wrong with it and in which line."""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any

from features.errors import SettingsError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises SettingsError, which names file and line.

    A byte-order mark gives the encoding, so that Notepad's “Unicode” can be read. Without one it must be UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: the file cannot be read ({type(error).__name__}). Check its rights.") from None
    return parse_toml(decoded_text(content, str(path)), str(path))


def decoded_text(content: bytes, where: str) -> str:
    """The text of a file written by hand. Raises SettingsError, which names file and line."""
    if b"\x00" in content[:1_000] and not content.startswith(tuple(mark for mark, _ in _MARKS)):
        raise SettingsError(f"{where}, line 1: the text is Unicode of 16 bits. Save the file as UTF-8.")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{where}, line {line}: the text is not UTF-8. Save the file as UTF-8.") from None


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises SettingsError, which names file and line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where} is not valid TOML: {error}.") from None
    except RecursionError:
        deepest = max(enumerate(text.split("\n"), start=1), key=lambda numbered: numbered[1].count("["))[0]
        raise SettingsError(
            f"{where}, line {deepest}: brackets are nested more deeply than any setting. Take them out."
        ) from None
