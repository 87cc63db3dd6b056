"""Field cases, part C: a number is right, or withheld with its reason, or asked about before anybody is mailed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from benchmarks.doubted import doubtful, made_up, of_the_record
from features.frames import REASONS
from features.registry import Missing
from flows.mail.approval import holds
from flows.month.take_in import TakenIn
from tests.field.region import LAST, FieldRegion, Ran

HIT = "Z01"
Change = Callable[[pl.DataFrame], pl.DataFrame]


def spoiled(region: FieldRegion, folder: Path, kind: str, change: Change) -> tuple[FieldRegion, TakenIn]:
    copy = region.copy(folder / "region")
    copy.put(HIT, kind, change(copy.table(HIT, kind)))
    return copy, copy.take_in()


def failed(taken: TakenIn) -> dict[str, str]:
    """What the council's files failed, with the effect of each."""
    own = taken.outcome.failures.filter(la_code=HIT)
    return dict(own.select("check", "effect").iter_rows())


def withheld(taken: TakenIn) -> set[str]:
    return {field for la_code, _, field in taken.outcome.withheld if la_code == HIT}


def number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64)


def times(name: str, factor: float) -> Change:
    return lambda t: t.with_columns((number(name) * factor).cast(pl.String).alias(name))


def always(name: str, value: str) -> Change:
    return lambda t: t.with_columns(pl.lit(value).alias(name))


def inverted(name: str) -> Change:
    return lambda t: t.with_columns(pl.col(name).replace({"0": "1", "1": "0"}))


def exchanged(one: str, other: str) -> Change:
    return lambda t: t.rename({one: other, other: one})


def issued_anew(name: str) -> Change:
    return lambda t: t.with_columns((pl.lit("N-") + pl.col(name)).alias(name))


def without(share: int) -> Change:
    """So many rows of each twenty are gone."""
    return lambda t: t.filter(pl.int_range(pl.len()) % 20 >= share)


@pytest.mark.parametrize(
    ("kind", "change", "check", "fields"),
    [
        ("workforce", always("fte", "0"), "workforce.fte.all_zero", {"fte"}),
        ("workforce", always("fte", "1"), "workforce.fte.whole_hours", {"fte"}),
        ("workforce", inverted("agency_worker"), "workforce.agency_worker.share", {"agency_worker"}),
        ("caseload", inverted("re_referral"), "caseload.re_referral.share", {"re_referral"}),
        (
            "caseload",
            exchanged("cp_review_due_date", "last_cp_review_date"),
            "caseload.cp_review_due_date.before_last_review",
            {"cp_review_due_date"},
        ),
        (
            "caseload",
            exchanged("last_visit_date", "last_cp_review_date"),
            "caseload.last_visit_date.empty_jump",
            {"last_visit_date"},
        ),
        (
            "establishment",
            exchanged("vacancy_fte", "agency_fte"),
            "establishment.vacancy_fte.exchanged",
            {"vacancy_fte", "agency_fte"},
        ),
        (
            "establishment",
            lambda t: t.with_columns((number("vacancy_fte") + 9).cast(pl.String).alias("agency_cover_fte")),
            "establishment.agency_cover_fte.above_vacancies",
            {"vacancy_fte", "agency_cover_fte"},
        ),
    ],
)
def test_what_cannot_be_right_is_withheld_with_its_reason(
    field_region: FieldRegion, tmp_path: Path, kind: str, change: Change, check: str, fields: set[str]
) -> None:
    _, taken = spoiled(field_region, tmp_path, kind, change)
    assert failed(taken)[check] == "the figures that need the column are withheld"
    assert withheld(taken) >= fields


def test_vacancies_in_hours_are_no_vacancies(field_region: FieldRegion, tmp_path: Path) -> None:
    _, taken = spoiled(field_region, tmp_path, "establishment", times("vacancy_fte", 37))
    assert withheld(taken) == {"vacancy_fte"}


@pytest.mark.parametrize(
    ("kind", "column", "counts"),
    [
        ("caseload", "case_ref", {"cases_seen_twice", "cases_worker_changed"}),
        ("caseload", "allocated_worker_ref", {"cases_seen_twice", "cases_worker_changed"}),
        # The leavers of this region carry their FTE, so that none need be looked up in the month before.
        ("workforce", "worker_ref", set()),
    ],
)
def test_references_issued_anew_are_said_and_nobody_is_followed(
    field_region: FieldRegion, tmp_path: Path, kind: str, column: str, counts: set[str]
) -> None:
    region, taken = spoiled(field_region, tmp_path, kind, issued_anew(column))
    assert failed(taken)[f"{kind}.{column}.reissued"] == "what needs the month before is withheld"
    assert set(e.outcome for e in taken.manifest.of(HIT)) == {"accepted"}
    content = region.context().store.read(f"{taken.manifest.prefix}reasons.parquet")
    reasons = pl.read_parquet(io.BytesIO(content)).select(list(REASONS)).filter(la_code=HIT)
    assert set(reasons.filter(reason=str(Missing.REISSUED))["input"]) == counts
    assert not holds(region.context().store, LAST), "by itself it is no broken file"


