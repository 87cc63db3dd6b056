"""Commands for the analyst who owns the model: train, back-test, evaluate, promote, roll back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.private_files import write_private
from flows.cli.root import MODEL, app
from flows.cli.steps import steps_shown

if TYPE_CHECKING:
    from flows.store import Store

Data = Annotated[Path, typer.Option(help="Folder of published files, as downloaded.")]
DayOption = Annotated[str | None, typer.Option(help="YYYY-MM-DD.")]
Name = Annotated[str, typer.Option(help="Name of the model.")]
By = Annotated[str, typer.Option(help="Who decides this; kept with it.")]
WhyOption = Annotated[str, typer.Option(help="Why; kept with it.")]

models = typer.Typer(help="The model registry of the store: list, promote, roll back.", no_args_is_help=True)
app.add_typer(models, name="models", rich_help_panel=MODEL)


@app.command("train", rich_help_panel=MODEL)
def train_command(
    data: Data,
    store: Annotated[bool, typer.Option(help="Keep the model in the registry of the store.")] = False,
    own_history: Annotated[bool, typer.Option(help="Also learn from the group's own months in the store.")] = False,
    published_before: DayOption = None,
    ship: Annotated[bool, typer.Option(hidden=True, help="For maintainers: in the shipped one's place.")] = False,
) -> None:
    """Train on the public record and judge the model by the promotion rule. With --store, store it."""
    from flows.month.training_data import beside_the_present_one, trained
    from flows.settings.settings import Settings
    from models.registry.shipped import replace_shipped
    from models.registry.versions import save

    settings = Settings.load() if own_history else None
    with steps_shown(total=2):
        result = trained(data, settings, _day(published_before), datetime.now(UTC))
    if not store:
        typer.echo(result.to_text())
        if ship:
            typer.echo(f"{replace_shipped(result.model, result.verdict, _today()).version} is the shipped model now.")
        return
    target = _store()
    result = beside_the_present_one(target, result)
    typer.echo(result.to_text())
    typer.echo(f"Kept as {save(target, result.model, result.verdict)}.")
    ref = result.model.ref
    typer.echo(f"Promote it with: holdfast models promote --name {ref.name} --version {ref.version} --by … --reason …")


@app.command("backtest", rich_help_panel=MODEL)
def backtest_command(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for backtest.html, .json and .md.")] = Path("var/backtest"),
    published_before: DayOption = None,
) -> None:
    """Walk forward through the public record and print the track record and its baselines."""
    from flows.store.context import code_version
    from models.evidence.backtest import backtest as run_backtest
    from models.judgements.asof import Variant

    with steps_shown(total=2 + 3 * len(Variant)) as show:
        report = run_backtest(
            data, out, code_version=code_version(), published_before=_day(published_before), progress=show
        )
    typer.echo(report.to_markdown())
    typer.echo(f"The report is {out / 'backtest.html'}; beside it are backtest.json and backtest.md.")


@app.command("evaluate", rich_help_panel=MODEL)
def evaluate_command(
    data: Data,
    published_from: Annotated[str, typer.Option(help="Score every judgement published from this day on.")],
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Fit once, before the day, instead of each January.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the JSON to this file.")] = None,
) -> None:
    """Score judgements published from a day on, as the model would have run at the time. Prints JSON, then tables.

    The model is fitted again each January. For comparison, the same model fitted once, before the day, is shown too.
    """
    from flows.store.context import code_version
    from models.evidence.evaluate import evaluate as run_evaluation
    from models.judgements.asof import Variant

    day = _day(published_from)
    if day is None:
        raise typer.BadParameter("a day as YYYY-MM-DD", param_hint="--published-from")
    with steps_shown(total=1 + len(Variant)) as show:
        report = run_evaluation(data, day, code_version=code_version(), frozen=frozen, progress=show)
    typer.echo(report.to_json_text())
    typer.echo(report.to_markdown())
    if json_file is not None:
        write_private(json_file, f"{report.to_json_text()}\n".encode())


@models.command("list")
def list_models(name: Name = "ilacs-below-good") -> None:
    """List the versions of a model, and say which one is in use."""
    from features.errors import ModelError
    from models.registry.versions import current, versions

    store = _store()
    try:
        speaks = current(store, name)
    except ModelError:
        speaks = ""
    for version in versions(store, name):
        typer.echo(f"{version}{'  (current)' if version == speaks else ''}")
    if not speaks:
        typer.echo(f"No version of {name} has been promoted in this store; the shipped model is in use.")


@models.command("promote")
def promote_model(
    version: Annotated[str, typer.Option(help="The version to promote.")],
    by: By,
    reason: WhyOption,
    name: Name = "ilacs-below-good",
    against_the_rule: Annotated[
        bool, typer.Option(help="Promote although the rule refuses it; this is recorded.")
    ] = False,
) -> None:
    """Put a version in use, if the promotion rule allows it."""
    from models.registry.versions import load, promote, verdict_of

    store = _store()
    ref = load(store, name, version).ref
    promote(store, ref, verdict_of(store, ref), _today(), by, reason, override=against_the_rule)
    typer.echo(f"{name} {version} is in use from now on. Set HOLDFAST_MODEL={name} to use it in the monthly run.")


@models.command("level")
def model_level(
    judgements: Annotated[
        Path | None, typer.Option(help="CSV of new judgements: la_code, published, impact_of_leaders.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who adds them; kept with the level.")] = "",
) -> None:
    """Show the level of the model in use. With a list of judgements, update it with the new ones."""
    from features.errors import SettingsError
    from flows.month.level import follow_level, judgements_by_hand, level_sentence
    from flows.month.score import load_model, trained_model
    from flows.settings.settings import Settings

    store, settings = _store(), Settings.load()
    if judgements is None:
        typer.echo(level_sentence(load_model(settings, store)))
        return
    if not by.strip():
        raise SettingsError("Say who adds the judgements, with --by: the name is kept with the level.")
    text = judgements.read_text(encoding="utf-8-sig")
    _, said = follow_level(
        store, trained_model(settings, store), judgements_by_hand(text, judgements.name), _today(), by
    )
    typer.echo(said)


@models.command("roll-back")
def roll_back_model(by: By, reason: WhyOption, name: Name = "ilacs-below-good") -> None:
    """Go back to the version that was in use before."""
    from models.registry.versions import roll_back

    ref = roll_back(_store(), name, _today(), by, reason)
    typer.echo(f"{ref.name} {ref.version} is in use again.")


def _store() -> Store:
    from flows.settings.settings import Settings
    from flows.store import open_store

    settings = Settings.load()
    return open_store(settings, settings.store)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"“{text}” is not a day; write YYYY-MM-DD") from None


def _today() -> date:
    from features.months import london_day

    return london_day(datetime.now(UTC))
