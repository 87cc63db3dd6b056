"""Commands about the forms figures come in: templates, mappings of home-made files, pulling SSD tables."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from features.councils import Council
    from features.registry import Kind
    from flows.settings import Settings
    from flows.storage import Store

KindArgument = Annotated[str, typer.Argument(help="workforce, establishment, caseload or return.")]
CouncilOption = Annotated[str, typer.Option(help="The council's code.")]
MonthOption = Annotated[str, typer.Option(help="YYYY-MM.")]


def add_format_commands(app: typer.Typer) -> None:
    """Register the commands of this module on the command line."""
    app.command()(template)
    app.command("pull-ssd")(pull_ssd)


def template(
    kind: KindArgument,
    to: Annotated[Path | None, typer.Option(help="File to write; <kind>.xlsx here if not given.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Excel, without the data dictionary.")] = False,
) -> None:
    """Write an empty extract to fill, with its data dictionary, and beside it a filled example."""
    from flows.extracts.templates import write_template

    wanted = _kind(kind)
    path = to or Path(f"{wanted}.{'csv' if csv else 'xlsx'}")
    empty, example = write_template(wanted, path, as_csv=csv or path.suffix.lower() == ".csv")
    typer.echo(
        f"{empty} is to be filled; {example} shows how, with made-up rows. Check either: holdfast check {example}"
    )


def pull_ssd(month: MonthOption, council: CouncilOption) -> None:
    """Read a council's SSD database and put the needed columns into the landing folder, no personal data."""
    from features.errors import SettingsError
    from features.months import Month
    from flows.extracts.ssd.sql import pull
    from flows.settings import Settings

    settings, wanted = Settings.load(), Month.parse(month)
    landing, owner = _landing_and_council(settings, council)
    if datetime.now(UTC).date() <= wanted.last_day:
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


def _kind(text: str) -> Kind:
    from features.registry import Kind

    if text not in {str(k) for k in Kind}:
        raise typer.BadParameter(f"one of {', '.join(Kind)}", param_hint="KIND")
    return Kind(text)


def _landing_and_council(settings: Settings, code: str) -> tuple[Store, Council]:
    """The landing store, and the council of that code in its register; raises SettingsError if there is none."""
    from features.councils import folder_name
    from features.errors import SettingsError
    from flows.context import load_register, s3_options
    from flows.storage import open_store

    landing = open_store(settings.landing, s3=s3_options(settings), must_exist=True)
    register = load_register(landing, settings.register_file)
    owner = register.by_folder(folder_name(code))
    if owner is None:
        known = ", ".join(c.folder for c in register.councils[:20])
        raise SettingsError(f"The register has no council {code}. It has {known}.")
    return landing, owner
