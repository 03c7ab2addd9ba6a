"""The cache never goes back: not to an older version, not to what was deleted."""

import msgspec
from msgspec.structs import replace

from arkwright.controller.cache import Cache
from arkwright.model.codec import encode, read
from arkwright.model.kinds import Module
from arkwright.model.names import serves_label
from arkwright.model.resources import Kind
from plan.builders import NOW, module, pod


def versioned(one, version, **more):
    return replace(one, metadata=replace(one.metadata, resource_version=str(version), **more))


def filled(*objects):
    changes = []
    cache = Cache(lambda: NOW, changes.append)
    for one in objects:
        cache.apply(Kind.MODULE, one)
    return cache, changes


def test_an_older_version_is_ignored_and_tells_nobody():
    cache, changes = filled(versioned(module(), 10), versioned(module(), 9, labels={"old": "yes"}))
    assert len(changes) == 1
    assert cache.get(Kind.MODULE, *module().key).metadata.resource_version == "10"


def test_versions_compare_as_numbers():
    cache, _ = filled(versioned(module(), 9), versioned(module(), 10))
    assert cache.get(Kind.MODULE, *module().key).metadata.resource_version == "10"


def test_what_was_deleted_does_not_come_back_by_a_late_answer():
    cache, _ = filled(versioned(module(), 10))
    cache.remove(Kind.MODULE, module())
    cache.apply(Kind.MODULE, versioned(module(), 12))
    assert cache.get(Kind.MODULE, *module().key) is None


def test_another_of_the_same_name_is_another():
    cache, _ = filled(versioned(module(), 10))
    cache.remove(Kind.MODULE, module())
    cache.apply(Kind.MODULE, versioned(module(), 3, uid="another"))
    cache.remove(Kind.MODULE, module())
    assert cache.get(Kind.MODULE, *module().key).metadata.uid == "another"


def test_what_a_list_has_not_is_gone_unless_it_was_made_since():
    cache, _ = filled(*(versioned(module(on=number), number) for number in (1, 2, 3)))
    listed = [cache.all(Kind.MODULE)[1]]
    for version, gone in (("2", ["stock-1"]), ("3", ["stock-1", "stock-3"]), ("", ["stock-1", "stock-3"])):
        assert [one.pod_name for one in cache.gone(Kind.MODULE, listed, version)] == gone


def test_modules_are_found_by_the_very_pod_they_are_bound_to():
    cache, _ = filled(versioned(module(on=1), 1), versioned(module(on=2), 2))
    assert [one.pod_name for one in cache.modules_on(pod(2))] == ["stock-2"]
    namesake = replace(pod(2), metadata=replace(pod(2).metadata, uid="a later pod of that name"))
    assert cache.modules_on(namesake) == ()


def test_when_a_label_left_a_pod_is_remembered():
    cache, _ = filled()
    cache.apply(Kind.POD, versioned(pod(1, serves=["provider"]), 1))
    assert cache.labels.off_since(pod(1, serves=["provider"]), "provider") is None
    cache.apply(Kind.POD, versioned(pod(1), 2))
    assert cache.labels.off_since(pod(1), "provider") == NOW
    assert serves_label("provider") not in cache.get(Kind.POD, "default", "stock-1").metadata.labels


def test_equal_parts_of_many_are_kept_once():
    one, two = (read(msgspec.Raw(msgspec.json.encode(encode(versioned(module(on=on), 1)))), Module) for on in (1, 2))
    cache, _ = filled(one, two)
    first, second = (cache.get(Kind.MODULE, *one.key) for one in (one, two))
    assert (first, second) == (one, two)
    assert first.spec.module.url is second.spec.module.url
    assert all(a is b for a, b in zip(first.metadata.labels, second.metadata.labels, strict=True))
    cache.apply(Kind.MODULE, read(msgspec.Raw(msgspec.json.encode(encode(versioned(module(on=1), 2)))), Module))
    later = cache.get(Kind.MODULE, *one.key)
    assert later.metadata.resource_version == "2"
    assert (later.spec is first.spec, later.metadata.labels is first.metadata.labels) == (True, True)
