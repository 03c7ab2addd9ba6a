"""What people do: asked for, shown first, then written with their own rights. In: forms. Out: what it would do; what came of it.

What is written must be what was shown: a release that has moved on in between is shown again instead.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import structlog

from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.model.kinds import Module, ModuleDeployment
from arkwright.model.resources import Kind
from arkwright.model.text import plain
from arkwright.people.acting import Person, act
from arkwright.people.decisions import Decision, MakesNoSense, Scene, Verb, Wish, decide
from arkwright.people.removals import Removal, removal, remove
from arkwright.web.asking import Asker, Askers
from arkwright.web.fleet import Fleet
from arkwright.web.foresight import Foresight
from arkwright.web.sight import Right

log = structlog.get_logger()
REPLACE = "replace"  # of Modules; all other verbs are of releases
MOST_AT_ONCE, SLOTS, MOST_FORETOLD = 200, 8, 10
DASHBOARD = "the dashboard"
Targets = tuple[tuple[str, str], ...]


class NotThere(Exception):
    """No such object, or none that the viewer may see."""


@dataclass(frozen=True)
class Asked:
    """`verb`: REPLACE, or one of `Verb`; `on`: namespaces and names."""

    verb: str
    on: Targets
    wish: Wish | None = None

    @property
    def needs_more(self) -> str:
        """What is still to be said before it can be shown: "scale", "set-version", or ""."""
        wish = self.wish
        if wish is None:
            return ""
        if wish.verb is Verb.SCALE and wish.replicas is None:
            return wish.verb
        return wish.verb if wish.verb is Verb.SET_VERSION and not (wish.version or wish.url) else ""


@dataclass(frozen=True)
class Shown:
    """One object. `what`: what it will do, or did; `promise`: what has to hold when it is done; `why_not`: the reason, in whoever's words; `lines`: what it
    does to each base pod."""

    namespace: str
    name: str
    what: str = ""
    promise: str = ""
    why_not: str = ""
    lines: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"{self.namespace}/{self.name}"


class Actions:
    """`clock` tells the time of day."""

    def __init__(self, fleet: Fleet, askers: Askers, clock: Callable[[], datetime]) -> None:
        self._fleet, self._askers, self._clock = fleet, askers, clock
        self._foresight = Foresight(fleet, clock)

    async def preview(self, asker: Asker, asked: Asked) -> list[Shown]:
        """What each would come to, as things stand; of the first few, pod by pod."""
        shown = [self._previewed(asker, asked, target) for target in asked.on]
        async with KubeClient(self._askers.access_of(asker.viewer)) as kube:
            foretold = [await self._foretold(kube, asker, asked, one) for one in shown[:MOST_FORETOLD]]
        return [*foretold, *shown[MOST_FORETOLD:]]

    async def _foretold(self, kube: KubeClient, asker: Asker, asked: Asked, one: Shown) -> Shown:
        """With what it does to each base pod."""
        target = one.namespace, one.name
        if one.why_not:
            return one
        if asked.wish is None:
            module = self._module(asker, target)
            return replace(one, lines=await self._foresight.of_removal(kube, asker.sight, module))
        deployment = self._deployment(asker, target)
        decision = decide(self._scene(deployment), asked.wish)
        return replace(one, lines=await self._foresight.of(kube, asker.sight, deployment, decision))

    async def carry_out(self, asker: Asker, asked: Asked, expected: dict[str, str]) -> list[Shown]:
        """`expected`: by target, what was shown to the person."""
        slots = asyncio.Semaphore(SLOTS)
        async with KubeClient(self._askers.access_of(asker.viewer)) as kube:

            async def one(target: tuple[str, str]) -> Shown:
                async with slots:
                    return await self._done(kube, asker, asked, target, expected)

            return list(await asyncio.gather(*map(one, asked.on)))

    def _previewed(self, asker: Asker, asked: Asked, target: tuple[str, str]) -> Shown:
        try:
            found = self._decided(asker, asked, target)
        except (MakesNoSense, NotThere) as reason:
            return Shown(*target, why_not=str(reason))
        return Shown(*target, found.what, found.promise)

    def _decided(self, asker: Asker, asked: Asked, target: tuple[str, str]) -> Decision | Removal:
        if asked.wish is None:
            return removal(self._module(asker, target))
        deployment = self._deployment(asker, target)
        return decide(self._scene(deployment), asked.wish)

    async def _done(
        self, kube: KubeClient, asker: Asker, asked: Asked, target: tuple[str, str], expected: dict[str, str]
    ) -> Shown:
        try:
            found = await self._written(kube, asker, asked, target, expected.get("/".join(target), ""))
        except (MakesNoSense, NotThere, ClientError) as reason:
            said = plain(str(reason))
            log.info("asked for in vain", who=asker.viewer.name, verb=asked.verb, on="/".join(target), why=said)
            return Shown(*target, why_not=said)
        log.info("asked for", who=asker.viewer.name, verb=asked.verb, on="/".join(target), did=found.did)
        return Shown(*target, found.what, found.promise)

    async def _written(
        self, kube: KubeClient, asker: Asker, asked: Asked, target: tuple[str, str], expected: str
    ) -> Decision | Removal:
        by = Person(asker.viewer.name, DASHBOARD), self._clock()
        wish = asked.wish
        if wish is None:
            module = self._module(asker, target)
            _require(removal(module), expected)
            return await remove(kube, module, by)
        self._deployment(asker, target)

        def decided(fresh: ModuleDeployment) -> Decision:
            return _require(decide(self._scene(fresh), wish), expected)

        return await act(kube, target, wish.verb, decided, by)

    def _scene(self, one: ModuleDeployment) -> Scene:
        return Scene(one, tuple(self._fleet.revisions_of(one)), self._clock())

    def _deployment(self, asker: Asker, target: tuple[str, str]) -> ModuleDeployment:
        found = self._fleet.release(*target)
        if found is None or not asker.sight.may(Right.SEE_RELEASES, target[0]):
            raise NotThere("there is no such release")
        return found

    def _module(self, asker: Asker, target: tuple[str, str]) -> Module:
        found = self._fleet.get(Kind.MODULE, *target)
        if not isinstance(found, Module) or not asker.sight.may(Right.SEE_MODULES, target[0]):
            raise NotThere("there is no such Module")
        return found


T = TypeVar("T", Decision, Removal)


def _require(found: T, expected: str) -> T:
    """What is done is what was shown."""
    if plain(found.promise) != expected:
        raise MakesNoSense(f"it has moved on since you looked; now: {found.what}")
    return found


def asked_of(verb: str, on: list[str], said: dict[str, str]) -> Asked:
    """From a form or a query. Raises ValueError with words for people."""
    targets = tuple(dict.fromkeys(_target(one) for one in on))
    if not targets or len(targets) > MOST_AT_ONCE:
        raise ValueError(f"choose between 1 and {MOST_AT_ONCE}")
    if verb == REPLACE:
        return Asked(verb, targets)
    if verb not in set(Verb):
        raise ValueError("there is no such action")
    replicas, revision = said.get("replicas", "").strip(), said.get("revision", "").strip()
    wish = Wish(
        Verb(verb),
        revision=_number(revision, "revision") if revision else 0,
        replicas=_number(replicas, "replicas") if replicas else None,
        version=plain(said.get("version", ""), 256).strip(),
        url=plain(said.get("url", ""), 4096).strip(),
    )
    return Asked(verb, targets, wish)


def _target(text: str) -> tuple[str, str]:
    namespace, _, name = plain(text, 512).partition("/")
    return namespace, name


def _number(text: str, what: str) -> int:
    if not text.removeprefix("-").isdigit() or len(text) > 7:
        raise ValueError(f"{what} is a number")
    return int(text)
