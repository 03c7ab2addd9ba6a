"""The way of a request into a module: which one answers, its limits and figures, and how it closes."""

from arkwright.arklet.door.reserved import reserved_by
from arkwright.arklet.door.router import ModuleRouter
from arkwright.arklet.door.traffic import Traffic

__all__ = ["ModuleRouter", "Traffic", "reserved_by"]
