"""The pods of each base, kept as they change. In: changes of pods, ReplicaSets and Deployments. Out: a `Roster` for a base.

A roster is a value that is made once and replaced when one of its pods changes. Whose a pod is says model/membership.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from arkwright.model.cluster import Deployment, Pod

Place = tuple[str, str]  # namespace and name


@dataclass(frozen=True)
class Roster:
    """`pods`: by name, in order. `live`, `unready`: how many are live, and which say themselves that they are not ready.

    `staying`: those that are live or about to be, by name.
    """

    pods: tuple[Pod, ...] = ()
    staying: Mapping[str, Pod] = field(default_factory=dict)
    live: int = 0
    unready: frozenset[str] = frozenset()

    @classmethod
    def of(cls, pods: Iterable[Pod]) -> "Roster":
        everyone = tuple(sorted(pods, key=lambda one: one.name))
        staying = {one.name: one for one in everyone if one.is_live or one.is_starting}
        unready = frozenset(one.name for one in everyone if one.is_unready)
        return cls(everyone, staying, sum(one.is_live for one in everyone), unready)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.pods)


class _Kept:
    """The pods of one base."""

    def __init__(self) -> None:
        self.pods: dict[str, Pod] = {}
        self._names: list[str] = []
        self._live: set[str] = set()
        self._gone: set[str] = set()  # neither live nor about to be
        self._unready: set[str] = set()
        self._value: Roster | None = None

    def put(self, pod: Pod) -> None:
        if pod.name not in self.pods:
            insort(self._names, pod.name)
        self.pods[pod.name] = pod
        for group, belongs in (
            (self._live, pod.is_live),
            (self._gone, not (pod.is_live or pod.is_starting)),
            (self._unready, pod.is_unready),
        ):
            (group.add if belongs else group.discard)(pod.name)
        self._value = None

    def pop(self, name: str) -> None:
        if self.pods.pop(name, None) is not None:
            del self._names[bisect_left(self._names, name)]
            for group in (self._live, self._gone, self._unready):
                group.discard(name)
            self._value = None

    @property
    def value(self) -> Roster:
        if self._value is None:
            pods = tuple(map(self.pods.__getitem__, self._names))
            staying = dict(zip(self._names, pods, strict=True))
            for name in self._gone:
                del staying[name]
            self._value = Roster(pods, staying, len(self._live), frozenset(self._unready))
        return self._value


class Rosters:
    """`candidates(base)`: pods that may be the base's. `is_own(base, pod)`: whether one is.

    Bases are told by `put_base`, `pop_base`; pods by `look_again` whenever they, or whose they are, may have changed.
    """

    def __init__(
        self, candidates: Callable[[Deployment], Iterable[Pod]], is_own: Callable[[Deployment, Pod], bool]
    ) -> None:
        self._candidates, self._is_own = candidates, is_own
        self._kept: dict[Place, _Kept] = {}
        self._bases: dict[Place, Deployment] = {}
        self._of_pod: dict[Place, set[Place]] = defaultdict(set)

    def of(self, base: Deployment) -> Roster:
        found = self._kept.get(base.key)
        return found.value if found else Roster()

    def put_base(self, base: Deployment) -> None:
        """It is new, or means other pods than before."""
        self.pop_base(base)
        kept = self._kept[base.key] = _Kept()
        self._bases[base.key] = base
        for pod in self._candidates(base):
            if self._is_own(base, pod):
                self._take_in(kept, base.key, pod)

    def pop_base(self, base: Deployment) -> None:
        self._bases.pop(base.key, None)
        kept = self._kept.pop(base.key, None)
        for name in kept.pods if kept else ():
            self._of_pod[base.metadata.namespace, name].discard(base.key)

    def look_again(self, pod: Pod, likely: Iterable[Deployment]) -> None:
        """`likely`: bases that it may be of now."""
        wanted = {base.key for base in likely if base.key in self._kept and self._is_own(base, pod)}
        for key in self._of_pod.get(pod.key, set()) - wanted:
            self._let_go(key, pod)
        for key in wanted:
            self._take_in(self._kept[key], key, pod)

    def pop(self, pod: Pod) -> None:
        for key in self._of_pod.pop(pod.key, set()):
            self._kept[key].pop(pod.name)

    def _take_in(self, kept: _Kept, key: Place, pod: Pod) -> None:
        kept.put(pod)
        self._of_pod[pod.key].add(key)

    def _let_go(self, key: Place, pod: Pod) -> None:
        self._kept[key].pop(pod.name)
        self._of_pod[pod.key].discard(key)
