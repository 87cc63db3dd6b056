"""Writes the made-up region as Standard Safeguarding Dataset tables, as a council's case system would hold a month.

A caseload extract has only totals of a child's history (“two changes of worker in 12 months”). So a history is made up
to fit them: earlier workers, an earlier referral, earlier plans.
"""

from __future__ import annotations

import io
from datetime import date, timedelta

import polars as pl

from features.months import Month

#: Fills every column of personal data, so that a test can search for it everywhere.
MARKER = "Planted-Marker"

_NOTHING = pl.lit(None, pl.Date())


def ssd_tables(
    caseload: pl.DataFrame, workforce: pl.DataFrame, month: Month, *, ending: str = "csv"
) -> dict[str, bytes]:
    """Filename -> content for one council and month; the frames are `as_sent` of that council.

    The tables also have the SSD's columns of personal data, filled with `MARKER`. A child's id is made from the
    episode's id.
    """
    cases = caseload.with_columns(
        pl.concat_str(pl.lit("P"), pl.col("case_ref")).alias("person"),
        (pl.lit(month.first_day) - pl.duration(days=40)).alias("long_ago"),
    )
    frames = {
        "ssd_person": cases.select(
            pl.col("person").alias("pers_person_id"),
            pl.lit(f"{MARKER} forename").alias("pers_forename"),
            pl.lit(f"{MARKER} surname").alias("pers_surname"),
            pl.lit(date(2015, 5, 5)).alias("pers_dob"),
        ),
        "ssd_cin_episodes": _episodes(cases, month),
        "ssd_involvements": _involvements(cases, month),
        "ssd_cin_assessments": cases.filter(pl.col("assessment_start_date").is_not_null()).select(
            pl.concat_str(pl.lit("A"), "case_ref").alias("cina_assessment_id"),
            pl.col("person").alias("cina_person_id"),
            pl.col("case_ref").alias("cina_referral_id"),
            pl.col("assessment_start_date").alias("cina_assessment_start_date"),
            pl.col("assessment_authorised_date").alias("cina_assessment_auth_date"),
            pl.lit(f'{{"OUTCOME_COMMENTS": "{MARKER}, a, b"}}').alias("cina_assessment_outcome_json"),
        ),
        "ssd_s47_enquiry": cases.filter(pl.col("section_47_start_date").is_not_null()).select(
            pl.concat_str(pl.lit("S"), "case_ref").alias("s47e_s47_enquiry_id"),
            pl.col("case_ref").alias("s47e_referral_id"),
            pl.col("section_47_start_date").alias("s47e_s47_start_date"),
        ),
        "ssd_initial_cp_conference": cases.filter(
            pl.col("icpc_date").is_not_null(), pl.col("section_47_start_date").is_not_null()
        ).select(
            pl.concat_str(pl.lit("S"), "case_ref").alias("icpc_s47_enquiry_id"),
            pl.col("icpc_date").alias("icpc_icpc_date"),
        ),
        **_plans(cases),
        **_care_and_visits(cases),
        "ssd_professionals": workforce.filter(pl.col("role_end_date").is_null()).select(
            pl.col("worker_ref").alias("prof_professional_id"),
            pl.lit(MARKER).alias("prof_professional_name"),
            pl.concat_str(pl.lit("SW"), "worker_ref", pl.lit(MARKER)).alias("prof_social_worker_registration_no"),
            pl.col("fte").alias("prof_full_time_equivalency"),
            pl.lit("PLACEHOLDER_DATA").alias("prof_agency_worker_flag"),
            pl.lit(99).alias("prof_professional_caseload"),
        ),
    }
    return {f"{name}.{ending}": _bytes(frame, ending) for name, frame in frames.items()}


def _bytes(frame: pl.DataFrame, ending: str) -> bytes:
    out = io.BytesIO()
    stamped = frame.with_columns(pl.col(pl.Date).cast(pl.Datetime("ms")))
    if ending == "parquet":
        stamped.write_parquet(out)
    else:
        stamped.write_csv(out, datetime_format="%Y-%m-%d %H:%M:%S")
    return out.getvalue()


