"""What goes wrong, by kind: each begins, lasts for a while, and is lifted. In: a site under load. Out: the fault; what it was done to is excused for it.

A kill is over at once. While a disk is full, a site that was killed may not come up; whoever keeps it tries again.
"""

import asyncio
import contextlib
import os
import subprocess
import time

import aiohttp
import psutil
from place import API_PORT, UNANSWERED, Refused
from wishes import BASE, HOW, SERVED

DAY = 86400
LATE_SECONDS = 30
CLOCKS = (-DAY, -3600, -90, 0, 90, 3600, DAY)
PODS = "/api/v1/namespaces/default/pods"
PIECE = b"\0" * (1 << 16)
HOSTILE = """
import os, socket, threading
server = socket.create_server((os.environ["POD_IP"], 1238))
other = socket.create_server((os.environ["POD_IP"], 8080))
ways = [b"x" * 50_000_000, b"{}", b'{"code":"SUCCESS","data":' + b"[" * 100_000, b"\\xff\\x00nonsense\\r\\n\\r\\n", b"",
        b'{"code":"SUCCESS","data":[{"bizName":"everywhere","bizVersion":"\\\\u001b[2J","bizState":"activated"}]}',
        b'{"code":"FAILED","message":"' + b"m" * 100_000 + b'"}']
def answer(one, body):
    try:
        one.recv(65536)
        one.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body)
    except OSError:
        pass
    one.close()
number = 0
while True:
    one, _ = server.accept()
    number += 1
    threading.Thread(target=answer, args=(one, ways[number % len(ways)])).start()
"""


class Fault:
    """`lasts`: whether it is there until it is lifted."""

    lasts = False

    def __init__(self, at):
        self.at = at  # a Scene

    async def begin(self):
        """What was done, in words; "" where there was nothing to do it to."""
        raise NotImplementedError

    async def lift(self):
        """Takes it away."""


class ControllerKilled(Fault):
    async def begin(self):
        return killed(self.at.site.part("controller"), "the controller")


class ApiKilled(Fault):
    async def begin(self):
        self.at.excuse(SERVED)
        return killed(self.at.site.part("api"), "the API")


class BaseKilled(Fault):
    async def begin(self):
        found = self.at.site.pod_processes()
        if not found:
            return ""
        name = self.at.choose(sorted(found))
        self.at.excuse(SERVED, name)
        return killed(found[name], name)


class ModuleKilled(Fault):
    """A process below a base: a module's, which costs that module's requests there, or the one from which they are forked, which costs none."""

    async def begin(self):
        bases = self.at.site.pod_processes()
        if not bases:
            return ""
        pod = self.at.choose(sorted(bases))
        modules = await self._modules(pod)
        with contextlib.suppress(psutil.Error):
            below = bases[pod].children(recursive=True)
            if below:
                one = self.at.choose(sorted(below, key=lambda one: one.pid))
                name = "a process" if modules is None else modules.get(one.pid, "")
                self._excuse(pod, name)
                return killed(one, f"{name or 'the warm process'} of {pod}")
        return ""

    def _excuse(self, pod, name):
        if name not in ("", *HOW):
            self.at.excuse(pod, SERVED)
        elif name:
            self.at.excuse(f"{pod}/{name}", *((SERVED,) if name == SERVED else ()))

    async def _modules(self, pod):
        """Each module by the id of its process; None where the agent does not say."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.post(f"http://{self.at.looking.pods.get(pod)}:1238/queryAllBiz", json={}) as answer,
            ):
                found = (await answer.json(content_type=None))["data"]
        except UNANSWERED:
            return None
        return {one["pid"]: one["bizName"] for one in found if "pid" in one}


class SiteKilled(Fault):
    everything = False

    async def begin(self):
        self.at.excuse_all()
        self.at.site.kill(self.everything)
        await asyncio.sleep(self.at.random.uniform(0, 3))
        self.at.site.begin()
        return "the site was killed and begun anew"


class PowerCut(SiteKilled):
    everything = True


class DiskFull(Fault):
    """Nothing on the site's disk takes a byte more: objects, logs, and what modules are unpacked to."""

    lasts = True

    async def begin(self):
        self._file = self.at.site.disk / "fill"
        self._filling = asyncio.create_task(self._fill())
        await asyncio.sleep(0.2)
        return "the disk is full"

    async def _fill(self):
        """Again and again: what others give up is taken, too."""
        while True:
            with contextlib.suppress(OSError), self._file.open("ab", buffering=0) as file:
                room = os.statvfs(self.at.site.disk)
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.tell(), max(1, room.f_bavail * room.f_frsize))
                file.seek(0, os.SEEK_END)
                while file.write(PIECE):
                    pass
            await asyncio.sleep(0.1)

    async def lift(self):
        self._filling.cancel()
        self._file.unlink(missing_ok=True)


