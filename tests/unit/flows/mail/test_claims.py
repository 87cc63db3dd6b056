"""Every sentence of an officer's and of the team's mail says only what its facts say: demanded of made-up facts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
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
from flows.alerts.scorecard import Hindsight, JudgedCouncil, MonthStatement, Scorecard
from flows.alerts.state import Band, Change
from flows.mail.notices import notice_message
from flows.mail.officers import data_officer_message
from flows.mail.undelivered import Undelivered
from flows.mail.yearly import scorecard_message
from flows.orchestration.look_at_months import undelivered_notice
from flows.orchestration.outcome import RunOutcome
from flows.orchestration.run_report import to_message
from flows.store.ledger import Status
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


@given(st.lists(COUNCILS, max_size=4, unique_by=lambda c: c.la_code), st.integers(0, 2), st.booleans())
def test_the_team_reads_whether_anything_is_held_or_waits(councils: list[CouncilMonth], held: int, asked: bool) -> None:
    kept = [replace(c, held="its figures contradict each other") if n < held else c for n, c in enumerate(councils)]
    answers = ("Ashcombe (991), objection: “No.”",) if asked else ()
    letter = to_message(RunOutcome(MONTH, tuple(kept), answers=answers), Contact()).letter
    number = sum(bool(c.held) for c in kept)
    assert ("Nothing is held" in letter.lead) == (number == 0)
    if number:
        assert f"The mail of {number} council{'' if number == 1 else 's'} is held" in letter.lead
    waits = number or asked or any(c.to_call or c.band is Band.NOT_SCORED for c in kept)
    assert ("listed below" in letter.lead) == bool(waits)
    assert ("Nobody has to act" in letter.lead) == (not waits)


SAID = st.builds(
    MonthStatement,
    month=st.integers(1, 30).map(lambda back: MONTH.plus(-back)),
    band=st.sampled_from(list(Band)),
    score=st.one_of(st.none(), st.floats(0, 1).map(lambda p: round(p, 6))),
    is_open=st.booleans(),
)
JUDGED = st.builds(
    JudgedCouncil,
    council=st.sampled_from(["Ashcombe", "Elmbridge Vale", "Dunmere"]),
    la_code=st.integers(100, 999).map(str),
    published=st.dates(date(2026, 11, 1), date(2026, 12, 31)),
    grade=st.sampled_from(["Good", "Inadequate"]),
    framework=st.sampled_from(["ILACS", "Renewed 2027"]),
    below_good=st.booleans(),
    said=st.lists(SAID, min_size=1, max_size=6, unique_by=lambda s: s.month).map(
        lambda every: tuple(sorted(every, key=lambda s: s.month))
    ),
)


@given(st.lists(JUDGED, max_size=6, unique_by=lambda j: j.la_code))
def test_the_yearly_scorecard_counts_what_was_said_beside_what_was_found(judged: list[JudgedCouncil]) -> None:
    card = Scorecard(tuple(judged), MONTH.plus(-30))
    letter = scorecard_message(card, 2026, "2026-12/scorecard/2026", Contact()).letter
    said = {s.heading: [i for b in s.blocks if isinstance(b, Bullets) for i in b.items] for s in letter.sections}
    counts = said["In counts"]
    assert ("Judgement by judgement" in said) == bool(judged) == ("laid beside it" in letter.lead)
    if not judged:
        assert counts == [
            f"No judgement has been published since this group's first alert, of {MONTH.plus(-30).in_words}."
        ]
        return
    assert counts[0].startswith(f"{len(judged)} judgement{'' if len(judged) == 1 else 's'} since ")
    verdicts = [
        int(m[1]) for line in counts if (m := re.fullmatch(r"(?:Alert|No alert|No score|On the).*: (\d+)\.", line))
    ]
    assert sum(verdicts) == len(judged), "each judgement is counted once"
    for verdict in Hindsight:
        number = sum(j.verdict is verdict for j in judged)
        assert (f"{verdict.value.capitalize()}: {number}." in counts) or number == 0
    scored = [j for j in judged if j.score is not None]
    seen = [tuple(map(int, m.groups())) for line in counts if (m := re.search(r", (\d+) seen, of (\d+) scored", line))]
    assert [sum(n) for n in zip(*seen, strict=True)] in ([], [sum(j.below_good for j in scored), len(scored)])
    grouped = [
        tuple(map(int, m.groups())) for line in counts if (m := re.search(r", (\d+) of (\d+) judged below", line))
    ]
    assert sum(n for _, n in grouped) == len(scored)
    for line, one in zip(said["Judgement by judgement"], judged, strict=True):
        assert f"{one.council} ({one.la_code}), judged {one.grade} on {one.published.day} {one.published:%B %Y}" in line
        months = sum(int(n) for n in re.findall(r"\((\d+) months?", line.split("Before it:")[1]))
        assert months == len(one.said)
        assert ("had stood open" in line) == (one.verdict in (Hindsight.HIT, Hindsight.FALSE_ALARM))
    assert refused_in(" ".join(counts)) == []


UNDELIVERED = st.builds(
    Undelivered,
    key=st.just(f"{MONTH}/991/r1/new_watch"),
    folder=st.sampled_from(["991", ""]),
    whom=st.sampled_from(["director", "data officer", "data team"]),
    address=st.just("somebody@ashcombe.example"),
    status=st.sampled_from([Status.SENDING, Status.DEFERRED, Status.FAILED]),
    reason=st.sampled_from(["", "550 no such mailbox."]),
    last=st.just(datetime(2026, 11, 20, 9, tzinfo=UTC)),
    attempts=st.integers(1, 9),
)


@given(st.lists(UNDELIVERED, max_size=9), st.integers(0, 2))
def test_the_notice_of_undelivered_mail_counts_everybody_and_says_what_helps(left: list[Undelivered], un: int) -> None:
    notice = undelivered_notice(MONTH, left, un)
    assert (notice is None) == (not left and not un)
    if notice is None:
        return
    number = len(left) + un
    assert notice.title == f"{number} message{'' if number == 1 else 's'} of October 2026 not delivered"
    parts = notice.what.removeprefix("Not everyone has the mail of October 2026: ").rstrip(".").split("; ")
    more = sum(int(p.split()[0]) for p in parts if p.endswith(" more"))
    named = [p for p in parts if not p.endswith((" more", "which and why)"))]
    assert named == [one.in_words.rstrip(".") for one in left[: len(named)]]
    assert len(named) + more + un == number
    steps = " ".join(notice.to_do)
    assert ("goes by itself" in steps) == any(u.status is not Status.FAILED for u in left)
    assert ("Correct the address" in steps) == (un > 0 or any(u.status is Status.FAILED for u in left))
    message = notice_message(notice, datetime(2026, 11, 20, 9, tzinfo=UTC), "team@alliance.example")
    assert notice.title in message.subject and "ashcombe.example" not in message.text + message.html
    assert refused_in(message.text) == []
