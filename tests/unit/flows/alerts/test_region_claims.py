"""Every mark, figure and word of the region page says only what its facts say: demanded of made-up facts."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from features.registry import BY_NAME, Missing
from features.words import lower_first
from flows.alerts.alert import Alert
from flows.alerts.facts import CONCERN, IMPROVEMENT, CouncilFacts
from flows.alerts.letter.figures import value_text
from flows.alerts.letter.points import shown_facts
from flows.alerts.letter.wording import BAND_WORDS
from flows.alerts.region_page import KEY_MEASURES, RunFacts, is_withheld, region_page, why_words
from flows.alerts.state import Band, Change
from tests.unit.flows.alerts.examples import MONTH
from tests.unit.flows.alerts.letter.refused import refused_in
from tests.unit.flows.alerts.letter.test_claims import every_kind

_ITEM = re.compile(
    r'<li><span class="soft">(?P<label>[^<]*)</span><span><span class="value">(?P<value>[^<]*)</span>'
    r'(?: <span class="mark \w+">(?P<mark>[^<]*)</span>)?(?P<small> <abbr)?'
    r'.*?<span class="soft">(?P<near>[^<]*)</span></li>',
    re.S,
)


@given(st.lists(every_kind(), min_size=1, max_size=3))
def test_the_page_marks_what_signals_gives_its_figures_and_counts_its_bands(every: list[Alert]) -> None:
    alerts = [a.model_copy(update={"la_code": f"90{n}", "council": f"Council {n}"}) for n, a in enumerate(every)]
    facts = {
        a.la_code: CouncilFacts(
            la_code=a.la_code, month=MONTH, measures={f.measure: f for f in a.facts}, series={}, signals=()
        )
        for a in alerts
    }
    page = region_page(alerts, facts, month=MONTH, title="A region", run=RunFacts(code_version="0"))
    for band in Band:
        found = re.search(rf'value="{band.value}" checked[^>]*> {BAND_WORDS[band]} (\d+)<', page)
        assert found is not None and int(found[1]) == sum(a.decision.band is band for a in alerts)
    blocks = re.findall(
        r'<li class="council" data-band="(\w+)".*?data-name="([^"]*)".*?(?=<li class="council"|</ol>)', page, re.S
    )
    assert sorted(name for _, name in blocks) == sorted(a.council for a in alerts)
    for alert in alerts:
        block = re.search(
            rf'<li class="council"[^>]*data-name="{alert.council}".*?(?=<li class="council"|</ol>)', page, re.S
        )
        assert block is not None and f'data-band="{alert.decision.band.value}"' in block[0]
        assert html.escape(why_words(alert), quote=True).replace("&#x27;", "&#39;") in block[0]
        signals = 0
        for item in _ITEM.finditer(block[0]):
            label = html.unescape(item["label"])
            (measure,) = [m for m in BY_NAME.values() if m.label == label]
            fact = alert.fact(measure.name)
            if fact is None or fact.value is None:
                assert item["value"] == "–" and item["mark"] is None and item["small"] is None
                assert html.unescape(item["near"]) == Missing.in_words((fact and fact.reason) or Missing.NOT_REPORTED)
                continue
            if is_withheld(measure.name, fact.rests_on_few):
                assert item["value"] == "few" and item["mark"] is None
                continue
            assert item["value"] == value_text(measure, fact.value)
            marks = {CONCERN: "worse", IMPROVEMENT: "better"}
            assert item["mark"] == marks.get(fact.toward or "", "worse, settled" if fact.settled_worse else None)
            signals += item["mark"] == "worse"
            assert bool(item["small"]) == fact.small_base
            near = fact.neighbours_median
            assert item["near"] == ("" if near is None else f"similar {value_text(measure, near)}")
        assert f'data-signals="{signals}"' in block[0]
    seen = [m for m in KEY_MEASURES if any((f := a.fact(m)) is not None and f.value is not None for a in alerts)][:8]
    assert all(BY_NAME[m].label in html.unescape(page) for m in seen)
    assert refused_in(re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.S)) == []


@given(every_kind())
def test_why_names_the_measures_of_the_message_with_their_figures_and_nothing_of_a_steady_council(one: Alert) -> None:
    words = why_words(one)
    band, change = one.decision.band, one.decision.change
    if band is Band.NOT_SCORED:
        assert words == f"Not scored: {lower_first(one.score.not_scored or '')}"
        return
    if band is Band.STEADY and change is not Change.RESOLVED:
        assert words == ""
        return
    shown = [f for f in shown_facts(one) if f.value is not None and not is_withheld(f.measure, f.rests_on_few)]
    said = [f"{lower_first(f.declared.label)} {value_text(f.declared, f.value or 0.0)}" for f in shown]
    assert lower_first(words) == lower_first(" and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said))
