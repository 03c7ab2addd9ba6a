"""Keeps the cache like the cluster. In: one kind's list and watch. Out: changes in the cache.

A watch that ends is resumed where it was; one that is too old begins with a new list. An object that cannot be read is
told and left as it was last known: it must not hide the others, nor count as gone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from arkwright.clients.errors import ClientError, Gone, NotFound, TooManyRequests
from arkwright.clients.kube import Change, KubeClient, WatchLine, resource_version
from arkwright.controller.unread import Unread
from arkwright.model.codec import read
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import RESOURCES, Kind, Resource
from arkwright.turns import each

log = structlog.get_logger()
NO_SUCH_KIND = {"way_out": "the API server does not know this kind: kubectl apply -f deploy/"}
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0


class Kept(Protocol):
    """What is kept like the cluster."""

    def get(self, kind: Kind, namespace: str, name: str) -> Any: ...

    def apply(self, kind: Kind, new: KubernetesObject) -> None: ...

    def remove(self, kind: Kind, gone: KubernetesObject) -> None: ...

    def gone(self, kind: Kind, listed: Sequence[KubernetesObject], version: str) -> list[KubernetesObject]: ...


class Watcher:
    """Follows one kind in one namespace ("" for all). `resource`: as what its objects are read; None for the usual values.

    `unread`: is told of what cannot be read; None: only the log is.
    """

    def __init__(
        self, kube: KubeClient, cache: Kept, kind: Kind, namespace: str = "", *, resource: Resource | None = None
    ) -> None:
        self._kube, self._cache, self._kind, self._namespace = kube, cache, kind, namespace
        self._resource = resource or RESOURCES[kind]
        self.unread: Unread | None = None
        self._version = ""
        self.is_filled = asyncio.Event()

    @property
    def name(self) -> str:
        """Among the loops of a process."""
        return f"watch {self._kind}"

    async def run(self) -> None:
        """For ever. A failure of the API is logged and tried again, in longer and longer pauses; after any other the whole is listed anew."""
        try:
            await self._follow()
        except Exception:
            self._version = ""
            raise

    async def _follow(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if not self._version:
                    await self._list()
                async for line in self._kube.watch(self._resource, self._namespace, self._version):
                    self._take(line)
                    pause = FIRST_PAUSE_SECONDS
            except Gone:
                self._version = ""
            except ClientError as error:
                hint = NO_SUCH_KIND if isinstance(error, NotFound) else {}
                log.warning("watch broke off", kind=self._kind, error=str(error), again_in_seconds=pause, **hint)
                asked = error.retry_after if isinstance(error, TooManyRequests) else 0.0
                await asyncio.sleep(max(pause, asked))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _list(self) -> None:
        """In turns: a Lease is renewed, and health is told, while a hundred thousand are taken in."""
        listing = await self._kube.list(self._resource, self._namespace)
        read = await each(lambda raw: self._read(raw) or self._known(raw), listing.objects)
        objects = [one for one in read if one is not None]
        gone = self._cache.gone(self._kind, objects, listing.version)
        await each(lambda one: self._cache.remove(self._kind, one), gone)
        await each(lambda one: self._cache.apply(self._kind, one), objects)
        self._version = listing.version
        self.is_filled.set()

    def _take(self, line: WatchLine) -> None:
        self._version = resource_version(line.object)
        steps: dict[Change, Callable[[Kind, KubernetesObject], None]] = {
            Change.ADDED: self._cache.apply,
            Change.MODIFIED: self._cache.apply,
        }
        if line.type is Change.DELETED:
            self._cache.remove(self._kind, read(line.object, KubernetesObject))
        elif line.type in steps and (one := self._read(line.object)) is not None:
            steps[line.type](self._kind, one)

    def _known(self, raw: msgspec.Raw) -> KubernetesObject | None:
        """As it was when it could be read."""
        bare = read(raw, KubernetesObject)
        known: KubernetesObject | None = self._cache.get(self._kind, *bare.key)
        return known if known is not None and known.metadata.uid == bare.metadata.uid else None

    def _read(self, raw: msgspec.Raw) -> KubernetesObject | None:
        try:
            return read(raw, self._resource.type)
        except msgspec.ValidationError as error:
            log.error("object cannot be read and is left alone", kind=self._kind, error=str(error))
            if self.unread:
                self.unread.note(self._kind, read(raw, KubernetesObject), str(error))
            return None
