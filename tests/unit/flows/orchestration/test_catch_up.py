"""What a task of a catch-up on a cluster is given: nothing of what the catch-up stored before it."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from features.registry import Kind
from flows.month.groups import groups_of
from flows.month.take_in import Due
from flows.orchestration import catch_up
from flows.store import LocalStore
from tests.unit.flows.month.examples import landed, manifest, record
from tests.unit.flows.orchestration.examples import MONTH, context_of


def test_what_a_group_is_given_does_not_grow_with_the_months_that_were_stored(tmp_path: Path) -> None:
    context = context_of(LocalStore(tmp_path), 2)
    files = tuple(landed(council, Kind.WORKFORCE) for council in context.register.councils)
    due = [Due(MONTH.plus(n), context.cutoff, files, (), "mark", None) for n in range(-23, 1)]
    given: list[int] = []

    def submit(at_first: Any, *_: Any) -> Any:
        given.append(len(pickle.dumps(at_first.unquote())))
        done = SimpleNamespace(months=[None] * len(due))
        return SimpleNamespace(result=lambda: SimpleNamespace(unquote=lambda: done))

    def store(_context: Any, month: str, one: Any, *_: Any) -> None:
        context.history.write(manifest(record("100"), month=one.unquote().month), {})
        context.history.editions(one.unquote().month)

    steps: dict[str, Any] = {
        "take_in_group_task": SimpleNamespace(submit=submit),
        "pack_received_task": mock.Mock(),
        "store_month_task": store,
    }
    with mock.patch.multiple(catch_up, **steps):
        catch_up._by_groups(context, due, groups_of(due, 1))
    assert len(given) > 4 and len(set(given)) == 1
    assert len(pickle.dumps(context)) > 2 * given[0]
