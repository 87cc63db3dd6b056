from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from expectations.fates import CouncilFiles, Fate, FileFate
from features.councils import Council
from features.registry import Kind, Missing
from flows.alerts.facts import CouncilFacts, MeasureFact
from flows.alerts.letter.compose import Contact
from flows.alerts.letter.render import render_message
from flows.alerts.letter.sparkline import band_strip, sparkline
from flows.alerts.region_page import RunFacts, StageTime, _spark, is_withheld, region_page, why_words
from flows.alerts.state import Band, BandPoint, Change
from flows.mail.deliver import deliver
from flows.mail.policy import MailPolicy
from flows.mail.transports.outbox import OutboxTransport
from flows.mail.transports.previews import write_preview_index
from flows.store.local import LocalStore
from models.score import Stage
from tests.unit.flows.alerts.examples import ASHCOMBE, MONTH, alert, facts, score, series

RUN = RunFacts(
    code_version="0.1.0",
    times=(StageTime(stage="read", seconds=2.5), StageTime(stage="score", seconds=0.25)),
    links=(("Validation of the month", "../../validation/2026-10/index.html"),),
)


def council(number: int, name: str) -> Council:
    return replace(ASHCOMBE, la_code=f"99{number}", name=name)


ALERTS = [
    alert(score(0.2, la_code="992"), council=council(2, "Birchfield"), signals=False),
    alert(score(0.9, la_code="993"), council=council(3, "Calder <Vale>")),
    alert(score(None, la_code="994"), council=council(4, "Dunmere")),
    alert(score(0.6, la_code="995"), council=council(5, "Elmbridge"), signals=False),
    alert(score(0.5, la_code="996"), council=council(6, "Fernley"), inadequate=True),
]
FACTS: dict[str, CouncilFacts] = {
    a.la_code: facts().model_copy(update={"la_code": a.la_code}) for a in ALERTS if a.la_code != "994"
}


def page(**given: object) -> str:
    run = RUN.model_copy(update=given)
    links = {"993": [("validation report", "../../validation/2026-10/councils/993.html")]}
    return region_page(ALERTS, FACTS, month=MONTH, title="Northern region", run=run, links=links)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.names: list[str] = []
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        given = dict(attrs)
        if (given.get("class") or "").startswith("council") and "data-name" in given:
            self.names.append(given["data-name"] or "")

    def handle_data(self, data: str) -> None:
        if self._in in ("h1", "h2") and data.strip():
            self.headings.append(data.strip())


def test_councils_stand_in_order_of_urgency() -> None:
    words = _Words()
    words.feed(page())
    assert words.names == ["Calder <Vale>", "Elmbridge", "Dunmere", "Fernley", "Birchfield"]
    assert words.headings[0] == "Northern region"


def test_the_page_calls_nowhere_and_says_so_to_the_browser() -> None:
    html = page()
    assert "default-src 'none'" in html
    assert not re.findall(r"https?://", html)
    assert '<html lang="en-GB">' in html


def test_names_and_reasons_are_text_and_never_markup() -> None:
    assert "<Vale>" not in page()
    assert "Calder &lt;Vale&gt;" in page()


def test_who_is_not_scored_says_why() -> None:
    assert "Not scored: 5 of the 9 measures behind the score are not known" in page()


def test_a_held_month_says_why_and_the_run_its_times() -> None:
    assert "Mail is held" not in page()
    html = page(held="6 of 12 councils have a new alert.")
    assert "6 of 12 councils have a new alert." in html
    assert "2.8 s" in html


def test_a_stage_stands_beside_a_band_only_with_its_signs() -> None:
    agency, cases = "Agency rate 23%; neighbours 13%", "Cases without a worker 7.2%; neighbours 2.1%"
    for signs, said in (
        ((cases, agency), "signs of stage 3 of four: cases without a worker and agency rate"),
        ((), ""),
        (("Re-referrals 30%; neighbours 18%", agency), ""),  # one of them has no figure here, so none is named
    ):
        one = alert(replace(score(0.9, la_code="993"), stage=Stage(3, "Systemic crisis", signs)))
        html = re.sub(r"\s+", " ", region_page([one], {}, month=MONTH, title="x", run=RUN))
        assert ("of four" in html) == bool(said)
        assert said in html
        assert "crisis" not in html.lower()