def test_zeros_lost_from_references_are_an_identity_break(field_region: FieldRegion, tmp_path: Path) -> None:
    def lost(table: pl.DataFrame) -> pl.DataFrame:
        return table.with_columns(pl.col("case_ref").str.replace(r"^(\D*)0*", "").alias("case_ref"))

    _, taken = spoiled(field_region, tmp_path, "caseload", lost)
    assert "caseload.case_ref.reissued" in failed(taken)


def test_last_months_file_with_its_dates_moved_on_is_not_used(field_region: FieldRegion, tmp_path: Path) -> None:
    copy = field_region.copy(tmp_path / "region")
    for kind in ("workforce", "caseload"):
        table = copy.table(HIT, kind, LAST.plus(-1))
        moved = pl.col(pl.String).str.replace_all("2026-09-30", "2026-10-31")
        copy.put(
            HIT, kind, table.with_columns(moved).with_columns(pl.col(pl.String).str.replace("2026-09-1", "2026-10-1"))
        )
    taken = copy.take_in()
    outcomes = {str(e.kind): e.outcome for e in taken.manifest.of(HIT)}
    assert outcomes == {"workforce": "quarantined", "caseload": "quarantined", "establishment": "accepted"}
    assert "caseload.file.stale" in failed(taken)


def test_leavers_left_out_are_asked_about(field_region: FieldRegion, tmp_path: Path) -> None:
    _, taken = spoiled(field_region, tmp_path, "workforce", lambda t: t.filter(pl.col("role_end_date").is_null()))
    assert "workforce.worker_ref.gone" in failed(taken)


def test_a_councils_total_row_is_left_out(field_region: FieldRegion, undisturbed: Ran, tmp_path: Path) -> None:
    def totalled(table: pl.DataFrame) -> pl.DataFrame:
        fte = table["fte"].cast(pl.Float64).sum()
        cases = table["cases"].cast(pl.Int64).sum()
        total = table.head(1).with_columns(
            worker_ref=pl.lit("999999999"), fte=pl.lit(f"{fte:.2f}"), cases=pl.lit(str(cases)), role_end_date=pl.lit("")
        )
        return pl.concat([table, total])

    region, taken = spoiled(field_region, tmp_path, "workforce", totalled)
    assert failed(taken)["workforce.fte.total"] == "the cells or rows are left out"
    content = region.context().store.read(f"{taken.manifest.prefix}counts-workforce.parquet")
    counted = pl.read_parquet(io.BytesIO(content)).filter(la_code=HIT).write_csv().encode().splitlines()[1]
    before = undisturbed.objects[f"{HIT}/workforce"].splitlines()[1]
    # All but the fingerprint of the file.
    assert counted.split(b",")[4:] == before.split(b",")[4:]


@pytest.mark.parametrize(
    ("kind", "change"),
    [("workforce", inverted("agency_worker")), ("workforce", without(9)), ("caseload", without(9))],
    ids=["agency inverted", "45% of workers gone", "45% of cases gone"],
)
def test_a_broken_file_holds_the_councils_mail_until_somebody_has_answered(
    field_region: FieldRegion, tmp_path: Path, kind: str, change: Change
) -> None:
    region, taken = spoiled(field_region, tmp_path, kind, change)
    store = region.context().store
    assert "Is this true?" in taken.outcome.doubted[HIT]
    held = holds(store, LAST)
    assert list(held) == [HIT]
    assert held[HIT] == taken.outcome.doubted[HIT]
    note = {"at": "2026-11-21T09:00:00+00:00", "councils": [HIT], "by": "data team", "reason": "the officer says so"}
    store.create(f"releases/{LAST}/one.json", json.dumps(note).encode(), content_type="application/json")
    assert holds(store, LAST) == {}


def test_nobodys_month_is_doubted_or_withheld_undisturbed(undisturbed: Ran) -> None:
    assert undisturbed.taken.outcome.doubted == {}
    assert undisturbed.taken.outcome.withheld == frozenset()
    assert undisturbed.taken.outcome.reissued == frozenset()


def test_real_councils_real_septembers_hardly_ever_raise_a_doubt(public_data: Path) -> None:
    """A year's change held to a month's limits: one in fifty at most, and never a month of the made-up region."""
    (file,) = public_data.glob("csww_indicators_*.csv")
    record = of_the_record(file)
    assert record.height > 500
    assert doubtful(record) <= record.height / 50
    assert doubtful(made_up(4, 8, 7)) == 0
