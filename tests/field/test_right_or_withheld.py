"""Field cases, part C: a number is right, or withheld with its reason, or asked about before anybody is mailed."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from benchmarks.doubted import doubtful, made_up, of_the_record
from expectations.batch import doubted
from features.frames import REASONS
from features.registry import Missing
from flows.mail.approval import held_councils
from flows.month import inputs
from flows.month.edition import TakenIn
from tests.field.region import LAST, FieldRegion, Ran

Change = Callable[[pl.DataFrame], pl.DataFrame]


Changes = dict[tuple[str, str], Change]


@dataclass(frozen=True)
class Spoilt:
    """The region whose councils have sent changed files, each council's own; what is wrong at one stays there."""

    region: FieldRegion
    taken: TakenIn

    def failed(self, la_code: str) -> dict[str, str]:
        """What the council's files failed, with the effect of each."""
        own = self.taken.outcome.failures.filter(la_code=la_code)
        return dict(own.select("check", "effect").iter_rows())

    def withheld(self, la_code: str) -> set[str]:
        return {field for code, _, field in self.taken.outcome.withheld if code == la_code}

    def table(self, name: str, la_code: str) -> pl.DataFrame:
        content = self.region.context().history.content(self.taken.manifest, name)
        assert content is not None
        return pl.read_parquet(io.BytesIO(content)).filter(la_code=la_code)


def spoilt(region: FieldRegion, folder: Path, changes: Changes) -> Spoilt:
    copy = region.copy(folder / "region")
    for (la_code, kind), change in changes.items():
        copy.put(la_code, kind, change(copy.table(la_code, kind)))
    return Spoilt(copy, copy.take_in())


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


def number_added(name: str, to: str, more: float) -> Change:
    return lambda t: t.with_columns((number(name) + more).cast(pl.String).alias(to))


def lost_zeros(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col("case_ref").str.replace(r"^(\D*)0*", "").alias("case_ref"))


def totalled(table: pl.DataFrame) -> pl.DataFrame:
    fte = table["fte"].cast(pl.Float64).sum()
    cases = table["cases"].cast(pl.Int64).sum()
    total = table.head(1).with_columns(
        worker_ref=pl.lit("999999999"), fte=pl.lit(f"{fte:.2f}"), cases=pl.lit(str(cases)), role_end_date=pl.lit("")
    )
    return pl.concat([table, total])


#: Council and extract -> the change, the check that must fail and the fields withheld.
CANNOT_BE_RIGHT: dict[tuple[str, str], tuple[Change, str, set[str]]] = {
    ("Z01", "workforce"): (always("fte", "0"), "fte.all_zero", {"fte"}),
    ("Z02", "workforce"): (always("fte", "1"), "fte.whole_hours", {"fte"}),
    ("Z03", "workforce"): (inverted("agency_worker"), "agency_worker.share", {"agency_worker"}),
    ("Z03", "caseload"): (inverted("re_referral"), "re_referral.share", {"re_referral"}),
    ("Z02", "caseload"): (
        exchanged("cp_review_due_date", "last_cp_review_date"),
        "cp_review_due_date.before_last_review",
        {"cp_review_due_date"},
    ),
    ("Z01", "caseload"): (
        exchanged("last_visit_date", "last_cp_review_date"),
        "last_visit_date.empty_jump",
        {"last_visit_date"},
    ),
    ("Z01", "establishment"): (
        exchanged("vacancy_fte", "agency_fte"),
        "vacancy_fte.exchanged",
        {"vacancy_fte", "agency_fte"},
    ),
    ("Z02", "establishment"): (
        number_added("vacancy_fte", "agency_cover_fte", 9),
        "agency_cover_fte.above_vacancies",
        {"vacancy_fte", "agency_cover_fte"},
    ),
}
#: Vacancies in hours are no vacancies.
IN_HOURS: Changes = {("Z04", "establishment"): times("vacancy_fte", 37)}