def test_links_are_those_given() -> None:
    assert '<a href="../../validation/2026-10/councils/993.html">validation report</a>' in page()


def test_a_small_count_of_cases_is_not_shown_to_the_region() -> None:
    def with_few(name: str) -> str:
        few = FACTS["993"].measures[name].model_copy(update={"rests_on_few": True, "value": 0.0713})
        changed = FACTS["993"].model_copy(update={"measures": FACTS["993"].measures | {name: few}})
        return region_page(ALERTS[1:2], {"993": changed}, month=MONTH, title="x", run=RUN)

    assert "small count, not shown here" in with_few("unallocated_rate")
    assert "7.1%" not in re.sub(r"<p class=\"why\">.*?</p>", "", with_few("unallocated_rate"))
    assert "7.1%" in with_few("agency_rate_fte")


def test_only_measures_that_someone_has_are_shown() -> None:
    nothing = MeasureFact(measure="vacancy_rate_fte", value=None, reason="not reported")
    without = {
        code: own.model_copy(update={"measures": own.measures | {"vacancy_rate_fte": nothing}})
        for code, own in FACTS.items()
    }
    assert "Vacancy rate" in page()
    assert "Vacancy rate" not in region_page(ALERTS, without, month=MONTH, title="x", run=RUN)


def test_a_sparkline_is_well_formed_and_says_what_it_shows() -> None:
    drawn = ElementTree.fromstring(str(sparkline(facts().series["unallocated_rate"])))
    assert drawn.get("role") == "img"
    assert drawn.get("aria-label", "").startswith("Cases without a worker 7.0%")
    assert [e.tag for e in drawn] == ["rect", "path", "path", "rect"]


def test_a_gap_breaks_the_line_and_too_few_months_draw_nothing() -> None:
    whole = series("agency_rate_fte", 0.2, 0.0, 0.01, 0.1, None)
    gap = whole.model_copy(update={"values": (*whole.values[:10], None, *whole.values[11:])})
    assert str(sparkline(gap)).count('class="own"') == 2
    assert sparkline(whole.model_copy(update={"values": (None,) * 23 + (0.2,)})) == ""


def test_the_index_lists_every_message_newest_first(tmp_path: Path) -> None:
    store, outbox = LocalStore(tmp_path / "store"), LocalStore(tmp_path / "outbox")
    policy = MailPolicy(sender="Holdfast <holdfast@holdfast.example>", reply_to="data-team@holdfast.example")
    for number, month in enumerate((MONTH.plus(-1), MONTH)):
        one = alert(score(0.6, month)).model_copy(update={"charts": (), "month": month})
        at = datetime(2026, 10 + number, 14, 9, 0, tzinfo=UTC)
        message = render_message(one, Contact())
        deliver(store, OutboxTransport(outbox), message, recipients=ASHCOMBE.recipients, policy=policy, at=at)
    name = write_preview_index(outbox)
    html = outbox.read(name).decode()
    assert name == "index.html"
    assert "2 messages" in html
    assert html.index("October 2026") < html.index("September 2026")
    for link in re.findall(r'href="([^"]+)"', html):
        assert outbox.info(link) is not None


