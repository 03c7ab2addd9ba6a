"""One machine's site: the files in its directory, and whether it is up. In: a directory. Out: paths and facts."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

USUAL_PORT = 6443


def usual_directory() -> Path:
    """Where a site lies unless it is told otherwise."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "arkwright"


@dataclass(frozen=True)
class Site:
    """`store`: all objects, in one file. `reader_kubeconfig`: of a user who may only read."""

    directory: Path

    @property
    def store(self) -> Path:
        return self.directory / "store.db"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def reader_kubeconfig(self) -> Path:
        return self.directory / "reader.kubeconfig"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def pod_logs(self) -> Path:
        return self.logs / "pods"

    @property
    def _state(self) -> Path:
        return self.directory / "site.json"

    def say_up(self, server: str) -> None:
        """This process keeps it up."""
        half = self._state.with_suffix(".new")
        half.write_text(json.dumps({"pid": os.getpid(), "server": server}))
        half.replace(self._state)

    def say_down(self) -> None:
        self._state.unlink(missing_ok=True)

    def keeper(self) -> tuple[int, str] | None:
        """(pid, address of the API server); None if it is not up."""
        try:
            found = json.loads(self._state.read_text())
            pid = int(found["pid"])
            os.kill(pid, 0)
        except (OSError, ValueError, KeyError):
            return None
        return pid, str(found["server"])