class ClockSet(Fault):
    """For the whole machine, and it stays so."""

    async def begin(self):
        offset = self.at.choose(CLOCKS)
        self.at.site.set_clock(offset)
        await asyncio.sleep(2)  # until every process has seen it
        return f"the clock is set to {offset:+d} s"


class Cut(Fault):
    """What is sent is lost, or what is answered to it, or both."""

    lasts = True

    async def begin(self):
        where, name = self.where()
        sides = self.at.choose(
            (("daddr {} tcp dport {}",), ("saddr {} tcp sport {}",), ("daddr {} tcp dport {}", "saddr {} tcp sport {}"))
        )
        for side in sides:
            for address, port in where:
                nft(f"add rule inet cuts in ip {side.format(address, port)} drop")
        words = {1: "requests" if "dport" in sides[0] else "answers", 2: "everything"}[len(sides)]
        return f"{words} of {name} lost"

    def where(self):
        raise NotImplementedError

    async def lift(self):
        nft("flush chain inet cuts in")


class ApiCut(Cut):
    def where(self):
        self.at.excuse(SERVED)
        return [("127.0.0.1", API_PORT)], "the API"


class AgentCut(Cut):
    def where(self):
        addresses = [one for one in self.at.looking.pods.values() if one]
        chosen = addresses if self.at.random.random() < 0.4 else [self.at.choose(sorted(addresses))]
        return [(one, 1238) for one in chosen], "the agents " + ", ".join(chosen)


class HostilePod(Fault):
    """A pod with the base's labels whose agent answers rubbish."""

    lasts = True
    may_come_until = 0.0  # what nobody answered may arrive when the network is there again

    async def begin(self):
        fields = [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        container = {
            "name": "base",
            "image": "process",
            "command": ["python3", "-c", HOSTILE],
            "env": fields,
            "ports": [{"containerPort": 8080}, {"containerPort": 1238}],
        }
        metadata = {"name": "hostile", "labels": {"app": BASE}}
        spec = {"containers": [container], "nodeName": "arkwright", "terminationGracePeriodSeconds": 1}
        try:
            await self.at.site.ask(
                "POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
            )
        except Refused as error:
            return "" if error.status != 409 else "a hostile pod is still there"
        except UNANSWERED:
            self.may_come_until = time.monotonic() + LATE_SECONDS
        return "a hostile pod"

    async def lift(self):
        """However often it must be asked for; where it may be made yet, it is waited for."""
        while True:
            try:
                await self.at.site.ask("DELETE", f"{PODS}/hostile")
                self.may_come_until = 0.0
            except Refused as error:
                if error.status == 404 and time.monotonic() > self.may_come_until:
                    return
            except UNANSWERED:
                pass
            await asyncio.sleep(0.5)


KINDS = (
    ControllerKilled,
    ApiKilled,
    BaseKilled,
    ModuleKilled,
    SiteKilled,
    PowerCut,
    DiskFull,
    ClockSet,
    ApiCut,
    AgentCut,
    HostilePod,
)


def killed(process, name):
    """What to say of it; "" if there was none."""
    if process is None:
        return ""
    with contextlib.suppress(psutil.Error):
        process.kill()
        return f"{name} was killed (process {process.pid})"
    return ""


def nft(words):
    subprocess.run(["nft", *words.split()], check=True)
