"""One machine's site: the files in its directory, and whether it is up. In: a directory. Out: paths and facts."""

import contextlib
import fcntl
import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

USUAL_PORT = 6443
DASHBOARD_PORT = 6480


def usual_directory() -> Path:
    """Where a site lies unless it is told otherwise."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "arkwright"


class SiteTaken(Exception):
    """Another process keeps it up."""


@dataclass(frozen=True)
class Wish:
    """What a site is to have. `bases`: pods of the Deployment `base` in namespace default; None leaves it alone. `addresses`: a network
    for the pods; None for one that no other site has. `dashboard_port`: the one to try first, 0 for any, None for no dashboard."""

    host: str
    port: int
    bases: int | None = None
    addresses: str | None = None
    with_controller: bool = True
    dashboard_port: int | None = None


def site_in(directory: Path | None) -> "Site":
    """The site of a directory; of the user's own without one."""
    return Site((directory or usual_directory()).resolve())


def site_of_kubeconfig() -> "Site | None":
    """The site that KUBECONFIG leads to, and which is up; None if it names some other cluster."""
    site = _site_beside(Path(os.environ.get("KUBECONFIG", "")))
    return site if site and site.keeper() else None


def site_at_hand(directory: Path | None) -> "Site":
    """The site of a directory; without one that which KUBECONFIG leads to, up or not; else the user's own."""
    named = None if directory else _site_beside(Path(os.environ.get("KUBECONFIG", "")))
    return named if named and named.store.exists() else site_in(directory)


def _site_beside(file: Path) -> "Site | None":
    site = Site(file.parent.resolve())
    return site if file.name and file.resolve() in (site.kubeconfig, site.reader_kubeconfig) else None


@dataclass(frozen=True)
class Ports:
    """On loopback, of the controller's health and of the dashboard; 0: there is none."""

    health: int = 0
    dashboard: int = 0


@dataclass(frozen=True)
class Site:
    """`store`: all objects, in one file. `reader_kubeconfig`: of a user who may only read."""

    directory: Path
    PRIVATE: ClassVar[tuple[str, ...]] = (
        *(
            "store.*",
            "server.*",
            "*.token",
            "*kubeconfig",
            "site.*",
            "agent-signing.pem",
            "controller-keys.json",
            "dashboard.key",
            "logs",
        ),
    )

    @property
    def option(self) -> str:
        """What a command needs to find it; "" for the user's own."""
        is_usual = self.directory == usual_directory().resolve()
        return "" if is_usual else f" --data-dir {shlex.quote(str(self.directory))}"

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
    def dashboard_key(self) -> Path:
        """What links to the dashboard are made with; another each time that the site comes up."""
        return self.directory / "dashboard.key"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def pod_logs(self) -> Path:
        return self.logs / "pods"

    @property
    def _state(self) -> Path:
        return self.directory / "site.json"

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """This process keeps it up, until it ends, however that comes. Raises SiteTaken. Whatever says that it is up when nobody keeps
        it comes from one that was killed, and goes."""
        with (self.directory / "site.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SiteTaken(f"the site in {self.directory} is up already") from error
            self.say_down()
            yield

    def _is_kept(self) -> bool:
        try:
            with self.kept():
                return False
        except SiteTaken:
            return True
        except FileNotFoundError:
            return False

    def say_up(self, server: str, ports: Ports, troubles: list[str] | None = None) -> None:
        """Everything is there. `troubles`: a line for each loop of this process that does not run."""
        half = self._state.with_suffix(".new")
        known = {"pid": os.getpid(), "server": server, "health": ports.health, "dashboard": ports.dashboard}
        half.write_text(json.dumps(known | {"troubles": troubles or []}))
        half.replace(self._state)

    def dashboard_port(self) -> int:
        """0: there is none."""
        try:
            return int(json.loads(self._state.read_text()).get("dashboard", 0))
        except (OSError, ValueError):
            return 0

    def troubles(self) -> tuple[int, list[str]]:
        """(the controller's health port or 0, what does not run in the site's own process)."""
        try:
            found = json.loads(self._state.read_text())
            return int(found.get("health", 0)), [str(one) for one in found.get("troubles", ())]
        except (OSError, ValueError):
            return 0, []

    def say_down(self) -> None:
        self._state.unlink(missing_ok=True)

    def keeper(self) -> tuple[int, str] | None:
        """(pid, address of the API server); None if it is not up, whatever a machine that crashed has left behind."""
        try:
            found = json.loads(self._state.read_text())
            known = int(found["pid"]), str(found["server"])
        except (OSError, ValueError, KeyError):
            return None
        return known if self._is_kept() else None
