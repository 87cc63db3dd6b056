"""The extracts of all councils, as the one batch that is checked."""

from __future__ import annotations

from dataclasses import replace

from features.councils import Council
from features.months import Month
from features.registry import EXTRACTS, Kind
from flows.extracts.checking import batch_of

from .conftest import OCTOBER, WORKFORCE, ingest

DONCASTER = Council("371", "Doncaster", Month(2015, 1))


def test_a_batch_stands_in_order_of_council_and_key_whatever_came_first() -> None:
    own, others = ingest(WORKFORCE), ingest(WORKFORCE.replace("370,", "371,"), council=DONCASTER)
    rows = batch_of(OCTOBER, [others, own], {}, {}).frames[Kind.WORKFORCE]
    assert rows["la_code"].to_list() == ["370"] * 3 + ["371"] * 3
    assert rows.equals(rows.sort("la_code", *EXTRACTS[Kind.WORKFORCE].key, "file_row"))
    assert rows.equals(batch_of(OCTOBER, [own, others], {}, {}).frames[Kind.WORKFORCE])


def test_a_kind_that_nobody_sent_is_not_in_the_batch() -> None:
    batch = batch_of(OCTOBER, [replace(ingest(WORKFORCE), workers_by_name=True)], {}, {})
    assert list(batch.frames) == [Kind.WORKFORCE]
    assert batch.workers_by_name == {"370"}
