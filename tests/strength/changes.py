"""Small changes made at random to the product's code, each of which the room's own quick tests should notice.

`python -m tests.strength.changes --count 200 --seed 1` prints every change that no test noticed. A change turns a
comparison, a sign, a constant, a flag or a logical word. It is tried on a copy of the tree, with all of the room's
tests that run the line, as coverage says; those of the module that mirrors the file come first. A line that is run on
importing is tried with all of the room's tests, those that name what it sets first. Each try is forked from a process
that has imported the libraries, so that two hundred take minutes and not hours.
`--room features` tries so many changes in that room alone.
A change that no test can notice stands in `explained.py` with the reason; it is not tried, and counted apart.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.strength.explained import EXPLAINED

#: Room -> its own quick tests.
ROOMS = {
    "features": "tests/unit/features",
    "models": "tests/unit/models",
    "expectations": "tests/unit/expectations",
    "flows/alerts": "tests/unit/flows/alerts",
    "flows/month": "tests/unit/flows/month",
}
#: Of processor: a busy machine must not look like a change that was noticed. By the clock, ten times as many.
_SECONDS = 300
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.strength.libraries"])
_TURNED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
           ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}  # fmt: skip
_SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
_WORDS = {ast.And: ast.Or, ast.Or: ast.And}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the file, the line and its text, what stood there and what stands there now."""

    file: str
    line: int
    text: str
    was: str
    now: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.was} -> {self.now}"

    @property
    def explained(self) -> bool:
        """Whether `explained.py` says why no test notices it."""
        change = f"{self.was} -> {self.now}"
        return any(e.file in ("", self.file) and e.line in self.text and e.change == change for e in EXPLAINED)


def changes_of(file: Path) -> Iterator[Change]:
    """Every change that can be made to a file, in order of place; texts and annotations are left alone."""
    text = file.read_text(encoding="utf-8")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    name, lines = file.relative_to(REPOSITORY).as_posix(), text.splitlines()
    for node in _code(ast.parse(text)):
        new = _changed(node)
        if new is not None:
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            yield Change(name, node.lineno, lines[node.lineno - 1].strip(), ast.unparse(node), new, start, end)


def _code(tree: ast.AST) -> Iterator[ast.expr]:
    """Expressions that are run: no annotation, no docstring, nothing inside an f-string or a subscript of a type."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.expr):
                yield child
            if isinstance(child, ast.AST):
                yield from _code(child)


def _changed(node: ast.expr) -> str | None:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _TURNED:
            return ast.unparse(ast.Compare(node.left, [_TURNED[type(op)]()], node.comparators))
        case ast.BinOp(op=op) if type(op) in _SIGNS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            return ast.unparse(ast.BinOp(node.left, _SIGNS[type(op)](), node.right))
        case ast.BoolOp(op=op):
            return ast.unparse(ast.BoolOp(_WORDS[type(op)](), node.values))
        case ast.UnaryOp(op=ast.Not()):
            return ast.unparse(node.operand)
        case ast.Constant(value=bool() as value):
            return str(not value)
        case ast.Constant(value=int() | float() as value):
            return str(value + 1)
    return None


def running(room: str) -> dict[tuple[str, int], list[str]]:
    """Which of the room's tests run which line: (file, line) -> test ids. One run of the room's tests with coverage."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "coverage"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--cov={room}", "--cov-context=test",
                   f"--cov-config={os.devnull}", "--cov-report=", ROOMS[room]]  # fmt: skip
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "COVERAGE_FILE": str(data), "PYTHONDONTWRITEBYTECODE": ""},
            capture_output=True,
            text=True,
        )
        print(f"{room}: what its tests run is known", flush=True)  # noqa: T201
        if done.returncode != 0:
            raise SystemExit(f"The tests of {room} do not pass as they are:\n{done.stdout[-2000:]}")
        from coverage.numbits import numbits_to_nums

        found: dict[tuple[str, int], list[str]] = {}
        with sqlite3.connect(data) as rows:
            for path, context, bits in rows.execute(
                "select f.path, c.context, l.numbits from line_bits l join file f on f.id = l.file_id "
                "join context c on c.id = l.context_id"
            ):
                name = Path(path).resolve().relative_to(REPOSITORY).as_posix()
                for number in numbits_to_nums(bits):
                    # What is run on importing has no test of its own: all of the room's may notice it.
                    found.setdefault((name, number), []).append(context.rpartition("|")[0] or ROOMS[room])
        return found


def noticed(change: Change, tests: Sequence[str], tree: Path) -> bool:
    """Whether a test fails, or does not come back, when the change is made in the tree, which is then put right."""
    path = tree / change.file
    before, at = path.read_bytes(), path.stat()
    path.write_bytes(before[: change.start] + f"({change.now})".encode() + before[change.end :])
    process = _CONTEXT.Process(target=_try, args=(str(tree), list(tests)))
    try:
        process.start()
        process.join(10 * _SECONDS)
        return process.exitcode != 0
    finally:
        process.kill()
        process.join()
        path.write_bytes(before)
        os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))


