from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Optional


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(order=True)
class Point:
    x: int
    y: int = 0
    colour: Colour = Colour.RED
    around: list[Point] = field(default_factory=list)


def mix(first: Colour, second: Optional[Point] = None) -> Colour:  # noqa: UP045 (the old form is cached by typing)
    return first
