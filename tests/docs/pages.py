"""What the documents say, as data: their pages, fenced blocks, commands and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```\s*$", flags=re.DOTALL | re.MULTILINE)
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_EXIT_CODE = re.compile(r"\s#.*?\bexit code (\d+)\b")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"<img src=\"([^\"]+)\"|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as a reader would type it."""

    text: str
    line: int
    """Line of the page, for whoever must mend it."""
    exit_code: int
    """What the page says it ends with; 0 unless it says otherwise."""


def pages() -> list[Path]:
    """The README and every page of the documentation, in order."""
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """The page as people call it: `docs/runbook.md`."""
    return page.relative_to(REPOSITORY).as_posix()


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """Every fenced block of a language with the line its content begins on."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found[1].strip() == language:
            yield text.count("\n", 0, found.start(2)) + 1, found[2]


def commands(page: Path) -> list[Command]:
    """The commands of all `sh` blocks of a page, in order."""
    return [command for line, block in blocks(page, "sh") for command in _split(block, line)]


def _split(block: str, first_line: int) -> Iterator[Command]:
    """Commands of a block: a line each, with what continues it and the text of a heredoc."""
    lines = block.split("\n")
    at = 0
    while at < len(lines):
        began = at
        text = lines[at]
        while text.endswith("\\") and at + 1 < len(lines):
            at += 1
            text += "\n" + lines[at]
        if heredoc := _HEREDOC.search(text):
            while at + 1 < len(lines):
                at += 1
                text += "\n" + lines[at]
                if lines[at].strip() == heredoc[1]:
                    break
        at += 1
        if text.strip() and not text.lstrip().startswith("#"):
            said = _EXIT_CODE.search(text)
            yield Command(text, first_line + began, int(said[1]) if said else 0)


def mentioned(page: Path) -> list[Command]:
    """Commands that a page mentions in passing, in a sentence or a table; `…` stands for what the reader knows."""
    text = re.sub(_FENCE, lambda found: "\n" * found[0].count("\n"), page.read_text(encoding="utf-8"))
    return [
        Command(found[1].replace(" …", " x"), text.count("\n", 0, found.start()) + 1, 0)
        for found in re.finditer(r"`((?:holdfast|make) [^`]+)`", text)
    ]


def links(page: Path) -> list[str]:
    """Every link and picture of a page that leads to a file of the repository, without its anchor."""
    text = re.sub(r"`[^`\n]*`", "", re.sub(_FENCE, "", page.read_text(encoding="utf-8")))
    targets = _LINK.findall(text) + [a or b for a, b in _IMAGE.findall(text)]
    return [t for t in targets if "://" not in t and not t.startswith("mailto:")]
