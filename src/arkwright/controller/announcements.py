"""What is decided counts for all other plans at once, before any of it is sent. In: intents. Out: the cache as others are to see it meanwhile."""

import contextlib
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from arkwright.controller.cache import Cache
from arkwright.model.codec import decode
from arkwright.model.kinds import Module
from arkwright.model.meta import OwnerReference
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Intent, Patch


@contextlib.contextmanager
def announced(planned: tuple[Intent, ...], cache: Cache) -> Iterator[None]:
    """Until all of it is done, or given up. Nothing may be awaited between planning and this."""
    modules = [one for one in planned if one.target.kind is Kind.MODULE]
    deletions = [one.target for one in modules if isinstance(one, Delete)]
    coming = [decode(one.document, Module) for one in modules if isinstance(one, Create)]
    bound = [it for one in modules if (it := _bound(one, cache)) is not None]
    labelled = [one for one in planned if isinstance(one, Patch) and one.target.kind is Kind.POD]
    with contextlib.ExitStack() as stack:
        if deletions:
            stack.enter_context(cache.leaving((target.namespace, target.name) for target in deletions))
        if coming or bound:
            stack.enter_context(cache.arrivals.announced((*coming, *bound)))
        for one in labelled:
            target = one.target
            stack.enter_context(cache.labels.written(target.namespace, target.name, one.patch))
        yield


def _bound(intent: Intent, cache: Cache) -> Module | None:
    """A Module as it will be on the pod that it is about to be bound to: nobody else of its name is to go there."""
    owners = intent.patch.get("metadata", {}).get("ownerReferences") if isinstance(intent, Patch) else None
    if not owners or intent.target.kind is not Kind.MODULE:
        return None
    known: Module | None = cache.get(Kind.MODULE, intent.target.namespace, intent.target.name)
    if known is None:
        return None
    given = msgspec.convert(owners, tuple[OwnerReference, ...])
    return replace(known, metadata=replace(known.metadata, owner_references=given))
