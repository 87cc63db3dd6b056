"""`holdfast init`: makes a folder to start with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.root import MONTH, app

_SETTINGS = """\
# The settings of this folder, readable by you alone (mode 0600).
environment = "{environment}"
landing = "landing"
store = "store"
{key}
[mail]
transport = "outbox"
outbox = "outbox"
# Who answers directors. Every letter names the person and the number.
contact_name = "{name}"
contact_telephone = "{telephone}"
"""

_KEY = """\
# Hashes the references of workers and cases. Keep a copy in a safe place; change it only with `holdfast rotate-key`.
pseudonym_key = "{}"
"""

#: The size of the made-up region: four councils with a year of history.
COUNCILS, MONTHS, SEED, LAST = 4, 13, 7, "2026-10"


@app.command("init", rich_help_panel=MONTH)
def init_command(
    folder: Annotated[Path, typer.Argument(help="The new folder.")],
    made_up: Annotated[
        bool, typer.Option("--made-up", help="Fill it with four made-up councils, their year, and example files.")
    ] = False,
) -> None:
    """Make a folder to start with: settings with a key of your own, a register to fill in, landing and examples."""
    from features.councils import write_register
    from features.errors import SettingsError
    from features.registry import Kind
    from flows.papers.templates import write_template

    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"{folder} is not empty. Name a new folder: no existing file is overwritten.")
    for part in (folder, folder / "landing", folder / "try", folder / "store", folder / "examples"):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_settings(folder / "holdfast.toml", made_up)
    if made_up:
        _fill(folder)
        return
    (folder / "landing" / "register.csv").write_text(write_register([]), encoding="utf-8")
    for kind in Kind:
        write_template(kind, folder / "examples" / f"{kind}.xlsx")
    typer.echo(
        f"{folder} is ready. Next:\n"
        f"  cd {folder}\n"
        "  fill landing/register.csv: one row a council (docs/first-month.md says what stands in each column)\n"
        "  put each file into landing/<month>/<council>/, for example landing/2026-10/370/workforce.csv\n"
        "  try/<council>/ is for files that are only checked: holdfast try answers them\n"
        "  examples/ has each extract empty, with its dictionary, and filled"
    )


def _write_settings(path: Path, made_up: bool) -> None:
    """Write settings with a new key; a made-up region needs none, as its workers do not exist."""
    import os
    import secrets

    key = "" if made_up else _KEY.format(secrets.token_hex(32))
    name, telephone = ("Asha Bell", "01632 960 123") if made_up else ("", "")
    environment = "demo" if made_up else "test"
    content = _SETTINGS.format(environment=environment, key=key, name=name, telephone=telephone)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)


def _fill(folder: Path) -> None:
    """Fill the folder with a made-up region, a year of history, a run of its last month and the documents' examples."""
    import os

    from features.months import Month
    from flows.orchestration import embedded
    from flows.sample_region import sample_extracts
    from flows.sample_region.examples import EXAMPLES

    os.chdir(folder)
    embedded.configure()
    last = Month.parse(LAST)
    sample_extracts(Path("landing"), COUNCILS, MONTHS, SEED, last)
    for make in EXAMPLES.values():
        make(Path("examples"))
    typer.echo(f"Taking in the year before {last.in_words} ...", err=True)

    from flows.backfill import BackfillRequest, backfill
    from flows.monthly import monthly, result_of
    from flows.settings.run_form import RunRequest

    before = str(last.plus(-1))
    with embedded.quiet_flows():
        request = BackfillRequest(first=str(last.plus(1 - MONTHS)), last=before, decide_from=before)
        backfill(request, return_state=True).result()
        result_of(monthly(RunRequest(month=LAST), return_state=True))
    typer.echo(f"{folder} holds {COUNCILS} made-up councils, run up to {last.in_words}. Next: cd {folder}")
