"""Whom a base asks next what it should hold, where controllers share namespaces out. In: Leases, an address. Out: a url; whether it holds nothing.

A base does not know whose its namespace is: each controller that does not know it sends it on to the next, once round. The last one asks
the API: nobody follows the pods of a namespace that has nothing of ours in it.
"""

import msgspec

from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.controller.partners import Partner
from arkwright.model.arklet import BaseAddress
from arkwright.model.cluster import Pod
from arkwright.model.codec import read
from arkwright.model.resources import RESOURCES, Kind

HOPS = "hops"
MOST_HOPS = 9  # clients give up beyond that


class Neighbours:
    """`partner`: knows who lives, and where they answer."""

    def __init__(self, kube: KubeClient, partner: Partner) -> None:
        self._kube, self._partner = kube, partner

    def url_after(self, hops: int) -> str:
        """Of the next one to ask; "" when all have been asked. `hops`: how many have sent it on."""
        addresses = self._partner.addresses
        names = sorted(addresses)
        if hops + 1 >= min(len(names), MOST_HOPS) or self._partner.identity not in names:
            return ""
        following = names[(names.index(self._partner.identity) + 1) % len(names)]
        return f"{addresses[following]}/queryBaseline?{HOPS}={hops + 1}"

    async def holds_nothing(self, address: BaseAddress) -> bool:
        """Whether it is in a namespace without a Module."""
        at = (address.local_ip, address.port)
        try:
            listing = await self._kube.list(RESOURCES[Kind.POD], fields=f"status.podIP={address.local_ip}")
            found = [one for raw in listing.objects if (one := read(raw, Pod)).may_ask]
            namespaces = {one.metadata.namespace for one in found if (one.status.pod_ip, one.agent_port) == at}
            return bool(namespaces) and not any(
                [await self._kube.has_any(RESOURCES[Kind.MODULE], one) for one in namespaces]
            )
        except (ClientError, msgspec.MsgspecError):
            return False