def test_an_empty_outbox_has_an_index_too(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    assert "0 messages" in store.read(write_preview_index(store)).decode()


def test_the_page_shows_what_became_of_every_file_and_opens_the_letter() -> None:
    sent = FileFate(Kind.WORKFORCE, Fate.IN_PART, errors=2, late=True)
    files = {a.la_code: CouncilFiles(a.la_code, a.council, MONTH, (sent,)) for a in ALERTS[:1]}
    shown = region_page(ALERTS, FACTS, month=MONTH, title="North", run=RUN, files=files)
    assert re.search(r'title="used in part, late; 2 errors"><span aria-hidden="true">◐ late</span>', shown)
    assert shown.count('title="not expected"') == len(ALERTS) - 1


def test_bands_are_told_as_a_picture_and_in_words() -> None:
    bands = [Band.STEADY] * 3 + [Band.WATCH] * 2 + [Band.LOSING_GRIP]
    points = [BandPoint(month=MONTH.plus(i - 5), band=band) for i, band in enumerate(bands)]
    drawn = ElementTree.fromstring(str(band_strip(points)))
    assert len(list(drawn)) == 6
    heights = [int(bar.get("height", "0")) for bar in drawn]
    assert heights[0] < heights[3] < heights[5], "the height says the band as the colour does"
    assert drawn.get("aria-label") == (
        "losing grip since October 2026; before, watch from August 2026; before, steady from May 2026"
    )
    assert band_strip(points[:1]) == ""


def test_a_few_months_that_hardly_differ_are_drawn_as_nearly_level() -> None:
    values = (*(None,) * 21, 0.200, 0.201, 0.199)
    few = series("vacancy_rate_fte", 0.2, 0.0, 0.001, 0.2, None).model_copy(
        update={"values": values, "lower": (None,) * 24, "upper": (None,) * 24, "neighbours": (None,) * 24}
    )
    path = re.search(r'class="own" d="M([^"]*)"', str(sparkline(few)))
    assert path is not None
    heights = [float(pair.split()[1]) for pair in path[1].split("L")]
    assert max(heights) - min(heights) < 3, "of 36"


def fact(**given: object) -> MeasureFact:
    return MeasureFact.model_validate({"measure": "unallocated_rate", "value": 0.08, **given})


@pytest.mark.parametrize(
    ("given", "value", "near", "toward"),
    [
        ({}, "8.0%", "", ""),
        ({"toward": "concern"}, "8.0%", "", "concern"),
        ({"toward": "improvement"}, "8.0%", "", "improvement"),
        ({"toward": "neither"}, "8.0%", "", ""),
        ({"level": "concern"}, "8.0%", "", "settled"),
        ({"neighbours_median": 0.02, "neighbours_reported": 4}, "8.0%", "similar 2.0%", ""),
        ({"neighbours_median": 0.02, "neighbours_reported": 3}, "8.0%", "", ""),
        ({"rests_on_few": True, "toward": "concern"}, "few", "small count, not shown here", ""),
        ({"value": None, "reason": "not reported"}, "–", "not reported", ""),
        ({"value": None}, "–", "not reported", ""),
    ],
)
def test_a_small_chart_stands_beside_its_figure(given: dict[str, object], value: str, near: str, toward: str) -> None:
    own = facts().model_copy(update={"measures": {"unallocated_rate": fact(**given)}})
    spark = _spark(own, "unallocated_rate", None)
    assert (spark.value, spark.toward) == (value, toward)
    assert spark.near == near or (value == "–" and spark.near == Missing.in_words("not reported"))
    assert bool(spark.svg) is (value == "8.0%")


def test_a_measure_without_a_series_has_a_figure_and_no_chart() -> None:
    own = facts().model_copy(update={"measures": {"unallocated_rate": fact()}, "series": {}})
    assert (_spark(own, "unallocated_rate", None).value, _spark(own, "unallocated_rate", None).svg) == ("8.0%", "")
    assert _spark(own, "agency_rate_fte", None).value == "–"


def test_a_published_rate_of_few_people_is_shown_and_another_is_not() -> None:
    assert is_withheld("unallocated_rate", rests_on_few=True)
    assert not is_withheld("unallocated_rate", rests_on_few=False)
    assert not is_withheld("agency_rate_fte", rests_on_few=True)


def test_why_a_council_stands_where_it_does() -> None:
    steady = alert(score(0.2), signals=False)
    assert why_words(steady) == ""
    ended = steady.model_copy(update={"decision": steady.decision.model_copy(update={"change": Change.RESOLVED})})
    assert why_words(ended) != ""
    assert why_words(alert(score(None))).startswith("Not scored: 5 of the 9 measures")
    open_one = alert(score(0.9))
    few = tuple(f.model_copy(update={"rests_on_few": True}) for f in open_one.facts)
    assert "Cases without a worker" in why_words(open_one)
    withheld = why_words(open_one.model_copy(update={"facts": few}))
    assert "ases without a worker" not in withheld and "gency rate" in withheld
