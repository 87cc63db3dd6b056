"""Fills a form from the command line. A refused value gives one sentence, like the one in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from features.errors import HoldfastError

FormModel = TypeVar("FormModel", bound=BaseModel)


def filled(form: type[FormModel], given: Mapping[str, object], otherwise: str) -> FormModel:
    """The filled form. Raises HoldfastError, which starts with `otherwise` and names each field at fault."""
    try:
        return form.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(_in_words(form, e["loc"], e) for e in error.errors(include_url=False))
        raise HoldfastError(f"{otherwise}: {faults}.") from None


def _in_words(form: type[BaseModel], place: tuple[int | str, ...], fault: Mapping[str, object]) -> str:
    field = form.model_fields.get(str(place[0])) if place else None
    name = field.title if field is not None and field.title else ".".join(map(str, place))
    if fault["type"] == "string_pattern_mismatch" and str(place[0]) in _EXAMPLES:
        return f"{name}: {_EXAMPLES[str(place[0])]}"
    return f"{name}: {str(fault['msg']).removeprefix('Value error, ')}"


_EXAMPLES = {
    "councils": "write a council's code as the register has it, for example 301 or “314 / 318”",
}
