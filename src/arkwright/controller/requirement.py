"""Whether an agent has to know its callers before it is called. In: a pod. Out: what keeps us from calling it, "" for nothing.

An administrator demands it, of all pods (a flag) or of a namespace's (a label of the namespace): what stands on a pod does not count. Whether an
agent knows its callers is not asked, but tried: with a call that nobody has signed.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from arkwright.clients.arklet import ArkletClient
from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Pod
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import REQUIRE_AUTHENTICATION, is_asked_for

log = structlog.get_logger()
KNOWN_SECONDS = 60.0
UNMET = (
    "its agent takes calls from anybody, and this controller leaves such pods alone (--require-agent-authentication, or the label"
    f" {REQUIRE_AUTHENTICATION} of its namespace): mount the ConfigMap arkwright-controller-keys into the base"
)


class Requirement:
    """`is_for_all`: of every pod, whatever its namespace says."""

    def __init__(self, kube: KubeClient, client: ArkletClient, is_for_all: bool) -> None:
        self._kube, self._client, self._is_for_all = kube, client, is_for_all
        self._namespaces: dict[str, tuple[float, bool]] = {}
        self._met: dict[str, str] = {}  # uid of a pod -> the instance of its base that knew its callers

    async def unmet(self, pod: Pod) -> str:
        """Asks the agent, once in each life of its base."""
        if not (self._is_for_all or await self._is_asked_for(pod.metadata.namespace)):
            return ""
        if self._met.get(pod.metadata.uid) == pod.base_instance:
            return ""
        refused = await self._client.refuses_strangers(pod.agent_address)
        if refused:
            self._met[pod.metadata.uid] = pod.base_instance
        return UNMET if refused is False else ""  # not reached: the call itself will say so

    def forget(self, pod: Pod) -> None:
        self._met.pop(pod.metadata.uid, None)

    async def _is_asked_for(self, namespace: str) -> bool:
        now = asyncio.get_running_loop().time()
        at, is_asked = self._namespaces.get(namespace, (-KNOWN_SECONDS, False))
        if now - at >= KNOWN_SECONDS:
            is_asked = await self._read(namespace, is_asked)
            self._namespaces[namespace] = (now, is_asked)
        return is_asked

    async def _read(self, namespace: str, before: bool) -> bool:
        try:
            found = await self._kube.request("GET", f"/api/v1/namespaces/{namespace}")
            labels = msgspec.json.decode(found, type=KubernetesObject).metadata.labels
        except (ClientError, msgspec.MsgspecError) as error:
            log.info("a namespace cannot be read", namespace=namespace, error=str(error))
            return before
        return is_asked_for(labels, REQUIRE_AUTHENTICATION)


UnmetOf = Callable[[Pod], Awaitable[str]]
