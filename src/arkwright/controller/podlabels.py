"""Labels that let traffic in: what is on its way to a pod, and when one left it. In: changes of pods, our own writes. Out: answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from arkwright.model.cluster import Document, Pod
from arkwright.model.names import SERVES_PREFIX, is_asked_for, serves_label


class PodLabels:
    """`clock` dates what is remembered."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._off: dict[tuple[str, str], datetime] = {}
        self._taken_off: dict[tuple[str, str], frozenset[str]] = {}
        self._coming: set[tuple[str, str, str]] = set()

    def note(self, old: Pod | None, new: Pod | None) -> None:
        """When a module's label left a pod: from then on no new request comes [S8]."""
        for label in _serving(old) - _serving(new):
            if old and new:
                self._off[old.metadata.uid, label] = self._clock()
        if old and not new:
            self._off = {key: at for key, at in self._off.items() if key[0] != old.metadata.uid}
            self._taken_off.pop(old.key, None)

    def off_since(self, pod: Pod, module_name: str) -> datetime | None:
        """When the module's label left the pod; None while it is there. Unknown counts from the first time asked."""
        label = serves_label(module_name)
        if is_asked_for(pod.metadata.labels, label):
            return None
        return self._off.setdefault((pod.metadata.uid, label), self._clock())

    @contextmanager
    def written(self, namespace: str, name: str, patch: Document) -> Iterator[None]:
        """Others see a pod as labelled for traffic from the moment that the write is sent: it may land at any time."""
        labels = patch.get("metadata", {}).get("labels", {})
        if labels:
            before = self._taken_off.get((namespace, name), frozenset())
            off = {key for key, value in labels.items() if value is None}
            self._taken_off[namespace, name] = (before - labels.keys()) | off
        coming = {(namespace, name, key) for key, value in labels.items() if key.startswith(SERVES_PREFIX) and value}
        self._coming |= coming
        try:
            yield
        finally:
            self._coming -= coming

    def taken_off(self, pod: Pod) -> frozenset[str]:
        """Labels that we have taken off the pod ourselves, and not put on again."""
        return self._taken_off.get(pod.key, frozenset())

    def is_coming(self, pod: Pod, module_name: str) -> bool:
        return (*pod.key, serves_label(module_name)) in self._coming


def _serving(pod: Pod | None) -> set[str]:
    """Labels by which the pod gets requests."""
    labels = pod.metadata.labels if pod else {}
    return {key for key in labels if key.startswith(SERVES_PREFIX) and is_asked_for(labels, key)}
