"""The form: what it says, what it refuses, and what can never be in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from features.errors import HoldfastError, SettingsError
from features.months import Month
from flows.backfill import BackfillRequest
from flows.orchestration.ask import Approval
from flows.settings.filled import filled
from flows.settings.run_form import RunRequest, RunSteps, Send, steps_of

TODAY = date(2026, 11, 22)
FORMS: list[type[BaseModel]] = [RunRequest, BackfillRequest, Approval]


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema, of nested models too."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {}).items()


def test_left_empty_it_runs_the_last_complete_month_for_everyone_with_mail() -> None:
    request = RunRequest()
    assert request.month_or_last(TODAY) == Month(2026, 10)
    assert request.month_or_last(date(2027, 1, 1)) == Month(2026, 12)
    assert (request.councils, request.steps, request.send) == ([], RunSteps.ALL, Send.YES)
    request.check(TODAY)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.__name__)
def test_no_secret_and_no_recipient_is_a_parameter(form: type[BaseModel]) -> None:
    never = ("key", "secret", "password", "token", "recipient", "address", "email", "mail", "to", "inbox", "host")
    for name, field in fields(form.model_json_schema()):
        words = set(name.lower().split("_"))
        assert not words & set(never), f"{form.__name__}.{name}"
        assert field.get("format") not in ("password", "email")
        assert not field.get("writeOnly")


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.__name__)
def test_every_field_has_a_label_and_every_text_a_limit(form: type[BaseModel]) -> None:
    for name, field in form.model_json_schema()["properties"].items():
        assert field.get("title") or "$ref" in field, name
        texts = [f for f in (field, field.get("items", {}), *field.get("anyOf", ())) if f.get("type") == "string"]
        for text in texts:
            assert {"maxLength", "pattern", "format", "enum"} & set(text), name


@pytest.mark.parametrize("form", [RunRequest, Approval], ids=lambda f: f.__name__)
def test_every_field_has_a_help_text(form: type[BaseModel]) -> None:
    for name, field in form.model_json_schema()["properties"].items():
        assert field.get("description"), name


@pytest.mark.parametrize(
    "given",
    [{"month": "x" * 21}, {"councils": ["../x"]}, {"reason": "x" * 201}, {"sned": "yes"}],
)
def test_a_bad_value_is_refused_by_the_form_itself(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RunRequest.model_validate(given)
    with pytest.raises(HoldfastError, match=r"^The run was not started: "):
        filled(RunRequest, given, "The run was not started")


def test_a_refused_value_is_named_by_its_label_and_not_repeated() -> None:
    with pytest.raises(HoldfastError, match="Councils: write a council's code as the register has it") as refused:
        filled(RunRequest, {"councils": ["../private"]}, "The run was not started")
    assert "private" not in str(refused.value)


@pytest.mark.parametrize("month", ["2026-13", "October", "2026-1"])
def test_a_wrong_month_gets_a_sentence_and_no_expression(month: str) -> None:
    with pytest.raises(SettingsError, match=f"not started: “{month}” is not a month. Write it as YYYY-MM") as refused:
        RunRequest(month=month).check(TODAY)
    assert "^" not in str(refused.value)


def test_a_month_that_has_not_ended_is_refused() -> None:
    with pytest.raises(SettingsError, match="November 2026 has not ended on 22 November 2026"):
        RunRequest(month="2026-11").check(TODAY)
    with pytest.raises(SettingsError, match="has not ended"):
        RunRequest(month="2026-11").check(date(2026, 11, 30))
    RunRequest(month="2026-11").check(date(2026, 12, 1))


@pytest.mark.parametrize("given", [{"send": "hold for approval"}, {"steps": "from sending"}])
def test_a_run_on_a_published_file_has_nothing_to_hold_and_no_steps(given: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="published file"):
        RunRequest.model_validate({"month": "2023-09", "returns": "w.csv", **given}).check(TODAY)


def test_a_published_record_without_its_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="Name the file too"):
        RunRequest(record="folder").check(TODAY)


def test_a_backfill_sends_or_does_not_and_never_holds() -> None:
    months = {"first": "2026-01", "last": "2026-03"}
    assert BackfillRequest.model_validate(months).send == "no"
    assert BackfillRequest.model_validate(months | {"send": Send.YES}).send == "yes"
    with pytest.raises(ValidationError):
        BackfillRequest.model_validate(months | {"send": Send.HOLD})


def test_the_settings_may_say_hold_for_short() -> None:
    assert Send("hold") is Send.HOLD


def test_a_joint_councils_code_is_a_code() -> None:
    assert RunRequest(councils=["314 / 318"]).councils == ["314 / 318"]


def test_the_command_lines_words_for_the_steps() -> None:
    assert steps_of("") is RunSteps.ALL
    assert steps_of("scoring") is RunSteps.FROM_SCORING
    assert steps_of("sending") is RunSteps.FROM_SENDING
    assert steps_of("", rehearse=True) is RunSteps.REHEARSE
    assert steps_of("", check_only=True) is RunSteps.CHECK
    with pytest.raises(SettingsError, match="not from “reading”"):
        steps_of("reading")
    with pytest.raises(SettingsError, match="choose one"):
        steps_of("scoring", rehearse=True)