def _episodes(cases: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The episodes, an earlier closed referral for each re-referral, and a referral from two years ago."""
    now = cases.select(
        pl.col("case_ref").alias("cine_referral_id"),
        pl.col("person").alias("cine_person_id"),
        pl.col("referral_date").alias("cine_referral_date"),
        pl.col("closed_date").alias("cine_close_date"),
        pl.lit("N").alias("cine_referral_nfa"),
    )
    again = cases.filter((pl.col("re_referral") == 1).fill_null(False)).select(
        pl.concat_str("case_ref", pl.lit("-0")).alias("cine_referral_id"),
        pl.col("person").alias("cine_person_id"),
        pl.col("referral_date").dt.offset_by("-5mo").alias("cine_referral_date"),
        pl.min_horizontal(
            pl.col("referral_date").dt.offset_by("-4mo"), pl.lit(month.first_day - timedelta(days=1))
        ).alias("cine_close_date"),
        pl.lit("N").alias("cine_referral_nfa"),
    )
    begun = month.plus(-24).first_day
    oldest = pl.DataFrame(
        {
            "cine_referral_id": ["first"],
            "cine_person_id": ["somebody"],
            "cine_referral_date": [begun],
            "cine_close_date": [begun],
            "cine_referral_nfa": ["Y"],
        }
    )
    return pl.concat([now, again, oldest])


def _involvements(cases: pl.DataFrame, month: Month) -> pl.DataFrame:
    """The present worker's involvement, and one earlier involvement for each change of worker."""
    year_before = month.plus(-12).last_day
    changes = pl.col("worker_changes_12m").fill_null(0).cast(pl.Int64)
    has_worker = pl.col("allocated_worker_ref").is_not_null()
    # Earlier workers: one for each change, and one more if nobody holds the case now.
    former = (
        cases.with_columns(changes=changes, held=has_worker)
        .filter(pl.col("changes") > 0)
        .with_columns(pl.int_ranges(0, pl.col("changes") + pl.col("held").not_().cast(pl.Int64)).alias("turn"))
        .explode("turn", empty_as_null=True)
        .with_columns(start=pl.lit(year_before) + pl.duration(days=25 * pl.col("turn")))
        .select(
            pl.concat_str(pl.lit("X"), "turn", pl.lit("-"), "case_ref").alias("invo_professional_id"),
            pl.col("start").alias("invo_involvement_start_date"),
            (pl.col("start") + pl.duration(days=25)).alias("invo_involvement_end_date"),
            pl.lit("LEFTRL").alias("invo_worker_change_reason"),
            pl.lit(None, pl.String()).alias("invo_professional_team"),
            pl.col("case_ref").alias("invo_referral_id"),
        )
    )
    present = cases.filter(has_worker).select(
        pl.col("allocated_worker_ref").alias("invo_professional_id"),
        (pl.lit(year_before) + pl.duration(days=25 * changes)).alias("invo_involvement_start_date"),
        _NOTHING.alias("invo_involvement_end_date"),
        pl.lit(None, pl.String()).alias("invo_worker_change_reason"),
        pl.col("team").alias("invo_professional_team"),
        pl.col("case_ref").alias("invo_referral_id"),
    )
    other = present.head(3).with_columns(
        pl.lit("other").alias("invo_professional_id"), pl.lit("Personal Adviser").alias("invo_professional_role_id")
    )
    allocated = pl.concat([former, present]).with_columns(
        pl.lit("Allocated Case Worker").alias("invo_professional_role_id")
    )
    return pl.concat([allocated, other])


def _plans(cases: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Child protection plans with earlier plans and reviews, and child in need plans."""
    planned = cases.filter(pl.col("cp_plan_start_date").is_not_null()).with_columns(
        pl.concat_str(pl.lit("L"), "case_ref").alias("plan")
    )
    now = planned.select(
        pl.col("plan").alias("cppl_cp_plan_id"),
        pl.col("case_ref").alias("cppl_referral_id"),
        pl.col("person").alias("cppl_person_id"),
        pl.col("cp_plan_start_date").alias("cppl_cp_plan_start_date"),
        pl.col("closed_date").alias("cppl_cp_plan_end_date"),
    )
    before = (
        planned.with_columns(pl.int_ranges(0, pl.col("previous_cp_plans").fill_null(0).cast(pl.Int64)).alias("n"))
        .explode("n", empty_as_null=True)
        .drop_nulls("n")
        .with_columns(start=pl.col("cp_plan_start_date") - pl.duration(days=200 * (pl.col("n") + 1)))
        .select(
            pl.concat_str("plan", pl.lit("-"), "n").alias("cppl_cp_plan_id"),
            pl.concat_str("case_ref", pl.lit("-0")).alias("cppl_referral_id"),
            pl.col("person").alias("cppl_person_id"),
            pl.col("start").alias("cppl_cp_plan_start_date"),
            (pl.col("start") + pl.duration(days=100)).alias("cppl_cp_plan_end_date"),
        )
    )
    held = planned.filter(pl.col("last_cp_review_date").is_not_null()).select(
        pl.col("plan").alias("cppr_cp_plan_id"),
        pl.col("last_cp_review_date").alias("cppr_cp_review_due"),
        pl.col("last_cp_review_date").alias("cppr_cp_review_date"),
    )
    due = planned.filter(pl.col("cp_review_due_date").is_not_null()).select(
        pl.col("plan").alias("cppr_cp_plan_id"),
        pl.col("cp_review_due_date").alias("cppr_cp_review_due"),
        _NOTHING.alias("cppr_cp_review_date"),
    )
    in_need = cases.filter(pl.col("case_status") == "c").select(
        pl.col("case_ref").alias("cinp_referral_id"),
        pl.col("referral_date").alias("cinp_cin_plan_start_date"),
        _NOTHING.alias("cinp_cin_plan_end_date"),
    )
    return {
        "ssd_cp_plans": pl.concat([now, before]),
        "ssd_cp_reviews": pl.concat([held, due]),
        "ssd_cin_plans": in_need,
    }


def _care_and_visits(cases: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Periods of care, and the last visit in the table of its kind."""
    care = cases.filter(pl.col("case_status") == "a").select(
        pl.col("case_ref").alias("clae_referral_id"),
        pl.col("person").alias("clae_person_id"),
        pl.col("referral_date").alias("clae_cla_episode_start_date"),
        _NOTHING.alias("clae_cla_episode_ceased_date"),
    )
    tables = {"ssd_cla_episodes": care}
    seen = cases.filter(pl.col("last_visit_date").is_not_null())
    in_table = pl.col("case_status").replace_strict({"a": "cla", "b": "cp"}, default="cin", return_dtype=pl.String())
    for kind, prefix in (("cin", "cinv"), ("cp", "cppv"), ("cla", "clav")):
        tables[f"ssd_{kind}_visits"] = seen.filter(in_table == kind).select(
            pl.col("person").alias(f"{prefix}_person_id"),
            pl.col("last_visit_date").alias(f"{prefix}_{kind}_visit_date"),
            pl.lit("Y").alias(f"{prefix}_{kind}_visit_seen"),
        )
    return tables
