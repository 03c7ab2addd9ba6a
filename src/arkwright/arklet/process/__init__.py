"""The host for modules in processes of their own: isolation `process`.

host        one version: its process started, kept running, ended
bridge      requests as frames to the process, and back
offers      services between the base and it
output      what it prints and logs
warm        the process that starts the others
"""

from arkwright.arklet.process.host import OwnProcess
from arkwright.arklet.process.warm import WarmProcess

__all__ = ["OwnProcess", "WarmProcess"]
