"""Makes the example files that the documentation uses, in `examples/` of a made-up folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from features.months import Month, month_range
from features.registry import Kind
from flows.sample_region import as_sent, generate, region
from flows.sample_region.annex_a import annex_a_workbook
from flows.sample_region.csww_writer import september_returns
from flows.sample_region.ssd import ssd_tables


def late_file(folder: Path) -> None:
    """`examples/late/workforce.csv`: what council Z02 did not send in time for October 2026."""
    (folder / "late").mkdir()
    shutil.move(folder.parent / "landing/2026-10/Z02/workforce.csv", folder / "late/workforce.csv")


def corrected_file(folder: Path) -> None:
    """`examples/corrected/workforce.csv`: Z03's file of October 2026 with one worker's sickness put right."""
    (folder / "corrected").mkdir()
    lines = (folder.parent / "landing/2026-10/Z03/workforce.csv").read_text(encoding="utf-8").splitlines()
    (folder / "corrected/workforce.csv").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")


def file_with_errors(folder: Path) -> None:
    """`examples/wrong/workforce.csv`: half of the FTE and of the dates cannot be read."""
    (folder / "wrong").mkdir()
    text = (folder.parent / "landing/2026-10/Z01/workforce.csv").read_text(encoding="utf-8").splitlines()
    header = text[0].split(",")
    fte = header.index("fte")
    rows = [line.split(",") for line in text[1:]]
    for row in rows[::2]:
        row[fte] = "full time"
    (folder / "wrong/workforce.csv").write_text(
        "\n".join([text[0], *(",".join(r) for r in rows)]) + "\n", encoding="utf-8"
    )


def file_with_names(folder: Path) -> None:
    """`examples/names/workforce.csv`: an extract with a column that must not be sent."""
    (folder / "names").mkdir()
    text = (folder.parent / "landing/2026-10/Z01/workforce.csv").read_text(encoding="utf-8").splitlines()
    rows = [text[0] + ",surname", *(f"{line},Example" for line in text[1:])]
    (folder / "names/workforce.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def annex_a(folder: Path) -> None:
    """`examples/annex_a/annex_a.xlsx`: Z01's cases of October 2026 as Ofsted's workbook."""
    (folder / "annex_a").mkdir()
    sent = [
        pl.read_csv(folder.parent / f"landing/{month}/Z01/caseload.csv", try_parse_dates=True).filter(
            pl.int_range(pl.len()) % 4 == 0
        )
        for month in month_range(Month(2026, 5), Month(2026, 10))
    ]
    (folder / "annex_a/annex_a.xlsx").write_bytes(annex_a_workbook(sent, Month(2026, 10)))


def workforce_return(folder: Path) -> None:
    """`examples/return/return.xml`: a council's year to September 2026; one worker's origin is missing."""
    (folder / "return").mkdir()
    year = list(generate(region(1, 12, 7, Month(2026, 9))))
    content = next(content for _, content in september_returns(year)).replace(b"<LEA>Z01</LEA>", b"<LEA>301</LEA>")
    (folder / "return/return.xml").write_bytes(content.replace(b"    <StartOrigin>9</StartOrigin>\n", b"", 1))


def ssd_tables_of_a_council(folder: Path) -> None:
    """`examples/ssd/`: a council's case system of October 2026 as Standard Safeguarding Dataset tables."""
    (folder / "ssd").mkdir()
    (frames,) = generate(region(1, 1, 7, Month(2026, 10)))
    own = {kind: as_sent(frame, kind) for kind, frame in frames.frames.items()}
    tables = ssd_tables(own[Kind.CASELOAD].gather_every(8), own[Kind.WORKFORCE], Month(2026, 10))
    for name, content in tables.items():
        (folder / "ssd" / name).write_bytes(content)


def home_made_file(folder: Path) -> None:
    """`examples/home-made/staff.csv`: an HR list with its own headers, and answers to the questions it raises."""
    (folder / "home-made").mkdir()
    sent = pl.read_csv(folder.parent / "landing/2026-10/Z01/workforce.csv", infer_schema=False)
    agency = pl.when(pl.col("agency_worker") == "1").then(pl.lit("Agency")).otherwise(pl.lit("Permanent"))
    renamed = {"worker_ref": "Payroll number", "agency_worker": "Contract type", "role_start_date": "Date joined"}
    staff = sent.with_columns(agency.alias("agency_worker")).drop("la_code", "reference_date", "team").rename(renamed)
    staff.write_csv(folder / "home-made/staff.csv")
    (folder / "home-made/answers.toml").write_text(
        'kind = "workforce"\nby_folder = ["la_code", "reference_date"]\n\n'
        '[columns]\nworker_ref = "Payroll number"\nagency_worker = "Contract type"\nrole_start_date = "Date joined"\n\n'
        '[codes.agency_worker]\nPermanent = "0"\nAgency = "1"\n',
        encoding="utf-8",
    )


#: Name -> maker; each is called with the folder `examples/`, before any month is taken in.
EXAMPLES: dict[str, Callable[[Path], None]] = {
    "late": late_file,
    "corrected": corrected_file,
    "wrong": file_with_errors,
    "names": file_with_names,
    "annex_a": annex_a,
    "return": workforce_return,
    "ssd": ssd_tables_of_a_council,
    "home-made": home_made_file,
}
