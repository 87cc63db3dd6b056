"""What stands in the documents exists: links, pictures, settings, whole examples of settings."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from flows.settings.settings import PREFIX, Settings
from tests.docs.pages import REPOSITORY, blocks, links, name_of, pages

_SETTING = re.compile(rf"\b{PREFIX}[A-Z0-9_]+")
#: What a page may name beside the settings themselves: the settings file, and the tests' folder of published files.
#: No settings: where they are, and what tests read.
_BESIDE = {f"{PREFIX}{name}" for name in ("CONFIG", "SHARED", "KILLS", "MONTHS", "WORLDS")}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    missing = [t for t in links(page) if t.partition("#")[0] and not (page.parent / t.partition("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_anchor_is_a_heading(page: Path) -> None:
    for target in links(page):
        file, _, anchor = target.partition("#")
        if anchor:
            text = (page.parent / file if file else page).read_text(encoding="utf-8")
            assert anchor in {_slug(h) for h in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}, target


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_setting_named_is_one(page: Path) -> None:
    known = {f"{PREFIX}{n.upper()}" for n in Settings.model_fields} | _BESIDE
    for name in set(_SETTING.findall(page.read_text(encoding="utf-8"))):
        section, _, part = name.partition("__")
        assert section.rstrip("_") in known, name
        field = Settings.model_fields[section.removeprefix(PREFIX).lower()].annotation if part else None
        for one in part.lower().split("__") if part else ():
            assert one in getattr(field, "model_fields", {}), name
            field = getattr(field, "model_fields", {})[one].annotation


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_example_of_settings_is_accepted(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for number, (line, block) in enumerate(blocks(page, "toml")):
        if not block.startswith("# holdfast.toml"):
            continue
        assert not re.search(r"password|secret|_key\b *=", block), f"{name_of(page)}, line {line}: a secret in a file"
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        monkeypatch.setenv(f"{PREFIX}CONFIG", str(file))
        monkeypatch.setenv(f"{PREFIX}PSEUDONYM_KEY", "0123456789" * 4)
        Settings.load()


def test_the_readme_is_at_most_two_screens() -> None:
    """Two screens: 120 lines of 130 characters, on a monitor that shows 60."""
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert sum(1 + len(line) // 131 for line in lines) <= 120
    for page in (REPOSITORY / "docs").glob("*.md"):
        assert f"docs/{page.name}" in "\n".join(lines), f"README does not lead to docs/{page.name}"
