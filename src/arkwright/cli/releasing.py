"""`arkwright release`: another version, followed to its end. In: words. Out: status 0 once it serves everywhere; 1 and the reason if not, given up on request."""

import time
from dataclasses import replace
from typing import Annotated

import typer

from arkwright.cli.cluster import Namespace, chosen, with_cluster
from arkwright.cli.deciding import DEPLOYMENTS, Name, done
from arkwright.cli.following import End, Patience, followed
from arkwright.cli.naming import bare_name
from arkwright.cli.output import fail, note
from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.names import ABORT
from arkwright.people.decisions import MakesNoSense, Verb, Wish

LONGEST_WAY_BACK_SECONDS = 600.0
Place = tuple[str, str]


def release(
    name: Name,
    version: Annotated[str, typer.Option(help="Release this version.")],
    url: Annotated[str, typer.Option(help="Where its archive is; as it was if left out.")] = "",
    cause: Annotated[str, typer.Option(help="Why, in your words: arkwright history shows them.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end; status 1 if it does not get there.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="With --wait: for so many seconds (0: as long as it takes).")
    ] = 0,
    abort_on_failure: Annotated[
        bool, typer.Option("--abort-on-failure", help="With --wait: back to the version that served before.")
    ] = False,
    namespace: Namespace = "",
) -> None:
    """Release a version, and follow it to its end. It has failed once nothing has moved for its progressDeadlineSeconds, or the time is over."""
    bare = bare_name(name)
    if (timeout or abort_on_failure) and not wait:
        fail("--timeout and --abort-on-failure are about waiting", "say --wait as well")
    wish, patience = Wish(Verb.SET_VERSION, version=version, url=url, cause=cause), Patience(timeout, time.monotonic())

    async def released(kube: KubeClient) -> End:
        place = chosen(kube, namespace), bare
        note(f"{bare}: {await _asked_for(kube, place, wish)}")
        if not wait:
            note(f"  arkwright status {bare} --watch   shows how it goes on")
            return End()
        end = await followed(kube, place, version, patience)
        return await _given_up(kube, place, version, end) if end.may_abort and abort_on_failure else end

    end = with_cluster(released)
    if end.why:
        shown = [f"arkwright status {bare}   shows what it waits for"] if end.may_abort else []
        fail(f"{bare}: {end.why}", "\n  ".join([end.way_out, *shown] if end.way_out else shown))
    if wait:
        note(f"{bare}: {version} serves")


async def _asked_for(kube: KubeClient, place: Place, wish: Wish) -> str:
    """What it does. That it was asked for already is no mistake: whoever repeats a command wants to see the end of it, or tries again what was aborted."""
    found = await kube.get(DEPLOYMENTS, *place)
    assert isinstance(found, ModuleDeployment)
    module, verbs = found.spec.template.spec.module, []
    if (wish.version, wish.url or module.url) != (module.version, module.url):
        verbs.append(Verb.SET_VERSION)
    if wish.version == module.version and ABORT in found.metadata.annotations:
        verbs.append(Verb.RETRY)
    said = [(await done(kube, place, replace(wish, verb=verb))).what for verb in verbs]
    return " ".join(said) or f"{module.version} is asked for already."


async def _given_up(kube: KubeClient, place: Place, version: str, end: End) -> End:
    note(f"{place[1]}: {end.why}", "error: ", "bold red")
    try:
        note(f"{place[1]}: {(await done(kube, place, Wish(Verb.ABORT))).what}")
    except MakesNoSense as reason:
        return End(f"{end.why}; it cannot be given up: {reason}")
    back = await followed(kube, place, version, Patience(LONGEST_WAY_BACK_SECONDS, time.monotonic()))
    return End(f"{end.why}; {back.why}")
