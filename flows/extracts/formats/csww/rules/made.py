"""Rules that follow from the table of elements alone: one per element and fault, numbered as the element."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from expectations.batch import Severity
from flows.extracts.formats.csww.elements import Element
from flows.extracts.formats.csww.rules.kinds import Collection, FileTest, Looks, ReturnRule, WorkerTest
from flows.extracts.formats.csww.stream import Outline
from flows.extracts.formats.csww.typed import RAW, agency, legal

_SCHEMA = "The 2022 XML schema of liia-tools."


def of_workers(elements: Sequence[Element]) -> tuple[ReturnRule, ...]:
    """The rules of a worker's elements, those of one kind after another."""
    return (
        *(_form(e) for e in elements),
        *(_missing(e) for e in elements if e.always or e.direct),
        *(_twice(e, position) for position, e in enumerate(elements) if not e.repeats),
    )


def of_vacancies(elements: Sequence[Element]) -> tuple[ReturnRule, ...]:
    return tuple(
        ReturnRule(
            f"CSWW-V{e.number:02d}",
            Looks.VACANCIES,
            Severity.ERROR,
            f"{e.name} is missing, or is not {e.in_words}",
            f"Give {e.name} once, 0 if there are none.",
            _SCHEMA,
            _vacancy(e),
        )
        for e in elements
    )


def _form(element: Element) -> ReturnRule:
    def test(_: Collection) -> pl.Expr:
        return legal(element, pl.col(RAW + element.name)).not_().fill_null(False)

    why = _SCHEMA
    if element.name == "SWENo":
        why += " The Standard Safeguarding Dataset describes another length; both are accepted."
    return _rule(
        f"CSWW-W{element.number:03d}",
        element,
        f"{element.name} is empty, or is not {element.in_words}",
        "Correct it, or leave the element out if it is neither known nor needed.",
        why,
        test,
    )


def _missing(element: Element) -> ReturnRule:
    def test(_: Collection) -> pl.Expr:
        gone = pl.col(RAW + element.name).is_null()
        return gone if element.always else gone & agency().not_()

    whose = "" if element.always else " for a worker who is not from an agency"
    why = _SCHEMA if element.always else "liia-tools, validator.py: what is mandatory for workers not from an agency."
    return _rule(
        f"CSWW-W{100 + element.number}", element, f"{element.name} is missing{whose}", "Add the element.", why, test
    )


def _twice(element: Element, position: int) -> ReturnRule:
    def test(_: Collection) -> pl.Expr:
        return (pl.col("twice") & (1 << position)) > 0

    return _rule(
        f"CSWW-W{300 + element.number}",
        element,
        f"{element.name} appears more than once in a record",
        "Keep the right one.",
        _SCHEMA,
        test,
    )


def _rule(code: str, element: Element, says: str, remedy: str, why: str, test: WorkerTest) -> ReturnRule:
    return ReturnRule(code, Looks.WORKER, Severity.ERROR, says, remedy, why, test)


def _vacancy(element: Element) -> FileTest:
    def test(outline: Outline) -> bool:
        text = outline.vacancies.one(element.name)
        found = pl.select(legal(element, pl.lit(text, dtype=pl.String))).item()
        return found is not True

    return test
