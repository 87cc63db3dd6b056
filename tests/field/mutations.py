"""Seeded changes to files of every format, as people and programs make them.

Each change says what it does to the meaning: nothing (the figures must come out the same), or something is gone
or spoiled (then anything but silence is right). A change that no reader could notice is none of these: a row
that is missing as a whole, one plausible figure for another.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.months import Month
from features.registry import Kind
from flows.extracts.formats.asked import Content, Form
from tests.field.sector import Tables, annex_a, as_folder, as_workbook, csww, dfe, ssd
from tests.field.sent import MARKER, OCTOBER, ROWS, Rows, as_csv, as_parquet, as_xlsx

SEPTEMBER = Month(2026, 9)


@dataclass(frozen=True)
class Mutation:
    """A changed file. `same`: it means what the unchanged one means."""

    name: str
    form: Form
    kind: Kind
    content: Content
    same: bool
    month: Month = OCTOBER


Change = Callable[[random.Random, Rows], tuple[Rows | bytes, bool]]
Bytes = Callable[[random.Random, bytes], tuple[bytes, bool]]


def mutations(seed: int, count: int) -> Iterator[Mutation]:
    """So many changed files, the formats in turn; the same seed gives the same files."""
    makers = (_own_csv, _own_xlsx, _own_parquet, _csww, _annex, _ssd, _dfe)
    for number in range(count):
        draw = random.Random(seed * 1_000_003 + number)
        yield makers[number % len(makers)](draw)


def unchanged() -> Iterator[Mutation]:
    """One sound file of each format and kind, to compare with."""
    for kind, rows in ROWS.items():
        yield Mutation("sound", Form.NATIVE, kind, as_csv(rows()), True)
    for kind in (Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN):
        yield Mutation("sound", Form.CSWW, kind, csww().encode(), True, SEPTEMBER)
    yield Mutation("sound", Form.ANNEX_A, Kind.CASELOAD, as_workbook(annex_a()), True)
    yield Mutation("sound", Form.SSD, Kind.CASELOAD, as_folder(ssd()), True)
    yield Mutation("sound", Form.DFE, Kind.RETURN, dfe().encode(), True, SEPTEMBER)


# Changes to rows, whatever they are written into.


def _titles(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    above = [
        [draw.choice(["Workforce extract", f"Run by {MARKER}", "", "October 2026"])] for _ in range(draw.randint(1, 6))
    ]
    return [*above, *rows], True


def _footer(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    line = draw.choice(
        [f"({len(rows) - 1} rows affected)", f"Applied filters: {MARKER}", "End of report", "Page 2 of 2",
         f"Printed by {MARKER} at 09:00", f"{len(rows) - 1} rows selected.", "Data as at 31 October 2026",
         "*** end of file ***"]
    )  # fmt: skip
    blank: Rows = [[]] * draw.randint(0, 3)
    return [*rows, *blank, [line, *[""] * draw.choice([0, len(rows[0]) - 1])]], True


def _rule(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    sign = draw.choice("-=_*")
    return [rows[0], [sign * draw.randint(2, 12) for _ in rows[0]], *rows[1:]], True


def _again(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = draw.randint(1, len(rows))
    return [*rows[:at], rows[0], *rows[at:]], True


def _total(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    word = draw.choice(["TOTAL", "Grand total", "Sub-Total", "Totals", "370 Total"])
    first = draw.choice([[word, "", ""], ["370", "2026-10-31", word], ["", "", word]])
    return [*rows, [*first, *["1"] * (len(rows[0]) - 3)]], True


def _shuffled(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    order = draw.sample(range(len(rows[0])), len(rows[0]))
    return [[r[i] for i in order] for r in rows], True


def _headers(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    def one(h: str) -> str:
        return draw.choice([h.upper(), h.replace("_", " "), h.replace("_", "\n"), f" {h}:", h.replace("_", "\xa0"), h])

    return [[one(h) for h in rows[0]], *rows[1:]], True


def _dates(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    how = draw.choice(
        [lambda d: f"{d:%d/%m/%Y}", lambda d: f"{d:%d %b %Y}", lambda d: f"{d:%d %B %Y}", lambda d: f"{d} 00:00:00",
         lambda d: f"{d:%b} {d.day} {d.year} 12:00AM", lambda d: f"{d}T00:00:00Z", lambda d: f"{d:%d-%b-%Y}".upper(),
         lambda d: f"{d:%d/%m/%Y} 00:00", lambda d: f"{d} 00:00:00.0000000 +00:00",
         lambda d: f"{d:%A} {d.day} {d:%B %Y}"]
    )  # fmt: skip
    return [rows[0], *([how(date.fromisoformat(c)) if _is_date(c) else c for c in r] for r in rows[1:])], True


def _is_date(cell: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", cell) is not None


def _blank_columns(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    return [[*r, *[""] * draw.choice([3])] for r in rows] if draw.random() < 0.5 else [
        [*r, *[""] * 250] for r in rows
    ], True


def _unknown_column(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = draw.randint(0, len(rows[0]))
    return [[*r[:at], "cost centre" if i == 0 else f"{i}", *r[at:]] for i, r in enumerate(rows)], True


def _spoil(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    """One column, in some or all rows, holds what means nothing there. A team may be called anything."""
    at = draw.choice([i for i, h in enumerate(rows[0]) if i > 1 and "team" not in h.lower()])
    text = draw.choice(["#N/A", "#REF!", "1.23457E+11", "???", "31/02/2026", "12/2026", "-1", "1,234", "see note"])
    if "headcount" in rows[0][at]:
        text = text.replace(",", "")  # a count like any other
        text = "-1" if text.isdigit() else text
    share = draw.choice([0.02, 0.3, 1.0])
    hit = [draw.random() < share for _ in rows]
    hit[1] = True
    return [rows[0], *([*r[:at], text, *r[at + 1 :]] if hit[i] else r for i, r in enumerate(rows[1:], start=1))], False


def _renamed(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = draw.randrange(len(rows[0]))
    return [[*rows[0][:at], "column x", *rows[0][at + 1 :]], *rows[1:]], False


def _dropped(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = draw.randrange(len(rows[0]))
    return [[*r[:at], *r[at + 1 :]] for r in rows], False


def _twice(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = draw.randrange(len(rows[0]))
    return [[*r, r[at]] for r in rows], False


def _second_table(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    order = draw.sample(rows[0], len(rows[0]))
    if order == rows[0]:
        order.reverse()
    return [*rows, [], order, *rows[1:4]], False


def _other_month(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    at = rows[0].index("reference_date")
    day = draw.choice(["2026-09-30", "2025-10-31", "31/10/26", "October"])
    return [rows[0], *([*r[:at], day, *r[at + 1 :]] for r in rows[1:])], False


def _us_dates(draw: random.Random, rows: Rows) -> tuple[Rows, bool]:
    return [rows[0], *([f"{date.fromisoformat(c):%m/%d/%Y}" if _is_date(c) else c for c in r] for r in rows[1:])], False


_ON_ROWS: tuple[Change, ...] = (
    _titles, _footer, _rule, _again, _total, _shuffled, _headers, _dates, _blank_columns, _unknown_column,
    _spoil, _spoil, _spoil, _renamed, _dropped, _twice, _second_table, _other_month, _us_dates,
)  # fmt: skip


# Changes to bytes.


def _cut(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """Cut anywhere but between rows, where nobody could tell."""
    at = draw.randrange(1, len(content) - 1)
    while content[at - 1 : at] in (b"\n", b"\r") or content[at : at + 1] in (b"\n", b"\r"):
        at = draw.randrange(1, len(content) - 1)
    return content[:at], False


def _ends(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    return content + draw.choice([b"\x1a", b"\x1a\r\n", b"\x00" * 40, b"\n\n\n", b"\r\n" * 9]), True


def _marked(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    return b"\xef\xbb\xbf" + content, True


def _nul(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    at = draw.randrange(len(content) - 5)
    return content[:at] + draw.choice([b"\x00", b"\x07", b"\x1a"]) + content[at:], False


def _utf16(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    return content.decode().encode(draw.choice(["utf-16", "utf-16-le", "utf-32"])), False


def _quotation(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """A mark opened in one row and closed in a later one, at the beginning and the end of cells."""
    lines = content.split(b"\n")
    if len(lines) < 9:
        return content[:-1].replace(b",", b',"', 1), False
    opened, closed = sorted(draw.sample(range(1, len(lines) - 1), 2))
    at = draw.randrange(lines[opened].count(b",") + 1)
    first, last = lines[opened].split(b","), lines[closed].split(b",")
    first[at], last[at] = b'"' + first[at], last[at] + b'"'
    lines[opened], lines[closed] = b",".join(first), b",".join(last)
    return b"\n".join(lines), False


def _flipped(draw: random.Random, content: bytes) -> tuple[bytes, bool]:
    """One bit of a compressed file, which a checksum or a parser notices."""
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :], False


def _own_csv(draw: random.Random) -> Mutation:
    kind = draw.choice([Kind.WORKFORCE, Kind.CASELOAD, Kind.ESTABLISHMENT])
    rows = ROWS[kind]()
    if draw.random() < 0.6:
        change = draw.choice(_ON_ROWS)
        changed, same = change(draw, rows)
        assert not isinstance(changed, bytes)
        delimiter = draw.choice([",", ",", ";", "\t", "|"])
        content = as_csv(changed, delimiter, end=draw.choice(["\n", "\r\n"]), quote_all=draw.random() < 0.3)
        if draw.random() < 0.2:
            content = f"sep={delimiter}\r\n".encode() + content
        return Mutation(f"csv {change.__name__}", Form.NATIVE, kind, content, same)
    on_bytes = draw.choice([_cut, _cut, _ends, _marked, _nul, _utf16, _quotation, _quotation])
    content, same = on_bytes(draw, as_csv(rows))
    return Mutation(f"csv {on_bytes.__name__}", Form.NATIVE, kind, content, same)


def _own_xlsx(draw: random.Random) -> Mutation:
    kind = draw.choice([Kind.WORKFORCE, Kind.CASELOAD, Kind.ESTABLISHMENT])
    rows = ROWS[kind]()
    name = draw.choice([str(kind), "Sheet1", f" {kind.title()} "])
    extra = draw.choice([{}, {}, {"Notes": [[MARKER]]}])
    if draw.random() < 0.75:
        change = draw.choice(_ON_ROWS)
        changed, same = change(draw, rows)
        assert not isinstance(changed, bytes)
        width = max(map(len, changed))
        hidden = draw.random() < 0.3

        def touch(sheet: object, book: object) -> None:
            if hidden:
                for row in range(2, 2 + len(rows) // 2):
                    sheet.set_row(row, options={"hidden": True})  # type: ignore[attr-defined]
            yellow = book.add_format({"bg_color": "yellow"})  # type: ignore[attr-defined]
            sheet.write_blank(draw.choice([200, 1_048_575]), draw.choice([0, width, 16_383]), None, yellow)  # type: ignore[attr-defined]

        return Mutation(f"xlsx {change.__name__}", Form.NATIVE, kind, as_xlsx(changed, name, touch, extra), same)
    content, same = draw.choice([_cut, _flipped])(draw, as_xlsx(rows, name))
    return Mutation("xlsx bytes", Form.NATIVE, kind, content, same)


def _own_parquet(draw: random.Random) -> Mutation:
    kind = draw.choice([Kind.WORKFORCE, Kind.CASELOAD, Kind.ESTABLISHMENT])
    rows = ROWS[kind]()
    if draw.random() < 0.5:
        change = draw.choice(
            [_shuffled, _headers, _dates, _unknown_column, _spoil, _renamed, _dropped, _other_month, _total]
        )
        changed, same = change(draw, rows)
        assert not isinstance(changed, bytes)
        return Mutation(f"parquet {change.__name__}", Form.NATIVE, kind, as_parquet(changed), same)
    if draw.random() < 0.5:
        frame = pl.read_parquet(io.BytesIO(as_parquet(rows)))
        day = pl.col("reference_date").str.to_date()
        zone = draw.choice([None, "UTC", "Europe/London"])
        typed = day if draw.random() < 0.4 else day.cast(pl.Datetime("us")).dt.replace_time_zone(zone)
        out = io.BytesIO()
        frame.with_columns(typed, pl.col(frame.columns[0]).cast(pl.Categorical)).write_parquet(out)
        return Mutation("parquet types", Form.NATIVE, kind, out.getvalue(), True)
    content, same = _cut(draw, as_parquet(rows))  # Its pages need no checksum, so a flipped bit can be another value.
    return Mutation("parquet bytes", Form.NATIVE, kind, content, same)


def _csww(draw: random.Random) -> Mutation:
    kind = draw.choice([Kind.WORKFORCE, Kind.ESTABLISHMENT, Kind.RETURN])
    text = csww()
    tag = draw.choice(["SWENo", "FTE30", "AgencyWorker", "RoleStartDate", "OrgRole", "Cases30", "Absat30Sept"])
    gone = draw.choice(["LEA", "ReferenceDate", "LALevelVacancies"])
    made: dict[str, tuple[str | bytes, bool]] = {
        "encoding": (
            csww(draw.choice(["utf-7", "utf-16", "cp037", "big5", "no-such", "latin-1", "ascii", "idna"])),
            False,
        ),
        "spaces": (text.replace("><", ">\n  <"), True),
        "comment": (text.replace("<Header>", f"<!-- {MARKER} --><Header>"), True),
        "cut": (text[: draw.randrange(40, len(text) - 12)], False),
        "renamed": (text.replace(f"<{tag}>", f"<{tag}X>").replace(f"</{tag}>", f"</{tag}X>"), False),
        "lower case": (text.replace(f"<{tag}>", f"<{tag.lower()}>").replace(f"</{tag}>", f"</{tag.lower()}>"), False),
        "without": (re.sub(rf"<{gone}>.*?</{gone}>", "", text, flags=re.DOTALL), False),
        "spoiled": (re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{MARKER}</{tag}>", text), False),
        "entities": (text.replace("<Message>", f'<!DOCTYPE a [<!ENTITY b "{MARKER}">]><Message>'), False),
        "namespace": (text.replace("<Message>", '<Message xmlns="urn:x">'), False),
        "other council": (text.replace("<LEA>370", "<LEA>371"), False),
        "utf-16": (csww("utf-16").encode("utf-16"), True),
        "mark": (b"\xef\xbb\xbf" + text.encode(), True),
    }
    name = draw.choice(sorted(made))
    content, same = made[name]
    content = content if isinstance(content, bytes) else content.encode()
    return Mutation(f"csww {name}", Form.CSWW, kind, content, same, SEPTEMBER)


def _annex(draw: random.Random) -> Mutation:
    lists = annex_a()
    sheet = draw.choice(sorted(lists))
    rows = lists[sheet]
    name = draw.choice(
        ["titles", "footer", "shuffled", "hidden", "spoil", "renamed", "dropped", "gone", "ids", "bytes", "again"]
    )
    if name == "bytes":
        content, same = draw.choice([_cut, _flipped])(draw, as_workbook(lists))
        return Mutation("annex bytes", Form.ANNEX_A, Kind.CASELOAD, content, same)
    hidden: list[str] = []
    same = name in ("titles", "footer", "shuffled")
    changed: Tables = dict(lists)
    match name:
        case "titles":
            changed[sheet] = [["Annex A"], [f"Prepared by {MARKER}"], *rows]
        case "footer":
            changed[sheet] = [*rows, [], [f"{len(rows) - 1} records, printed by {MARKER}"]]
        case "shuffled":
            changed[sheet] = _shuffled(draw, rows)[0]  # type: ignore[assignment]
        case "hidden":
            hidden = [sheet]
        case "spoil":
            at = draw.choice([i for i, h in enumerate(rows[0]) if i and "team" not in str(h).lower()])
            text = draw.choice(["#N/A", "???", "31/02/2026", "x) Unknown thing"])
            changed[sheet] = [rows[0], *([*r[:at], text, *r[at + 1 :]] for r in rows[1:])]
        case "renamed":
            changed[sheet] = _renamed(draw, rows)[0]  # type: ignore[assignment]
        case "dropped":
            changed[sheet] = _dropped(draw, rows)[0]  # type: ignore[assignment]
        case "gone":
            del changed[sheet]
        case "ids":
            changed[sheet] = [rows[0], *(["", *r[1:]] for r in rows[1:])]
        case _:
            changed[sheet] = [*rows, rows[0]]
    # A spoilt or absent list of a kind that the month does not need leaves the figures as they are.
    return Mutation(f"annex {name} {sheet}", Form.ANNEX_A, Kind.CASELOAD, as_workbook(changed, hidden=hidden), same)


def _ssd(draw: random.Random) -> Mutation:
    tables = ssd()
    full = sorted(n for n, rows in tables.items() if len(rows) > 1)
    table = draw.choice(full)
    rows = tables[table]
    change: Change | None = draw.choice(
        [_footer, _rule, _shuffled, _dates, _renamed, _dropped, _twice, None, None, None]
    )
    if change is not None:
        changed, same = change(draw, rows)
        assert not isinstance(changed, bytes)
        return Mutation(
            f"ssd {change.__name__} {table}", Form.SSD, Kind.CASELOAD, as_folder(tables | {table: changed}), same
        )
    name = draw.choice(["cut", "parquet", "blank", "renumbered", "gone", "spoil", "doubled", "ends"])
    folder = as_folder(tables)
    same = name in ("parquet", "ends")
    at = draw.randrange(len(rows[0]))
    match name:
        case "cut":
            folder[f"{table}.csv"] = _cut(draw, folder[f"{table}.csv"])[0]
        case "ends":
            folder[f"{table}.csv"] += b"\x1a"
        case "parquet":
            folder = as_folder(tables, as_parquet, "parquet")
        case "gone":
            del folder[f"{table}.csv"]
        case "doubled":
            folder[f"{table}.csv"] = as_csv([*rows, *rows[1:]])
            # A row twice says no more than once, but of an episode.
            same = table not in ("ssd_cin_episodes", "ssd_cp_plans")
        case "blank":
            folder[f"{table}.csv"] = as_csv([rows[0], *([*r[:at], "", *r[at + 1 :]] for r in rows[1:])])
        case "renumbered":
            folder[f"{table}.csv"] = as_csv([rows[0], *([f"Z-{r[0]}", *r[1:]] for r in rows[1:])])
        case _:
            folder[f"{table}.csv"] = as_csv([rows[0], *([*r[:at], "???", *r[at + 1 :]] for r in rows[1:])])
    return Mutation(f"ssd {name} {table}", Form.SSD, Kind.CASELOAD, folder, same)


def _dfe(draw: random.Random) -> Mutation:
    text = dfe()
    made: Mapping[str, tuple[bytes, bool]] = {
        "cut": _cut(draw, text.encode()),
        "mark": (b"\xef\xbb\xbf" + text.encode(), True),
        "CRLF": (text.replace("\n", "\r\n").encode(), True),
        "symbols": (text.replace("137.4", draw.choice(["c", "low", "z"])).encode(), False),
        "words": (text.replace("137.4", MARKER).encode(), False),
        "renamed": (text.replace("vacancy_fte,", "vacancies,", 1).encode(), False),
        "doubled": ((text + text.split("\n")[2] + "\n").encode(), False),
        "other council": (text.replace(",370,", ",371,").encode(), False),
        "other year": (text.replace("2026,Rep", "2025,Rep").encode(), False),
        "nul": (text.replace("Barnsley", "Barns\x00ley").encode(), True),
    }
    name = draw.choice(sorted(made))
    content, same = made[name]
    return Mutation(f"dfe {name}", Form.DFE, Kind.RETURN, content, same, SEPTEMBER)
