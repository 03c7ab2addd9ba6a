"""The keys that sign calls to agents in a cluster. In: a Secret, Deployments whose pods mount the public keys. Out: what signs now; ConfigMaps.

The private keys are in one Secret beside the controller, and nobody else reads them. Their public halves are in a ConfigMap in each namespace
with a Deployment that mounts it: whoever may change that may change its pods, too. A key is replaced every week: the new one is
published first, and signs once kubelets have had time to hand it out.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from arkwright.clients.agentaccess import AgentAccess, new_private_key
from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Deployment
from arkwright.model.codec import stamp
from arkwright.model.moments import seconds_since
from arkwright.model.names import CONTROLLER_KEYS
from arkwright.model.signedcalls import BadSigningKey, SigningKey, key_set, signing_key

log = structlog.get_logger()
LOOK_SECONDS, WHOLE_LOOK_SECONDS, AGAIN_SECONDS = 5.0, 60.0, 0.2
LASTS = timedelta(days=7)
HANDED_OUT = timedelta(minutes=10)  # kubelets look for a changed ConfigMap every minute or so
FILE = "keys.json"
MANAGED = {"app.kubernetes.io/managed-by": "arkwright"}


class KeptKey(msgspec.Struct, frozen=True):
    """As the Secret has it."""

    made: datetime
    pem: str

    @property
    def key(self) -> SigningKey:
        return signing_key(self.pem.encode())


@dataclass(frozen=True)
class KeyPlan:
    """`kept`: what the Secret is to have, newest first; all of them are published. `signs`: the one to sign with."""

    kept: tuple[KeptKey, ...]
    signs: KeptKey


def plan_keys(had: tuple[KeptKey, ...], now: datetime, make: Callable[[datetime], KeptKey]) -> KeyPlan:
    """A new key once the newest is a week old; it signs when it has been handed out, and then the ones before it go."""
    known = sorted(had, key=lambda one: one.made, reverse=True)
    if not known or seconds_since(known[0].made, now) > LASTS.total_seconds():
        known.insert(0, make(now))
    handed_out = [one for one in known if seconds_since(one.made, now) >= HANDED_OUT.total_seconds()]
    signs = (handed_out or known[-1:])[0]
    still = 2 * HANDED_OUT.total_seconds()  # what it signed last is on its way no more
    is_settled = signs is known[0] and seconds_since(signs.made, now) >= still
    return KeyPlan((signs,) if is_settled else tuple(known), signs)


def new_key(now: datetime) -> KeptKey:
    return KeptKey(now, new_private_key().decode())


class SigningKeys:
    """Keeps one Secret, and a ConfigMap wherever one of `deployments` mounts it; `access` signs with what it finds. `secret`: (namespace,
    name). Controllers that share namespaces out have the Secret in common; each publishes where it acts."""

    def __init__(
        self,
        kube: KubeClient,
        deployments: Callable[[], Iterable[Deployment]],
        access: AgentAccess,
        secret: tuple[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._kube, self._deployments, self._access = kube, deployments, access
        self._secret, self._clock = secret, clock
        self._published: dict[str, float] = {}  # namespace -> when its ConfigMap was last seen to be right
        self.is_ready = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. What the API server refuses is told, and tried again."""
        while True:
            try:
                await self.look()
            except Conflict:  # another controller wrote first: its key is as good as ours
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except ClientError as error:
                log.warning("keys for calls to agents are not kept", error=str(error), secret="/".join(self._secret))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Once. Raises ClientError."""
        kept, version = await self._read()
        plan = plan_keys(kept, self._clock(), new_key)
        if plan.kept != kept:
            await self._write(plan.kept, version)
            self._published.clear()
        self._access.sign_with(plan.signs.key)
        self.is_ready.set()
        await self._publish(key_set(tuple(one.key.key.public_key() for one in plan.kept)))

    # ── the Secret ──

    async def _read(self) -> tuple[tuple[KeptKey, ...], str]:
        """(keys, version of the Secret); one that somebody has spoilt reads as if there were none in it."""
        try:
            found = msgspec.json.decode(await self._kube.request("GET", self._path("secrets", *self._secret)))
        except NotFound:
            return (), ""
        version = str(found["metadata"]["resourceVersion"])
        try:
            keys = msgspec.json.decode(base64.b64decode(found["data"][FILE]), type=tuple[KeptKey, ...])
            assert all(one.key for one in keys)
        except (KeyError, TypeError, binascii.Error, msgspec.MsgspecError, BadSigningKey) as error:
            log.error("the keys in a Secret cannot be read, and are replaced", secret=self._secret[1], error=str(error))
            return (), version
        return keys, version

    async def _write(self, keys: tuple[KeptKey, ...], version: str) -> None:
        """Raises Conflict if another controller wrote first."""
        told = [{"made": stamp(one.made), "pem": one.pem} for one in keys]
        content = base64.b64encode(msgspec.json.encode(told)).decode()
        await self._put("secrets", self._secret, {FILE: content}, version)
        log.info("keys for calls to agents", count=len(keys), newest=keys[0].key.name)

    # ── the ConfigMaps ──

    async def _publish(self, keys: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        text = msgspec.json.format(msgspec.json.encode(keys)).decode()
        for namespace in sorted(mounting(self._deployments())):
            if now - self._published.get(namespace, -WHOLE_LOOK_SECONDS) >= WHOLE_LOOK_SECONDS:
                try:
                    await self._publish_in(namespace, text)
                    self._published[namespace] = now
                except ClientError as error:
                    log.warning("public keys are not published", namespace=namespace, error=str(error))

    async def _publish_in(self, namespace: str, text: str) -> None:
        where = (namespace, CONTROLLER_KEYS)
        try:
            found = msgspec.json.decode(await self._kube.request("GET", self._path("configmaps", *where)))
        except NotFound:
            await self._put("configmaps", where, {FILE: text}, "")
            return
        if (found.get("data") or {}).get(FILE) != text:
            await self._put("configmaps", where, {FILE: text}, str(found["metadata"]["resourceVersion"]))

    async def _put(self, plural: str, where: tuple[str, str], data: dict[str, str], version: str) -> None:
        """`version`: of what is there; "" for nothing."""
        namespace, name = where
        metadata: dict[str, Any] = {"name": name, "labels": MANAGED}
        if not version:
            kind = {"secrets": "Secret", "configmaps": "ConfigMap"}[plural]
            document = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}
            await self._kube.request("POST", self._path(plural, namespace), body=document)
            return
        patch = {"metadata": {"labels": MANAGED, "resourceVersion": version}, "data": data}
        await self._kube.request("PATCH", self._path(plural, namespace, name), body=patch)

    @staticmethod
    def _path(plural: str, namespace: str, name: str = "") -> str:
        return f"/api/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def mounting(deployments: Iterable[Deployment]) -> set[str]:
    """Namespaces with pods that are to have the public keys."""
    return {one.metadata.namespace for one in deployments if CONTROLLER_KEYS in one.spec.template.config_maps}
