"""The host for modules in processes of their own: isolation `process`.

host        one version: its process started, kept running, ended
bridge      the connection to the process; requests: each as frames there and back
offers      services between the base and it
output      what it prints and logs
warm        the process that starts the others
"""

from arkwright.arklet.process.host import Around, OwnProcess
from arkwright.arklet.process.warm import WarmProcess

__all__ = ["Around", "OwnProcess", "WarmProcess"]