@pytest.fixture(scope="module")
def cannot_be_right(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    changes = {where: change for where, (change, _, _) in CANNOT_BE_RIGHT.items()}
    return spoilt(field_region, tmp_path_factory.mktemp("cannot-be-right"), changes | IN_HOURS)


@pytest.mark.parametrize(("la_code", "kind"), CANNOT_BE_RIGHT)
def test_what_cannot_be_right_is_withheld_with_its_reason(cannot_be_right: Spoilt, la_code: str, kind: str) -> None:
    _, check, fields = CANNOT_BE_RIGHT[la_code, kind]
    assert cannot_be_right.failed(la_code)[f"{kind}.{check}"] == "the figures that need the column are withheld"
    assert cannot_be_right.withheld(la_code) >= fields


def test_vacancies_in_hours_are_no_vacancies(cannot_be_right: Spoilt) -> None:
    assert cannot_be_right.withheld("Z04") == {"vacancy_fte"}


REISSUED = {
    "Z01": ("caseload", "case_ref", {"cases_seen_twice", "cases_worker_changed"}),
    "Z02": ("caseload", "allocated_worker_ref", {"cases_seen_twice", "cases_worker_changed"}),
    # The leavers of this region carry their FTE, so that none need be looked up in the month before.
    "Z03": ("workforce", "worker_ref", set()),
}


@pytest.fixture(scope="module")
def reissued(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    """The fourth council has lost the zeros of its references."""
    changes: Changes = {(code, kind): issued_anew(column) for code, (kind, column, _) in REISSUED.items()}
    return spoilt(field_region, tmp_path_factory.mktemp("reissued"), {**changes, ("Z04", "caseload"): lost_zeros})


@pytest.mark.parametrize("la_code", REISSUED)
def test_references_issued_anew_are_said_and_nobody_is_followed(reissued: Spoilt, la_code: str) -> None:
    kind, column, counts = REISSUED[la_code]
    assert reissued.failed(la_code)[f"{kind}.{column}.reissued"] == "what needs the month before is withheld"
    assert set(e.outcome for e in reissued.taken.manifest.of(la_code)) == {"accepted"}
    reasons = reissued.table("reasons", la_code).select(list(REASONS))
    assert set(reasons.filter(reason=str(Missing.REISSUED))["input"]) == counts
    assert not held_councils(reissued.region.context().store, LAST), "by itself it is no broken file"


CONFIRMED = """[[accepted]]
check = "caseload.case_ref.reissued"
council = "Z01"
extract = "caseload"
column = "case_ref"
reason = "A new case system since October."
accepted_by = "data officer"
expires = "2026-10"
"""


def test_a_confirmed_break_is_recorded_and_charts_begin_anew(reissued: Spoilt, tmp_path: Path) -> None:
    region = reissued.region.copy(tmp_path / "region")
    unconfirmed = region.decide(reissued.taken)
    assert unconfirmed.measure("Z01", "worker_change_rate")[1] == Missing.REISSUED
    assert chart(unconfirmed)["xmr_mean"] is not None, "a question alone begins nothing"
    region.accepted.write_text(CONFIRMED, encoding="utf-8")
    confirmed = region.run()
    said = Spoilt(region, confirmed.taken).failed("Z01")
    assert said["caseload.case_ref.reissued"] == "what needs the month before is withheld"
    assert confirmed.measure("Z01", "worker_change_rate") == (None, Missing.NEW_REFERENCES)
    assert chart(confirmed)["xmr_mean"] is None
    for measure in ("turnover_rate_fte", "open_cases_per_10k"):
        assert chart(confirmed, measure) == chart(unconfirmed, measure), "what needs nobody followed goes on"
    assert confirmed.of_others("Z01") == unconfirmed.of_others("Z01")
    assert confirmed.alerting.facts["Z01"].series["worker_change_rate"].begun_anew == (LAST,)
    assert inputs.due_now(region.context()) == [], "the edition stands"


def chart(ran: Ran, measure: str = "worker_change_rate") -> dict[str, object]:
    return ran.measured.features.filter(la_code="Z01", month=LAST.last_day, measure=measure).row(0, named=True)


def test_zeros_lost_from_references_are_an_identity_break(reissued: Spoilt) -> None:
    assert "caseload.case_ref.reissued" in reissued.failed("Z04")


@pytest.fixture(scope="module")
def odd(field_region: FieldRegion, tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    """One council sends last month's files with new dates, one leaves out its leavers, one adds a row of totals."""

    def moved_on(kind: str) -> pl.DataFrame:
        table = field_region.table("Z01", kind, LAST.plus(-1))
        moved = table.with_columns(pl.col(pl.String).str.replace_all("2026-09-30", "2026-10-31"))
        return moved.with_columns(pl.col(pl.String).str.replace("2026-09-1", "2026-10-1"))

    changes: Changes = {
        ("Z01", "workforce"): lambda _: moved_on("workforce"),
        ("Z01", "caseload"): lambda _: moved_on("caseload"),
        ("Z02", "workforce"): lambda t: t.filter(pl.col("role_end_date").is_null()),
        ("Z03", "workforce"): totalled,
    }
    return spoilt(field_region, tmp_path_factory.mktemp("odd"), changes)


def test_last_months_file_with_its_dates_moved_on_is_not_used(odd: Spoilt) -> None:
    outcomes = {str(e.kind): e.outcome for e in odd.taken.manifest.of("Z01")}
    assert outcomes == {"workforce": "quarantined", "caseload": "quarantined", "establishment": "accepted"}
    assert "caseload.file.stale" in odd.failed("Z01")


def test_leavers_left_out_are_asked_about_before_anybody_is_mailed(odd: Spoilt) -> None:
    assert odd.failed("Z02")["workforce.worker_ref.gone"] == "the message to the director waits for an answer"
    assert "Is this true?" in held_councils(odd.region.context().store, LAST)["Z02"]


def test_a_file_cut_between_rows_is_asked_about_without_any_past(field_region: FieldRegion, tmp_path: Path) -> None:
    """Half of the workers are cut off after a whole row, in the first month of all: the cases contradict the file.

    Where a twentieth of the workers or of the cases is gone, the officer is asked.
    """
    first = field_region.copy(tmp_path / "region")
    shutil.rmtree(first.folder / "store" / "months")
    for month in (first.landing).glob("20??-??"):
        if month.name != str(LAST):
            shutil.rmtree(month)
    for la_code, kind, kept in (("Z01", "workforce", 0.5), ("Z02", "workforce", 0.95), ("Z03", "caseload", 0.95)):
        table = first.table(la_code, kind)
        first.put(la_code, kind, table.head(int(table.height * kept)))
    cut = Spoilt(first, first.take_in())
    assert cut.failed("Z01")["workforce.cases.caseload"] == "the message to the director waits for an answer"
    # The workers cut off at the end of the second council's file are its agency workers.
    assert set(held_councils(first.context().store, LAST)) == {"Z01", "Z02"}
    assert [c for c in ("Z02", "Z03", "Z04") if "workforce.cases.caseload" in cut.failed(c)] == ["Z02", "Z03"]


def test_a_councils_total_row_is_left_out(odd: Spoilt, undisturbed: Ran) -> None:
    assert odd.failed("Z03")["workforce.fte.total"] == "the cells or rows are left out"
    counted = odd.table("counts-workforce", "Z03").write_csv().encode().splitlines()[1]
    before = undisturbed.objects["Z03/workforce"].splitlines()[1]
    # All but the fingerprint of the file.
    assert counted.split(b",")[4:] == before.split(b",")[4:]


def test_a_broken_file_holds_the_councils_mail_until_somebody_has_answered(
    field_region: FieldRegion, tmp_path: Path
) -> None:
    """Agency workers the wrong way round; 45 per cent of the workers gone; 45 per cent of the cases gone."""
    broken: Changes = {
        ("Z01", "workforce"): inverted("agency_worker"),
        ("Z02", "workforce"): without(9),
        ("Z03", "caseload"): without(9),
    }
    here = spoilt(field_region, tmp_path, broken)
    store, held = here.region.context().store, doubted(here.taken.outcome.failures)
    assert all("Is this true?" in said for said in held.values())
    assert held_councils(store, LAST) == held
    assert sorted(held) == ["Z01", "Z02", "Z03"]
    for answered in ("Z01", "Z02", "Z03"):
        note = {"at": "2026-11-21T09:00:00+00:00", "councils": [answered], "by": "data team", "reason": "it is true"}
        store.create(f"releases/{LAST}/{answered}.json", json.dumps(note).encode(), content_type="application/json")
        del held[answered]
        assert held_councils(store, LAST) == held


def test_nobodys_month_is_doubted_or_withheld_undisturbed(undisturbed: Ran) -> None:
    assert doubted(undisturbed.taken.outcome.failures) == {}
    assert undisturbed.taken.outcome.withheld == frozenset()
    assert undisturbed.taken.outcome.reissued == frozenset()


def test_real_councils_real_septembers_hardly_ever_raise_a_doubt(public_data: Path) -> None:
    """A year's change held to a month's limits: one in fifty at most, and never a month of the made-up region."""
    (file,) = public_data.glob("csww_indicators_*.csv")
    record = of_the_record(file)
    assert record.height > 500
    assert doubtful(record) <= record.height / 50
    assert doubtful(made_up(4, 8, 7)) == 0
