"""What a page is made of: pieces that stand alone, so that a change sends what differs and nothing else. In: values. Out: values.

A piece is a frozen value and the template that shows it. Two pieces that are equal look the same, so that nothing has to be made to see that nothing changed.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """`name`: its id in the page; `template`: without folder and ending."""

    name: str
    template: str
    value: Hashable


@dataclass(frozen=True)
class Region:
    """A part of the page whose pieces come, go and change places. `name`: the id of the element that holds them."""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.pieces)


@dataclass(frozen=True)
class Page:
    """`frame`: the template with the elements that hold the regions; `fixed`: what it says besides, the same all the time."""

    frame: str
    title: str
    regions: tuple[Region, ...]
    fixed: Hashable = None

    def region(self, name: str) -> Region:
        return next(one for one in self.regions if one.name == name)


@dataclass(frozen=True)
class Difference:
    """What a viewer who has one page needs for another. `orders`: of regions where pieces came, went or changed places."""

    orders: tuple[Region, ...]
    changed: tuple[Piece, ...]


def difference(before: Page, after: Page) -> Difference:
    """
    >>> one, two, three = Piece("a", "row", 1), Piece("b", "row", 2), Piece("b", "row", 3)
    >>> had, has = Page("f", "t", (Region("rows", (one, two)),)), Page("f", "t", (Region("rows", (three,)),))
    >>> found = difference(had, has)
    >>> [region.order for region in found.orders], [piece.name for piece in found.changed]
    ([('b',)], ['b'])
    """
    known = {piece.name: piece for region in before.regions for piece in region.pieces}
    orders = {region.name: region.order for region in before.regions}
    moved = tuple(one for one in after.regions if orders.get(one.name) != one.order)
    changed = (piece for region in after.regions for piece in region.pieces if known.get(piece.name) != piece)
    return Difference(moved, tuple(changed))
