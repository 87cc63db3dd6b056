"""Every sentence of an officer's and of the team's mail says only what its facts say: demanded of made-up facts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.batch import Effect, Severity
from expectations.fates import CouncilFiles, Fate, FileFate
from expectations.report.council import measures_needing
from features.registry import BY_NAME, EXTRACTS, Kind
from flows.alerts.council_month import CouncilMonth
from flows.alerts.facts import ValidationNote
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.letter import Bullets
from flows.alerts.look_first import URGENT
from flows.alerts.state import Band, Change
from flows.mail.officers import data_officer_message
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.run_report import to_message
from tests.unit.flows.alerts.examples import ASHCOMBE, FILES, MONTH
from tests.unit.flows.alerts.letter.refused import refused_in

RECORDS = (Kind.WORKFORCE, Kind.CASELOAD)


@st.composite
def notes(draw: st.DrawFn) -> ValidationNote:
    kind = draw(st.sampled_from(RECORDS))
    rows = tuple(sorted(draw(st.sets(st.integers(2, 999), max_size=12))))
    number = draw(st.integers(1, 10**6))
    return ValidationNote(
        extract=kind,
        severity=draw(st.sampled_from([Severity.ERROR, Severity.QUERY, Severity.INFORMATION])),
        check=f"check{number}",
        count=max(1, len(rows)),
        message=f"Finding {number} is here.",
        column=draw(st.sampled_from(["", *(f.name for f in EXTRACTS[kind].fields)])),
        effect=draw(st.sampled_from([e.value for e in Effect])),
        rows=rows,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(notes(), max_size=9, unique_by=lambda n: n.message), st.sets(st.sampled_from(sorted(BY_NAME)), max_size=9)
)
def test_an_officer_reads_each_finding_once_with_its_severity_and_its_effect(
    found: list[ValidationNote], bearing: set[str]
) -> None:
    message = data_officer_message(ASHCOMBE, FILES, found, Contact(), bearing=[*URGENT, *bearing])
    lists = [s for s in message.letter.sections if s.heading.startswith("What we found")]
    items = [i for s in lists for b in s.blocks if isinstance(b, Bullets) for i in b.items]
    to_do = [n for n in found if n.severity != Severity.INFORMATION]
    assert len(items) == len(to_do)
    directors = {BY_NAME[m].label for m in (*URGENT, *bearing)}
    ranks = []
    for item in items:
        (note,) = [n for n in to_do if n.message in item]
        labels = measures_needing(Kind(note.extract), note.column) if note.column else ()
        concerns = [label for label in labels if label in directors]
        said = re.search(r"(Error|Query): (.*?)(?:; it bears on (the director's message)?.*)?\.$", item)
        assert said is not None and said[1].lower() == note.severity
        assert said[2] == (note.effect or "every figure is used as it is")
        assert (said[3] is not None) == bool(concerns)
        assert ("it bears on" in item) == bool(labels)
        assert item.startswith(f"{note.extract.capitalize()}{',' if note.rows else ':'}")
        ranks.append((note.effect != Effect.HELD, not concerns, note.severity != Severity.ERROR))
    assert ranks == sorted(ranks), "what holds or bears on the director's message goes first"
    assert refused_in(message.text) == []


COUNCILS = st.builds(
    CouncilMonth,
    la_code=st.integers(100, 999).map(str),
    name=st.sampled_from(["Ashcombe", "Elmbridge Vale", "Dunmere"]),
    band=st.sampled_from(list(Band)),
    change=st.sampled_from(list(Change)),
    moved=st.sampled_from(["", "score 82%, 74% when its director was last told, in July 2026"]),
    from_band=st.sampled_from([None, Band.STEADY, Band.WATCH, Band.LOSING_GRIP]),
)
FATES = st.sampled_from(list(Fate))


@settings(max_examples=25, deadline=None)
@given(st.lists(COUNCILS, max_size=6, unique_by=lambda c: c.la_code), FATES)
def test_the_team_reads_who_must_be_called_who_changed_by_how_much_and_each_file(
    councils: list[CouncilMonth], fate: Fate
) -> None:
    file = FileFate(Kind.WORKFORCE, fate, received=None if fate is Fate.MISSING else date(2026, 11, 4))
    files = tuple(CouncilFiles(c.la_code, c.name, MONTH, (file,)) for c in councils)
    unseen = [replace(c, why_not_scored="Nothing came.") if c.band is Band.NOT_SCORED else c for c in councils]
    letter = to_message(RunOutcome(MONTH, tuple(unseen), files), Contact(), "https://x.example/page").letter
    said = {s.heading: " ".join(str(b) for b in s.blocks) for s in letter.sections}
    for council in councils:
        assert (council.who in said.get("To call", "")) == council.to_call
        assert (council.who in said.get("Open, without news", "")) == council.continues
        assert (council.who in said.get("What changed", "")) == council.changed
        assert (council.who in said.get("Not scored", "")) == (council.band is Band.NOT_SCORED)
        if council.moved and (council.to_call or council.continues):
            assert council.moved in said["To call" if council.to_call else "Open, without news"]
        assert (f"{council.who}: {file.detail}" in said.get("Files", "")) == file.remarkable
        assert council.to_call <= (council.change in (Change.NEW, Change.WORSENING)), "nobody is called without news"
    scored = sum(c.band not in (Band.NOT_SCORED, Band.FIRST_MONTHS) for c in councils)
    if councils:
        assert f"{scored} of {len(councils)}" in letter.title
    assert letter.link is not None and letter.link.opens
