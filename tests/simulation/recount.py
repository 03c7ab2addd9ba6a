"""What the controller keeps beside its objects, against a count made anew. In: its cache. Raises AssertionError where they differ."""

from arkwright.controller.figures import Book
from arkwright.controller.objects import Change
from arkwright.controller.rosters import Roster
from arkwright.model.membership import Standing
from arkwright.model.names import MODULE_REPLICASET, label_value
from arkwright.model.resources import Kind
from arkwright.plan.replicas import Replicas
from arkwright.plan.seating import seat


def figures_are_those_of_what_is_there(book, cache):
    anew = Book(None, None, list)
    for one in cache.all(Kind.MODULE):
        anew.note(Change(Kind.MODULE, None, one))
    assert +book.phases == +anew.phases and +book.causes == +anew.causes


def recounted(cache, now):
    """Everything that is kept, is what it would be now."""
    replicas_are_those_that_carry_the_label(cache)
    rosters_are_the_pods_that_are_own(cache)
    seats_are_as_made_anew(cache, now)
    labels_are_those_that_modules_carry(cache)


def replicas_are_those_that_carry_the_label(cache):
    everyone = [one for pod in cache.all(Kind.POD) for one in cache.modules_on(pod)]
    on_pods = {one.key: one for one in everyone}
    for replica_set in cache.all(Kind.MODULE_REPLICASET):
        label = label_value(replica_set.name)
        labelled = [one for one in cache.all(Kind.MODULE) if one.metadata.namespace == replica_set.metadata.namespace]
        labelled = [one for one in labelled if one.metadata.labels.get(MODULE_REPLICASET) == label]
        anew = Replicas.of(
            on_pods.get(one.key, one) for one in labelled
        )  # as they are seen: those about to go are going
        kept = cache._tallies.of_replica_set(replica_set.metadata.namespace, label)
        if all(one.key in on_pods for one in labelled):
            assert comparable(kept) == comparable(anew), replica_set.name


def comparable(replicas):
    groups = (replicas.ready, replicas.coming, replicas.going)
    names = [sorted((one.name, one.metadata.resource_version) for one in group) for group in groups]
    return names, replicas.ready_pods, replicas.coming_pods, replicas.going_pods, replicas.dated


def rosters_are_the_pods_that_are_own(cache):
    for base in cache.all(Kind.DEPLOYMENT):
        own = (one for one in cache.all(Kind.POD) if one.metadata.namespace == base.metadata.namespace)
        assert cache.roster(base) == Roster.of(one for one in own if cache.standing(base, one) is Standing.OWN)


def seats_are_as_made_anew(cache, now):
    for pod in cache.all(Kind.POD):
        for seeker, kept in cache.seats._kept.get(pod.metadata.uid, {}).items():
            assert kept == seat(seeker, pod, cache.modules_on(pod), (), now), (seeker, kept)


def labels_are_those_that_modules_carry(cache):
    carried = {}
    for one in cache.all(Kind.MODULE):
        if label := one.metadata.labels.get(MODULE_REPLICASET):
            carried.setdefault((one.metadata.namespace, one.family), set()).add(label)
    assert {place: set(labels) for place, labels in cache._tallies._labels.items()} == carried
