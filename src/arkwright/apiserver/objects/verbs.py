"""Reading and writing objects of any kind: what create, update, patch, apply and delete mean.

In: a Resource, a document or a patch, Options. Out: an Answer once the disk has it, or an ApiError. Not done here: HTTP,
and what follows from a write elsewhere (`collector`).
"""

import asyncio
import random
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from arkwright.apiserver.bounds import require_storable
from arkwright.apiserver.errors import (
    BadRequest,
    FieldError,
    InternalError,
    invalid,
)
from arkwright.apiserver.kinds import CHECK, FILL, WITH_GENERATION, ZERO, Registry, Resource
from arkwright.apiserver.objects.allocation import Addresses
from arkwright.apiserver.objects.homes import require_home
from arkwright.apiserver.objects.managed import Writer, applied, begin_record, keep_record
from arkwright.apiserver.objects.metadata import carried_over, metadata_errors, timestamp
from arkwright.apiserver.objects.removals import (
    Removal,
    finalizers_of,
    grace_seconds,
    keeps_itself,
    mark,
    require,
    standing,
)
from arkwright.apiserver.objects.writes import (
    Answer,
    Options,
    add_all_defaults,
    already_exists,
    body_of,
    claimed,
    completed,
    confined,
    confined_wish,
    count_generation,
    is_released,
    is_same,
    not_found,
    require_declared,
    require_name,
    require_possible,
    require_version,
)
from arkwright.apiserver.store import Key, Record, Store, StoreFailed

Document = dict[str, Any]
Change = Callable[[Document], Document]
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


