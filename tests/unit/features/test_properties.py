"""What must hold whatever the data: order and splitting do not matter, the future does not reach back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.comparing.panel import compute_features
from features.councils import Council, Register
from features.counting import tally
from features.counting.month_before import CASE_STATE, WORKER_STATE, CasesBefore, fte_held, worker_changes
from features.counting.records import RECEIVED, count
from features.frames import FEATURE_COLUMNS, NATIONAL, counts_schema
from features.measuring.inputs import build_inputs
from features.measuring.rates import compute_measures, monthly_points
from features.measuring.returns import inputs_from_returns
from features.months import Month, month_range
from features.registry import (
    BY_NAME,
    COUNTS,
    EXTRACTS,
    INPUT_PARTS,
    RETURN,
    RETURN_INPUTS,
    Accrual,
    Kind,
    counts_of,
)

OCTOBER = Month(2026, 10)
LA_CODES = ("201", "202", "314 / 318")
RECORDS = (Kind.WORKFORCE, Kind.CASELOAD)
Rows = Callable[..., pl.DataFrame]

near = st.none() | st.dates(date(2026, 8, 1), date(2026, 11, 15))
references = st.integers(0, 2**64 - 1) | st.integers(0, 6) | st.sampled_from([2**63, 2**63 + 1, 2**63 + 9])
worker = st.fixed_dictionaries(
    {
        "la_code": st.sampled_from(LA_CODES),
        "worker_ref": references,
        "agency_worker": st.booleans(),
        "org_role": st.none() | st.sampled_from("123456"),
        "fte": st.none() | st.integers(0, 100),
        "role_start_date": near,
        "role_end_date": near,
        "reason_leave": st.none() | st.sampled_from("17"),
        "cases": st.none() | st.integers(0, 30),
        "working_days_lost": st.none() | st.integers(0, 200),
        "absent_at_reference_date": st.none() | st.booleans(),
    }
)
case = st.fixed_dictionaries(
    {
        "la_code": st.sampled_from(LA_CODES),
        "case_ref": references,
        "allocated_worker_ref": st.none() | st.integers(1, 3),
        "case_status": st.none() | st.sampled_from("abcde"),
        "re_referral": st.none() | st.booleans(),
        "worker_changes_12m": st.none() | st.integers(0, 4),
        "previous_cp_plans": st.none() | st.integers(0, 2),
        **{
            f.name: near
            for f in EXTRACTS[Kind.CASELOAD].fields
            if f.name.endswith("_date") and f.name != "reference_date"
        },
    }
)
extracts = st.fixed_dictionaries(
    {Kind.WORKFORCE: st.lists(worker, max_size=25), Kind.CASELOAD: st.lists(case, max_size=25)}
)


def canonical(kind: Kind, rows: Iterable[dict[str, object]]) -> pl.DataFrame:
    """The rows as an extract, each key once, sorted as ingest sorts."""
    key = EXTRACTS[kind].key[0]
    frame = pl.DataFrame(list(rows), schema=EXTRACTS[kind].schema)
    return frame.unique(["la_code", key], keep="first", maintain_order=True).sort("la_code", key)


def received(la_codes: Iterable[str] = LA_CODES) -> pl.DataFrame:
    return pl.DataFrame([(la, date(2026, 11, 5), "s") for la in la_codes], schema=RECEIVED, orient="row")


def counted(kind: Kind, frame: pl.DataFrame, before: pl.DataFrame | None = None) -> tuple[pl.DataFrame, ...]:
    found = count(kind, frame, OCTOBER, before, received())
    assert found.state is not None
    return found.counts, found.reasons, found.state


def state_before(kind: Kind, frame: pl.DataFrame) -> pl.DataFrame | None:
    state = count(kind, frame, OCTOBER.plus(-1), None, received()).state
    return None if state is None or state.is_empty() else state


@given(extracts, extracts, st.randoms())
def test_the_order_of_rows_does_not_matter(now: dict, past: dict, random: object) -> None:  # type: ignore[type-arg]
    for kind in RECORDS:
        frame, before = canonical(kind, now[kind]), state_before(kind, canonical(kind, past[kind]))
        shuffled = list(range(frame.height))
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        mixed = None if before is None else before.reverse()
        one, other = counted(kind, frame, before), counted(kind, frame[shuffled], mixed)
        assert one[0].equals(other[0]) and one[1].equals(other[1])
        assert one[2].equals(other[2].sort("la_code", EXTRACTS[kind].key[0]))


@given(extracts, extracts)
def test_splitting_the_councils_gives_the_same_counts(now: dict, past: dict) -> None:  # type: ignore[type-arg]
    for kind in RECORDS:
        frame, before = canonical(kind, now[kind]), state_before(kind, canonical(kind, past[kind]))
        whole = count(kind, frame, OCTOBER, before, received()).counts
        parts = []
        for la_code in LA_CODES:
            here = pl.col("la_code") == la_code
            its_before = None if before is None else before.filter(here)
            parts.append(count(kind, frame.filter(here), OCTOBER, its_before, received([la_code])).counts)
        assert whole.equals(pl.concat(parts))


@given(extracts, extracts)
def test_parts_never_exceed_their_wholes_and_shares_lie_in_0_to_1(now: dict, past: dict) -> None:  # type: ignore[type-arg]
    counts = {}
    for kind in RECORDS:
        before = state_before(kind, canonical(kind, past[kind]))
        counts[kind] = counted(kind, canonical(kind, now[kind]), before)[0]
    register = Register(tuple(Council(la, la, OCTOBER, population_0_17=1000) for la in LA_CODES))
    inputs, reasons = build_inputs(counts, register, OCTOBER, OCTOBER)
    # One month stands in for the whole window, so that the flows are looked at as well.
    of_month = [pl.col(f"{c.name}_1m").alias(f"{c.name}_12m") for c in COUNTS if c.accrual is Accrual.FLOW]
    measures = compute_measures(inputs.with_columns(of_month), reasons)
    bounded = measures.filter(pl.col("measure").is_in([m.name for m in BY_NAME.values() if m.bounded]))
    assert bounded.filter(pl.col("value").is_between(0, 1).not_()).is_empty()
    assert measures.filter(pl.col("reason").str.contains("contradict")).is_empty()
    assert measures.filter(pl.col("value").is_null() == pl.col("reason").is_null()).is_empty()


rows_of_state = st.lists(st.tuples(st.sampled_from(LA_CODES), references, st.integers(1, 3)), max_size=30)


@given(rows_of_state, rows_of_state, st.data())
def test_changed_workers_are_those_a_plain_look_up_finds(
    now: list[tuple[str, int, int]], then: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.sampled_from(now), unique=True)) if now else []
    held = {(la, ref): w for la, ref, w in now}
    past = {(la, ref): w for la, ref, w in then} | {(la, ref): w for la, ref, w in kept}

    def state(rows: dict[tuple[str, int], int]) -> pl.DataFrame:
        long = [(OCTOBER.last_day, la, ref, w) for (la, ref), w in sorted(rows.items())]
        return pl.DataFrame(long, schema=CASE_STATE, orient="row")

    before = CasesBefore.of(state(past), OCTOBER.plus(1))
    counts, unknown = worker_changes(tally.Rows.of(state(held)), before)
    expected = {la: [0, 0] for la, _ in held if la in {k[0] for k in past}}
    for (la, ref), w in held.items():
        if (la, ref) in past:
            expected[la][0] += 1
            expected[la][1] += past[la, ref] != w
    assert {la: [twice, changed] for la, twice, changed in counts.rows()} == expected
    assert unknown == {la for la, _ in held} - set(expected)


people = st.lists(st.tuples(st.sampled_from(LA_CODES), st.integers(1, 6)), max_size=12)


@given(people, people, st.dictionaries(st.tuples(st.sampled_from(LA_CODES), st.integers(1, 6)), st.integers(0, 100)))
def test_the_fte_of_leavers_is_what_a_plain_look_up_finds(
    leavers: list[tuple[str, int]], others: list[tuple[str, int]], past: dict[tuple[str, int], int]
) -> None:
    reference = {"la_code": pl.String(), "worker_ref": pl.UInt64()}
    unsaid, now = (pl.DataFrame(rows, schema=reference, orient="row") for rows in (leavers, leavers + others))
    state = [(OCTOBER.plus(-1).last_day, la, ref, fte) for (la, ref), fte in past.items()]
    found, unknown = fte_held(unsaid, pl.DataFrame(state, schema=WORKER_STATE, orient="row"), now)
    met = {la for la, ref in leavers + others if (la, ref) in past}
    expected: dict[str, int] = {}
    for la, ref in set(leavers) & set(past):
        expected[la] = expected.get(la, 0) + past[la, ref]
    assert found == expected
    assert unknown == {la for la, _ in leavers} - met


# From here on counts are drawn directly: 30 months of four councils.

COUNCILS = ("201", "202", "203", "204")
MONTHS = list(month_range(OCTOBER.plus(-29), OCTOBER))
REGISTER = Register(tuple(Council(la, la, MONTHS[0], population_0_17=30_000) for la in COUNCILS))
NEIGHBOURS = pl.DataFrame(
    [(a, b) for a in COUNCILS for b in COUNCILS if a != b], schema=["la_code", "neighbour"], orient="row"
)
PUBLISHED = pl.DataFrame(
    [
        (m, date(2025, 9, 30), date(2026, 2, 19), v)
        for m in ("agency_rate_fte", "caseload_fte")
        for v in (0.1, 0.2, 14.0, 17.0)
    ],
    schema=NATIONAL,
    orient="row",
)


def random_counts(seed: int, months: list[Month], known_from: Callable[[Month], date]) -> dict[Kind, pl.DataFrame]:
    rng = np.random.default_rng(seed)
    found = {}
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD):
        n = len(COUNCILS) * len(months)
        values = {c.name: rng.integers(0, 400, n) * c.parts // 4 for c in counts_of(kind)}
        keys = [(la, m.last_day, known_from(m), "s") for la in COUNCILS for m in months]
        frame = pl.DataFrame(keys, schema=["la_code", "month", "known_from", "extract_sha256"], orient="row")
        frame = frame.with_columns(pl.Series(n, v, dtype=pl.Int64) for n, v in values.items())
        # One extract in twenty never came.
        found[kind] = frame.filter(pl.Series(rng.random(n) > 0.05)).match_to_schema(counts_schema(kind))
    return found


def promptly(month: Month) -> date:
    return month.plus(1).first_day + timedelta(days=4)


def features_of(
    counts: dict[Kind, pl.DataFrame],
    month: Month,
    cutoff: date,
    last: Month | None = None,
    register: Register = REGISTER,
) -> pl.DataFrame:
    inputs, reasons = build_inputs(counts, register, MONTHS[0], last or month, cutoff)
    measures = compute_measures(inputs, reasons)
    points = monthly_points(inputs)
    return compute_features(measures, NEIGHBOURS, PUBLISHED, [month], as_of_day=cutoff, points=points)


@given(st.integers(0, 2**32), st.integers(0, 5))
def test_neither_a_future_month_nor_a_later_restatement_moves_a_past_feature(seed: int, back: int) -> None:
    month = OCTOBER.plus(-back)
    cutoff = promptly(month) + timedelta(days=5)
    known = random_counts(seed, [m for m in MONTHS if m <= month], promptly)
    future = random_counts(seed + 1, [m for m in MONTHS if m > month], promptly)
    restated = random_counts(seed + 2, MONTHS[:-6], lambda m: cutoff + timedelta(days=1))
    as_known = features_of(known, month, cutoff)
    with_hindsight = {kind: pl.concat([restated[kind], known[kind], future[kind]]) for kind in known}
    assert features_of(with_hindsight, month, cutoff).equals(as_known)
    # Even where the panel is made of later months as well.
    assert features_of(with_hindsight, month, cutoff, last=OCTOBER).equals(as_known)
    assert as_known["value"].null_count() < as_known.height


def test_a_restatement_known_in_time_does_count() -> None:
    known = random_counts(1, MONTHS, promptly)
    restated = random_counts(2, MONTHS, lambda m: promptly(OCTOBER))
    both = {kind: pl.concat([known[kind], restated[kind]]) for kind in known}
    cutoff = promptly(OCTOBER)
    assert not features_of(both, OCTOBER, cutoff).equals(features_of(known, OCTOBER, cutoff))


@given(st.integers(0, 2**32), st.sets(st.sampled_from(COUNCILS), min_size=1))
def test_a_councils_own_figures_are_bit_identical_in_any_split(seed: int, some: set[str]) -> None:
    counts = random_counts(seed, MONTHS, promptly)
    here = pl.col("la_code").is_in(sorted(some))
    cutoff = promptly(OCTOBER)
    whole = features_of(counts, OCTOBER, cutoff)
    part = features_of(
        {k: f.filter(here) for k, f in counts.items()},
        OCTOBER,
        cutoff,
        register=Register(tuple(c for c in REGISTER.councils if c.la_code in some)),
    )
    shared = {"neighbours_median", "neighbours_reported", "vs_neighbours", "shrunk"}
    own = [name for name in whole.columns if name not in shared]
    assert part.select(own).equals(whole.filter(here).select(own))
    assert set(FEATURE_COLUMNS) - shared <= set(own)


@given(st.integers(0, 2**32))
def test_a_september_return_and_twelve_months_of_records_give_the_same_measures(seed: int) -> None:
    september = Month(2026, 9)
    year = list(month_range(september.plus(-11), september))
    rng = np.random.default_rng(seed)
    counts = {}
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.CASELOAD):
        keys = [("201", m.last_day, promptly(m), "s") for m in year]
        frame = pl.DataFrame(keys, schema=["la_code", "month", "known_from", "extract_sha256"], orient="row")
        drawn = {c.name: pl.Series(rng.integers(0, 50 * c.parts, 12), dtype=pl.Int64) for c in counts_of(kind)}
        counts[kind] = frame.with_columns(**drawn)
    total = {c.name: counts[c.extract][c.name].sum() for c in COUNTS if c.accrual is Accrual.FLOW}
    latest = {c.name: counts[c.extract][c.name][-1] for c in COUNTS if c.accrual is Accrual.STOCK}
    given_name = {name: field for field, name in RETURN_INPUTS.items()}
    row = {
        field: latest[name] if name in latest else total[name.removesuffix("_12m")]
        for name, field in given_name.items()
    }
    rows = pl.DataFrame([{"la_code": "201", "reference_date": september.last_day, **row}], schema=RETURN.schema)
    population = pl.DataFrame({"la_code": ["201"], "population_0_17": [30_000]})
    known = pl.DataFrame({"la_code": ["201"], "known_from": [promptly(september)]})
    by_return = compute_measures(*inputs_from_returns(rows, known, population))
    register = Register((Council("201", "A", year[0], population_0_17=30_000),))
    by_records = compute_measures(*build_inputs(counts, register, year[0], september)).filter(
        pl.col("month") == september.last_day
    )
    can_be_told = [m for m, d in BY_NAME.items() if set(d.inputs) <= {*RETURN_INPUTS.values(), "population_0_17"}]
    ours, theirs = (f.filter(pl.col("measure").is_in(can_be_told)) for f in (by_records, by_return))
    assert len(can_be_told) >= 20 and set(given_name) <= set(INPUT_PARTS)
    assert ours.drop("known_from").equals(theirs.drop("known_from"))
