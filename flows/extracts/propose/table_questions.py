"""What a table leaves open once its columns are known: a full week, agency staff, dates, totals, other months' rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import isfinite

import polars as pl

from features.months import Month
from features.registry import EXTRACTS, FieldType, Kind
from features.words import count_words
from flows.extracts.mapping import ANY_OTHER, BLANK, HeaderMapping
from flows.extracts.personal.headers import is_plain_label
from flows.extracts.propose.asking import Answers, Question, WrongAnswer
from flows.extracts.propose.columns import TableAnswers
from flows.extracts.propose.hints import says_agency
from flows.extracts.propose.proposal import numbers_of
from flows.extracts.propose.words import words_to_map
from flows.extracts.reading.dates import read_dates
from flows.extracts.reading.declared_dates import FORMATS, as_declared, fits
from flows.extracts.reading.table import is_total

#: A column of FTE holds hours or per cent if it goes beyond this.
_MOST_FTE = 1.5
#: Weekly hours; what goes beyond is per cent.
_MOST_HOURS, _USUAL_WEEK, _PER_CENT = 60, 37.0, 100.0
_SHORTEST_WEEK, _LONGEST_WEEK = 30, 45


class TableQuestions:
    """The questions of one table; `said` are the answers of a file, `week` is a full week in the table before."""

    def __init__(
        self, of: TableAnswers, said: HeaderMapping | None, answers: Answers, since: Month, week: float | None
    ) -> None:
        self.of, self.said, self.answers, self.since, self.week = of, said, answers, since, week
        self.kind: Kind = of.seen.proposal.kind

    def put(self) -> float | None:
        """Ask them, write the answers into the table's, and say what a full week is."""
        self._totals()
        self._fte()
        self._agency()
        self._dates()
        self._in_post()
        return self.week

    def _fte(self) -> None:
        """What one full-time post is in the column of FTE, if that holds hours or per cent."""
        if self.said is not None and "fte" in self.said.computed:
            self.of.computed["fte"] = self.said.computed["fte"]
            return
        if "fte" not in self.of.columns:
            return
        numbers = numbers_of(pl.Series(self.of.cells("fte"), dtype=pl.String()))
        highest = float(numbers.max() or 0)  # type: ignore[arg-type]
        if not highest > _MOST_FTE:
            return
        header = self.of.columns["fte"]
        counted = Counter(numbers.to_list()).most_common(1)[0]
        weeks = [n for n in (counted[0], highest) if _SHORTEST_WEEK <= n <= _LONGEST_WEEK]
        usual = weeks[0] if weeks else _PER_CENT if highest > _MOST_HOURS else _USUAL_WEEK
        if usual == self.week and self.said is None:
            self.of.computed["fte"] = f"{header} / {usual:g}"
            return

        def read(text: str) -> float:
            try:
                number = float(text.strip().rstrip("%") or usual)
            except ValueError:
                number = 0.0
            if not (isfinite(number) and number > 0):
                raise WrongAnswer("A number, 37 for example.")
            return number

        above = f" {(numbers > usual).sum():,} rows have more than that." if (numbers > usual).any() else ""
        full = self.answers.put(
            Question(
                f"full week of {self.of.seen.title}",
                f"“{header}” holds numbers up to {highest:g}, most often {counted[0]:g} ({counted[1]:,} rows), so it "
                f"is no FTE yet. How much is one full-time post (a full week in hours, or 100 for per cent)?{above}",
                read,
                proposed=f"{usual:g}",
                open=[
                    f"How much is one full-time post in “{header}”? Probably {usual:g}. Answer in computed: "
                    f"fte = “{header} / {usual:g}”."
                ],
                otherwise=usual,
            )
        )
        if full != 1:
            self.of.computed["fte"] = f"{header} / {full:g}"
            self.week = full

    def _agency(self) -> None:
        """Who is an agency worker, if no column says it."""
        if self.kind is not Kind.WORKFORCE:
            return
        if self.said is not None and self.said.always:
            self.of.always |= self.said.always
            return
        if "agency_worker" in self.of.columns:
            self._names_of_agencies()
            return
        # A list beside the council's own that says nothing of contracts is the agency's.
        speaks = (
            not self.of.first
            or says_agency(self.of.seen.title)
            or any(says_agency(h) for h in self.of.seen.table.headers)
        )
        everyone = self.answers.yes(
            f"agency in {self.of.seen.title}",
            f"No column of {self.of.seen.title} says who is an agency worker. Is everyone in it one? n: nobody.",
            speaks,
            f"Is everyone in {self.of.seen.title} an agency worker? Probably {'yes' if speaks else 'no'}. Answer "
            f"with always.agency_worker = “{int(speaks)}”.",
        )
        self.of.always["agency_worker"] = str(int(everyone))

    def _names_of_agencies(self) -> None:
        """A column that holds the name of somebody's agency, and is empty for the council's own staff."""
        header, seen = self.of.columns["agency_worker"], self.of.seen
        words, _ = words_to_map(seen.table, header, EXTRACTS[self.kind].field("agency_worker"))
        names = self.said.codes.get("agency_worker", {}) if self.said else {}
        if not words or any(w.suggested or w.word in names for w in words) or not says_agency(header):
            return
        if ANY_OTHER not in names and not self.answers.yes(
            f"agencies in {header} of {seen.title}",
            f"“{header}” of {seen.title} seems to hold names of agencies ({', '.join(f'“{w.word}”' for w in words[:5])}"
            "). Is everyone who has one an agency worker, and nobody else?",
            True,
            f"Is everyone with a name in “{header}” of {seen.title} an agency worker? Answer in codes.agency_worker: "
            "“*” = “1”, “” = “0”.",
        ):
            return
        if seen.table.cells[str(seen.table.headers.index(header))].null_count():
            self.of.codes["agency_worker"] = {ANY_OTHER: "1", BLANK: "0"}
        else:
            del self.of.columns["agency_worker"]
            self.of.always["agency_worker"] = "1"

    def _dates(self) -> None:
        """The formats of dates that are read only if a mapping declares them."""
        names = [n for n in self.of.columns if EXTRACTS[self.kind].field(n).type is FieldType.DATE]
        looked = {n: _DateFormats(pl.Series("t", self.of.cells(n), dtype=pl.String())) for n in names}
        table_says_day = any(one.day_first for one in looked.values())
        for name, one in looked.items():
            if self.said is not None and name in self.said.dates:
                self.of.dates[name] = self.said.dates[name]
                continue
            month_first, asked = False, False
            if one.month_first or (one.either and not one.day_first and not table_says_day):
                asked = True
                likely = one.month_first > one.day_first
                header = self.of.columns[name]
                evidence = f"{one.day_first:,} dates can only have the day first, {one.month_first:,} only the month"
                month_first = self.answers.yes(
                    f"dates of {header} in {self.of.seen.title}",
                    f"“{header}” ({name}): {evidence}, {one.either:,} may have either. Is the month first "
                    "(as in the USA)?",
                    likely,
                    f"Has “{header}” the day or the month first? {evidence}. Answer with dates.{name} = "
                    f"[“{'mm/dd/yyyy' if likely else 'dd/mm/yyyy'}”].",
                )
            formats = one.formats(month_first=month_first)
            if asked or month_first or any(f.endswith("-yy") or f.endswith("/yy") for f in formats):
                self.of.dates[name] = formats

    def _totals(self) -> None:
        """Rows that stand for others, by a word that no other file has."""
        if self.said is not None and self.said.totals is not None:
            self.of.totals = self.said.totals
            return
        key = EXTRACTS[self.kind].key[0]
        if key not in self.of.columns:
            return
        cells = self.of.cells(key)
        odd = [c for c in dict.fromkeys(cells) if not any(ch.isdigit() for ch in c) and not is_total(c)]
        odd = [c for c in odd if is_plain_label(c)]
        if not odd or len(odd) > 3 or sum(c in odd for c in cells) * 2 >= len(cells):
            return
        at = self.of.seen.table.headers.index(self.of.columns[key])
        rows = self.of.seen.table.cells.filter(pl.col(str(at)).is_in(odd))["file_row"].to_list()
        words = " and ".join(f"“{w}”" for w in odd)
        left_out = self.answers.yes(
            f"totals of {self.of.seen.title}",
            f"Row {', '.join(map(str, rows))} of {self.of.seen.title} has {words} where the others have a reference. "
            "Leave such rows out (totals, vacant posts)?",
            True,
            f"Are the rows of {self.of.seen.title} with {words} totals? Answer with totals = [{words}] or [].",
        )
        self.of.totals = tuple(odd) if left_out else ()
        if left_out:
            seen = self.of.seen
            rest = seen.table.cells.filter(~pl.col(str(at)).is_in(odd).fill_null(False))
            self.of.seen = replace(seen, table=replace(seen.table, cells=rest))

    def _in_post(self) -> None:
        """Whether rows of people who are not in post in the month are left out, if there are any."""
        if self.said is not None and self.said.in_post_only is not None:
            self.of.in_post_only = self.said.in_post_only
            return
        if self.kind is not Kind.WORKFORCE:
            return
        started, ended = (self._days(n) for n in ("role_start_date", "role_end_date"))
        before = int((ended < self.since.first_day).sum())
        after = int((started > self.since.last_day).sum())
        if before or after:
            self.of.in_post_only = self.answers.yes(
                f"in post of {self.of.seen.title}",
                f"In {self.of.seen.title}, {count_words(before, 'row', 'rows')} ended before {self.since.in_words}, "
                f"and {count_words(after, 'row', 'rows')} began after it. Leave such rows out each month?",
                True,
                f"Are rows of {self.of.seen.title} that ended before the month, or begin after it, left out? Answer "
                "with in_post_only = true or false.",
            )

    def _days(self, name: str) -> pl.Series:
        cells = pl.Series("t", self.of.cells(name) if name in self.of.columns else [], dtype=pl.String())
        text = as_declared(cells, self.of.dates[name], self.since.year)[0] if name in self.of.dates else cells
        return read_dates(text)[0]


