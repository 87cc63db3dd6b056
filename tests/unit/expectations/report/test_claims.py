"""Every sentence of a council's validation page says only what its report says: demanded of made-up reports."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from expectations.batch import Effect, Severity
from expectations.fates import CouncilFiles, Fate, FileFate
from expectations.report.council import CouncilReport, Item, Withheld, as_html, measures_needing, row_checks
from features.months import Month
from features.registry import EXTRACTS, Kind

KINDS = (Kind.WORKFORCE, Kind.CASELOAD)
HEADINGS = {Severity.ERROR: "Errors", Severity.QUERY: "Queries", Severity.INFORMATION: "For information"}


@st.composite
def items(draw: st.DrawFn) -> Item:
    kind = draw(st.sampled_from(KINDS))
    rows = tuple(sorted(draw(st.sets(st.integers(2, 999), max_size=9))))
    number = draw(st.integers(1, 10**6))
    return Item(
        check=f"{kind}.check{number}",
        severity=draw(st.sampled_from(list(HEADINGS))),
        kind=kind,
        file=f"{kind}.csv",
        column=None,
        rows=len(rows) + draw(st.sampled_from([0, 0, 1, 1200])) if rows else draw(st.integers(0, 3)),
        row_numbers=rows,
        message=f"Finding <{number}> is here.",
        effect=draw(st.sampled_from(["", *(e.value for e in Effect)])),
        accepted=draw(st.booleans()),
    )


@st.composite
def files(draw: st.DrawFn, kind: Kind) -> FileFate:
    fate = draw(st.sampled_from(list(Fate)))
    came = fate is not Fate.MISSING
    count = st.integers(1, 4)
    return FileFate(
        kind,
        fate,
        file=f"{kind}.csv" if came else "",
        rows=draw(st.sampled_from([1, 1200])) if fate.used else 0,
        errors=draw(count) if fate is Fate.IN_PART else 0,
        queries=draw(count) if fate in (Fate.QUERIES, Fate.IN_PART) else 0,
        withheld=(EXTRACTS[kind].fields[2].name,) if fate is Fate.IN_PART else (),
    )


def _words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@given(st.tuples(*(files(k) for k in KINDS)), st.lists(items(), max_size=6, unique_by=lambda i: i.message))
def test_the_page_has_each_finding_once_under_its_severity_and_calls_a_file_what_it_is(
    found: tuple[FileFate, ...], every: list[Item]
) -> None:
    council = CouncilFiles("901", "Ashcombe", Month(2026, 10), found)
    withheld = tuple(Withheld(f.kind, c, measures_needing(f.kind, c)) for f in found for c in f.withheld)
    page = as_html(CouncilReport(council, tuple(every), withheld, (("fewer months of CSWW", "a.b"),))).decode()
    words = _words(page)
    assert council.verdict in words and "Fewer months of CSWW: a.b" in words
    sections = {m[1]: (int(m[2]), m[3]) for m in re.finditer(r"<h2>([^<]*) \((\d+)\)</h2>(.*?)</section>", page, re.S)}
    for severity, heading in HEADINGS.items():
        own = [i for i in every if i.severity is severity and not i.accepted]
        assert (heading in sections) == bool(own)
        if own:
            number, text = sections[heading]
            assert number == len(own) and all(i.message in _words(text) for i in own)
    accepted = [i for i in every if i.accepted]
    assert ("Accepted" in sections) == bool(accepted)
    assert list(sections) == [h for h in (*HEADINGS.values(), "Accepted") if h in sections], "most urgent first"
    for item in every:
        assert words.count(item.message) == 1
        where = re.search(rf"{re.escape(item.message)} {item.kind}\.csv(.*?){re.escape(item.check)}", words)
        assert where is not None
        more = item.rows - len(item.row_numbers)
        assert (f"and {more:,} more" in where[1]) == (bool(item.row_numbers) and more > 0)
        assert (", row " in where[1]) == (len(item.row_numbers) == item.rows == 1)
        assert (f"Effect: {item.effect}." in where[1]) == bool(item.effect)
    for file in found:
        row = re.search(
            rf"{re.escape(file.file or file.title)} {re.escape(EXTRACTS[file.kind].title)}(.*?)(?=Finding|$)", words
        )
        assert row is not None and f"{file.rows:,} {file.state}" in row[1]
        assert ("checks of each row" in row[1].split(f"{file.rows:,} ")[0]) == bool(row_checks(file))
    assert ("Withheld until put right" in words) == bool(withheld)
    in_order = council.headline == "your files are in order"
    assert in_order == all(f.fate is Fate.ACCEPTED for f in found)
    assert ("Nothing to put right" in words) == in_order
    errors = sum(f.errors for f in found)
    unused = sum(f.fate in (Fate.QUARANTINED, Fate.REFUSED, Fate.PERSONAL) for f in found)
    assert ("Please put it right" in words) == (errors + unused == 1)
    assert ("Please put them right" in words) == (errors + unused > 1)
