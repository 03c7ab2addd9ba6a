"""A Kubernetes API in memory, with the methods of KubeClient: what the controller's loop sees of a real one.

Versions, generations, merge patches with preconditions, finalizers, deletion of what is owned, the schemas of our CRDs,
watches that lag. Not done here: the other kinds' validation, CEL, pages, access. Held to the real API server by tests/scenarios/test_fake_kube.py.
"""

import asyncio
import collections
import functools
import itertools
from pathlib import Path

import jsonschema_rs
import msgspec
import yaml

from arkwright.apiserver.objects.patches import merge_patched
from arkwright.clients.errors import ApiRefused, Conflict, Gone, NotFound
from arkwright.clients.kube import Change, Listing, WatchLine
from arkwright.model.codec import read, stamp
from arkwright.model.resources import RESOURCES

FOREGROUND = "foregroundDeletion"
REMEMBERED = 1000  # changes that a watch can begin from


class FakeKube:
    """`clock`: the time of day. `lag`: seconds that a write, and then its watch event, take. `refuse`: raises to refuse a write.

    `on_write` is called with (verb, path) after each write. `invalid`: what the schemas refused. `forgets()`: whether a watch is too old instead of
    telling the next change; `list_lag()`: seconds that a list is on its way.
    """

    def __init__(self, clock, lag=lambda: 0.0, refuse=lambda verb, path: None, on_write=lambda verb, path: None):
        self._clock, self._lag, self._refuse, self.on_write = clock, lag, refuse, on_write
        self._objects = {}
        self._owned, self._there = {}, set()  # paths by an owner's uid, in the order they came; every uid there is
        self._emptying = {}  # paths of what waits for all it owns to go
        self._watches, self._told = [], collections.deque(maxlen=REMEMBERED)
        self._versions, self._uids = itertools.count(1), itertools.count(1)
        self._version = 0
        self.writes, self.invalid = [], []
        self.forgets, self.list_lag = (lambda: False), (lambda: 0.0)

    # ── what KubeClient offers ──

    def of_metadata(self):
        return self

    async def list(self, resource, namespace="", selector="", fields=""):
        """As it is now, which is told a moment later where lists take time."""
        found = [one for path, one in self._objects.items() if _is_in(resource, path, namespace)]
        listing = Listing(tuple(_raw(one) for one in found), str(self._version))
        if seconds := self.list_lag():
            await asyncio.sleep(seconds)
        return listing

    async def has_any(self, resource, namespace):
        return any(_is_in(resource, path, namespace) for path in self._objects)

    async def watch(self, resource, namespace, version):
        """What was told after `version`, and what comes."""
        events, now = asyncio.Queue(), asyncio.get_running_loop().time()
        if len(self._told) == REMEMBERED and int(version or 0) < self._told[0][0] - 1:
            raise Gone("too old resource version", 410)
        for at, path, line in self._told:
            if at > int(version or 0) and _is_in(resource, path, namespace):
                events.put_nowait((now, line))
        watch = (resource, namespace, events)
        self._watches.append(watch)
        try:
            while True:
                at, line = await events.get()
                await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
                if self.forgets():
                    raise Gone("too old resource version", 410)
                yield line
        finally:
            self._watches.remove(watch)

    async def get(self, resource, namespace, name):
        return read(_raw(self._find(resource.path(namespace, name))), resource.type)

    async def create(self, resource, namespace, document):
        await self._before("create", resource.path(namespace))
        document = self.put(document | {"metadata": document["metadata"] | {"namespace": namespace}})
        made = self._answer("create", resource, document, self.path(document))
        self._collect(document)
        return made

    async def patch(self, resource, path, patch):
        await self._before("patch", path)
        return self._answer("patch", resource, self.change(path, patch), path)

    async def delete(self, resource, namespace, name, uid="", *, version=""):
        path = resource.path(namespace, name)
        await self._before("delete", path)
        if uid and self._find(path)["metadata"]["uid"] != uid:
            raise Conflict("the UID in the precondition does not match", 409)
        if version and self._find(path)["metadata"]["resourceVersion"] != version:
            raise Conflict("the ResourceVersion in the precondition does not match", 409)
        document = self.remove(path)
        self._answer("delete", resource, document, path)
        return _raw(document)

    async def request(self, method, path, *, body=None, query=None):
        """Kinds that are not kept here: there is nothing of them."""
        raise NotFound(f"{path} not found", 404)

    # ── what users, nodes and tests do ──

    def put(self, document):
        """Create an object; a status in it is kept. Raises Conflict."""
        metadata, path = document["metadata"], self.path(document)
        if path in self._objects:
            raise Conflict(f'{RESOURCES[document["kind"]].plural} "{metadata["name"]}" already exists', 409)
        given = {"uid": f"uid-{next(self._uids)}", "creationTimestamp": stamp(self._clock()), "generation": 1}
        document = _copy(document | {"metadata": {**metadata, **given}})
        self._store(path, document, Change.ADDED)
        return document

    def change(self, path, patch):
        """A merge patch of an object or, where the path ends with it, of its status."""
        is_status = path.endswith("/status")
        path = path.removesuffix("/status")
        old = self._find(path)
        wanted = patch.get("metadata", {}).get("resourceVersion")
        if wanted is not None and wanted != old["metadata"]["resourceVersion"]:
            raise Conflict("the object has been modified; please apply your changes to the latest version", 409)
        part = {"status": patch.get("status")} if is_status else {k: v for k, v in patch.items() if k != "status"}
        new = merged(old, part)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new == old:
            return old
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            return self._drop(path, new)
        return self._store(path, new, Change.MODIFIED)

    def remove(self, path):
        """Delete: at once, or marked as long as there are finalizers."""
        old = self._find(path)
        if not old["metadata"].get("finalizers"):
            return self._drop(path, _copy(old))
        if old["metadata"].get("deletionTimestamp"):
            return old
        new = merged(old, {"metadata": {"deletionTimestamp": stamp(self._clock())}})
        new["metadata"]["generation"] += 1
        return self._store(path, new, Change.MODIFIED)

    def erase(self, path):
        """It is lost, whatever its finalizers say, and nothing of what it owned is told."""
        document = _copy(self._find(path))
        self._version = next(self._versions)
        document["metadata"]["resourceVersion"] = str(self._version)
        self._forget(path)
        self._publish(path, document, Change.DELETED)

    def remove_foreground(self, path):
        """Delete what it owns first, as `kubectl delete --cascade=foreground` has it done; the owner goes when nothing is left."""
        self.change(
            path, {"metadata": {"finalizers": [*self._find(path)["metadata"].get("finalizers", []), FOREGROUND]}}
        )
        self.remove(path)
        uid = self._find(path)["metadata"]["uid"]
        for owned_path in self._owned_by(uid):
            owners = self._objects.get(owned_path, {"metadata": {}})["metadata"].get("ownerReferences", [])
            if left := [one for one in owners if one["uid"] != uid]:
                self.change(owned_path, {"metadata": {"ownerReferences": left}})
            elif owned_path in self._objects:
                self.remove(owned_path)
        self._let_go_of_emptied()

    def orphan(self, path):
        """Delete, and let go of what it owns, as `kubectl delete --cascade=orphan` has it done."""
        uid, had = self._find(path)["metadata"]["uid"], self._find(path)["metadata"].get("finalizers", [])
        self.change(path, {"metadata": {"finalizers": [*had, "orphan"]}})
        self.remove(path)
        for owned_path in self._owned_by(uid):
            left = [one for one in self._objects[owned_path]["metadata"]["ownerReferences"] if one["uid"] != uid]
            self.change(owned_path, {"metadata": {"ownerReferences": left or None}})
        now = [one for one in self._find(path)["metadata"]["finalizers"] if one != "orphan"]
        self.change(path, {"metadata": {"finalizers": now or None}})

    def all(self, kind):
        return [_copy(one) for path, one in sorted(self._objects.items()) if _is_in(RESOURCES[kind], path)]

    def one(self, kind, namespace, name):
        """The object, or None."""
        return self._objects.get(RESOURCES[kind].path(namespace, name))

    def path(self, document):
        metadata = document["metadata"]
        return RESOURCES[document["kind"]].path(metadata.get("namespace", ""), metadata["name"])

    # ── within ──

    async def _before(self, verb, path):
        await asyncio.sleep(self._lag())
        self._refuse(verb, path)

    def _answer(self, verb, resource, document, path):
        self.writes.append((verb, path))
        self.on_write(verb, path)
        return read(_raw(document), resource.type)

    def _find(self, path):
        if path not in self._objects:
            raise NotFound(f"{path} not found", 404)
        return self._objects[path]

    def _store(self, path, document, change):
        if schema := schemas().get(document["kind"]):
            for error in schema.iter_errors({key: value for key, value in document.items() if key != "metadata"}):
                self.invalid.append(f"{path} is invalid: {'.'.join(map(str, error.instance_path))}: {error.message}")
                raise ApiRefused(self.invalid[-1], 422)
        self._version = next(self._versions)
        document["metadata"]["resourceVersion"] = str(self._version)
        self._disown(path)
        self._objects[path] = document
        self._there.add(document["metadata"]["uid"])
        for uid in _owners(document):
            self._owned.setdefault(uid, {})[path] = None
        if FOREGROUND in (document["metadata"].get("finalizers") or ()):
            self._emptying[path] = None
        self._publish(path, document, change)
        return document

    def _forget(self, path):
        self._disown(path)
        self._there.discard(self._objects.pop(path)["metadata"]["uid"])

    def _disown(self, path):
        self._emptying.pop(path, None)
        for uid in _owners(self._objects[path]) if path in self._objects else ():
            self._owned[uid].pop(path)
            if not self._owned[uid]:
                del self._owned[uid]

    def _drop(self, path, document):
        self._version = next(self._versions)
        document["metadata"]["resourceVersion"] = str(self._version)
        self._forget(path)
        self._publish(path, document, Change.DELETED)
        uid = document["metadata"]["uid"]
        for owned_path in self._owned_by(uid):
            if owned_path in self._objects and _owners(self._objects[owned_path]) == {uid}:
                self.remove(owned_path)
        self._let_go_of_emptied()
        return document

    def collect(self):
        """What has owners of which none is there (any more) goes, as the collector of a cluster finds it sooner or later."""
        for document in list(self._objects.values()):
            self._collect(document)

    def _collect(self, document):
        """Made for an owner that went meanwhile: it goes too."""
        owners = _owners(document)
        if self.path(document) in self._objects and owners and not owners & self._there:
            self.remove(self.path(document))

    def _owned_by(self, uid):
        return list(self._owned.get(uid, ()))

    def _let_go_of_emptied(self):
        """Owners that were deleted in the foreground, once nothing of theirs is left."""
        for path in list(self._emptying):
            if path in self._emptying and not self._owned_by(self._objects[path]["metadata"]["uid"]):
                finalizers = self._objects[path]["metadata"]["finalizers"]
                rest = [name for name in finalizers if name != FOREGROUND]
                self.change(path, {"metadata": {"finalizers": rest or None}})

    def _publish(self, path, document, change):
        line = WatchLine(change, _raw(document))
        self._told.append((self._version, path, line))
        for resource, namespace, events in self._watches:
            if _is_in(resource, path, namespace):
                at = asyncio.get_running_loop().time() + self._lag()
                events.put_nowait((at, line))


