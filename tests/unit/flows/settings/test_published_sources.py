"""Which sources may be configured at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import SettingsError
from flows.settings.settings import Settings

ID = "0a1b2c3d-0000-4000-8000-0123456789ab"


@pytest.fixture(autouse=True)
def settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "holdfast.toml"
    file.touch()
    monkeypatch.setenv("HOLDFAST_CONFIG", str(file))
    return file


def test_no_address_is_known_beforehand() -> None:
    assert Settings.load().reference.sources == ()


def test_sources_are_read_from_the_settings_file(settings_file: Path) -> None:
    settings_file.write_text(
        '[[reference.sources]]\nname = "workforce"\nholds = "workforce"\n'
        f'data_set = "{ID}"\nversion = "2.0"\n'
        '[[reference.sources]]\nname = "judgements"\nholds = "judgements"\nurl = "https://files.example/a.ods"\n'
        '[[reference.sources]]\nname = "lait"\nholds = "lait"\n'
    )
    first, second, third = Settings.load().reference.sources
    assert (first.data_set, first.version, first.by_hand) == (ID, "2.0", False)
    assert (second.url, second.by_hand) == ("https://files.example/a.ods", False)
    assert third.by_hand


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"url": "http://files.example/a.csv"}, "only https"),
        ({"url": "ftp://files.example/a.csv"}, "only https"),
        ({"url": "https://me:secret@files.example/a.csv"}, "without a user name"),
        ({"url": "https:///a.csv"}, "https://host/path"),
        ({"url": "https://files.example:port/a.csv"}, "cannot be read"),
        ({"url": "https://files.example/a.csv", "data_set": ID}, "not both"),
        ({"data_set": "workforce"}, "32 hexadecimal"),
        ({"url": "https://files.example/a.csv", "version": "2.0"}, "version is that of a data_set"),
        ({"data_set": ID, "version": "latest"}, "version is that of a data_set"),
        ({"holds": "gossip"}, "holds"),
        ({"name": "../elsewhere"}, "name"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(source: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        Settings.load(reference={"sources": [{"name": "one", "holds": "workforce", **source}]})
    assert "secret" not in str(refused.value)


def test_two_sources_of_one_name_are_refused() -> None:
    one = {"name": "one", "holds": "workforce"}
    with pytest.raises(SettingsError, match="two sources are called one"):
        Settings.load(reference={"sources": [one, one]})


def test_where_files_come_from_does_not_change_what_a_result_is_tied_to() -> None:
    other = Settings.load(reference={"sources": [{"name": "one", "holds": "workforce"}]})
    assert other.digest() == Settings.load().digest()
