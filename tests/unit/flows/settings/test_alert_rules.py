from __future__ import annotations

import pytest
from pydantic import ValidationError

from flows.settings.alert_rules import AlertRules, DriftRules, RankRules, rules_as_toml
from flows.settings.toml_file import parse_toml


def test_written_rules_are_read_back_equal() -> None:
    rules = AlertRules(rank=RankRules(watch_from=0.7, watch_until=0.61), drift=DriftRules(groups_for_urgency=3))
    assert AlertRules.model_validate(parse_toml(rules_as_toml(rules), "rules.toml")) == rules


def test_every_threshold_is_explained_in_the_written_form() -> None:
    text = rules_as_toml(AlertRules())
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            assert lines[number - 1].startswith("# "), line


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rank]\nwatch_from = 0.4\n", "watch_until must lie below"),
        ("[rank]\nlosing_grip_from = 0.78\nlosing_grip_until = 0.4\n", "must lie above watch_from"),
        ("[ranks]\nwatch_from = 0.6\n", "ranks"),
        ("[level]\nwatch_from = 0.55\n", "Bands go by rank"),
        ("[drift]\nrank_rise = 1.5\n", "drift.rank_rise"),
    ],
)
def test_unusable_rules_are_refused_with_the_key(text: str, named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AlertRules.model_validate(parse_toml(text, "rules.toml"))
    assert named in str(refused.value)


def test_the_digest_names_the_thresholds() -> None:
    assert AlertRules().digest() == AlertRules().digest()
    assert AlertRules(rank=RankRules(watch_from=0.81)).digest() != AlertRules().digest()
