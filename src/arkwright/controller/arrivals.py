"""Modules that are being created and cannot be seen yet: their places are taken already. In: what is decided. Out: places."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from arkwright.controller.indexes import place_of
from arkwright.model.kinds import Module

Place = tuple[str, str, str]


class Arrivals:
    """By namespace."""

    def __init__(self) -> None:
        self._places: dict[str, set[Place]] = defaultdict(set)

    @contextmanager
    def announced(self, coming: Iterable[Module]) -> Iterator[None]:
        """Others see the places as taken from the moment that it is decided to create the Modules."""
        taken = [place_of(one) for one in coming]
        for namespace, place in taken:
            self._places[namespace].add(place)
        try:
            yield
        finally:
            for namespace, place in taken:
                self._places[namespace].discard(place)

    def end(self, created: Module) -> None:
        """It can be seen now."""
        namespace, place = place_of(created)
        self._places[namespace].discard(place)

    def of(self, namespace: str) -> frozenset[Place]:
        """(pod, ModuleDeployment label, module name) of each."""
        return frozenset(self._places.get(namespace, ()))
