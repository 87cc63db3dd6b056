"""Small changes that no quick test of the room can notice, each with the reason.

`tests.strength.changes` counts them apart. A place is a file, a part of the line that is changed, and the change.
"""

from __future__ import annotations

from typing import NamedTuple

_LENGTHS = "Both sides have one length by construction; strict says so, and turns a fault of ours into an error."

_START = "Where a search starts: it ends at the same place."


_LAST_BITS = "What is allowed for is the last bits of a sum: nothing lies exactly there."


class Explained(NamedTuple):
    """One change, and why no test notices it; an empty file name means every file."""

    file: str
    line: str
    change: str
    reason: str


EXPLAINED = (
    Explained("", "strict=True", "True -> False", _LENGTHS),
    Explained(
        "expectations/passing/check.py",
        "NO_DYNAMIC, 0.0",
        "0.0 -> 1.0",
        "Who counts a month does not read how long its check took.",
    ),
    Explained(
        "",
        "maintain_order=True",
        "True -> False",
        "Polars may keep the order without it: a test would fail now and then.",
    ),
    Explained(
        "flows/alerts/facts.py",
        "t.weight < 0",
        "0 -> 1",
        "Weights are whole and never 0, and those of 1 stay as they are.",
    ),
    Explained(
        "",
        "check_sortedness=False",
        "False -> True",
        "Polars cannot check within groups: it would warn, and join as before.",
    ),
    Explained(
        "features/comparing/cube.py",
        "== asked, index, -1)",
        "1 -> 2",
        "Any number below 0 says that there is no such month.",
    ),
    Explained(
        "features/counting/records.py",
        "fill_null(True).all()",
        "True -> False",
        "Only the first row has none before it; every row is then looked at once more, and the same is found.",
    ),
    Explained("features/comparing/cube.py", "np.zeros(0", "0 -> 1", "Another takes its place at once."),
    *(
        Explained(file, "- 1e-12", f"{left} >= {right} - 1e-12 -> {left} > {right} - 1e-12", _LAST_BITS)
        for file, left, right in (
            ("flows/alerts/drift.py", "change", "rules.drift.rank_rise"),
            ("flows/alerts/decide.py", "rank - told.rank", "rules.timing.worsening_step"),
        )
    ),
    Explained(
        "flows/alerts/letter/panel.py",
        "rough * (1 - 1e-9)",
        "size >= rough * (1 - 1e-09) -> size > rough * (1 - 1e-09)",
        _LAST_BITS,
    ),
    *(
        Explained(
            "features/measuring/reconcile.py",
            f'pl.col("{end}")',
            f"{now} -> {now.replace(f' {op}= ', f' {op} ')}",
            _LAST_BITS,
        )
        for end, op, now in (
            ("lowest", "<", "pl.col('lowest') <= pl.col('published') + pl.col('half_width') + slack"),
            ("highest", ">", "pl.col('highest') >= pl.col('published') - pl.col('half_width') - slack"),
        )
    ),
    Explained("features/comparing/panel.py", ".reshape(-1", "1 -> 2", "Any number below 0 asks for what is left."),
    Explained("features/comparing/panel.py", "for s in (-1, 0, 1)", "1 -> 2", "Only the side counts, not how far."),
    *(
        Explained("expectations/report/council.py", f"{which}_blocks=True", "True -> False", "Blank space in HTML.")
        for which in ("trim", "lstrip")
    ),
    Explained(
        "models/learning/fitting.py", ".limit(limits=1)", "1 -> 2", "How many threads add up: speed, not numbers."
    ),
    Explained("models/learning/classifier.py", '"maxiter": 2000', "2000 -> 2001", "The search ends long before."),
    *(
        Explained("models/learning/classifier.py", "np.clip(np.average(", f"{edge} -> {edge + 1}", _START)
        for edge in (0.02, 0.98)
    ),
    Explained("models/learning/classifier.py", "np.maximum(np.diff(cuts)", "0.05 -> 1.05", _START),
    Explained(
        "models/learning/training.py",
        "assert isinstance(first",
        "isinstance(first, date) and isinstance(last, date) -> isinstance(first, date) or isinstance(last, date)",
        "For the type checker: both ends of a frame with rows are days.",
    ),
    Explained(
        "models/registry/levels.py", "Judged(j.published, 0.0", "0.0 -> 1.0", "The council's standing takes its place."
    ),
    Explained("features/measuring/rates.py", "why[name] > 0", "0 -> 1", "Codes of what inputs lack begin at 3."),
    Explained(
        "models/judgements/design.py", "last.year + 2)", "2 -> 3", "Days after the first of January are left out."
    ),
    Explained(
        "models/judgements/design.py",
        "<= date(last.year + 1, 1, 1)",
        "1 -> 2",
        "Only first days of quarters are compared with it.",
    ),
    Explained("models/registry/versions.py", "statistics=False", "False -> True", "The table is read the same."),
    Explained(
        "models/judgements/asof.py",
        'first <= pl.col("month")',
        "first <= pl.col('month') -> first < pl.col('month')",
        "A council begins on a first of April, and no period ends on one.",
    ),
    Explained(
        "models/judgements/own_history.py",
        "assert framework is not None",
        "framework is not None and grade is not None -> framework is not None or grade is not None",
        "For the type checker: a judgement of the register has both or neither.",
    ),
    Explained(
        "models/learning/level.py", "hermegauss(21)", "21 -> 22", "One node more: the same sum to the last bits."
    ),
    Explained(
        "models/learning/level.py", "exp(-log_odds)", "log_odds >= 0 -> log_odds > 0", "Both forms of 0 are a half."
    ),
    Explained("models/record/tables.py", "_looks_like_header(rows[i])), -1", "1 -> 2", "Any number below 0 says none."),
    Explained(
        "models/evidence/evaluate.py",
        "candidates[:1]",
        "1 -> 2",
        "Only the forecasts of the one served are taken over.",
    ),
    *(
        Explained("models/evidence/held_out.py", line, change, "Run by hand; what it wrote is kept.")
        for line, change in (
            ("sys.argv[1:3]", "1 -> 2"),
            ("sys.argv[1:3]", "3 -> 4"),
            ('"before": before}', "1 -> 2"),
            ('"before": before}', "False -> True"),
        )
    ),
    Explained("models/learning/promotion.py", "total <= allowed", "total <= allowed -> total < allowed", _LAST_BITS),
    *(
        Explained("models/learning/serving.py", f"if excess({end})", f"{old} -> {new}", _LAST_BITS)
        for end, old, new in (
            ("-_FURTHEST", "excess(-_FURTHEST) <= 0", "excess(-_FURTHEST) < 0"),
            ("_FURTHEST", "excess(_FURTHEST) >= 0", "excess(_FURTHEST) > 0"),
        )
    ),
    Explained("models/learning/serving.py", "spread > 1e-9", "spread > 1e-09 -> spread >= 1e-09", _LAST_BITS),
    Explained("models/scoring/wording.py", "abs(value) < 10", "abs(value) < 10 -> abs(value) <= 10", "10 is whole."),
    Explained("models/evidence/table.py", "C=1e6", "1000000.0 -> 1000001.0", "No penalty to speak of, either way."),
    Explained("models/evidence/table.py", "max_iter=2000", "2000 -> 2001", "The search ends long before."),
    Explained(
        "models/evidence/levels.py",
        "uniform(size=n) < p_true",
        "generator.uniform(size=n) < p_true -> generator.uniform(size=n) <= p_true",
        "A draw equals a chance with probability 0.",
    ),
    *(
        Explained(
            "expectations/suites/continuity.py",
            "120_000 + number",
            change,
            "Any distance between councils that keeps their months apart.",
        )
        for change in (
            "120000 -> 120001",
            "pl.col('la_code').cast(codes).to_physical().cast(pl.Int32) * 120000 -> "
            "pl.col('la_code').cast(codes).to_physical().cast(pl.Int32) / 120000",
        )
    ),
)
