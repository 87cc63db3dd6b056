"""Turns SSD tables into one row per episode of a month, as it was known at the month's end.

Every join says how many rows it may find. A row dated after the month's last day is ignored; an end after that day has
not happened yet. If a date cannot be read, the fields that need it are null and a problem of that episode, so that they
are withheld and not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from features.months import Month
from flows.extracts.formats.ssd import tables as ssd
from flows.extracts.formats.ssd.joining import JOINED, placed, unreliable_join, without_case
from flows.extracts.formats.ssd.tables import ABSENT, Tables

#: The names that the SSD's scripts and case systems use for the involvement of the worker who holds the case. If one of
#: the first is used, the second names mean somebody else's part in the case.
ALLOCATED_ROLES = (
    ("allocatedcaseworker", "allocatedworker", "allocatedsocialworker", "cw"),
    ("caseworker", "caseholder", "keyworker", "leadsocialworker", "socialworker"),
)
#: SSD codes for why a worker changed (INVO004A).
CHANGE_REASONS = {
    "MANAGE": "management decision",
    "FCONTA": "end of a fixed contract",
    "LEFTRL": "left the role",
    "ORGRST": "restructure",
    "TSPROC": "transfer in the process",
    "ABSENC": "absence",
    "CHCHAN": "asked for by the child",
    "PCCHAN": "asked for by a parent or carer",
    "SWDIED": "death",
    "OTHERS": "other",
}
#: Fewer changes than this for one reason are not shown separately: they may point at a person.
_FEW = 6

#: Field of the caseload extract -> the tables it is made from, besides the episodes themselves.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "allocated_worker_ref": (ssd.INVOLVEMENTS,),
    "team": (ssd.INVOLVEMENTS,),
    "worker_changes_12m": (ssd.INVOLVEMENTS,),
    "case_status": (ssd.CLA_EPISODES, ssd.PLANS, ssd.CIN_PLANS, ssd.ASSESSMENTS),
    "assessment_start_date": (ssd.ASSESSMENTS,),
    "assessment_authorised_date": (ssd.ASSESSMENTS,),
    "section_47_start_date": (ssd.ENQUIRIES,),
    "icpc_date": (ssd.ENQUIRIES, ssd.CONFERENCES),
    "cp_plan_start_date": (ssd.PLANS,),
    "previous_cp_plans": (ssd.PLANS,),
    "cp_review_due_date": (ssd.PLANS, ssd.REVIEWS),
    "last_cp_review_date": (ssd.PLANS, ssd.REVIEWS),
    "last_visit_date": (ssd.CIN_VISITS, ssd.CP_VISITS, ssd.CLA_VISITS),
    "re_referral": (),
}

_REF, _PERSON = "cine_referral_id", "cine_person_id"
_HELD = ("allocated_worker_ref", "team", "worker_changes_12m")
_ASSESSED = ("assessment_start_date", "assessment_authorised_date", "case_status")
_FAULTS = pl.Schema(
    {_REF: pl.String(), "field": pl.String(), "problem": pl.String(), "column": pl.String(), "at": pl.UInt32()}
)


@dataclass
class Found:
    """The month's episodes under our column names, and the notes on them."""

    rows: pl.DataFrame
    """Columns of the caseload extract that could be made, `cine_referral_id` as `case_ref`, and `row`."""
    faults: pl.DataFrame
    """`cine_referral_id`, field and problem code of dates that could not be read; `column` and row (`at`) of each."""
    withheld: dict[str, str] = field(default_factory=dict)
    """Field -> why it is not given."""
    lost: tuple[str, ...] = ()
    """Those whose tables exist but cannot be used."""
    notes: list[str] = field(default_factory=list)