@functools.cache
def schemas():
    """kind -> validator, as deploy/ has them."""
    files = sorted((Path(__file__).parents[2] / "deploy").glob("*-crd.yaml"))
    kinds = [yaml.safe_load(file.read_text())["spec"] for file in files]
    versions = {one["names"]["kind"]: one["versions"][0]["schema"]["openAPIV3Schema"] for one in kinds}
    return {kind: jsonschema_rs.validator_for(schema) for kind, schema in versions.items()}


def _is_in(resource, path, namespace=""):
    """
    >>> [_is_in(RESOURCES["Namespace"], f"/api/v1/{path}") for path in ("namespaces/shop", "namespaces/shop/pods/web-1")]
    [True, False]
    >>> [_is_in(RESOURCES["Pod"], "/api/v1/namespaces/shop/pods/web-1", namespace) for namespace in ("", "shop", "bank")]
    [True, True, False]
    """
    collection, where = _place(path)
    return collection == f"{resource.root}/{resource.plural}" and namespace in ("", where)


@functools.cache
def _place(path):
    """The path of its collection in all namespaces, and which namespace it is in."""
    root, _, rest = path.partition("/namespaces/")
    where, _, more = rest.partition("/")
    return (f"{root}/{more.partition('/')[0]}", where) if more else (path.rpartition("/")[0], "")


def _owners(document):
    return {one["uid"] for one in document["metadata"].get("ownerReferences") or ()}


def _raw(document):
    return msgspec.Raw(msgspec.json.encode(document))


def _copy(document):
    return msgspec.json.decode(msgspec.json.encode(document))


def merged(old, patch):
    """A JSON merge patch (RFC 7386); the old document stays as it is.

    >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    return _copy(merge_patched(old, patch))
