"""The host for modules in processes of their own: isolation `process`."""

from arkwright.arklet.process.host import OwnProcess

__all__ = ["OwnProcess"]
