"""Equal parts of many objects, kept once: ten thousand Modules say the same things of themselves. In: an object. Out: an equal one.

What is read from the API server comes as new strings each time, though nearly all of them are known: keys and values of labels,
owners, archives. Most changes of an object leave its labels and its spec as they were, which are then those of before.
"""

from sys import intern
from typing import TypeVar

from msgspec.structs import replace

from arkwright.model.kinds import Module
from arkwright.model.meta import KubernetesObject, OwnerReference

O = TypeVar("O", bound=KubernetesObject)  # noqa: E741


def shared(new: O, old: O | None) -> O:
    """`new`, with the parts that are as in `old`, or as in other objects."""
    if old is None or old.metadata.uid != new.metadata.uid:
        return _interned(new)
    had, has = old.metadata, new.metadata
    labels = had.labels if had.labels == has.labels else _labels(has.labels)
    owners = had.owner_references if had.owner_references == has.owner_references else _owners(has.owner_references)
    metadata = replace(has, name=had.name, namespace=had.namespace, uid=had.uid, labels=labels, owner_references=owners)
    if isinstance(new, Module) and isinstance(old, Module) and new.spec == old.spec:
        return replace(new, metadata=metadata, spec=old.spec)
    return replace(new, metadata=metadata)


def _interned(one: O) -> O:
    has = one.metadata
    owners, namespace = _owners(has.owner_references), intern(has.namespace)
    metadata = replace(has, namespace=namespace, labels=_labels(has.labels), owner_references=owners)
    if not isinstance(one, Module):
        return replace(one, metadata=metadata)
    archive = one.spec.module
    module = replace(archive, name=intern(archive.name), version=intern(archive.version), url=intern(archive.url))
    return replace(one, metadata=metadata, spec=replace(one.spec, module=module))


def _labels(labels: dict[str, str]) -> dict[str, str]:
    return {intern(key): intern(value) for key, value in labels.items()}


def _owners(owners: tuple[OwnerReference, ...]) -> tuple[OwnerReference, ...]:
    return tuple(
        replace(
            one, api_version=intern(one.api_version), kind=intern(one.kind), name=intern(one.name), uid=intern(one.uid)
        )
        for one in owners
    )
