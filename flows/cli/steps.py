"""What a command shows of long work: in a terminal a bar below the steps, elsewhere the steps as lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def steps_shown(total: int | None = None) -> Iterator[Callable[[str], None]]:
    """Show every step of the work in the block, on standard error. Gives the function that shows one more.

    `total`: how many steps there are, if that is known.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.store.progress import showing_progress

    console = Console(stderr=True)
    if not console.is_terminal:

        def say(text: str) -> None:
            typer.echo(f"{text} ...", err=True)

        with showing_progress(say):
            yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        work = bar.add_task("", total=total)

        def show(text: str) -> None:
            # The step before is done, and stays above the bar.
            if bar.tasks[0].description:
                console.print(bar.tasks[0].description, markup=False, highlight=False)
                bar.advance(work)
            bar.update(work, description=text)

        with showing_progress(show):
            yield show
