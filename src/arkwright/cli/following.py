"""Follows one release to its end. In: the ModuleDeployment, again and again. Out: how far it is, as a bar on a terminal and as lines elsewhere; and how it ended.

It decides nothing; who gives up is `releasing`.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from arkwright.cli.output import note, notes
from arkwright.clients.errors import ApiUnreachable, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model import kinds
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.resources import RESOURCES, Kind
from arkwright.model.text import plain
from arkwright.people.standings import is_given_up, is_seen, message_of
from arkwright.people.waysout import next_step
from arkwright.plan.stages import is_stalled

DEPLOYMENTS = RESOURCES[Kind.MODULE_DEPLOYMENT]
LOOK_SECONDS, SEEN_SECONDS = 0.3, 5.0


@dataclass(frozen=True)
class End:
    """`why`: why it is not as it was wished, "" if it is. `may_abort`: the release is still under way. `way_out`: what a person may do about it."""

    why: str = ""
    may_abort: bool = False
    way_out: str = ""


@dataclass(frozen=True)
class Patience:
    """How long a release is waited for. `seconds` 0: for ever."""

    seconds: float
    since: float

    @property
    def is_over(self) -> bool:
        return bool(self.seconds) and time.monotonic() - self.since > self.seconds


class Sight(Protocol):
    def show(self, one: ModuleDeployment) -> None: ...


async def followed(kube: KubeClient, place: tuple[str, str], version: str, patience: Patience) -> End:
    """Until it ends, or patience does. An API server that is away for a moment is asked again."""
    with shown() as sight:
        while True:
            with contextlib.suppress(ApiUnreachable):
                try:
                    one = await kube.get(DEPLOYMENTS, *place)
                except NotFound:
                    return End("it was deleted")
                assert isinstance(one, ModuleDeployment)
                if is_seen(one) or time.monotonic() - patience.since > SEEN_SECONDS:
                    sight.show(one)
                if end := end_of(one, version):
                    return end
                if patience.is_over:
                    return _still_under_way(one, f"not complete after {patience.seconds:g} s: ")
            await asyncio.sleep(LOOK_SECONDS)


def end_of(one: ModuleDeployment, version: str) -> End | None:
    """None: it goes on. `version`: that is released."""
    asked_for = one.spec.template.spec.module.version
    if one.is_terminating:
        return End("it is being deleted")
    if asked_for != version:
        return End(f"it is superseded: version {asked_for} is asked for now")
    if not is_seen(one):
        return None
    match one.status.release_status.progress:
        case kinds.Progress.ABORTED:
            return End("it was aborted; the version that served before serves") if is_given_up(one) else None
        case kinds.Progress.COMPLETED if not one.status.unavailable_replicas:
            return End()
    return _still_under_way(one) if is_stalled(one) else None


def _still_under_way(one: ModuleDeployment, after: str = "") -> End:
    return End(after + message_of(one), may_abort=True, way_out=next_step(one, is_seen(one), has_earlier=False))


def how_far(one: ModuleDeployment) -> str:
    """In one line."""
    status, release = one.status, one.status.release_status
    if not is_seen(one):
        return message_of(one)
    batch = f"batch {release.current_batch}/{release.real_batch_count}, " if release.real_batch_count else ""
    return f"{release.progress}: {batch}{status.updated_available_replicas} of {status.replicas} base pods; {message_of(one)}"


class Lines:
    """One whenever something is new."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, one: ModuleDeployment) -> None:
        if (line := how_far(one)) != self._last:
            self._last = line
            note(f"  {line}")


class Bar:
    """Of base pods that have the new version."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._task = progress, progress.add_task("", total=None)

    def show(self, one: ModuleDeployment) -> None:
        status = one.status
        total = status.replicas if is_seen(one) else None
        done = status.updated_available_replicas if is_seen(one) else 0
        self._progress.update(self._task, total=total, completed=done, description=plain(how_far(one)))


@contextlib.contextmanager
def shown() -> Iterator[Sight]:
    if not notes.is_terminal:
        yield Lines()
        return
    columns = BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=notes, transient=True) as progress:
        yield Bar(progress)