def episodes_of(tables: Tables, month: Month, *, only: Collection[str] = tuple(NEEDS)) -> Found:
    """The episodes open at the month's end or closed in the month; needs the table of episodes.

    `only`: the fields wanted besides the dates of referral and closing.
    """
    work = _Work(tables, month)
    work.population()
    for name, needed in NEEDS.items():
        if name not in only:
            continue
        lacking = [f"the table {t} {tables.lacking[t]}" for t in needed if not tables.has(t)]
        if lacking:
            work.withheld[name] = " and ".join(lacking)
        if any(tables.lacking.get(t, ABSENT) != ABSENT for t in needed):
            work.lost[name] = None
    makers: tuple[tuple[str, Callable[[], None]], ...] = (
        ("allocated_worker_ref", work.involvements),
        ("assessment_start_date", work.assessments),
        ("section_47_start_date", work.enquiries),
        ("cp_plan_start_date", work.plans),
        ("case_status", work.status),
        ("last_visit_date", work.visits),
        ("re_referral", work.re_referrals),
    )
    for name, make in makers:
        if name in only and name not in work.withheld:
            make()
    return work.found()


class _Work:
    """One month's episodes while columns are added to them."""

    def __init__(self, tables: Tables, month: Month) -> None:
        self.tables, self.first, self.last = placed(tables), month.first_day, month.last_day
        self.year_before = month.plus(-12).last_day
        self.withheld: dict[str, str] = {}
        self.lost: dict[str, None] = {}
        self.notes: list[str] = list(self.tables.notes)
        self.faults: list[pl.DataFrame] = [_FAULTS.to_frame()]
        self.rows = pl.DataFrame()

    def population(self) -> None:
        """Episodes referred by the month's end and not closed before its first day."""
        all_rows = self.tables[ssd.EPISODES]
        referred, closed = pl.col("cine_referral_date"), pl.col("cine_close_date")
        no_action = (pl.col("cine_referral_nfa").str.to_lowercase().is_in(["y", "yes", "1", "true", "t"])).fill_null(
            False
        )
        ended_at_once = no_action & closed.is_null() & pl.col("cine_close_date!").is_null()
        known = (referred <= self.last).fill_null(True)
        kept = all_rows.filter(known).with_columns(ended_at_once.alias("at_once"))
        kept = kept.with_columns(pl.when("at_once").then(referred).otherwise(closed).alias("cine_close_date")).filter(
            (closed >= self.first).fill_null(True)
        )
        if count := kept.filter("at_once").height:
            self.notes.append(
                f"{count:,} referrals of the month without further action (cine_referral_nfa) and without a closing "
                "date were taken as closed on their day."
            )
        self.fault(kept, "cine_referral_date", "referral_date")
        self.fault(kept, "cine_close_date", "closed_date")
        self.rows = kept.select(
            _REF,
            _PERSON,
            "row",
            pl.col("cine_referral_date").alias("referral_date"),
            self.by_now("cine_close_date").alias("closed_date"),
        )

    def involvements(self) -> None:
        """The worker who holds the case, the team, and how often the worker changed."""
        held = self._allocations()
        if held is None or self._without_worker(held):
            return
        held = held.filter(pl.col("invo_referral_id").is_not_null())
        start, end = "invo_involvement_start_date", "invo_involvement_end_date"
        for column in (start, end):
            self.fault(held.rename({"invo_referral_id": _REF}), column, "allocated_worker_ref", "worker_changes_12m")
        undated = held.filter(pl.col(start).is_null() & pl.col(f"{start}!").is_null()).height
        if undated:
            self.notes.append(f"{undated:,} rows of {ssd.INVOLVEMENTS} have no start date and were left out.")
        held = held.filter(pl.col(start) <= self.last).sort(
            "invo_referral_id", start, "invo_professional_id", "row", nulls_last=True
        )
        running = held.filter(pl.col(end).is_null() | (pl.col(end) > self.last))
        now = running.filter(pl.col("invo_professional_id").is_not_null())
        # Somebody holds such a case, and the table does not say who.
        unsaid = running.join(now, on="invo_referral_id", how="anti", maintain_order="left")
        self.fault(unsaid.rename({"invo_referral_id": _REF}), "invo_professional_id", "allocated_worker_ref")
        several = now.group_by("invo_referral_id").agg(pl.col("invo_professional_id").n_unique().alias("n"))
        cases = self.rows[_REF].drop_nulls()
        if both := several.filter(pl.col("n") > 1, pl.col("invo_referral_id").is_in(cases.implode())).height:
            self.notes.append(
                f"{both:,} cases have two or more workers at the month's end in {ssd.INVOLVEMENTS}; the latest one "
                "counts."
            )
        latest = now.unique("invo_referral_id", keep="last", maintain_order=True)
        if latest.height and latest["invo_professional_team"].null_count() == latest.height:
            self.notes.append(f"{ssd.INVOLVEMENTS} names no team of those who hold cases (invo_professional_team).")
        self.beside(
            latest,
            "invo_referral_id",
            allocated_worker_ref=pl.col("invo_professional_id"),
            team=pl.col("invo_professional_team"),
        )
        self._changes(held.filter(pl.col("invo_professional_id").is_not_null()), start, end)

    def _without_worker(self, held: pl.DataFrame) -> bool:
        """Whether involvements that name no case could belong to the cases for which none was found."""
        how = JOINED[ssd.INVOLVEMENTS]
        running = held.filter(
            pl.col(how.start) <= self.last,
            pl.col("invo_professional_id").is_not_null(),
            (pl.col("invo_involvement_end_date") > self.last).fill_null(True),
        )
        open_now = self.rows.filter(pl.col("closed_date").is_null())
        alone = open_now.filter(~pl.col(_REF).is_in(running[how.ref].drop_nulls().implode())).height
        why = without_case(running, ssd.INVOLVEMENTS, (self.first, self.last), basis=alone)
        if why is None and 2 * alone > open_now.height:
            why = unreliable_join(running, how.ref, how.start, self.tables[ssd.EPISODES][_REF], self.last)
        return self.lose(_HELD, why)

    def lose(self, names: Collection[str], why: str | None) -> bool:
        """Withhold fields whose table exists but cannot be used, and return whether there was a reason to."""
        if why is not None:
            self.withheld |= dict.fromkeys(names, why)
            self.lost |= dict.fromkeys(names)
        return why is not None

    def _allocations(self) -> pl.DataFrame | None:
        """Involvements of the worker who holds the case, told by their role where roles are given."""
        rows = self.tables[ssd.INVOLVEMENTS]
        role = pl.col("invo_professional_role_id")
        if rows[role.meta.output_name()].null_count() == rows.height:
            self.notes.append(f"{ssd.INVOLVEMENTS} gives no roles, so every involvement was taken as holding the case.")
            return rows
        plain = role.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")
        allocated = next(
            (held for names in ALLOCATED_ROLES if (held := rows.filter(plain.is_in(names))).height), rows.clear()
        )
        if allocated.is_empty():
            why = (
                f"no row of {ssd.INVOLVEMENTS} has a role known as the allocated worker's in invo_professional_role_id "
                "(“Allocated Case Worker”, “CW” …), so who holds a case cannot be told"
            )
            self.lose(_HELD, why)
            return None
        if others := rows.height - allocated.height:
            self.notes.append(f"{others:,} rows of {ssd.INVOLVEMENTS} have another role than the allocated worker's.")
        return allocated

    def _changes(self, held: pl.DataFrame, start: str, end: str) -> None:
        """Allocations in the 12 months to the month's end that followed another worker's."""
        earliest: date | None = held[start].min()  # type: ignore[assignment]
        if earliest is None or earliest > self.year_before:
            begin = f"begin on {earliest}" if earliest is not None else "name no professional"
            self.withheld["worker_changes_12m"] = (
                f"the involvements {begin}, so that the 12 months to the month's end are not covered"
            )
            return
        before = pl.col("invo_professional_id").shift(1).over("invo_referral_id")
        changed = (pl.col("invo_professional_id") != before).fill_null(False) & (pl.col(start) > self.year_before)
        changes = held.with_columns(changed.alias("changed")).group_by("invo_referral_id").agg(pl.col("changed").sum())
        self.beside(changes, "invo_referral_id", worker_changes_12m=pl.col("changed").cast(pl.Int64))
        self.rows = self.rows.with_columns(pl.col("worker_changes_12m").fill_null(0))
        ended = held.filter(pl.col(end) > self.year_before, pl.col(end) <= self.last)
        reasons = ended["invo_worker_change_reason"].drop_nulls().str.to_uppercase()
        if not reasons.len():
            return
        known = reasons.replace_strict(CHANGE_REASONS, default="a code the SSD does not know", return_dtype=pl.String())
        counts = known.value_counts(sort=True).sort("count", "invo_worker_change_reason", descending=[True, False])
        told = [f"{reason} {n:,}" for reason, n in counts.iter_rows() if n >= _FEW]
        few = counts.filter(pl.col("count") < _FEW)["count"].sum()
        rest = [f"reasons of fewer than {_FEW} each {few}"] if few else []
        self.notes.append(
            f"Why workers stopped holding a case in the 12 months, where it is said: {', '.join(told + rest)}."
        )

    def assessments(self) -> None:
        """The latest assessment begun by the month's end, and its authorisation if that has happened."""
        start, done = "cina_assessment_start_date", "cina_assessment_auth_date"
        rows = self.tables[ssd.ASSESSMENTS]
        if self.lose(_ASSESSED, without_case(rows, ssd.ASSESSMENTS, (self.first, self.last))):
            return
        rows = rows.rename({"cina_referral_id": _REF})
        self.fault(rows, start, "assessment_start_date", "assessment_authorised_date")
        self.fault(rows, done, "assessment_authorised_date")
        latest = self.latest(rows, start, done)
        self.beside(latest, _REF, assessment_start_date=pl.col(start), assessment_authorised_date=self.by_now(done))

    def enquiries(self) -> None:
        """The latest section 47 enquiry begun by the month's end, and the conference that followed it."""
        start, held = "s47e_s47_start_date", "icpc_icpc_date"
        rows = self.tables[ssd.ENQUIRIES]
        if self.lose(
            ("section_47_start_date", "icpc_date"), without_case(rows, ssd.ENQUIRIES, (self.first, self.last))
        ):
            return
        rows = rows.rename({"s47e_referral_id": _REF})
        self.fault(rows, start, "section_47_start_date", "icpc_date")
        latest = self.latest(rows, start, "s47e_s47_enquiry_id")
        self.beside(latest, _REF, section_47_start_date=pl.col(start), enquiry=pl.col("s47e_s47_enquiry_id"))
        if "icpc_date" not in self.withheld:
            conferences = self.tables[ssd.CONFERENCES]
            known = rows["s47e_s47_enquiry_id"]
            self.lose(("icpc_date",), unreliable_join(conferences, "icpc_s47_enquiry_id", held, known, self.last))
            unnamed = conferences.filter(
                pl.col("icpc_s47_enquiry_id").is_null(), pl.col(held).is_between(self.first, self.last)
            )
            if unnamed.height:
                self.notes.append(
                    f"{unnamed.height:,} conferences of the month do not name their section 47 enquiry and cannot be "
                    "timed."
                )
            of_case = conferences.join(
                rows.filter(pl.col("s47e_s47_enquiry_id").is_not_null()).unique("s47e_s47_enquiry_id"),
                left_on="icpc_s47_enquiry_id",
                right_on="s47e_s47_enquiry_id",
                validate="m:1",
            )
            self.fault(of_case, held, "icpc_date")
            first = (
                conferences.filter(pl.col(held) <= self.last).group_by("icpc_s47_enquiry_id").agg(pl.col(held).min())
            )
            self.rows = self.rows.join(
                first.rename({held: "icpc_date"}),
                left_on="enquiry",
                right_on="icpc_s47_enquiry_id",
                how="left",
                validate="m:1",
                maintain_order="left",
            )
        self.rows = self.rows.drop("enquiry")

    def plans(self) -> None:
        """The child protection plan of the episode, how many the child had before, and its reviews."""
        start, end = "cppl_cp_plan_start_date", "cppl_cp_plan_end_date"
        elsewhere = pl.col("cppl_cp_plan_ola").str.to_lowercase().is_in(["y", "yes", "1", "true", "t"]).fill_null(False)
        rows = self.tables[ssd.PLANS].filter(~elsewhere)
        fields = ("cp_plan_start_date", "previous_cp_plans", "cp_review_due_date", "last_cp_review_date")
        if self.lose((*fields, "case_status"), without_case(rows, ssd.PLANS, (self.first, self.last))):
            return
        rows = rows.rename({"cppl_referral_id": _REF})
        for column in (start, end):
            self.fault(rows, column, *fields)
        # Whose plan it is, the episode says too, and it identifies the child everywhere else.
        whose = self.tables[ssd.EPISODES].select(_REF, "cine_person_id").unique(_REF, keep="first", maintain_order=True)
        rows = rows.join(whose, on=_REF, how="left", maintain_order="left").with_columns(
            pl.coalesce("cine_person_id", "cppl_person_id").alias("child")
        )
        number = pl.col(start).rank("min").over("child").cast(pl.Int64) - 1
        rows = rows.filter(pl.col(start) <= self.last).with_columns(
            pl.when(pl.col("child").is_not_null()).then(number).alias("before")
        )
        # An episode that closed in the month keeps the plan that ended with it.
        closed_now = self.rows.filter(pl.col("closed_date").is_not_null())[_REF]
        running = pl.col(end).is_null() | (pl.col(end) > self.last)
        ended_with_it = (pl.col(end) >= self.first) & pl.col(_REF).is_in(closed_now.implode())
        latest = self.latest(rows.filter(running | ended_with_it), start, "cppl_cp_plan_id")
        self.beside(
            latest,
            _REF,
            cp_plan_start_date=pl.col(start),
            previous_cp_plans=pl.col("before"),
            plan=pl.col("cppl_cp_plan_id"),
        )
        if "cp_review_due_date" not in self.withheld:
            self._reviews()
        self.rows = self.rows.drop("plan")

    def _reviews(self) -> None:
        due, held = "cppr_cp_review_due", "cppr_cp_review_date"
        rows = self.tables[ssd.REVIEWS].filter(pl.col("cppr_cp_plan_id").is_not_null())
        plans = self.tables[ssd.PLANS]["cppl_cp_plan_id"]
        why = unreliable_join(rows, "cppr_cp_plan_id", held, plans, self.last)
        if self.lose(("cp_review_due_date", "last_cp_review_date"), why):
            return
        of_case = rows.join(
            self.rows.filter(pl.col("plan").is_not_null()).select(_REF, "plan").unique("plan"),
            left_on="cppr_cp_plan_id",
            right_on="plan",
            validate="m:1",
        )
        self.fault(of_case, due, "cp_review_due_date")
        self.fault(of_case, held, "last_cp_review_date", "cp_review_due_date")
        waiting = pl.col(held).is_null() | (pl.col(held) > self.last)
        reviews = rows.group_by("cppr_cp_plan_id").agg(
            pl.col(due).filter(waiting).min().alias("cp_review_due_date"),
            pl.col(held).filter(pl.col(held) <= self.last).max().alias("last_cp_review_date"),
        )
        self.rows = self.rows.join(
            reviews, left_on="plan", right_on="cppr_cp_plan_id", how="left", validate="m:1", maintain_order="left"
        )

    def status(self) -> None:
        """In order of precedence: looked after, child protection plan, child in need plan, open assessment."""
        cared = self.tables[ssd.CLA_EPISODES]
        begun, ceased = "clae_cla_episode_start_date", "clae_cla_episode_ceased_date"
        named = cared.filter(pl.col("clae_referral_id").is_not_null()).rename({"clae_referral_id": _REF})
        by_child = self._with_cases(cared.filter(pl.col("clae_referral_id").is_null()), "clae_person_id")
        plans = self.tables[ssd.CIN_PLANS]
        if self.lose(("case_status",), without_case(plans, ssd.CIN_PLANS, (self.first, self.last))):
            return
        plans = plans.rename({"cinp_referral_id": _REF})
        plan_begun, plan_ended = "cinp_cin_plan_start_date", "cinp_cin_plan_end_date"
        for rows, columns in ((named, (begun, ceased)), (by_child, (begun, ceased)), (plans, (plan_begun, plan_ended))):
            for column in columns:
                self.fault(rows, column, "case_status")
        looked_after = self._open(named, begun, ceased).append(self._open(by_child, begun, ceased))
        in_need = self._open(plans, plan_begun, plan_ended)
        assessed = (pl.col("assessment_start_date").is_not_null()) & pl.col("assessment_authorised_date").is_null()
        self.rows = self.rows.with_columns(
            pl.when(pl.col("closed_date").is_not_null())
            .then(pl.lit("e"))
            .when(pl.col(_REF).is_in(looked_after.implode()))
            .then(pl.lit("a"))
            .when(pl.col("cp_plan_start_date").is_not_null())
            .then(pl.lit("b"))
            .when(pl.col(_REF).is_in(in_need.implode()))
            .then(pl.lit("c"))
            .when(assessed)
            .then(pl.lit("d"))
            .alias("case_status")
        )

    def visits(self) -> None:
        """The last visit of any kind since the referral at which the child was seen, or may have been."""
        parts = []
        for table, prefix, kind in (
            (ssd.CIN_VISITS, "cinv", "cin"),
            (ssd.CP_VISITS, "cppv", "cp"),
            (ssd.CLA_VISITS, "clav", "cla"),
        ):
            person, day, seen = f"{prefix}_person_id", f"{prefix}_{kind}_visit_date", f"{prefix}_{kind}_visit_seen"
            rows = self.tables[table]
            children = self.tables[ssd.EPISODES][_PERSON]
            if self.lose(("last_visit_date",), unreliable_join(rows, person, day, children, self.last)):
                return
            self.fault(self._with_cases(rows.filter(pl.col(f"{day}!").is_not_null()), person), day, "last_visit_date")
            not_seen = pl.col(seen).str.to_lowercase().is_in(["n", "no", "0", "false", "f"]).fill_null(False)
            parts.append(
                rows.filter(pl.col(day) <= self.last, ~not_seen).select(
                    pl.col(person).alias("who"), pl.col(day).alias("day")
                )
            )
        last = pl.concat(parts).group_by("who").agg(pl.col("day").max())
        joined = self.rows.join(
            last, left_on=_PERSON, right_on="who", how="left", validate="m:1", maintain_order="left"
        )
        self.rows = joined.with_columns(
            pl.when(pl.col("day") >= pl.col("referral_date")).then(pl.col("day")).alias("last_visit_date")
        ).drop("day")

    def re_referrals(self) -> None:
        """Whether the child had another referral in the 12 months before this one, on an earlier day."""
        days = (
            self.tables[ssd.EPISODES]
            .filter(pl.col(_PERSON).is_not_null(), pl.col("cine_referral_date") <= self.last)
            .select(_PERSON, pl.col("cine_referral_date").alias("referral_date"))
            .unique()
            .sort(_PERSON, "referral_date")
            .with_columns(pl.col("referral_date").shift(1).over(_PERSON).alias("previous"))
        )
        earliest: date | None = days["referral_date"].min()  # type: ignore[assignment]
        if earliest is None or earliest > self.year_before:
            self.withheld["re_referral"] = (
                f"the referrals begin on {earliest}, so that the 12 months before those of the month are not covered"
            )
            return
        again = (pl.col("previous") >= pl.col("referral_date").dt.offset_by("-12mo")).fill_null(False)
        self.rows = (
            self.rows.join(days, on=[_PERSON, "referral_date"], how="left", validate="m:1", maintain_order="left")
            .with_columns(
                pl.when(pl.col(_PERSON).is_not_null() & pl.col("referral_date").is_not_null())
                .then(again)
                .alias("re_referral")
            )
            .drop("previous")
        )

    def found(self) -> Found:
        """The rows under our names, with problem cells blank and withheld fields removed."""
        faults = (
            pl.concat(self.faults)
            .filter(pl.col(_REF).is_in(self.rows[_REF].implode()), pl.col("field").is_in(self.rows.columns))
            .unique([_REF, "field"], keep="first", maintain_order=True)
        )
        rows = self.rows.drop([f for f in self.withheld if f in self.rows.columns])
        for (name,), cells in faults.group_by(["field"]):
            if str(name) in rows.columns:
                unread = pl.col(_REF).is_in(cells[_REF].implode()).fill_null(False)
                rows = rows.with_columns(pl.when(~unread).then(pl.col(str(name))).alias(str(name)))
        lost = tuple(name for name in self.lost if name in self.withheld)
        return Found(rows.drop(_PERSON).rename({_REF: "case_ref"}), faults, self.withheld, lost, self.notes)

    def by_now(self, column: str) -> pl.Expr:
        """The date, if it is not after the month's end."""
        return pl.when(pl.col(column) <= self.last).then(pl.col(column))

    def latest(self, rows: pl.DataFrame, start: str, then: str) -> pl.DataFrame:
        """One row per referral: the last begun by the month's end."""
        known = rows.filter(pl.col(_REF).is_not_null(), pl.col(start) <= self.last)
        return known.sort(_REF, start, then, "row", nulls_last=True).unique(_REF, keep="last", maintain_order=True)

    def beside(self, other: pl.DataFrame, key: str, **columns: pl.Expr) -> None:
        """Add columns of a table that has at most one row per referral."""
        self.rows = self.rows.join(
            other.select(key, **columns), left_on=_REF, right_on=key, how="left", validate="m:1", maintain_order="left"
        )

    def fault(self, rows: pl.DataFrame, column: str, *names: str) -> None:
        """Record which fields of its episode an unreadable date of a row (with its referral id) affects."""
        unread = rows.filter(pl.col(f"{column}!").is_not_null(), pl.col(_REF).is_not_null())
        for name in names if unread.height else ():
            self.faults.append(
                unread.select(
                    _REF,
                    pl.lit(name).alias("field"),
                    pl.col(f"{column}!").alias("problem"),
                    pl.lit(column).alias("column"),
                    pl.col("row").alias("at"),
                )
            )

    def _open(self, rows: pl.DataFrame, start: str, end: str) -> pl.Series:
        """Referrals with something begun by the month's end that has not ended."""
        running = (pl.col(start) <= self.last) & (pl.col(end).is_null() | (pl.col(end) > self.last))
        return rows.filter(running)[_REF].drop_nulls().unique()

    def _with_cases(self, rows: pl.DataFrame, person: str) -> pl.DataFrame:
        """Rows of a child beside each of the child's episodes of the month."""
        cases = self.rows.filter(pl.col(_PERSON).is_not_null()).select(_REF, pl.col(_PERSON).alias(person))
        return rows.select(pl.exclude(_REF)).join(cases, on=person, validate="m:m")
