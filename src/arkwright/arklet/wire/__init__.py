"""The agent's interface: commands over HTTP, what they do, who may call, and what a base asks at its start."""

from arkwright.arklet.wire.access import Guard
from arkwright.arklet.wire.baseline import Baseline
from arkwright.arklet.wire.operations import Operations
from arkwright.arklet.wire.routes import Routes

__all__ = ["Baseline", "Guard", "Operations", "Routes"]
