import os
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import SettingsError
from flows.settings.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)


def test_without_a_name_the_file_may_be_missing() -> None:
    assert Settings.load().store == "var/store"


def test_an_empty_name_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("holdfast.toml").write_text('store = "from-file"\n')
    assert Settings.load().store == "from-file"
    monkeypatch.setenv("HOLDFAST_CONFIG", "")
    assert Settings.load().store == "var/store"


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for missing in (f"{tmp_path}/none.toml", f"{tmp_path}/none/holdfast.toml", "~nobody-here/holdfast.toml"):
        monkeypatch.setenv("HOLDFAST_CONFIG", missing)
        with pytest.raises(SettingsError, match="HOLDFAST_CONFIG names .*no such file") as refused:
            Settings.load()
        assert missing in str(refused.value)


@pytest.mark.parametrize("make", [Path.mkdir, lambda p: p.symlink_to("gone.toml")], ids=["folder", "dangling link"])
def test_what_is_no_file_is_no_settings_file(make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    make(Path("holdfast.toml"))
    with pytest.raises(SettingsError, match=r"holdfast\.toml is the settings file .*no file"):
        Settings.load()
    monkeypatch.setenv("HOLDFAST_CONFIG", "holdfast.toml")
    with pytest.raises(SettingsError, match=r"HOLDFAST_CONFIG names holdfast\.toml, .*no such file"):
        Settings.load()


def test_an_unknown_key_in_the_environment_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_STROE", "elsewhere")
    with pytest.raises(SettingsError, match="HOLDFAST_STROE"):
        Settings.load()


def test_an_unknown_key_in_a_section_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_MAIL__PRT", "25")
    with pytest.raises(SettingsError, match=r"mail\.prt"):
        Settings.load()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text('store = "from-file"\nlanding = "also-from-file"\n')
    monkeypatch.setenv("HOLDFAST_STORE", "from-environment")
    settings = Settings.load()
    assert (settings.store, settings.landing) == ("from-environment", "also-from-file")


def test_secrets_are_never_printed() -> None:
    key = "0123456789abcdef0123456789abcdef"
    settings = Settings.load(pseudonym_key=key, mail={"password": "open-sesame"})
    shown = f"{settings!r} {settings.model_dump(mode='json')}"
    assert key not in shown
    assert "open-sesame" not in shown


def test_a_refused_value_is_not_echoed() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(environment="s3cr3t-as-environment")
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"environment": "production"}, "pseudonym_key"),
        ({"mail": {"transport": "smtp", "host": "localhost"}}, "redirect_to"),
        (
            {"environment": "production", "pseudonym_key": "x" * 32, "mail": {"transport": "ses"}},
            "allowed_domains",
        ),
        (
            {
                "environment": "production",
                "pseudonym_key": "x" * 32,
                "mail": {"transport": "ses", "allowed_domains": ["a.example"]},
            },
            "contact_name",
        ),
    ],
)
def test_unsafe_combinations_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.load(**given)


def test_the_digest_follows_what_shapes_a_result_and_nothing_else() -> None:
    base = Settings.load()
    assert Settings.load(store="elsewhere").digest() == base.digest()
    assert Settings.load(alerts={"rank": {"watch_from": 0.81}}).digest() != base.digest()
