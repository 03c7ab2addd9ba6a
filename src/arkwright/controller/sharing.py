"""Equal parts of many objects, kept once: ten thousand Modules say the same things of themselves. In: an object. Out: an equal one.

What is read from the API server comes as new strings each time, though nearly all of them are known: keys and values of labels,
owners, archives, conditions. Most changes of an object leave its labels and its spec as they were, which are then those of before. A Module so
takes a kilobyte instead of four.
"""

from functools import lru_cache
from sys import intern
from typing import TypeVar

from msgspec.structs import replace

from arkwright.model.kinds import Module
from arkwright.model.meta import KubernetesObject, ObjectMeta, OwnerReference

O = TypeVar("O", bound=KubernetesObject)  # noqa: E741
T = TypeVar("T")
REMEMBERED = 4096  # archives, conditions, lists of finalizers


@lru_cache(REMEMBERED)
def _once(value: T) -> T:
    return value


def shared(new: O, old: O | None) -> O:
    """`new`, with the parts that are as in `old`, or as in other objects."""
    before = old if old is not None and old.metadata.uid == new.metadata.uid else None
    metadata = _as_before(new.metadata, before.metadata) if before is not None else _meta(new.metadata)
    about = {"api_version": intern(new.api_version), "kind": intern(new.kind), "metadata": metadata}
    if not isinstance(new, Module):
        return replace(new, **about)
    status = replace(new.status, conditions=_once(new.status.conditions))
    if isinstance(before, Module) and before.spec == new.spec:
        return replace(new, **about, spec=before.spec, status=status)
    return replace(new, **about, spec=replace(new.spec, module=_once(new.spec.module)), status=status)


def _meta(has: ObjectMeta) -> ObjectMeta:
    return replace(
        has,
        namespace=intern(has.namespace),
        labels=_labels(has.labels),
        finalizers=_once(has.finalizers),
        owner_references=_owners(has.owner_references),
    )


def _as_before(has: ObjectMeta, had: ObjectMeta) -> ObjectMeta:
    labels = had.labels if had.labels == has.labels else _labels(has.labels)
    owners = had.owner_references if had.owner_references == has.owner_references else _owners(has.owner_references)
    return replace(
        has,
        name=had.name,
        namespace=had.namespace,
        uid=had.uid,
        labels=labels,
        finalizers=_once(has.finalizers),
        owner_references=owners,
    )


def _labels(labels: dict[str, str]) -> dict[str, str]:
    return {intern(key): intern(value) for key, value in labels.items()}


def _owners(owners: tuple[OwnerReference, ...]) -> tuple[OwnerReference, ...]:
    return tuple(map(_owner, owners))


def _owner(one: OwnerReference) -> OwnerReference:
    return replace(
        one, api_version=intern(one.api_version), kind=intern(one.kind), name=intern(one.name), uid=intern(one.uid)
    )
