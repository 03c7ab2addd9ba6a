"""One base process: how a container's words become a command, and its life. In: a Pod and its address. Out: a process."""

import asyncio
import contextlib
import os
import re
import signal
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from arkwright.model.arklet import DEFAULT_PORT
from arkwright.model.cluster import Container, Pod
from arkwright.standalone.addresses import Seat
from arkwright.standalone.parts import die_with_parent

FIELDS = {
    "metadata.name": lambda pod, address: pod.name,
    "metadata.namespace": lambda pod, address: pod.metadata.namespace,
    "metadata.uid": lambda pod, address: pod.metadata.uid,
    "status.podIP": lambda pod, address: address,
}


# A container does not see its node's variables; KUBECONFIG above all is none of a module's business.
PASSED_ON = ("HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
FAREWELL_SECONDS = 1.0


def environment(pod: Pod, container: Container, address: str) -> dict[str, str]:
    """The container's own variables; `fieldRef` as far as a base needs it."""
    found: dict[str, str] = {}
    for one in container.env:
        field = FIELDS.get(one.value_from.field_ref.field_path)
        found[one.name] = field(pod, address) if field else expanded(one.value, found)
    return found


def ports_of(container: Container, seat: Seat) -> dict[str, str]:
    """Ports other than the declared ones, for `arkwright base`."""
    if not seat.ports:
        return {}
    return {
        "ARKWRIGHT_PORT": str(seat.port(application_port(container))),
        "ARKWRIGHT_AGENT_PORT": str(seat.port(DEFAULT_PORT)),
    }


def application_port(container: Container) -> int:
    """The first declared port that is not the agent's; the agent's if there is no other."""
    return next((one.container_port for one in container.ports if one.container_port != DEFAULT_PORT), DEFAULT_PORT)


def farewell_seconds(container: Container) -> float:
    """Between a pod's deletion and its process' end, for requests that are on their way: those of the preStop hook, if it sleeps."""
    sleep = container.lifecycle.pre_stop.sleep
    return FAREWELL_SECONDS if sleep is None else sleep.seconds


def search_path() -> str:
    """Where commands are looked for: as here, and last in this installation, so that `arkwright` is found in any case."""
    return os.pathsep.join((os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")))


def expanded(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` as Kubernetes expands it; an unknown name stays as it is.

    >>> expanded("--host=$(POD_IP) $(NOBODY)", {"POD_IP": "127.8.0.1"})
    '--host=127.8.0.1 $(NOBODY)'
    """
    return re.sub(r"\$\((\w+)\)", lambda match: variables.get(match[1], match[0]), text)


class BaseProcess:
    """A started process; its output goes to `log`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, pod: Pod, seat: Seat, log: IO[bytes] | None, given: Mapping[str, str]) -> "BaseProcess":
        """`given`: variables that the pod's own win over. Raises OSError if the command cannot be started."""
        container = pod.spec.containers[0]
        variables = dict(given) | ports_of(container, seat) | environment(pod, container, seat.address)
        command = [expanded(word, variables) for word in (*container.command, *container.args)]
        if not command:
            raise FileNotFoundError("its container has neither command nor args, and there are no images here")
        here = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        variables = {"PATH": search_path(), **here, **variables}
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=variables,
                cwd=Path(container.working_dir) if container.working_dir else None,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # what survived a node would hold its address, and nobody would end it
            )
        except OSError as error:  # not every event loop says which file it is
            around = f" in {container.working_dir}" if container.working_dir else ""
            raise OSError(f"{command[0]}{around}: {error.strerror} (PATH={variables['PATH']})") from error
        return cls(process)

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL to whatever of it is left after `grace_seconds`."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


async def is_listening(address: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    return True
