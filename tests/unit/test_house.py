"""The rules that keep the house readable: no loose file, one door a room, one name one meaning, bearable sizes."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("features", "models", "expectations", "flows")
#: What may lie in flows/ beside rooms: the flows a person starts, and the list of their deployments.
AT_THE_DOOR = {"__init__", "monthly", "backfill", "train", "refresh", "watchdog", "doctor", "answer", "deployments"}
FILE_LINES, FUNCTION_LINES, PARAMETERS = 350, 60, 7
ROOM_FILES, ROOM_LINES = 14, 2_500


def modules() -> Iterator[Path]:
    """Every Python file of the product, below the top level."""
    for package in PACKAGES:
        yield from sorted((REPOSITORY / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_flows_shows_the_flows_and_rooms_and_nothing_else() -> None:
    loose = {p.stem for p in (REPOSITORY / "flows").glob("*.py")} - AT_THE_DOOR
    assert not loose, f"loose in flows/: {sorted(loose)}; give each a room"


def test_every_room_says_what_it_is_for() -> None:
    silent = [name_of(p) for p in modules() if p.name == "__init__.py" and not ast.get_docstring(tree(p))]
    assert not silent


#: Names that several modules define on purpose, each with its reason.
SAME_NAME = {
    "read": "what a format's reader is asked for",
    "said": "what a format's reader is asked for",
    "comparisons": "what a suite that compares is asked for",
    "message": "what a suite that compares is asked for",
    "page": "what a paper is written by",
    "main": "a module that is started as a program",
    "Floats": "an array of numbers",
    "Ints": "an array of whole numbers",
    "Bools": "an array of truths",
}


def named(node: ast.stmt) -> str:
    """What a class, a function or an alias of a type is called; empty for anything else, and for what is private."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return "" if node.name.startswith("_") else node.name
    target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
    return target if target.isidentifier() and target[0].isupper() and not target.isupper() else ""


def test_a_public_name_has_one_meaning() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in modules():
        for name in {named(node) for node in tree(path).body} - {""}:
            where[name].append(name_of(path))
    twice = {name: paths for name, paths in where.items() if len(paths) > 1 and name not in SAME_NAME}
    assert not twice, "\n".join(f"{name}: {', '.join(paths)}" for name, paths in sorted(twice.items()))


#: Files, functions and rooms above the sizes, each with its reason.
LARGE: dict[str, str] = {
    "expectations/passing/dynamic_pass.py:run_dynamic": "what is asked comes by keyword, named by the caller",
    "expectations/suites/continuity.py:_row": "a constructor of one record: a parameter a field",
    "expectations/suites/generated.py:_rules_of": "one rule a branch, in the order of the fields",
    "expectations/suites/rules.py:row_rule": "a constructor of one record: a parameter a field",
    "features/counting/records.py:count_caseload": "one line for each count, from masks they share",
    "features/counting/records.py:count_workforce": "one line for each count, from masks they share",
    "features/registry/counts.py": "a list of declarations, read line by line",
    "features/registry/extracts.py": "a list of declarations, read line by line",
    "features/registry/measures.py": "a list of declarations, read line by line",
    "flows/alerts": "one file for each command or step, each read alone",
    "flows/alerts/alert.py:build_alert": "a constructor of one record: a parameter a field",
    "flows/alerts/decide.py": "the state machine in one piece, in the order of its written rules",
    "flows/alerts/decide.py:_decision": "the state machine in one piece, in the order of its written rules",
    "flows/alerts/decide.py:_state": "the state machine in one piece, in the order of its written rules",
    "flows/cli": "one file for each command or step, each read alone",
    "flows/cli/answers.py:answer_command": "the options of a command are its parameters",
    "flows/cli/extracts.py:check_command": "the options of a command are its parameters",
    "flows/cli/map.py:map_file": "the options of a command are its parameters",
    "flows/cli/month.py:run_command": "the options of a command are its parameters",
    "flows/cli/simulate_alerts.py:try_rules": "what is asked comes by keyword, named by the caller",
    "flows/extracts/check_files.py:check_handed": "what is asked comes by keyword, named by the caller",
    "flows/extracts/formats/annex_a/episodes.py:_expressions": "one rule a branch, in the order of the fields",
    "flows/extracts/formats/annex_a/layout.py": "a list of declarations, read line by line",
    "flows/extracts/formats/csww/rules/workers.py": "a list of declarations, read line by line",
    "flows/extracts/formats/ssd/episodes.py": "one format, from its tables to episodes",
    "flows/extracts/reading/excel.py": "guards before a workbook is opened and reading stand together",
    "flows/extracts/reading/table.py:raw_table": "a constructor of one record: a parameter a field",
    "flows/extracts/reading/tables.py:read_table": "what is asked comes by keyword, named by the caller",
    "flows/extracts/rotate_key.py:rotate": "what is asked comes by keyword, named by the caller",
    "flows/mail": "one file for each command or step, each read alone",
    "flows/mail/approval.py:open_round": "a constructor of one record: a parameter a field",
    "flows/mail/by_hand.py:release": "what is asked comes by keyword, named by the caller",
    "flows/mail/by_hand.py:send_again": "what is asked comes by keyword, named by the caller",
    "flows/month/measure.py:measure": "what is asked comes by keyword, named by the caller",
    "flows/month": "one file for each step, each read alone",
    "flows/orchestration": "one file for each command or step, each read alone",
    "flows/settings/settings.py": "a list of declarations, read line by line",
    "flows/store": "one file for each command or step, each read alone",
    "models/evidence/sections.py:blocks": "a document from top to bottom",
    "models/registry/card.py:card_text": "a document from top to bottom",
}


