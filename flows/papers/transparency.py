"""`docs/transparency-record.md`: an algorithmic transparency record with the sections of the UK standard (ATRS).

It is generated from the shipped model's card and the default settings, so that it changes with them. Parts that only
the group that runs Holdfast can know are marked. A record that still has marks is not ready to be published.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from features.registry import BY_NAME
from flows.papers.markdown import markdown_table
from flows.settings.alert_rules import AlertRules
from flows.settings.settings import IngestSettings, RetentionSettings
from models.judgements.design import CONTEXT_DIRECTIONS
from models.registry.shipped import shipped_files
from models.scoring.wording import CONTEXT_LABELS

FILL_IN = "**[to be filled in by the group:"


def page() -> str:
    """The whole record as Markdown, ending in a newline."""
    card: dict[str, Any] = json.loads(shipped_files()["card.json"])
    parts = [
        "# Algorithmic transparency record",
        "Written by `holdfast papers --write` from the shipped model's card and the default settings, by the sections "
        "of the UK's Algorithmic Transparency Recording Standard (version 3). Copy it, fill in what is marked in bold, "
        "and put your own settings in the place of the defaults where they differ.",
    ]
    for title, rows in _sections(card):
        parts += [f"## {title}", markdown_table(("Field", "Entry"), rows)]
    return "\n\n".join(parts) + "\n"


def _fill(what: str) -> str:
    return f"{FILL_IN} {what}]**"


def _sections(card: dict[str, Any]) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    return (
        ("Metadata", _metadata(card)),
        ("Tier 1: overview", _overview(card)),
        ("Tier 2, section 1: owner and responsibility", _owner()),
        ("Tier 2, section 2: description and rationale", _rationale(card)),
        ("Tier 2, section 3: deployment context", _deployment()),
        ("Tier 2, section 4: tool specification", _tool(card)),
        ("Tier 2, section 4: data specification", _data(card)),
        ("Tier 2, section 5: risks, mitigations and impact assessments", _risks(card)),
    )


def _metadata(card: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Title", f"Holdfast, model {card['name']} {card['version']}"),
        ("Organisation", _fill("the alliance, consultancy or council that runs it")),
        ("Function", "Children's social care: early notice to directors of children's services."),
        ("Region", "England"),
        ("Phase", _fill("pre-deployment, beta, production or retired")),
        ("Dates of publication and of updates", _fill("days")),
    ]


def _overview(card: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Name", f"Holdfast, model {card['name']} {card['version']}"),
        (
            "Description",
            "Each month Holdfast reads a council's own figures about its children's social workers and cases, compares "
            "them with its past and with other councils, and tells the director of children's services what changed. "
            "It "
            f"also says how councils with such figures were judged when inspectors came. {card['intended_use']}",
        ),
        ("Website", _fill("where people can read more")),
        ("Contact", _fill("an address the public can write to")),
    ]


def _owner() -> list[tuple[str, str]]:
    return [
        ("Organisation", _fill("the alliance, consultancy or council that runs it")),
        ("Team", _fill("the data team")),
        ("Senior responsible owner", _fill("role")),
        ("Suppliers and their role", _fill("who hosts it and who may see data; or that nobody does")),
        ("Procurement and data access of suppliers", _fill("procedure and terms; or that there are none")),
    ]


def _rationale(card: dict[str, Any]) -> list[tuple[str, str]]:
    rules = AlertRules()
    return [
        (
            "Detailed description",
            f"An ordinal regression gives the chance that {card['run']['target']}. A council is placed among "
            "England's: "
            f"the riskiest {1 - rules.rank.watch_from:.0%} are put on watch, the riskiest "
            f"{1 - rules.rank.losing_grip_from:.0%} on “losing grip”. Charts of each measure by fixed rules say what "
            "moved.",
        ),
        ("Benefits", "Difficulties are seen months before an inspection, by those who can help; figures are checked."),
        ("Previous process", _fill("how this was noticed before")),
        (
            "Alternatives considered",
            "Deprivation with the previous judgement, agency rate alone, and charts without a model: each is shown "
            "beside "
            "the model in the same tables.",
        ),
        ("Not for", card["not_for"]),
    ]


def _deployment() -> list[tuple[str, str]]:
    ingest = IngestSettings()
    return [
        (
            "Place in the process",
            "An e-mail to the director and whom they name in the register, with what changed and what to ask. It "
            "decides "
            "nothing, and nothing happens without people.",
        ),
        (
            "Human review",
            "The data team can hold and approve each message; a month in which many councils would alert is held. "
            + _fill("who reads messages before they go"),
        ),
        (
            "Frequency and scale",
            f"Monthly, figures known by working day {ingest.cutoff_working_day}. " + _fill("how many councils"),
        ),
        ("Training of those who use it", _fill("what directors and the data team were shown")),
        (
            "Appeal",
            "A council can answer each message (useful, not useful, known already, wrong), and answers are kept; wrong "
            "figures are sent again and a correction follows. " + _fill("whom to turn to"),
        ),
    ]


def _tool(card: dict[str, Any]) -> list[tuple[str, str]]:
    run, look = card["run"], card["held_out"]["variants"]["own data at once"]["questions"]
    first, mailed = look["on the first day"], look["as mailed"]
    ours, told = first["forecasts"]["the model"], mailed["forecasts"]["the model"]
    return [
        ("System", "A monthly batch job; files in, files and e-mails out. Python, Polars, scikit-learn, Prefect."),
        (
            "Maintenance",
            "Fitted again each January; the level follows each published judgement. A new version speaks only if a "
            "written "
            "rule allows it.",
        ),
        ("Model", f"{run['estimator']}; {len(run['columns'])} inputs: {', '.join(_label(c) for c in run['columns'])}."),
        ("Output", "A chance with its interval, each input's exact share in it, and a rank among England's councils."),
        (
            "Performance",
            f"On {first['n']} judgements made after the recipe was written down: AUC {ours['auc']:.2f}, "
            f"{ours['expected']:.0f} expected and {first['positives']} seen on the first day; as mailed AUC "
            f"{told['auc']:.2f}, {told['expected']:.0f} expected and {mailed['positives']} seen of {mailed['n']}.",
        ),
        ("Can and cannot", "<br>".join(card["ten_lines"])),
    ]


def _data(card: dict[str, Any]) -> list[tuple[str, str]]:
    training, kept = card["run"]["training"], RetentionSettings()
    return [
        (
            "Training data",
            f"{training['inspections']} published inspections of {training['councils']} councils, "
            f"{training['first_published']} to {training['last_published']}, with figures of DfE, Ofsted, ONS and "
            "MHCLG "
            f"(Open Government Licence): {', '.join(sorted(card['run']['data']))}.",
        ),
        (
            "Operational data",
            "Extracts of the council's workforce, establishment and caseload: one row per worker or episode, without "
            "names, dates of birth, ethnicity or addresses; references are replaced by keyed hashes; a file that "
            "carries "
            "more is refused and not kept.",
        ),
        ("Sensitive attributes", "None are read. Deprivation of the area is not read by the model; it is audited."),
        (
            "Completeness and representativeness",
            "All upper-tier councils in England. A council is not scored if more than half of the measures are "
            "missing. Results by "
            "deprivation, region, size and type of council stand in the back-test.",
        ),
        (
            "Access, storage, deletion",
            f"Rows {kept.record_months} months, alerts {kept.alert_months}, figures {kept.figure_months}. "
            + _fill("where, who may read, legal basis, sharing agreements"),
        ),
    ]


def _risks(card: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Impact assessments", _fill("data protection and equality impact assessments, with dates")),
        *((f"Limit {i}", limit) for i, limit in enumerate(card["limits"], start=1)),
        (
            "A number is taken for a verdict",
            "No message shows a bare probability: it says “of ten councils with figures like this, about n; of any "
            "ten, "
            "about m”, what was not known, and that it is an offer of help.",
        ),
        (
            "The level moves",
            "It is followed, its day is shown, and a check that years hold is part of the rule that lets a model "
            "speak.",
        ),
        ("Small numbers identify someone", "Small counts are suppressed; no council sees another's figures."),
    ]


def _label(column: str) -> str:
    if column in CONTEXT_DIRECTIONS:
        return CONTEXT_LABELS.get(column, column).lower()
    return BY_NAME[column.partition("__")[0]].label.lower()
