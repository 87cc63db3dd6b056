"""A judgement that Ofsted publishes reaches next month's letter; one of an undeclared framework waits for a decision.

Everything is real but the day: a Prefect server, a web server that gives Ofsted's file, a folder as store, the monthly
run. The day is set, because a judgement is read when it is published.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.councils import read_register
from features.frameworks import FRAMEWORKS, TO_DECIDE, Judgement
from features.months import Month
from flows.alerts.alert import Alert
from flows.alerts.scorecard import scorecard
from flows.orchestration.embedded import quiet_flows
from flows.published.outcome import RefreshOutcome
from flows.store import LocalStore
from models.registry.shipped import shipped_model
from tests.unit.features.test_frameworks import RENEWED
from tests.unit.flows.published.published import REPORTS
from tests.unit.flows.published.web import Web, file, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LAST = Month(2026, 2)
CODES = sorted(shipped_model().standing)


def lookup() -> bytes:
    """The list of England's councils, under names that are easy to write."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["urn", "la_code", "la_code_new", "local_authority_ons_name", "region_code", "region_name"])
    letters = str.maketrans("0123456789", "abcdefghij")
    rows.writerows([f"8{c}", c, f"E0{c}", f"Place {c.translate(letters)}", "NE", "North East"] for c in CODES)
    return out.getvalue().encode()


def report(code: str, kind: str, started: str, published: str, leaders: str, other: str = "good") -> str:
    """One row of the history of reports; days as dd/mm/yyyy."""
    return f"8{code},,{published},{kind},{started},,{leaders},{other},,"


@dataclass
class World:
    folder: Path
    web: Web
    reports: list[str]

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "store")

    def refresh(self, on: date, patch: pytest.MonkeyPatch, *new: str) -> RefreshOutcome:
        """The refresh as a flow on a day on which Ofsted has published these reports too."""
        from flows.refresh import reference_refresh, refresh_result

        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:
                return datetime(on.year, on.month, on.day, 6, tzinfo=UTC)

        self.reports += new
        self.web.serve("/reports", file("\n".join([REPORTS, *self.reports, ""]).encode()))
        with patch.context() as clock, quiet_flows():
            clock.setattr("flows.refresh.datetime", Clock)
            return refresh_result(reference_refresh(return_state=True))

    def letters(self, month: Month, as_of: date) -> tuple[list[Alert], str]:
        """The scored alerts of a run of the month, and its letters as text."""
        from flows.monthly import monthly, result_of
        from flows.settings.run_form import RunRequest

        with quiet_flows():
            result_of(monthly(RunRequest(month=str(month), as_of=as_of), return_state=True))
        found = [Alert.from_bytes(p.read_bytes()) for p in (self.folder / f"store/alerts/{month}").glob("*.json")]
        texts = [p.read_text() for p in (self.folder / f"store/alerts/{month}").glob("*.message.txt")]
        return [a for a in found if a.score.level is not None], " ".join(" ".join(texts).split())

    def mails(self) -> str:
        from email import message_from_bytes, policy

        mails = [message_from_bytes(p.read_bytes(), policy=policy.default) for p in self.folder.rglob("*.eml")]
        bodies = [m.get_body(("plain",)) for m in mails]
        return " ".join(f"{m['Subject']} {b.get_content()}" for m, b in zip(mails, bodies, strict=True) if b)

    def levels(self) -> list[str]:
        return sorted(p.name for p in (self.folder / "store").rglob("levels/*.json"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from flows.cli.demo import settings_for
    from flows.sample_region import sample_extracts

    folder = tmp_path_factory.mktemp("level")
    sample_extracts(folder / "landing", 4, 14, 7, LAST)
    with pytest.MonkeyPatch.context() as patch, running() as web:
        for name in [n for n in os.environ if n.startswith("HOLDFAST_")]:
            patch.delenv(name)
        for name, value in settings_for(folder).items():
            patch.setenv(name, value)
        # Every council is on watch, so that every one gets a letter.
        rank = {"watch_from": 0.02, "watch_until": 0.01}
        patch.setenv("HOLDFAST_ALERTS", json.dumps({"rank": rank, "drift": {"counts_from": 0.015}}))
        sources = [
            {"name": "councils", "holds": "councils", "url": web.serve("/councils", file(lookup()))},
            {"name": "reports", "holds": "reports", "url": web.serve("/reports", file(b""))},
        ]
        patch.setenv("HOLDFAST_REFERENCE__SOURCES", json.dumps(sources))
        old = [report(c, "standard", "03/02/2025", "01/04/2025", "good") for c in CODES[:20]]
        yield World(folder, web, old)


def test_a_judgement_published_moves_the_level_and_next_months_letter_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = shipped_model().level_known()
    assert known is not None
    assert "Level from" not in world.refresh(date(2026, 2, 2), monkeypatch).advice, "the model was taught these"
    before, said = world.letters(LAST.plus(-1), date(2026, 2, 20))
    assert {a.score.level.judgements for a in before if a.score.level} == {known.judgements}
    assert f"follow {known.judgements} ILACS judgements published up to 16 December 2025." in said
    assert world.levels() == []

    found = world.refresh(
        date(2026, 3, 2),
        monkeypatch,
        report(CODES[0], "standard", "12/01/2026", "24/02/2026", "inadequate"),
        report(CODES[1], "short", "13/01/2026", "26/02/2026", "requires improvement"),
    )
    assert f"Level from {known.judgements + 2} judgements to 2026-02-26 (2 new), ILACS" in found.advice
    assert world.levels() == ["2026-03-02-002.json"]
    after, said = world.letters(LAST, date(2026, 3, 20))
    assert {(a.score.level.judgements, a.score.level.to) for a in after if a.score.level} == {
        (known.judgements + 2, date(2026, 2, 26))
    }
    assert f"follow {known.judgements + 2} ILACS judgements published up to 26 February 2026." in said
    assert world.refresh(date(2026, 3, 9), monkeypatch).advice == found.advice.split(" Level from")[0]
    assert world.levels() == ["2026-03-02-002.json"], "told once, moved once"


def test_a_framework_of_2027_waits_for_its_declaration_and_then_works_by_it_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = report(CODES[2], "renewed", "10/05/2027", "08/07/2027", "urgent improvement", "adequate")
    found = world.refresh(date(2027, 7, 19), monkeypatch, judged)
    (listed,) = found.undeclared
    assert "“renewed”" in listed and "“urgent improvement”" in listed and TO_DECIDE in listed
    assert listed in found.to_text()
    assert "1 report of an inspection framework that is not declared" in world.mails()
    assert TO_DECIDE in " ".join(world.mails().split())
    before = world.levels()
    (one, *_) = read_register((world.folder / "landing/register.csv").read_text(), "register.csv").councils
    one = replace(one, judgements=(*one.judgements, Judgement(date(2027, 7, 8), "Attention needed")))
    card = scorecard(world.store, [one], date(2027, 7, 31))
    assert card.judged == () and TO_DECIDE in card.undeclared[0]

    monkeypatch.setattr("features.frameworks.FRAMEWORKS", (*FRAMEWORKS, RENEWED))
    decided = world.refresh(date(2027, 7, 26), monkeypatch)
    assert decided.undeclared == ()
    assert "Level from 1 judgement to 2027-07-08 (1 new), Renewed 2027" in decided.advice
    assert len(world.levels()) == len(before) + 1
    card = scorecard(world.store, [one], date(2027, 7, 31))
    assert [(j.grade, j.below_good, j.framework) for j in card.judged] == [("Attention needed", True, "Renewed 2027")]