class _DateFormats:
    """Which formats the dates of a column have."""

    def __init__(self, text: pl.Series) -> None:
        self.counts = {name: int(text.to_frame().select(fits(pl.col("t"), name).sum()).item()) for name in FORMATS}
        both = text.to_frame().select(
            d=pl.any_horizontal(fits(pl.col("t"), n) for n in ("dd/mm/yyyy", "dd/mm/yy")),
            m=pl.any_horizontal(fits(pl.col("t"), n) for n in ("mm/dd/yyyy", "mm/dd/yy")),
            same=pl.col("t").str.extract(r"^([0-9]{1,2})[^0-9]").cast(pl.Int32, strict=False)
            == pl.col("t").str.extract(r"^[0-9]{1,2}[^0-9]([0-9]{1,2})[^0-9]").cast(pl.Int32, strict=False),
        )
        same = pl.col("same").fill_null(False)
        self.day_first = int(both.select((pl.col("d") & ~pl.col("m")).sum()).item())
        self.month_first = int(both.select((~pl.col("d") & pl.col("m")).sum()).item())
        self.either = int(both.select((pl.col("d") & pl.col("m") & ~same).sum()).item())

    def formats(self, *, month_first: bool) -> tuple[str, ...]:
        """The formats that occur."""
        wrong = "dd/mm" if month_first else "mm/dd"
        return tuple(name for name, count in self.counts.items() if count and not name.startswith(wrong))
