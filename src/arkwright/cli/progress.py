"""Long work shows itself. In: what is being done, and how far it is. Out: on a terminal something that moves and is gone at the end; elsewhere a line, where
it takes longer than a moment. All on standard error."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from arkwright.cli.output import note, notes

MOMENT_SECONDS = 2.0
TENTHS = 10

Told = Callable[[int, int], None]  # done, of how many


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Nobody knows how long it takes."""
    if notes.is_terminal:
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
        with Progress(*columns, console=notes, transient=True) as shown:
            shown.add_task(what, total=None)
            yield
        return
    line = threading.Timer(MOMENT_SECONDS, note, (f"{what} …",))
    line.daemon = True
    line.start()
    try:
        yield
    finally:
        line.cancel()


@contextlib.contextmanager
def counting(what: str) -> Iterator[Told]:
    """Yields what is to be told how far it is."""
    if not notes.is_terminal:
        with working(what):
            yield _lines(what)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=notes, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _lines(what: str) -> Told:
    """A line for each tenth, of what takes many steps."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = done * TENTHS // total if total else TENTHS
        if told < tenth < TENTHS:
            note(f"{what}: {tenth * 100 // TENTHS} %")
        told = max(told, tenth)

    return tell
