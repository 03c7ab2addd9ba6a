"""What follows from a write: what is owned goes with its owner, a deleted namespace is emptied, CRDs bring their kinds.

In: changes, as they reach the disk. Out: further writes. Runs beside the requests, one thing after the other.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import structlog

from arkwright.apiserver.errors import ApiError, Conflict, NotFound
from arkwright.apiserver.kinds import CRDS, Resource
from arkwright.apiserver.objects.homes import is_going
from arkwright.apiserver.objects.notices import counted_up, warning
from arkwright.apiserver.objects.removals import CLEANUP, Removal
from arkwright.apiserver.objects.verbs import Objects
from arkwright.apiserver.objects.writes import Options
from arkwright.apiserver.store import Change, Key, Record, Watches

log = structlog.get_logger()
Document = dict[str, Any]
OURS = Options(manager="arkwright-apiserver")
LONGEST_PAUSE_SECONDS = 60.0
SET_ASIDE = 6


class _Owner(msgspec.Struct):
    uid: str | None = ""
    blockOwnerDeletion: bool | None = False  # noqa: N815 (as it is on the wire)


class _Metadata(msgspec.Struct):
    uid: str = ""
    ownerReferences: tuple[_Owner, ...] = ()  # noqa: N815
    finalizers: tuple[str, ...] = ()
    deletionTimestamp: datetime | None = None  # noqa: N815


class _Object(msgspec.Struct):
    metadata: _Metadata


_read = msgspec.json.Decoder(_Object).decode


class Collector:
    """Keeps who owns whom, and acts on it."""

    def __init__(self, objects: Objects, watches: Watches) -> None:
        self._objects, self._watches = objects, watches
        self._keys: dict[str, Key] = {}
        self._owners: dict[Key, frozenset[str]] = {}
        self._owned: dict[str, set[Key]] = {}
        self._waiting: asyncio.Queue[Key | str] = asyncio.Queue()
        self._are_waiting: set[Key | str] = set()
        self.failures: dict[Key | str, int] = {}
        watches.listeners.append(self._heard)

    def begin(self) -> None:
        """Look at all that is there, as after a restart."""
        store = self._objects.store
        for record in store.find(CRDS):
            self._objects.registry.define(self._document(record))
        for resource in {one.name for one in self._objects.registry}:
            for record in store.find(resource):
                self._heard_of_one(record)

    def set_aside(self) -> list[Key | str]:
        """What has failed so often that it is tried with the longest pauses only."""
        return [item for item, number in self.failures.items() if number >= SET_ASIDE]

    async def run(self) -> None:
        """Until cancelled. What goes wrong with one object is said on it and tried again later; all others go on."""
        while True:
            item = await self._waiting.get()
            self._are_waiting.discard(item)
            try:
                await (self._after_deletion(item) if isinstance(item, str) else self._look_at(item))
            except (NotFound, Conflict):
                continue  # it has changed meanwhile: that change is looked at, too
            except Exception as error:
                await self._postpone(item, error)
            else:
                self.failures.pop(item, None)

    def _put(self, item: Key | str) -> None:
        """An owner of thousands is looked at once for many that go, not once for each."""
        if item not in self._are_waiting:
            self._are_waiting.add(item)
            self._waiting.put_nowait(item)

    async def _postpone(self, item: Key | str, error: Exception) -> None:
        number = self.failures[item] = self.failures.get(item, 0) + 1
        pause = min(2.0 ** min(number - 1, 10), LONGEST_PAUSE_SECONDS)
        write = log.warning if isinstance(error, ApiError) else log.exception
        write("not collected", item=str(item), error=str(error), failures=number, in_seconds=pause)
        asyncio.get_running_loop().call_later(pause, self._put, item)
        if isinstance(item, Key):
            await self._warn(item, f"{type(error).__name__}: {error}")

    async def _warn(self, key: Key, words: str) -> None:
        """A Warning Event, counted by its name: one for each object."""
        kind, about = self._objects.registry.named("events"), self._objects.registry.named(key.resource)
        if kind is None or about is None:
            return
        namespace = key.namespace or "default"
        document = warning(about, key, words, self._objects.now())
        with contextlib.suppress(ApiError):
            await self._objects.create(kind, namespace, document, OURS)
            return
        with contextlib.suppress(ApiError):
            name = Key("events", namespace, document["metadata"]["name"])
            await self._objects.update(kind, name, lambda had: counted_up(had, document), OURS)

    def _heard_of_one(self, record: Record) -> None:
        try:
            self._heard(Change(None, record))
        except Exception:
            log.exception("cannot be read, and is left alone", of=str(record.key))

    # ── hearing ──

    def _heard(self, change: Change) -> None:
        record, key = change.after, change.after.key
        metadata = _read(record.body).metadata
        if key.resource == CRDS:
            self._kinds_changed(record)
        if record.is_deletion:
            self._forget(key, metadata)
            return
        self._keys[metadata.uid] = key
        owners = frozenset(one.uid for one in metadata.ownerReferences if one.uid)
        if owners != self._owners.get(key, frozenset()):
            self._set_owners(key, owners)
            self._put(key)
        if metadata.deletionTimestamp is not None:
            self._put(key)

    def _set_owners(self, key: Key, owners: frozenset[str]) -> None:
        for uid in self._owners.get(key, frozenset()) - owners:
            self._owned.get(uid, set()).discard(key)
        for uid in owners:
            self._owned.setdefault(uid, set()).add(key)
        self._owners[key] = owners

    def _forget(self, key: Key, metadata: _Metadata) -> None:
        self._keys.pop(metadata.uid, None)
        for uid in self._owners.pop(key, frozenset()):
            self._owned.get(uid, set()).discard(key)
            if uid in self._keys:
                self._put(self._keys[uid])  # its owner may wait for it
        if self._owned.get(metadata.uid):
            self._put(metadata.uid)
        holders = (Key("namespaces", "", key.namespace), Key(CRDS, "", key.resource))
        for holder in holders:
            if is_going(self._objects.store.get(holder)) and self._is_empty(holder):
                self._put(holder)

    def _is_empty(self, holder: Key) -> bool:
        """A namespace or a CRD, of what it holds. Whether there is anything is asked for each thing that goes: it is not looked at."""
        store, name = self._objects.store, holder.name
        if holder.resource == CRDS:
            return not store.has(name)
        return not any(store.has(one.name, name) for one in self._objects.registry if one.is_namespaced)

    def _kinds_changed(self, record: Record) -> None:
        name = record.key.name
        if record.is_deletion:
            self._objects.registry.forget(name)
            self._watches.close_all(name)
        else:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # refused before it was stored
                self._objects.registry.define(self._document(record))

    # ── acting ──

    async def _look_at(self, key: Key) -> None:
        """An object that was made, deleted, or whose owners or dependents changed."""
        record = self._objects.store.latest(key)
        resource = self._objects.registry.named(key.resource)
        if record is None or resource is None:
            return
        metadata = _read(record.body).metadata
        if metadata.deletionTimestamp is None:
            await self._look_for_owners(resource, key, metadata)
        elif key.resource == "namespaces":
            await self._empty(key.name)
        elif key.resource == CRDS:
            await self._remove_all(record)
        elif "orphan" in metadata.finalizers:
            await self._orphan(resource, key, metadata.uid)
        elif "foregroundDeletion" in metadata.finalizers:
            await self._delete_dependents_first(resource, key, metadata.uid)

    async def _look_for_owners(self, resource: Resource, key: Key, metadata: _Metadata) -> None:
        owners = {one.uid for one in metadata.ownerReferences if one.uid}
        if owners and not owners & self._keys.keys():
            await self._objects.delete(resource, key, Removal(uid=metadata.uid))
        elif gone := owners - self._keys.keys():
            await self._drop_owners(resource, key, gone)

    async def _after_deletion(self, uid: str) -> None:
        """An owner is gone: so is what only it owned."""
        for key in list(self._owned.pop(uid, ())):
            with contextlib.suppress(NotFound, Conflict):
                await self._look_at(key)

    async def _orphan(self, resource: Resource, key: Key, uid: str) -> None:
        for owned in list(self._owned.get(uid, ())):
            kind = self._objects.registry.named(owned.resource)
            if kind:
                with contextlib.suppress(NotFound):
                    await self._drop_owners(kind, owned, {uid})
        await self._drop_finalizer(resource, key, "orphan")

    async def _delete_dependents_first(self, resource: Resource, key: Key, uid: str) -> None:
        for owned, kind, is_marked in list(self._blocking(uid)):
            if not is_marked:
                with contextlib.suppress(NotFound):
                    await self._objects.delete(kind, owned, Removal(policy="Foreground"))
        if not any(self._blocking(uid)):
            await self._drop_finalizer(resource, key, "foregroundDeletion")

    def _blocking(self, uid: str) -> Iterator[tuple[Key, Resource, bool]]:
        """Dependents that their owner has to wait for; whether they are going already."""
        for owned in list(self._owned.get(uid, ())):
            record, kind = self._objects.store.latest(owned), self._objects.registry.named(owned.resource)
            if record is not None and kind is not None:
                metadata = _read(record.body).metadata
                if any(one.uid == uid and one.blockOwnerDeletion for one in metadata.ownerReferences):
                    yield owned, kind, metadata.deletionTimestamp is not None

    async def _drop_owners(self, resource: Resource, key: Key, uids: set[str]) -> None:
        def change(document: Document) -> Document:
            owners = document["metadata"].get("ownerReferences", [])
            document["metadata"]["ownerReferences"] = [one for one in owners if one.get("uid") not in uids]
            return document

        await self._objects.update(resource, key, change, OURS)

    async def _drop_finalizer(self, resource: Resource, key: Key, name: str) -> None:
        def change(document: Document) -> Document:
            document["metadata"]["finalizers"] = [
                one for one in document["metadata"].get("finalizers", []) if one != name
            ]
            return document

        await self._objects.update(resource, key, change, OURS)

    async def _empty(self, namespace: str) -> None:
        """All that is in a deleted namespace goes, then the namespace."""
        for resource in {one.name: one for one in self._objects.registry if one.is_namespaced}.values():
            for record in self._objects.store.find(resource.name, namespace):
                if _read(record.body).metadata.deletionTimestamp is None:
                    with contextlib.suppress(NotFound):
                        await self._objects.delete(resource, record.key, Removal())
        if not self._is_empty(Key("namespaces", "", namespace)):
            return  # the last to go says so
        kind = self._objects.registry.named("namespaces")
        assert kind

        def change(document: Document) -> Document:
            document["spec"]["finalizers"] = []
            return document

        await self._objects.update(kind, Key("namespaces", "", namespace), change, OURS)

    async def _remove_all(self, crd: Record) -> None:
        """A deleted CRD takes all objects of its kind along; it goes when they are gone."""
        document = self._document(crd)
        resource = self._objects.registry.named(crd.key.name)
        for record in self._objects.store.find(crd.key.name) if resource else ():
            with contextlib.suppress(NotFound):
                await self._objects.delete(resource, record.key, Removal())  # type: ignore[arg-type]
        if self._is_empty(crd.key) and document["metadata"].get("finalizers"):
            kind = self._objects.registry.named(CRDS)
            assert kind
            await self._drop_finalizer(kind, crd.key, CLEANUP)

    def _document(self, record: Record) -> Document:
        found: Document = msgspec.json.decode(record.body)
        return found
