"""Previews on the command line. In: a client, a namespace, a wish. Out: what would happen, as text. Nothing is written."""

import asyncio

import msgspec

from arkwright.cli.cluster import read_all
from arkwright.cli.moment import this_moment
from arkwright.cli.output import fail
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.resources import PLANNED_FROM
from arkwright.model.text import plain
from arkwright.preview.outlook import Foreseen, foresee
from arkwright.preview.rehearsal import Live, wished
from arkwright.preview.wording import headline, lines


async def live_in(kube: KubeClient, namespace: str) -> Live:
    """All that a rehearsal needs of one namespace."""
    found = await asyncio.gather(*(read_all(kube, kind, namespace) for kind in PLANNED_FROM))
    return dict(zip(PLANNED_FROM, found, strict=True))


def foretold(live: Live, one: ModuleDeployment, patch: Document) -> Foreseen:
    """What would happen after a patch. Ends the command where that says what cannot be."""
    try:
        wish = wished(one, patch)
    except msgspec.ValidationError as error:
        fail(f"{one.name}: {error}")
    return foresee(live, wish, this_moment())


def told(one: Foreseen) -> str:
    """For people."""
    return "\n".join([plain(f"{one.name}: {headline(one)}"), *(f"  {plain(line)}" for line in lines(one))])
