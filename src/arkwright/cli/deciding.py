"""`arkwright confirm`, `pause`, `resume`, `abort`, `retry`, `undo`, `restart`, `scale`, `set`: what a person decides about one release.

In: words. Out: what it does, said, and then written in the person's name; or the reason why it makes no sense, with status 1. The rules are `people`'s.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated

import typer

from arkwright.cli.cluster import Namespace, chosen, complete_deployments, read_revisions, with_cluster
from arkwright.cli.foretelling import foretold, live_in
from arkwright.cli.moment import this_moment
from arkwright.cli.naming import bare_name
from arkwright.cli.output import fail, note
from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import ModuleDeployment, Progress
from arkwright.model.resources import RESOURCES, Kind
from arkwright.people.acting import Person, act
from arkwright.people.decisions import EVERY, Decision, MakesNoSense, Scene, Verb, Wish, decide
from arkwright.people.oneself import own_name
from arkwright.people.standings import is_seen, message_of
from arkwright.people.waysout import next_step
from arkwright.preview.wording import lines

THROUGH = "arkwright"
DEPLOYMENTS = RESOURCES[Kind.MODULE_DEPLOYMENT]
SEEN_SECONDS, LOOK_SECONDS = 5.0, 0.1
OF_ITS_STANDING = frozenset({Verb.CONFIRM, Verb.PAUSE, Verb.RESUME, Verb.ABORT})

Name = Annotated[str, typer.Argument(help="The ModuleDeployment.", autocompletion=complete_deployments)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and write nothing.")]


@dataclass(frozen=True)
class Request:
    """`namespace`: "" for the kubeconfig's own."""

    name: str
    namespace: str
    is_dry: bool


def confirm(
    name: Name,
    batch: Annotated[int, typer.Option(min=0, help="Confirm through this batch; the one that waits if left out.")] = 0,
    all_batches: Annotated[bool, typer.Option("--all", help="Confirm all batches that are left.")] = False,
    namespace: Namespace = "",
    dry_run: DryRun = False,
) -> None:
    """Let a release that waits for a person go on."""
    if batch and all_batches:
        fail("--batch and --all say different things", "leave one of them out")
    wish = Wish(Verb.CONFIRM, batch=EVERY if all_batches else batch)
    _carry_out(Request(bare_name(name), namespace, dry_run), wish)


def pause(name: Name, namespace: Namespace = "", dry_run: DryRun = False) -> None:
    """Hold a release where it is; what is being installed ends as it was begun."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.PAUSE))


def resume(name: Name, namespace: Namespace = "", dry_run: DryRun = False) -> None:
    """Let a paused release go on; one that waits for a confirm: arkwright confirm."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.RESUME))


def abort(name: Name, namespace: Namespace = "", dry_run: DryRun = False) -> None:
    """Give a release up: back to the version that served before, whatever it waits for."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.ABORT))


def retry(name: Name, namespace: Namespace = "", dry_run: DryRun = False) -> None:
    """Begin a release anew that was aborted."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.RETRY))


def undo(
    name: Name,
    to_revision: Annotated[int, typer.Option(min=0, help="To go back to; the one before if left out.")] = 0,
    namespace: Namespace = "",
    dry_run: DryRun = False,
) -> None:
    """Release an earlier revision again, in batches as any version; at once: arkwright abort."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.UNDO, revision=to_revision))


def restart(name: Name, namespace: Namespace = "", dry_run: DryRun = False) -> None:
    """Uninstall and install every Module again, pod by pod, in batches."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.RESTART))


def scale(
    name: Name,
    replicas: Annotated[int, typer.Option(help="On how many base pods; -1: on every one.")],
    namespace: Namespace = "",
    dry_run: DryRun = False,
) -> None:
    """On how many base pods the module is to be."""
    _carry_out(Request(bare_name(name), namespace, dry_run), Wish(Verb.SCALE, replicas=replicas))


def set_(
    name: Name,
    version: Annotated[str, typer.Option(help="Release this version.")] = "",
    url: Annotated[str, typer.Option(help="Where its archive is; as it was if left out.")] = "",
    cause: Annotated[str, typer.Option(help="Why, in your words: arkwright history shows them.")] = "",
    namespace: Namespace = "",
    dry_run: DryRun = False,
) -> None:
    """Release another version, or name another url of the same."""
    _carry_out(
        Request(bare_name(name), namespace, dry_run), Wish(Verb.SET_VERSION, version=version, url=url, cause=cause)
    )


def _carry_out(request: Request, wish: Wish) -> None:
    name = request.name
    decision, foreseen = with_cluster(lambda kube: _decided(kube, request, wish))
    note(f"{name}: {decision.what}")
    for line in foreseen:
        note(f"  {line}")
    if request.is_dry:
        note("  nothing is written: --dry-run")
        return
    again = f"; arkwright retry {name} tries again" if wish.verb is Verb.ABORT else ""
    note(f"  arkwright status {name} --watch   shows how it goes on{again}")


async def _decided(kube: KubeClient, request: Request, wish: Wish) -> tuple[Decision, list[str]]:
    """And, where nothing is to be written, what it would do to each base pod."""
    place = chosen(kube, request.namespace), request.name
    found = await _looked_at(kube, place, wish.verb)
    try:
        if request.is_dry:
            decision = decide(Scene(found, await read_revisions(kube, *place), this_moment()), wish)
            return decision, lines(foretold(await live_in(kube, place[0]), found, decision.patch))
        return await done(kube, place, wish), []
    except MakesNoSense as reason:
        fail(f"{request.name}: {reason}", _instead(found))


def _instead(one: ModuleDeployment) -> str:
    """What there is to do, or why it is as it is; nothing where all is done."""
    is_done = is_seen(one) and one.status.release_status.progress is Progress.COMPLETED
    return "" if is_done else next_step(one, is_seen(one), has_earlier=False) or message_of(one)


async def done(kube: KubeClient, place: tuple[str, str], wish: Wish) -> Decision:
    """Decided and written, in the person's name. `place`: namespace and name. Raises MakesNoSense, ClientError."""
    revisions, now = await read_revisions(kube, *place), this_moment()

    def decided(one: ModuleDeployment) -> Decision:
        return decide(Scene(one, revisions, now), wish)

    return await act(kube, place, wish.verb, decided, (Person(await own_name(kube), THROUGH), now))


async def _looked_at(kube: KubeClient, place: tuple[str, str], verb: Verb) -> ModuleDeployment:
    """What depends on how a release stands is decided once the controller has seen the last wish: a person who types fast is faster than it is."""
    until = time.monotonic() + (SEEN_SECONDS if verb in OF_ITS_STANDING else 0)
    while True:
        found = await kube.get(DEPLOYMENTS, *place)
        assert isinstance(found, ModuleDeployment)
        if is_seen(found) or time.monotonic() >= until:
            return found
        await asyncio.sleep(LOOK_SECONDS)
