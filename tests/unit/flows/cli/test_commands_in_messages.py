"""A command that a message gives to be pasted is one that the command line takes, with all that it needs."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

import flows
from flows.cli.app import app

ROOMS = [Path(flows.__file__).parents[1] / room for room in ("flows", "expectations", "models", "features")]
#: Typer brings its own copy of Click, and this class has no public name in it.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
#: What stands for a value that only the running program knows.
_VALUE = "1"


def _texts(tree: ast.Module) -> Iterator[str]:
    """Every text of a module but its docstrings; a formatted one with `_VALUE` for each value."""
    left_out = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in ast.walk(node)}
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else _VALUE for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


@cache
def _whole() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def taken(command: str) -> str:
    """Why the command line would not take the words after `holdfast`; empty if it would."""
    group, words = _whole(), shlex.split(command)
    while isinstance(group, TyperGroup):
        name = words.pop(0) if words else ""
        if name not in group.commands:
            return f"there is no command {name}"
        group = group.commands[name]
    try:
        if words:  # a command alone is named, not given to be pasted
            group.make_context(str(group.name), words)
    except _UsageError as wrong:
        return str(wrong.format_message())  # type: ignore[attr-defined]
    return ""


def test_every_command_in_a_message_can_be_pasted() -> None:
    found = {
        command: str(path)
        for room in ROOMS
        for path in room.rglob("*.py")
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        for command in re.findall(r"[`“]holdfast ([^`”]*)[`”]", text)
        if command.strip() != f"map {_VALUE}"  # its words are put together elsewhere; tested with `holdfast check`
    }
    assert len(found) > 30
    wrong = {f"holdfast {c} ({where})": why for c, where in found.items() if (why := taken(c))}
    assert not wrong, wrong


@pytest.mark.parametrize("command", ["release --month 2026-10", "release --moon 1", "relase", "run --month"])
def test_a_command_that_would_not_work_is_found(command: str) -> None:
    assert taken(command)
