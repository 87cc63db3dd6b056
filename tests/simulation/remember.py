"""What is pure is computed once: reading, checking, counting, measuring, scoring, rendering, parsing, by what goes in.

What a pure function gave lives as long as the process and has a name of its own. Where it goes into another one, its
name stands for its content, however deep it lies; so most keys are made without looking at a single row.
"""

from __future__ import annotations

import gc
import hashlib
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache, lru_cache
from importlib import import_module
from types import FunctionType, NoneType
from typing import Any, TypeVar
from unittest import mock

import polars as pl
from pydantic import BaseModel

from features.councils import Register
from features.months import Month
from flows.alerts.alert import Alert
from flows.month.take_in import Read
from flows.settings.settings import Settings
from models.learning.trained import TrainedModel

T = TypeVar("T")

#: Pure functions: where each is looked up by the step that calls it.
PURE = (
    ("flows.extracts.receive", "read_form"),
    ("expectations.passing.check", "run_static"),
    ("expectations.passing.check", "run_dynamic"),
    ("flows.month.count", "month_batch"),
    ("flows.month.count", "of_councils"),
    ("flows.month.count", "count_usable"),
    ("flows.extracts.checking", "usable"),
    ("flows.alerts.council", "council_files"),
    ("flows.month.steps", "council_files"),
    ("flows.store.editions", "to_parquet"),
    ("flows.store.editions", "frame_of"),
    ("flows.month.measure", "build_inputs"),
    ("flows.month.measure", "compute_sight"),
    ("flows.month.measure", "compute_measures"),
    ("flows.month.measure", "compute_features"),
    ("flows.month.measure", "monthly_points"),
    ("flows.month.measure", "extract_log"),
    ("flows.month.measure", "unreported"),
    ("flows.month.score", "score_month"),
    ("flows.month.score", "context"),
    ("flows.month.steps", "facts_by_council"),
    ("flows.month.steps", "region_page"),
    ("flows.alerts.council", "build_alert"),
    ("flows.alerts.publish", "render_message"),
    ("flows.mail.policy", "mime_bytes"),
    ("tests.simulation.month", "national_of"),
    ("tests.simulation.world", "mime_bytes"),
    ("flows.alerts.council", "alert_of"),
    ("flows.alerts.together", "sealed"),
    ("flows.extracts.submissions", "rows_hash"),
    ("flows.extracts.submissions", "_rows_together"),
    ("flows.extracts.submissions", "sealed"),
    ("flows.extracts.submissions", "submissions_of"),
    ("flows.mail.deliver", "message_of"),
    ("flows.mail.deliver", "record_of"),
    ("flows.month.measure", "confirmed_breaks"),
    ("flows.month.steps", "sealed"),
    ("flows.month.steps", "shipped_files"),
    ("flows.store.editions", "stacked"),
    ("flows.extracts.checking", "stacked"),
    ("flows.month.measure", "_together"),
    ("flows.store.editions", "manifest_from_bytes"),
    ("flows.store.editions", "manifest_to_bytes"),
    ("flows.store.kept", "sealed"),
    ("flows.store.ledger", "sealed"),
)
_THREADS = ("flows.alerts.reports", "flows.store.editions", "flows.extracts.submissions", "flows.store.kept")


#: Of what pure functions gave: its name among what goes into others, instead of its bytes.
_NAMES: dict[int, bytes] = {}
#: The same values, so that none of them goes and another one takes its place in memory.
_ALIVE: dict[int, Any] = {}
_ATOMS = frozenset({str, bytes, int, bool, float, NoneType, Month, date})
#: Of which there are few, each going in often: what tells one from another.
_FEW: dict[type, Callable[[Any], str]] = {
    Register: lambda register: repr(register.councils),
    TrainedModel: lambda model: repr(model.ref),
    Settings: lambda settings: settings.digest(),
    FunctionType: lambda function: function.__qualname__,
    pl.Schema: repr,
}
_KINDS_OF_FEW = frozenset(_FEW)
_MANY = 256


class _Writer(pickle.Pickler):
    """Writes what goes into a pure function, with names instead of what has one."""

    def reducer_override(self, value: Any) -> Any:
        if (name := _NAMES.get(id(value))) is not None:
            return bytes, (name,)
        kind = type(value)
        if kind in _KINDS_OF_FEW:
            return bytes, (_name_of_few(value),)
        if kind is Read:
            return str, (f"{value.submission.sha256} {value.file.name} {value.fault} {value.refusal}",)
        if _is_model(kind):  # its own form has a set in it, whose order differs between equal values
            return str, (f"{kind.__name__} {value.model_dump_json()}",)
        return NotImplemented


@cache
def _is_model(kind: type) -> bool:
    return issubclass(kind, BaseModel)


def _name_of_few(value: Any) -> bytes:
    if (name := _NAMES.get(id(value))) is None:
        name = hashlib.blake2b(_FEW[type(value)](value).encode(), digest_size=16).digest()
        _name(value, name, 0)
    return name


