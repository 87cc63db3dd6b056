"""Odd workbooks, Parquet files and files of the sector's formats, one line each; see `tests.field.odd`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import polars as pl

from features.registry import Kind
from flows.extracts.formats.asked import Content, Form
from tests.field.mutations import SEPTEMBER, Mutation
from tests.field.odd import Cell, days, odd_texts, own
from tests.field.sector import Tables, annex_a, as_folder, as_workbook, csww, dfe, ssd, without
from tests.field.sent import MARKER, ROWS, Rows, as_csv, as_parquet, as_xlsx


def odd_inputs() -> Iterator[Mutation]:
    """Every odd file."""
    yield from odd_texts()
    yield from _workbooks()
    yield from _parquet()
    yield from _annex()
    yield from _ssd()
    yield from _returns()


def _workbooks() -> Iterator[Mutation]:
    rows = ROWS[Kind.WORKFORCE]()
    gap: Rows = [[], [], *(["", ""] + r for r in rows)]

    def cell(change: Callable[[Any, Any], object]) -> bytes:
        return as_xlsx(rows, "workforce", lambda sheet, book: change(sheet, book))

    yield own("begins in C3", as_xlsx(gap, "workforce"), same=True)
    yield own("filtered", cell(lambda s, b: (s.autofilter(0, 0, 60, 13), s.set_row(4, options={"hidden": True}))),
               same=True)  # fmt: skip
    yield own("frozen, coloured, wide", cell(lambda s, b: (s.freeze_panes(1, 2), s.set_column(0, 13, 30))), same=True)
    yield own("a sheet of notes", as_xlsx(rows, "workforce", more={"Read me": [["How to fill this in"]]}), same=True)
    yield own("per cent as a number format", cell(lambda s, b: s.write(3, 5, 0.8, b.add_format({"num_format": "0%"}))),
               same=True)  # fmt: skip
    yield own(
        "text for numbers", as_xlsx([[c + "\u200b" if c else c for c in r] for r in rows], "workforce"), same=True
    )
    twice = as_xlsx(rows, "Sheet1", more={"Sheet2": rows})
    yield own("the same twice", twice)
    yield own("another month beside it", as_xlsx(rows, "October", more={"September": rows[:30]}))
    yield own("hidden sheet alone", as_xlsx([["Cover"]], "Cover", more={"workforce": rows}, hidden=["workforce"]))
    yield own("merged cells", cell(lambda s, b: s.merge_range(3, 7, 9, 7, "2026-10-16")))
    yield own("an error", cell(lambda s, b: s.write_formula(5, 5, "=1/0", value="#DIV/0!")))
    yield own(
        "formulas never calculated", cell(lambda s, b: [s.write_formula(i, 5, "=A1", value="") for i in range(1, 9)])
    )
    yield own("a link to somebody", cell(lambda s, b: s.write_url(2, 13, "mailto:a.b@c.example", string="Team 3")))
    yield own("a comment", cell(lambda s, b: s.write_comment(2, 2, "Jane Smith is on leave")))
    yield own("1904", as_xlsx(rows, "workforce", options={"date_1904": True}))
    yield own("a picture of nothing", as_xlsx([], "workforce"))
    yield own("a header on row 45", as_xlsx([[f"line {i}"] for i in range(44)] + rows, "workforce"))
    for kind in (Kind.CASELOAD, Kind.ESTABLISHMENT):
        yield own("plain", as_xlsx(ROWS[kind](), str(kind)), kind, same=True)


def _parquet() -> Iterator[Mutation]:
    frame = pl.read_parquet(io.BytesIO(as_parquet(ROWS[Kind.WORKFORCE]())))

    def written(changed: pl.DataFrame) -> bytes:
        out = io.BytesIO()
        changed.write_parquet(out)
        return out.getvalue()

    number = pl.col("fte").cast(pl.Float64)
    same: dict[str, pl.DataFrame] = {
        "numbers": frame.with_columns(number, pl.col("cases").cast(pl.Int16), pl.col("agency_worker") == "1"),
        "decimals": frame.with_columns(number.cast(pl.Decimal(6, 3)), pl.col("cases").cast(pl.UInt64)),
        "nanoseconds": frame.with_columns(pl.col("reference_date").str.to_datetime(time_unit="ns")),
        "enums": frame.with_columns(pl.col("org_role").cast(pl.Enum(list("123456")))),
        "a column of nulls": frame.with_columns(pl.lit(None).alias("spare")),
    }
    for name, changed in same.items():
        yield own(f"parquet {name}", written(changed), same=True)
    other: dict[str, pl.DataFrame] = {
        "nan": frame.with_columns(
            pl.when(pl.int_range(pl.len()) < 9).then(float("nan")).otherwise(number).alias("fte")
        ),
        "lists": frame.with_columns(pl.concat_list("team")),
        "structs": frame.with_columns(pl.struct("team")),
        "bytes": frame.with_columns(pl.col("team").cast(pl.Binary)),
        "durations": frame.with_columns(pl.duration(days=3).alias("role_start_date")),
        "no rows": frame.clear(),
        "float references": frame.with_columns(pl.col("worker_ref").str.tail(4).cast(pl.Float64) * 1e15),
        "times": frame.with_columns(pl.time(9, 0).alias("role_start_date")),
    }
    for name, changed in other.items():
        yield own(f"parquet {name}", written(changed))


def _annex() -> Iterator[Mutation]:
    lists = annex_a()

    def made(name: str, content: bytes, *, same: bool = False) -> Mutation:
        return Mutation(f"annex {name}", Form.ANNEX_A, Kind.CASELOAD, content, same)

    def changed(sheet: str, column: str, change: Cell) -> bytes:
        header, *body = lists[sheet]
        at = header.index(column)
        return as_workbook({**lists, sheet: [header, *([*b[:at], change(b[at]), *b[at + 1 :]] for b in body)]})

    yield made("sheets in another order", as_workbook(dict(reversed(lists.items()))), same=True)
    yield made("titles", as_workbook({k: [["Annex A"], [], *v] for k, v in lists.items()}), same=True)
    yield made(
        "a list more", as_workbook({**lists, "List 11": [["Adopter ID", "Date"], ["1", "2026-10-01"]]}), same=True
    )
    yield made("a cover", as_workbook({"Cover": [["Council"], ["October"]], **lists}), same=True)
    yield made("dates as words", changed("List 6", "CIN Start Date", lambda c: f"{date.fromisoformat(c):%-d %B %Y}"),
               same=True)  # fmt: skip
    yield made("numbers with .0", changed("List 3", "Child Unique ID", lambda c: f"{c}.0"), same=True)
    yield made("zeros in front", changed("List 4", "Child Unique ID", lambda c: f"00{c}"), same=True)
    for sheet in lists:
        yield made(f"without {sheet}", as_workbook({k: v for k, v in lists.items() if k != sheet}))
        yield made(f"{sheet} without rows", as_workbook({**lists, sheet: lists[sheet][:1]}))
    yield made("other children", changed("List 6", "Child Unique ID", lambda c: f"X{c}"))
    yield made("status in words nobody knows", changed("List 6", "Case Status", lambda _: "ongoing"))
    yield made("years of two digits", changed("List 8", "Date of Last Social Work Visit", lambda _: "14/10/26"))
    yield made("worker unknown", changed("List 6", "Allocated Worker", lambda _: "Unknown"))
    yield made("a list twice", as_workbook({**lists, "List 6 (2)": lists["List 6"]}))
    yield made("two lists exchanged", as_workbook({**lists, "List 7": lists["List 8"], "List 8": lists["List 7"]}))


def _ssd() -> Iterator[Mutation]:
    tables = ssd()

    def made(name: str, content: Content, *, same: bool = False) -> Mutation:
        return Mutation(f"ssd {name}", Form.SSD, Kind.CASELOAD, content, same)

    def changed(table: str, column: str, change: Cell) -> Tables:
        header, *body = tables[table]
        at = header.index(column)
        return {**tables, table: [header, *([*b[:at], change(b[at]), *b[at + 1 :]] for b in body)]}

    folder = as_folder(tables)
    yield made("names in capitals", {k.upper().replace(".CSV", ".csv"): v for k, v in folder.items()}, same=True)
    yield made("a schema in front", {f"dbo.{k}": v for k, v in folder.items()}, same=True)
    yield made("marks of text", {k: b"\xef\xbb\xbf" + v for k, v in folder.items()}, same=True)
    yield made("semicolons", as_folder(tables, lambda r: as_csv(r, ";")), same=True)
    yield made("utf-16", {k: v.decode().encode("utf-16") for k, v in folder.items()}, same=True)
    yield made(
        "times", as_folder(changed("ssd_cin_episodes", "cine_referral_date", lambda c: f"{c} 00:00:00.000")), same=True
    )
    yield made("a table more", {**folder, "ssd_disability.csv": b"disa_person_id,disa_code\nP1,VIS\n"}, same=True)
    yield made("a table twice", {**folder, "dbo.ssd_cp_plans.csv": folder["ssd_cp_plans.csv"]})
    yield made("other referrals", as_folder(changed("ssd_involvements", "invo_referral_id", lambda c: f"0{c}")))
    yield made("other persons", as_folder(changed("ssd_cp_visits", "cppv_person_id", lambda c: f"X{c}")))
    yield made(
        "roles nobody knows", as_folder(changed("ssd_involvements", "invo_professional_role_id", lambda _: "R17"))
    )
    yield made("no professionals", as_folder(changed("ssd_involvements", "invo_professional_id", lambda _: "")))
    yield made("some professionals unknown", as_folder(changed(
        "ssd_involvements", "invo_professional_id", lambda c: "unknown" if c == "W7" else c)))  # fmt: skip
    yield made(
        "dates of another order", as_folder(changed("ssd_cp_plans", "cppl_cp_plan_start_date", days("%m/%d/%Y")))
    )
    for table in ("ssd_cin_episodes", "ssd_involvements", "ssd_cp_reviews", "ssd_cin_assessments"):
        yield made(
            f"{table} without its last column",
            as_folder({**tables, table: without(tables[table], tables[table][0][-1])}),
        )
        yield made(f"{table} empty", {**folder, f"{table}.csv": b""})
    yield made("a name beside", {**folder, "ssd_cin_episodes.csv": as_csv(
        [[*r, "forename" if not i else MARKER] for i, r in enumerate(tables["ssd_cin_episodes"])])})  # fmt: skip


def _returns() -> Iterator[Mutation]:
    text, published = csww(), dfe()
    made: dict[str, tuple[str | bytes, bool]] = {
        "standalone": (text.replace('"?>', '" standalone="yes"?>', 1), True),
        "cdata": (text.replace("<FTE30>0.8</FTE30>", "<FTE30><![CDATA[0.8]]></FTE30>"), True),
        "utf-16": (csww("utf-16").encode("utf-16"), True),
        "blank elements": (text.replace("<FTE30>", "<ReasonLeave></ReasonLeave><FTE30>"), True),
        "two returns": (text + text, False),
        "no workers": (re.sub(r"<CSWWWorker>.*?</CSWWWorker>", "", text), False),
        "two of one number": (text.replace("SW1000002", "SW1000001"), False),
        "year 2025": (text.replace("2026", "2025"), False),
        "fte in per cent": (text.replace("<FTE30>0.8<", "<FTE30>80<"), False),
        "xml 1.1": (text.replace('version="1.0"', 'version="1.1"'), False),
        "html": ("<html><body>Sign in</body></html>", False),
        "csv named xml": (as_csv(ROWS[Kind.WORKFORCE]()).decode(), False),
        "deep": ("<Message>" + "<a>" * 5000 + "</a>" * 5000 + "</Message>", False),
        "prefix": (text.replace("<Message>", '<x:Message xmlns:x="u">').replace("</Message>", "</x:Message>"), False),
        "empty": ("", False),
    }
    for name, (content, same) in made.items():
        body = content if isinstance(content, bytes) else content.encode()
        yield Mutation(f"csww {name}", Form.CSWW, Kind.WORKFORCE, body, same, SEPTEMBER)
    said: dict[str, tuple[str | bytes, bool]] = {
        "utf-16": (published.encode("utf-16"), True),
        "tabs": (published.replace(",", "\t"), True),
        "semicolons": (published.replace(",", ";"), True),
        "quoted": ("\n".join(",".join(f'"{c}"' for c in r.split(",")) for r in published.split("\n") if r), True),
        "capitals": (published.replace("Local authority", "LOCAL AUTHORITY"), True),
        "england alone": ("\n".join(published.split("\n")[:2]) + "\n", False),
        "codes with .0": (published.replace(",370,", ",370.0,"), False),
        "per cent signs": (published.replace("22.5", "22.5%"), False),
        "a title above": ("Children's social work workforce\n\n" + published, True),
        "a column moved": (published.replace("inpost_fte,inpost_headcount", "inpost_headcount,inpost_fte", 1), False),
    }
    for name, (content, same) in said.items():
        body = content if isinstance(content, bytes) else content.encode()
        yield Mutation(f"dfe {name}", Form.DFE, Kind.RETURN, body, same, SEPTEMBER)
