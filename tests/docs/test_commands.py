"""Every command in the documents does what its page says: it is run, or, where that cannot be, it is parsed."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from flows.cli.app import app
from tests.docs.conftest import environment
from tests.docs.elsewhere import ELSEWHERE
from tests.docs.pages import REPOSITORY, Command, commands, mentioned, name_of, pages

#: Against hanging only: on an idle machine no command takes more than ten seconds.
_SECONDS = 240
_STATE = ".shell-state"


def elsewhere(command: Command) -> str | None:
    """The entry of the list that a command begins with, if it cannot be run here."""
    words = command.text.split()
    return next((start for start in ELSEWHERE if words[: len(start.split())] == start.split()), None)


def run(command: Command, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one command in bash; what it exports and where it goes to holds for the next one."""
    state = folder.parent / _STATE
    script = (
        f'[ -e "{state}" ] && . "{state}"\n{command.text}\ncode=$?\n'
        f'{{ export -p; printf "cd %q\\n" "$PWD"; }} > "{state}"\nexit $code\n'
    )
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )


@cache
def _whole() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def parse_ours(arguments: list[str]) -> None:
    """Walk through the groups of the command line to the command and have it read its options, without calling it."""
    found = _whole()
    context = found.make_context("holdfast", [], resilient_parsing=True)
    while isinstance(found, TyperGroup) and arguments:
        assert arguments[0] in found.commands, f"no command {arguments[0]}"
        name, command, arguments = found.resolve_command(context, arguments)
        if isinstance(command, TyperGroup):
            context = command.make_context(name or "", [], parent=context, resilient_parsing=True)
        else:
            command.make_context(name or "", list(arguments), parent=context)
        found = command


def parse(command: Command) -> None:
    """Fail if a command that cannot be run here could not even be started: unknown option, target or file."""
    words = shlex.split(command.text.replace("\\\n", " "), comments=True)
    if words[0] == "holdfast":
        parse_ours(words[1:])
    elif words[0] == "make":
        makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
        for target in [w for w in words[1:] if "=" not in w and not w.startswith("-")]:
            assert re.search(rf"^{re.escape(target)}:", makefile, flags=re.MULTILINE), f"no target {target}"
    elif words[0] in ("docker", "kubectl"):
        for flag, value in zip(words, words[1:], strict=False):
            if flag in ("-f", "--file", "--filename") and "://" not in value:
                assert (REPOSITORY / value).exists(), f"{value} is not in the repository"


@pytest.mark.timeout(900)
@pytest.mark.soak
@pytest.mark.parametrize("page", [p for p in pages() if commands(p)], ids=name_of)
def test_the_commands_of_a_page_do_what_it_says(
    page: Path, clone: Path, made_region: Path, prefect_server: str
) -> None:
    env = environment(clone, prefect_server)
    for command in commands(page):
        where = f"{name_of(page)}, line {command.line}: {command.text}"
        if elsewhere(command):
            parse(command)
            continue
        # The region that this makes is made once and copied.
        made = command.text.replace("holdfast init made-up --made-up", f"cp -a {made_region} made-up")
        done = run(replace(command, text=made), clone, env)
        assert done.returncode == command.exit_code, (
            f"{where}\nended with {done.returncode}, not {command.exit_code}.\n"
            f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
        )


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_mentioned_in_passing_exist(page: Path) -> None:
    """They may leave out what a command must be given; what they name must be there."""
    for command in mentioned(page):
        try:
            parse(command)
        except BaseException as error:
            if not str(error).startswith("Missing "):
                pytest.fail(f"{name_of(page)}, line {command.line}: {command.text}: {error}")


def test_a_command_that_is_not_run_names_a_reason_and_a_test_that_exists() -> None:
    for start, reason in ELSEWHERE.items():
        for test in re.findall(r"tests/\S+\.py", reason):
            assert (REPOSITORY / test).exists(), f"{start}: {test} does not exist"


def test_a_command_with_an_option_nobody_knows_is_found() -> None:
    for wrong in ("holdfast ledger --no-such-option", "holdfast no-such-command", "holdfast models promote --by X"):
        with pytest.raises(Exception, match="No such|Missing parameter|no command"):
            parse(Command(wrong, 1, 0))
    parse(Command("holdfast models promote --by X --version 1 --reason “because”", 1, 0))
    with pytest.raises(AssertionError):
        parse(Command("make no-such-target", 1, 0))


@pytest.mark.soak
def test_a_command_that_ends_otherwise_is_found(clone: Path, page_folder: Path, prefect_server: str) -> None:
    env = environment(page_folder, prefect_server)
    path = Command(f'export PATH="{clone}/.venv/bin:$PATH"', 1, 0)
    assert run(path, page_folder, env).returncode == 0
    assert run(Command("holdfast check examples/wrong/workforce.csv", 1, 0), page_folder, env).returncode != 0
    assert run(Command("export WHERE=here", 1, 0), page_folder, env).returncode == 0
    assert run(Command('test "$WHERE" = here', 1, 0), page_folder, env).returncode == 0
