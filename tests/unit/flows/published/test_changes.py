"""What a newer version brings is said; one that has less is refused."""

from __future__ import annotations

import pytest

from features.errors import ReferenceDataError
from flows.published.changes import Changes, compare_versions, in_words
from flows.published.contents import Contents, TableContents
from flows.settings.published_sources import Holds


def figures(periods: dict[str, int], headers: tuple[str, ...] = ("cases", "la_name")) -> Contents:
    table = TableContents(layout="figures", sheet=None, headers=headers, rows=sum(periods.values()))
    return Contents(holds=Holds.WORKFORCE, suffix=".csv", tables=(table,), periods=periods, councils=150)


def judged(*judgements: str) -> Contents:
    table = TableContents(layout="judgements", sheet="history", headers=("grade",), rows=len(judgements))
    return Contents(holds=Holds.JUDGEMENTS, suffix=".ods", tables=(table,), judgements=judgements, councils=150)


def changes(before: Contents, after: Contents) -> Changes:
    return compare_versions(before, after, "file")


def refused(before: Contents, after: Contents, words: str) -> None:
    with pytest.raises(ReferenceDataError, match=words):
        changes(before, after)


def test_a_new_year_is_a_release() -> None:
    found = changes(figures({"2022": 150}), figures({"2022": 150, "2023": 151}))
    assert found.is_release
    assert found.sentences() == ("New: figures for 2023.", "Rows: 150 before, 301 now.")


def test_new_judgements_are_a_release() -> None:
    found = changes(judged("2022-01-01 kent"), judged("2022-01-01 kent", "2023-05-06 essex", "2023-04-01 hull"))
    assert found.is_release
    assert found.sentences()[0] == "New: 2 judgements, the last of 2023-05-06."


def test_a_correction_is_no_release() -> None:
    found = changes(figures({"2022": 150}), figures({"2022": 150}))
    assert not found.is_release
    assert found.sentences() == ("The same years and judgements with other cells: a correction, or a change of form.",)


def test_columns_that_come_and_go_are_named() -> None:
    found = changes(figures({"2022": 150}, ("a", "b", "c")), figures({"2022": 150}, ("b", "d", "e")))
    assert found.sentences()[1:] == ("New columns: d, e.", "Columns gone: a, c.")


def test_years_no_longer_given_are_said() -> None:
    found = changes(figures({"2013": 150, "2014": 150, "2015": 150, "2016": 150}), figures({"2016": 150, "2017": 150}))
    assert "No longer given: 2013 to 2015; the version before is kept beside it for them." in found.sentences()


def test_an_older_release_is_refused() -> None:
    refused(figures({"2022": 150, "2023": 150}), figures({"2022": 150}), "figures for 2023, this file ends with 2022")
    refused(judged("2023-05-06 essex"), judged("2022-01-01 kent"), "judgement of 2023-05-06, this file ends with 2022")


def test_each_item_of_a_long_table_has_its_own_newest_year() -> None:
    before = figures({"RevCP 2022": 150, "CP_conf_15days 2023": 150})
    assert changes(before, figures({"RevCP 2023": 150, **before.periods})).periods_new == ("RevCP 2023",)
    refused(before, figures({"RevCP 2022": 150, "CP_conf_15days 2022": 150}), "CP_conf_15days 2023, this file ends")
    refused(before, figures({"RevCP 2023": 150}), "CP_conf_15days 2023, this file no longer has it")


def test_a_year_that_lost_its_councils_is_refused() -> None:
    refused(figures({"2022": 150}), figures({"2022": 130}), "for 2022 it has 130 councils, the stored version 150")
    refused(figures({"2022": 150}), figures({"2022": 150, "2023": 121}), "for 2023 it has 121 councils")


def test_lost_judgements_are_refused_and_a_few_corrected_ones_told() -> None:
    many = tuple(f"2020-01-{i:02} council {i}" for i in range(1, 31))
    refused(judged(*many), judged(*many[10:], "2021-01-01 kent"), "10 of the 30 judgements")
    assert "No longer listed: 1 judgement." in changes(judged(*many), judged(*many[1:])).sentences()


def test_a_list_that_shrank_is_refused() -> None:
    def neighbours(rows: int) -> Contents:
        table = TableContents(layout="neighbours", sheet=None, headers=("sn1",), rows=rows)
        return Contents(holds=Holds.NEIGHBOURS, suffix=".csv", tables=(table,), councils=rows)

    refused(neighbours(153), neighbours(125), "125 rows, the stored version 153")


def test_years_in_words() -> None:
    assert in_words(["2023"]) == "2023"
    assert in_words(["2021", "2022", "2023"]) == "2021 to 2023"
    assert in_words(["2019", "2023"]) == "2019, 2023"
    assert in_words(["RevCP 2023", "CP_conf_15days 2023"]) == "CP_conf_15days 2023; RevCP 2023"