def oversized() -> Iterator[str]:
    rooms: dict[str, list[int]] = defaultdict(list)
    for path in modules():
        lines = path.read_text(encoding="utf-8").count("\n")
        rooms[name_of(path.parent)].append(lines)
        if lines > FILE_LINES:
            yield name_of(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                counted = len([a for a in arguments if a.arg not in ("self", "cls")])
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES or counted > PARAMETERS:
                    yield f"{name_of(path)}:{node.name}"
    for room, sizes in rooms.items():
        if len(sizes) > ROOM_FILES or sum(sizes) > ROOM_LINES:
            yield room


def test_what_is_larger_than_an_afternoon_says_why() -> None:
    found = set(oversized())
    assert not found - set(LARGE), f"larger than agreed, without a reason: {sorted(found - set(LARGE))}"
    assert not set(LARGE) - found, f"no longer large; take them off the list: {sorted(set(LARGE) - found)}"


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_name_hides_in_a_call_of_import_module(name: str) -> None:
    """A circle that is imported by its name in a string is a circle that no contract sees."""
    for path in sorted((REPOSITORY / name).rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                given = node.args[0]
                named = given.value if isinstance(given, ast.Constant) else ""
                assert not str(named).startswith(PACKAGES), f"{name_of(path)}, line {node.lineno}: {named}"


def room_of(module: str) -> str:
    """The room a module belongs to: a folder of flows/, or one of the other three packages."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "flows" and len(parts) > 1 else parts[0]


@cache
def module_names() -> frozenset[str]:
    names = (name_of(path).removesuffix(".py").removesuffix("/__init__") for path in modules())
    return frozenset(name.replace("/", ".") for name in names)


def imported(path: Path) -> Iterator[str]:
    """Every module of the product that a file imports, by its whole name."""
    known = module_names()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in known else node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names)


def test_a_room_is_entered_by_its_door() -> None:
    doors: dict[str, set[str]] = {}
    for path in modules():
        if path.name == "__init__.py":
            for node in tree(path).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOOR":
                    room = name_of(path.parent).replace("/", ".")
                    doors[room] = {f"{room}.{name}" for name in ast.literal_eval(node.value)} | {room}
    past, used = [], {room: {room} for room in doors}
    for path in modules():
        own = room_of(name_of(path).removesuffix(".py").replace("/", "."))
        for module in imported(path):
            room = room_of(module)
            if room in doors and room != own:
                used[room].add(module)
                if module not in doors[room]:
                    past.append(f"{name_of(path)} imports {module}")
    assert not past, f"past a room's door (DOOR in its __init__.py): {past}"
    assert used == doors, {room: sorted(doors[room] - used[room]) for room in doors if doors[room] != used[room]}


#: Where a day is made of something else than a moment: London's day itself, columns and cells, and names of versions.
OTHER_DAYS = {
    "features/months.py",
    "flows/extracts/reading/dates.py",
    "flows/published/shelf.py",
    "models/record/tables.py",
}


def test_the_day_of_a_moment_is_londons() -> None:
    """Due dates, cut-offs and the last complete month are those of the calendar in England: `london_day`."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        if name_of(path) not in OTHER_DAYS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("date", "today") and not node.args
    ]
    assert not found, f"{found}: take `london_day` of the moment"
