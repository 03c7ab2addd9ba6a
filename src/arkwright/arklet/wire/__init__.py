"""The agent's interface: commands over HTTP, what they do, who may call, and what a base asks at its start."""

from arkwright.arklet.wire.access import OnlyForPod, RequireToken, Tokens
from arkwright.arklet.wire.baseline import Baseline
from arkwright.arklet.wire.operations import Operations
from arkwright.arklet.wire.routes import Routes

__all__ = ["Baseline", "OnlyForPod", "Operations", "RequireToken", "Routes", "Tokens"]
