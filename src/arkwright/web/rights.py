"""What the API server says of a viewer: who that is (TokenReview) and what they may (SubjectAccessReview). Answers are remembered briefly.

In: tokens, viewers. Out: a Viewer or None, a Sight. Asked as the dashboard itself, which needs the right to ask.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.web.sight import DOORS, Right, Rights, Sight

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
SELF_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
REMEMBERED, TOKEN_SECONDS, RIGHT_SECONDS = 4096, 30.0, 10.0
AT_ONCE = 32
T = TypeVar("T")


@dataclass(frozen=True)
class Viewer:
    """Who looks. `token`: theirs, with which their writes are made; "" for whoever owns the dashboard, whose writes are its own."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    token: str = field(default="", repr=False)


class Remembered(Generic[T]):
    """Answers for a while, so many at most. Who asks for one that is being fetched waits for that; one that is asked for in the second half of its
    time is fetched anew beside it, so that nobody who is there all the time waits."""

    def __init__(self, seconds: float, most: int = REMEMBERED) -> None:
        self._seconds, self._most = seconds, most
        self._kept: OrderedDict[Hashable, tuple[float, asyncio.Task[T]]] = OrderedDict()
        self._coming: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """Raises what `fetch` raises, which is not remembered."""
        now = asyncio.get_running_loop().time()
        until, task = self._kept.get(key, (0.0, None))
        if task is None or until < now:
            return await asyncio.shield(self._fetched(key, fetch))
        if until - now < self._seconds / 2:
            self._fetched(key, fetch)
        return task.result()

    def _fetched(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """One at a time."""
        if key not in self._coming:
            task = self._coming[key] = asyncio.ensure_future(_awaited(fetch))
            task.add_done_callback(lambda done: self._keep(key, done))
        return self._coming[key]

    def _keep(self, key: Hashable, done: "asyncio.Task[T]") -> None:
        del self._coming[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._kept[key] = (asyncio.get_running_loop().time() + self._seconds, done)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


async def _awaited(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()


class Reviews:
    """Asks the API server. `namespaces`: those that there is anything in."""

    def __init__(self, kube: KubeClient, namespaces: Callable[[], list[str]]) -> None:
        self._kube, self._namespaces = kube, namespaces
        self._viewers: Remembered[Viewer | None] = Remembered(TOKEN_SECONDS)
        self._sights: Remembered[Sight] = Remembered(RIGHT_SECONDS)
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def viewer_of(self, token: str) -> Viewer | None:
        """None if the API server knows nobody by this token. Raises ClientError."""
        key = hashlib.sha256(token.encode()).digest()
        return await self._viewers.get(key, lambda: self._reviewed(token))

    async def owner(self) -> Viewer:
        """Who the dashboard itself is. Raises ClientError."""
        found = await self._viewers.get("", self._own)
        assert found
        return found

    async def sight_of(self, viewer: Viewer) -> Sight:
        """Raises ClientError."""
        names = tuple(self._namespaces())
        key = (viewer.name, viewer.groups, viewer.extra, names)
        return await self._sights.get(key, lambda: self._looked_at(viewer, names))

    async def _reviewed(self, token: str) -> Viewer | None:
        status = await self._asked(TOKEN_REVIEWS, "TokenReview", {"token": token})
        return _viewer(status.get("user") or {}, token) if status.get("authenticated") else None

    async def _own(self) -> Viewer:
        status = await self._asked(SELF_REVIEWS, "SelfSubjectReview", {})
        return _viewer(status.get("userInfo") or {}, "")

    async def _looked_at(self, viewer: Viewer, namespaces: tuple[str, ...]) -> Sight:
        everywhere = await self._allowed(viewer, frozenset(Right), "")
        if everywhere == frozenset(Right):
            return Sight(everywhere)
        rest = frozenset(Right) - everywhere
        found = await asyncio.gather(*(self._in_one(viewer, rest, everywhere, one) for one in namespaces))
        return Sight(everywhere, tuple((name, rights) for name, rights in found if rights))

    async def _in_one(self, viewer: Viewer, rest: Rights, everywhere: Rights, namespace: str) -> tuple[str, Rights]:
        """First what a namespace is known by; who has none of that is asked about no more there."""
        doors = await self._allowed(viewer, rest & DOORS, namespace)
        if not doors and not everywhere & DOORS:
            return namespace, frozenset()
        return namespace, doors | await self._allowed(viewer, rest - DOORS, namespace)

    async def _allowed(self, viewer: Viewer, rights: Rights, namespace: str) -> Rights:
        asked = sorted(rights)
        answers = await asyncio.gather(*(self._may(viewer, one, namespace) for one in asked))
        return frozenset(one for one, is_allowed in zip(asked, answers, strict=True) if is_allowed)

    async def _may(self, viewer: Viewer, right: Right, namespace: str) -> bool:
        spec: Document = {"user": viewer.name, "groups": list(viewer.groups), "uid": viewer.uid}
        spec["extra"] = {name: list(values) for name, values in viewer.extra}
        spec["resourceAttributes"] = right.attributes | ({"namespace": namespace} if namespace else {})
        status = await self._asked(ACCESS_REVIEWS, "SubjectAccessReview", spec)
        return bool(status.get("allowed")) and not status.get("denied")

    async def _asked(self, path: str, kind: str, spec: Document) -> Document:
        version = path.removeprefix("/apis/").rpartition("/")[0]
        body = {"apiVersion": version, "kind": kind} | ({"spec": spec} if spec else {})
        async with self._slots:
            answer = msgspec.json.decode(await self._kube.request("POST", path, body=body))
        return answer.get("status") or {}


def _viewer(user: dict[str, Any], token: str) -> Viewer:
    extra = sorted((str(name), tuple(map(str, values))) for name, values in (user.get("extra") or {}).items())
    groups = tuple(map(str, user.get("groups") or ()))
    return Viewer(str(user.get("username", "")), groups, str(user.get("uid", "")), tuple(extra), token)