class Objects:
    """All kinds, over one store. `clock`: the time of day."""

    def __init__(self, store: Store, registry: Registry, clock: Callable[[], datetime]) -> None:
        self.store, self.registry = store, registry
        self._clock = clock
        self._addresses = Addresses(store)

    def now(self) -> datetime:
        return self._clock()

    # ── reading ──

    def document(self, resource: Resource, record: Record) -> Document:
        """A record as a document; every call gives one of its own."""
        found: Document = {"apiVersion": resource.api_version, "kind": resource.kind}
        found.update(msgspec.json.decode(record.body))
        return found

    def get(self, resource: Resource, namespace: str, name: str) -> Record:
        """The record. Raises NotFound."""
        record = self.store.get(Key(resource.name, namespace, name))
        if record is None:
            raise not_found(resource, name)
        return record

    # ── writing ──

    async def create(self, resource: Resource, namespace: str, document: Document, options: Options) -> Answer:
        """Raises AlreadyExists, Invalid, BadRequest, NotFound (the namespace), Forbidden (it is going), MethodNotAllowed (there are none)."""
        require_possible(resource)
        warnings = completed(resource, document, options)
        metadata = document["metadata"]
        if metadata.get("resourceVersion"):
            raise BadRequest("resourceVersion should not be set on objects to be created")
        require_home(resource, namespace, metadata, self.store.latest)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"][:58] + "".join(random.choices(SUFFIX, k=5))
        key = Key(resource.name, namespace, metadata.get("name") or "")
        if self.store.latest(key):
            raise already_exists(resource, key.name)
        writer = self._writer(resource, options)
        self._begin(resource, document, writer.now)
        begin_record(resource.shape, document, ZERO.get(resource.name, {}), writer)
        self._check(resource, document, None)
        return await self._put(key, document, options, Answer(document, True, warnings))

    def _begin(self, resource: Resource, document: Document, now: str) -> None:
        """What the server gives to a new object."""
        metadata = document["metadata"]
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "managedFields"):
            metadata.pop(name, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = now
        if resource.has_status:
            document.pop("status", None)
        if resource.is_custom or resource.name in WITH_GENERATION:
            metadata["generation"] = 1

    async def update(self, resource: Resource, key: Key, change: Change, options: Options) -> Answer:
        """`change` turns the object as it is into what it shall be. Raises NotFound, Conflict, Invalid, BadRequest."""
        record = self.store.latest(key)
        if record is None:
            raise not_found(resource, key.name)
        old = self.document(resource, record)
        new = change(self.document(resource, record))
        return await self._replace(resource, record, (old, new), options)

    async def _replace(
        self, resource: Resource, record: Record, pair: tuple[Document, Document], options: Options
    ) -> Answer:
        old, new = pair
        require_name(new, record.key)
        warnings = completed(resource, new, options)
        require_version(resource, old, new)
        wrong = carried_over(resource, old, new)
        new = claimed(resource, old, new, options)
        keep_record(resource.shape, old, new, self._writer(resource, options))
        new = self._admitted(resource, (old, new), options, wrong)
        if is_same(old, new):
            return Answer(old, warnings=warnings)
        return await self._put_or_remove(record.key, (old, new), options, warnings)

    def _admitted(
        self, resource: Resource, pair: tuple[Document, Document], options: Options, wrong: list[FieldError]
    ) -> Document:
        """The new state, without what a write may not change. Raises Invalid."""
        old, new = pair
        new = confined(resource, old, new, options)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        self._check(resource, new, old, wrong)
        count_generation(resource, old, new)
        return new

    async def _put_or_remove(
        self, key: Key, pair: tuple[Document, Document], options: Options, warnings: tuple[str, ...] = ()
    ) -> Answer:
        """A write may take away the last thing that kept a deleted object; watchers see what it was before."""
        old, new = pair
        if is_released(new):
            removed = await self._remove(key, old, options.is_dry_run)
            new["metadata"]["resourceVersion"] = removed.document["metadata"]["resourceVersion"]
            return Answer(new, warnings=warnings)
        return await self._put(key, new, options, Answer(new, warnings=warnings))

    async def apply(self, resource: Resource, key: Key, wish: Document, options: Options) -> Answer:
        """Server-side apply: creates or updates. Raises as those do, and Conflict about fields."""
        record = self.store.latest(key)
        writer = self._writer(resource, options, "Apply")
        require_name(wish, key)
        if wish["metadata"].get("managedFields"):
            raise BadRequest("metadata.managedFields must be nil")
        if record is None and options.subresource:
            raise not_found(resource, key.name)
        require_declared(resource, wish)
        wish["metadata"] |= {"name": key.name} | ({"namespace": key.namespace} if key.namespace else {})
        if record is None:
            return await self._apply_new(resource, key, wish, (writer, options))
        old = self.document(resource, record)
        require_version(resource, old, wish)
        new = applied(resource.shape, old, confined_wish(resource, wish, options), writer, force=options.force)
        add_all_defaults(resource, new)
        new = self._admitted(resource, (old, new), options, carried_over(resource, old, new))
        if is_same(old, new):
            return Answer(old)
        return await self._put_or_remove(key, (old, new), options)

    async def _apply_new(self, resource: Resource, key: Key, wish: Document, how: tuple[Writer, Options]) -> Answer:
        writer, options = how
        require_possible(resource)
        require_home(resource, key.namespace, wish["metadata"], self.store.latest)
        document = applied(resource.shape, {}, confined_wish(resource, wish, options), writer, force=True)
        record = document["metadata"].get("managedFields", [])
        add_all_defaults(resource, document)
        self._begin(resource, document, writer.now)
        self._check(resource, document, None)
        document["metadata"]["managedFields"] = record
        return await self._put(key, document, options, Answer(document, True))

    def _check(
        self, resource: Resource, new: Document, old: Document | None, wrong: list[FieldError] | None = None
    ) -> None:
        """What the kind fills in, rules, addresses. Raises Invalid with all that is wrong."""
        if fill := FILL.get(resource.name):
            fill(new, old)
        errors = [*(wrong or ()), *metadata_errors(resource, new["metadata"])]
        if resource.validator:
            errors += resource.validator.errors(new, old)
        elif not errors and resource.name in CHECK:
            errors = CHECK[resource.name](new, old)
        if errors:
            raise invalid(resource.group, resource.kind, new["metadata"].get("name", ""), errors)
        self._addresses.give(resource, new, old)

    def _writer(self, resource: Resource, options: Options, operation: str = "Update") -> Writer:
        return Writer(options.manager, operation, resource.api_version, options.subresource, timestamp(self._clock()))

    async def _put(self, key: Key, document: Document, options: Options, answer: Answer) -> Answer:
        if options.is_dry_run:
            return answer
        document["metadata"]["resourceVersion"] = str(self.store.next_version())
        body = body_of(document)
        if "deletionTimestamp" not in document["metadata"]:  # whatever is there can be deleted
            require_storable(body)
        await self._stored(self.store.put(key, body))
        return Answer(document, answer.is_new, answer.warnings, body)

    async def _stored(self, *writes: asyncio.Future[None]) -> None:
        """They are in the order in which they reach the disk: all are there with the last."""
        try:
            await (writes[0] if len(writes) == 1 else asyncio.gather(*writes))
        except StoreFailed as error:
            raise InternalError(f"Internal error occurred: {error}; nothing was changed, try again") from error

    # ── deleting ──

    async def delete(self, resource: Resource, key: Key, removal: Removal) -> Answer:
        """The object if it stays a while, else its last state. Raises NotFound, Conflict (a precondition)."""
        record = self.store.latest(key)
        if record is None:
            raise not_found(resource, key.name)
        document = self.document(resource, record)
        metadata = document["metadata"]
        require(resource, record, metadata, removal)
        finalizers = finalizers_of(resource, metadata, removal)
        grace = grace_seconds(resource, document, removal)
        before = standing(metadata)
        if finalizers:
            metadata["finalizers"] = finalizers
        if not finalizers and not grace and not keeps_itself(resource, document):
            if resource.name == "pods":
                mark(resource, document, 0, self._clock())
            return await self._remove(key, document, removal.is_dry_run, is_ending=before != standing(metadata))
        mark(resource, document, grace, self._clock())
        if before == standing(metadata):
            return Answer(document)
        return await self._put(key, document, Options(is_dry_run=removal.is_dry_run), Answer(document))

    async def _remove(self, key: Key, document: Document, is_dry_run: bool, *, is_ending: bool = False) -> Answer:
        """For good. Watchers see the last state under the version of the deletion; before it that it `is_ending`."""
        if is_dry_run:
            return Answer(document)
        self._addresses.take_back(key)
        writes = []
        for is_deletion in (False, True) if is_ending else (True,):
            document["metadata"]["resourceVersion"] = str(self.store.next_version())
            writes.append(self.store.put(key, body_of(document), is_deletion=is_deletion))
        await self._stored(*writes)
        return Answer(document)