@lru_cache(4096)
def _short(content: bytes) -> bytes:
    """A hash instead of many bytes; those of one object are looked at once."""
    return hashlib.blake2b(content, digest_size=16).digest()


def key_of(given: Sequence[Any], named: Mapping[str, Any]) -> bytes:
    """A hash of what goes into a pure function."""
    out = io.BytesIO()
    writer = _Writer(out)
    writer.fast = True  # the same bytes for equal things, whatever of them is one object
    writer.dump(([_short(v) if type(v) is bytes and len(v) > _MANY else v for v in given], named))
    return hashlib.blake2b(out.getvalue(), digest_size=16).digest()


def _quick_key(given: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The same without a hash, if everything is plain or has a name."""
    parts: list[Any] = []
    for value in (*given, *named.values()):
        kind = type(value)
        if kind in _ATOMS:
            part = value
        elif (part := _NAMES.get(id(value))) is None:
            if kind not in _KINDS_OF_FEW:
                return None
            part = _name_of_few(value)
        parts.append((kind, part))
    return (*parts, *named)


def _name(made: Any, key: bytes, depth: int = 3) -> None:
    """Give a name to a result and to its parts."""
    if type(made) in _ATOMS or (isinstance(made, (tuple, list, Mapping, frozenset)) and not made):
        return
    _NAMES.setdefault(id(made), key)
    _ALIVE[id(made)] = made
    parts: Sequence[Any] = ()
    if isinstance(made, (tuple, list)):
        parts = made
    elif isinstance(made, Mapping):
        parts = list(made.values())
    elif is_dataclass(made):
        parts = [getattr(made, f.name) for f in fields(made)]
    for n, part in enumerate(parts if depth else ()):
        _name(part, hashlib.blake2b(key + n.to_bytes(4, "big"), digest_size=16).digest(), depth - 1)


def remembered(pure: Callable[..., T]) -> Callable[..., T]:
    """The function, with what it gave for what went in; what it gave lives as long as the process."""
    known: dict[Any, T] = {}
    mark = f"{getattr(pure, '__module__', '')}.{pure.__qualname__}".encode()

    def call(*given: Any, **named: Any) -> T:
        quick = _quick_key(given, named)
        if quick is not None and quick in known:
            return known[quick]
        key = key_of(given, named)
        if key not in known:
            made: Any = pure(*given, **named)
            known[key] = tuple(made) if isinstance(made, Iterator) else made
            _name(known[key], hashlib.blake2b(mark + key, digest_size=16).digest())
        if quick is not None:
            known[quick] = known[key]
        return known[key]

    return call


class _InTurn:
    """An executor without threads: the same order every time."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> _InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, work: Callable[..., T], *over: Iterable[Any]) -> Iterator[T]:
        return iter([work(*each) for each in zip(*over, strict=False)])

    def submit(self, work: Callable[..., T], *given: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(work(*given))
        return done


class _NoThread:
    """A thread that never runs: a run of the simulation renews its claims at its own steps."""

    def __init__(self, **_: object) -> None: ...

    def start(self) -> None: ...

    def join(self) -> None: ...


def _remembering(owner: Any, name: str) -> mock._patch[Any]:
    """A method of a value that never changes, remembered by which value it is; for classes' parsers too."""
    method = getattr(owner, name)
    known: dict[int, tuple[Any, Any]] = {}

    def call(one: Any) -> Any:
        if id(one) not in known:
            known[id(one)] = (one, method(one))
            _name(known[id(one)][1], f"{owner.__name__}.{name} {id(one)}".encode())
        return known[id(one)][1]

    return mock.patch.object(owner, name, call)


@contextmanager
def simulated() -> Iterator[None]:
    """Pure steps are remembered and nothing runs beside anything else while the block runs."""
    with ExitStack() as patches:
        for module in ("flows.store.context", "flows.month.steps"):
            patches.enter_context(mock.patch.object(import_module(module), "code_version", lambda: "0"))
        for module, name in PURE:
            pure = remembered(getattr(import_module(module), name))
            patches.enter_context(mock.patch.object(import_module(module), name, pure))
        for module in _THREADS:
            patches.enter_context(mock.patch.object(import_module(module), "ThreadPoolExecutor", _InTurn))
        patches.enter_context(mock.patch("flows.store.claims.Thread", _NoThread))
        for name in ("neighbours_frame", "context_frame"):
            patches.enter_context(_remembering(Register, name))
        parse = staticmethod(remembered(Alert.from_bytes))
        patches.enter_context(mock.patch.object(Alert, "from_bytes", parse))
        patches.enter_context(mock.patch.object(Alert, "to_bytes", remembered(Alert.to_bytes)))
        usual = gc.get_threshold()
        gc.set_threshold(100_000, 50, 50)  # what is remembered is much, and never rubbish
        try:
            yield
        finally:
            gc.set_threshold(*usual)
            _NAMES.clear()  # what had these names is forgotten with the functions
            _ALIVE.clear()
            _short.cache_clear()
