"""Commands about extracts: check, samples, templates, mappings of home-made files, pulling SSD tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import CheckFailed, ExtractError, SettingsError
from features.private_files import write_private
from flows.cli.root import FILES, app
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from features.councils import Council
    from features.registry import Kind
    from flows.settings.settings import Settings
    from flows.store import Store

KindArgument = Annotated[str, typer.Argument(help="workforce, establishment, caseload or return.")]
CouncilOption = Annotated[str, typer.Option(help="The council's code.")]
MonthOption = Annotated[str, typer.Option(help="YYYY-MM.")]


@app.command("check", rich_help_panel=FILES)
def check_command(
    files: Annotated[
        list[Path], typer.Argument(help="Extracts (workforce.csv, caseload.xlsx …) or a workforce return (.xml).")
    ],
    council: Annotated[str | None, typer.Option(help="The council's code, if the file does not say it.")] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM, if the file does not say it.")] = None,
    kind: Annotated[str | None, typer.Option(help="workforce, establishment, caseload or return.")] = None,
    published: Annotated[
        Path | None, typer.Option(help="DfE's published workforce CSV, to compare a workforce return with.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping to read a home-made file with; the saved one if not given.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the report as a page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as JSON.")] = False,
) -> None:
    """Check extracts before sending them. Exit code 0: usable; 20: errors; 12: a file cannot be used at all."""
    from rich.console import Console

    from features.months import Month
    from features.registry import Kind
    from flows.desk.past import landing_of, past_of
    from flows.extracts.check_files import check_files, page_of
    from flows.orchestration import embedded
    from flows.settings.settings import Settings

    embedded.configure()
    if kind is not None and kind not in {str(k) for k in Kind}:
        raise typer.BadParameter(f"one of {', '.join(Kind)}", param_hint="--kind")
    try:
        settings = Settings.load()
    except SettingsError as fault:
        typer.echo(f"{fault} The files are checked by themselves, without the group's records.", err=True)
        settings = None
    found = check_files(
        files,
        council=council,
        month=Month.parse(month) if month else None,
        kind=Kind(kind) if kind else None,
        published=published,
        mapping=mapping,
        landing=landing_of(settings) if settings else None,
        past=past_of(settings, datetime.now(UTC)) if settings else None,
    )
    console = Console()
    if as_json:
        typer.echo(json.dumps([one.document() for one in found], ensure_ascii=False, indent=1))
    for one in found if not as_json else ():
        one.show(console)
    if html is not None:
        write_private(html, page_of(found))
        typer.echo(f"The report is {html}.")
    if any(one.refused for one in found):
        raise typer.Exit(ExtractError.exit_code)
    if any(one.errors for one in found):
        raise typer.Exit(CheckFailed.exit_code)


@app.command("sample-extracts", rich_help_panel=FILES)
def sample_extracts_command(
    folder: Annotated[Path, typer.Argument(help="Folder to write the landing layout into.")],
    councils: Annotated[int, typer.Option(help="How many: 12 is the region of the demo, 153 is England's size.")] = 12,
    months: Annotated[int, typer.Option(help="Months of history.")] = 36,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    last: Annotated[str, typer.Option(help="Last month, YYYY-MM.")] = "2026-10",
) -> None:
    """Write extracts of a made-up region of any size."""
    from features.months import Month
    from flows.sample_region import sample_extracts

    with steps_shown(total=months) as show:
        sample = sample_extracts(
            folder,
            councils,
            months,
            seed,
            Month.parse(last),
            progress=lambda month, done, total: show(f"{month}: {done} of {total} months"),
        )
    typer.echo(f"{sample.files} files in {folder}; the register is {folder / 'register.csv'}.")


@app.command("template", rich_help_panel=FILES)
def template_command(
    kind: KindArgument,
    to: Annotated[Path | None, typer.Option(help="File to write; <kind>.xlsx here if not given.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Excel, without the data dictionary.")] = False,
) -> None:
    """Write an empty extract to fill in, with its data dictionary, and a filled example next to it."""
    from flows.papers.templates import write_template

    wanted = kind_of(kind)
    path = to or Path(f"{wanted}.{'csv' if csv else 'xlsx'}")
    empty, example = write_template(wanted, path, as_csv=csv or path.suffix.lower() == ".csv")
    typer.echo(
        f"{empty} is the empty extract to fill in; {example} shows how, with made-up rows. "
        f"Check either: holdfast check {example}"
    )


@app.command("pull-ssd", rich_help_panel=FILES)
def pull_ssd(month: MonthOption, council: CouncilOption) -> None:
    """Read a council's SSD database and write the needed columns to the landing folder, without personal data."""
    from features.months import Month, london_day
    from flows.extracts.formats.ssd.sql import pull
    from flows.settings.settings import Settings

    settings, wanted = Settings.load(), Month.parse(month)
    landing, owner = landing_and_council(settings, council)
    if london_day(datetime.now(UTC)) <= wanted.last_day:
        raise SettingsError(
            f"{wanted.in_words} has not ended, so its cases are not yet known. Pull after its last day."
        )
    url = settings.ssd.urls.get(owner.folder) or settings.ssd.urls.get(owner.la_code) or settings.ssd.url
    if url is None:
        raise SettingsError(
            f"There is no database for {owner.name} ({owner.la_code}). Set ssd.url, or ssd.urls by council's code, as "
            "HOLDFAST_SSD__URL; the account needs to read and nothing more."
        )
    typer.echo(pull(url.get_secret_value(), settings.ssd.schema_name, landing, owner, wanted).to_text())


def kind_of(text: str) -> Kind:
    from features.registry import Kind

    if text not in {str(k) for k in Kind}:
        raise typer.BadParameter(f"one of {', '.join(Kind)}", param_hint="KIND")
    return Kind(text)


def landing_and_council(settings: Settings, code: str) -> tuple[Store, Council]:
    """The landing store, and the council with this code in its register. Raises SettingsError if there is none."""
    from features.councils import folder_name
    from flows.store import open_store
    from flows.store.context import load_register

    landing = open_store(settings, settings.landing, must_exist=True)
    register = load_register(landing, settings.register_file)
    owner = register.by_folder.get(folder_name(code))
    if owner is None:
        known = ", ".join(c.folder for c in register.councils[:20])
        raise SettingsError(f"The register has no council {code}. It {f'has {known}' if known else 'is empty'}.")
    return landing, owner
