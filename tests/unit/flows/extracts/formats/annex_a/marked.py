"""An Annex A workbook in which everything about a child or a worker is a marker that must be nowhere afterwards."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import xlsxwriter

from features.months import Month
from flows.sample_region.annex_a import HEADERS, annex_a_lists

BORN = date(2011, 11, 11)
#: What may stand nowhere after the workbook was read, in any letter case.
MARKERS = (
    "zebedee",
    "gendermark",
    "ethnicmark",
    "2011-11-11",
    "11/11/2011",
    "9876543000",
    "zz9 9mark",
    "hiddenmark",
    "authormark",
)


def _marked(header: str, value: Any) -> Any:
    if value is None:
        return None
    match header:
        case "Child Unique ID" | "Individual adopter identifier" | "Family identifier":
            return 98_765_430_000_000 + int(value)
        case "Gender":
            return "GENDERMARK"
        case "Ethnicity":
            return "ETHNICMARK"
        case "Date of Birth":
            return BORN
        case "Placement postcode":
            return "ZZ9 9MARK"
        case "Allocated Worker" | "Allocated Personal Advisor":
            return f"Zebedee {value}"
        case _:
            return value


def marked_workbook(cases: Sequence[pl.DataFrame], month: Month) -> bytes:
    """The workbook of these cases with markers, a hidden sheet, a comment and an author."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"})
    book.set_properties({"author": "AUTHORMARK", "comments": "made by AUTHORMARK"})
    for name, rows in annex_a_lists(cases, month).items():
        sheet = book.add_worksheet(name)
        headers = HEADERS[name]
        sheet.write_row(0, 0, headers)
        sheet.write_comment(0, 0, "asked for by AUTHORMARK")
        for r, row in enumerate(rows, start=1):
            for c, (header, value) in enumerate(zip(headers, row, strict=True)):
                if (marked := _marked(header, value)) is not None:
                    sheet.write(r, c, marked)
        if name == "List 6":
            # A cell that cannot be read, so that reading has something to say.
            status = headers.index("Case Status")
            spoilt = next(r for r, row in enumerate(rows, start=1) if row[status].startswith("c"))
            sheet.write(spoilt, headers.index("CIN Closure Date"), "ask Zebedee")
    hidden = book.add_worksheet("Names of HIDDENMARK")
    hidden.write_row(0, 0, ["Child Unique ID", "Surname", "CIN Start Date", "Case Status"])
    hidden.write_row(1, 0, [98_765_430_000_001, "HIDDENMARK", "01/10/2026", "c"])
    hidden.hide()
    book.close()
    return out.getvalue()


def found_in(content: bytes) -> list[str]:
    """The markers that stand in some bytes, however they are cased or encoded."""
    texts = [
        content.decode("utf-8", errors="ignore").casefold(),
        content.decode("utf-16-le", errors="ignore").casefold(),
    ]
    return [m for m in MARKERS if any(m in text for text in texts)]