def _try(tree: str, tests: list[str]) -> None:
    """In the process of its own: the tests of the tree, with the tree's code."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    os.chdir(tree)
    sys.path[:] = [tree, *(p for p in sys.path if Path(p or ".").resolve() not in (REPOSITORY, Path(tree)))]
    for name in [n for n in sys.modules if n.partition(".")[0] in ("tests", *(r.partition("/")[0] for r in ROOMS))]:
        del sys.modules[name]
    sys.dont_write_bytecode = True
    os.environ["HYPOTHESIS_PROFILE"] = "fails"
    import pytest

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):  # noqa: PTH123
        ended = pytest.main(["-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", *tests])
    os._exit(int(ended))


def drawn(count: int, seed: int, rooms: Sequence[str] = ()) -> list[Change]:
    """So many changes at random in the rooms, as many from each room as its code has of all."""
    every = [
        change
        for room in rooms or ROOMS
        for file in sorted((REPOSITORY / room).rglob("*.py"))
        if "shipped" not in file.parts
        for change in changes_of(file)
    ]
    return sorted(random.Random(seed).sample(every, min(count, len(every))), key=lambda c: (c.file, c.start))


def room_of(change: Change) -> str:
    return next(room for room in sorted(ROOMS, key=len, reverse=True) if change.file.startswith(f"{room}/"))


def unnoticed(
    count: int, seed: int, processes: int = 2, rooms: Sequence[str] = ()
) -> dict[str, tuple[int, list[Change]]]:
    """Room -> how many changes were tried, and those that none of its tests noticed."""
    found: dict[str, tuple[int, list[Change]]] = {}
    every = {room: list(group) for room, group in groupby(sorted(drawn(count, seed, rooms), key=room_of), key=room_of)}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as threads:
        ran = dict(zip(every, threads.map(running, every), strict=True))
        trees = [Path(folder) / str(n) for n in range(processes)]
        for tree in trees:
            # What has been compiled goes with it, and only what is changed is compiled again.
            shutil.copytree(REPOSITORY, tree, ignore=shutil.ignore_patterns(".git", ".venv", "var", ".*_cache"))
        for room, changes in every.items():
            _require_silence(changes, ran[room], trees[0])
            shares = [changes[n::processes] for n in range(processes)]
            survivors = threads.map(partial(_survivors, ran[room]), shares, trees)
            found[room] = (len(changes), [c for some in survivors for c in some])
    return found


def _require_silence(changes: Sequence[Change], lines: dict[tuple[str, int], list[str]], tree: Path) -> None:
    """A try in which the tests fail whatever was changed would show that every change is noticed."""
    nothing = replace(changes[0], now=changes[0].was)
    if noticed(nothing, sorted({test for change in changes for test in _tests_of(lines, change, tree)}), tree):
        raise SystemExit(f"The tests of {room_of(nothing)} notice a change that changes nothing.")


def _survivors(lines: dict[tuple[str, int], list[str]], changes: Sequence[Change], tree: Path) -> list[Change]:
    left = []
    for change in changes:
        if change.explained or not noticed(change, _tests_of(lines, change, tree), tree):
            left.append(change)
        said = "noticed" if change not in left else "explained" if change.explained else "NOT NOTICED"
        print(f"{said:<12} {change}", flush=True)  # noqa: T201
    return left


def _tests_of(lines: dict[tuple[str, int], list[str]], change: Change, tree: Path) -> list[str]:
    """The room's tests that run the line, the mirrored module's first; all of them if no test alone runs the line."""
    room, tests = ROOMS[room_of(change)], set(lines.get((change.file, change.line), []))
    mirror = (Path("tests/unit") / Path(change.file).with_name(f"test_{Path(change.file).name}")).as_posix()
    if tests <= {room}:
        files = {
            f.relative_to(tree).as_posix(): f.read_text(encoding="utf-8") for f in (tree / room).rglob("test_*.py")
        }
        name = _set_by(tree / change.file, change.line)
        return sorted(
            files, key=lambda f: (f != mirror, name not in files[f], Path(change.file).stem not in files[f], f)
        )
    return sorted(tests - {room}, key=lambda t: (not t.startswith(mirror), t))


def _set_by(file: Path, line: int) -> str:
    """The name that the statement of this line gives a value to, at the edge of its module."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    return name
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    return name
    return file.stem


def table(found: dict[str, tuple[int, list[Change]]]) -> str:
    """What was noticed of what can be noticed, room by room, and every change that is neither noticed nor explained."""
    every = {**found, "in all": (sum(t for t, _ in found.values()), [c for _, left in found.values() for c in left])}
    lines = []
    for room, (tried, left) in every.items():
        seen, explained = tried - len(left), sum(c.explained for c in left)
        share = seen / max(1, tried - explained)
        lines.append(
            f"{room:<16} {seen:>4} of {tried:>4} noticed, {explained:>3} explained ({share:.0%} of the others)"
        )
    return "\n".join([*lines, *(f"  not noticed: {c}" for c in every["in all"][1] if not c.explained)])


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.strength.changes", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", choices=list(ROOMS), default=[])
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(given)
    print(table(unnoticed(asked.count, asked.seed, asked.processes, asked.room)))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
