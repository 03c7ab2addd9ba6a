"""The host for modules in the base's own process: isolation `shared`."""

from arkwright.arklet.shared.host import InProcess
from arkwright.arklet.shared.watching import watch

__all__ = ["InProcess", "watch"]
