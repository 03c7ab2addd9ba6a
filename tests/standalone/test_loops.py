"""Nothing dies in silence: every loop of every process is begun anew, however it ends, and that is logged, counted and told."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial

import psutil
import pytest

from arkwright import supervision
from arkwright.apiserver.app import ApiServer, Place
from arkwright.apiserver.identity import identity, kubeconfig
from arkwright.apiserver.wire import Access
from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.controller.app import Controller, Settings, _serve_health
from arkwright.controller.watch import Watcher
from arkwright.private import write_private
from arkwright.standalone import app, bases, parts
from arkwright.standalone.announcing import Announcer
from arkwright.standalone.deployments import Workloads
from arkwright.standalone.machine import Machine
from arkwright.standalone.nodeports import NodePorts
from arkwright.standalone.site import Wish
from arkwright.standalone.strays import end_strays, mark_of
from arkwright.supervision import Supervisor
from fakes.loops import broken_twice

WATCHED = ("Deployment", "ReplicaSet", "Pod", "Service", "ModuleDeployment", "ModuleReplicaSet", "Module")
EXPECTED = {"collector", "compaction", "end of events", "reconcile", "signing keys", "health"}
EXPECTED |= {"Node", "Workloads", "NodePorts", "Announcer", "Machine"} | {f"watch {kind}" for kind in WATCHED}
SETS = "/apis/apps/v1/namespaces/default/replicasets"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(supervision, "SETTLED_SECONDS", 0.05)


def now():
    return datetime.now(UTC)


async def until(is_so, seconds=15):
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def everything(directory, monkeypatch):
    """All that processes of a site consist of, in this one: (supervisors, client, health port)."""
    found = identity(directory, "127.0.0.1", now())
    api = ApiServer(Place(directory / "store.db", found.certificate, found.key), Access(found.admin, found.reader))
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(api.running())
        file = directory / "kubeconfig"
        write_private(file, kubeconfig(f"https://127.0.0.1:{port}", found.certificate, found.admin))
        monkeypatch.setenv("KUBECONFIG", str(file))
        kube = await stack.enter_async_context(KubeClient(await find_access()))
        await app._prepare(kube, Wish("127.0.0.1", port, bases=0))
        arklet = await stack.enter_async_context(ArkletClient(Timeouts()))
        controller = Controller(kube, arklet, Settings(keys=("kube-system", "keys")))
        site = Supervisor()
        place = bases.Place("arkwright", "127.0.0.1/32", directory / "logs")
        workers = (
            bases.Node(kube, place, now),
            *(one(kube, "arkwright", now) for one in (Workloads, Machine)),
            *(one(kube, now) for one in (NodePorts, Announcer)),
        )
        listening = socket.create_server(("127.0.0.1", 0))
        health = controller.loops.keep("health", partial(_serve_health, controller, listening))
        works = (health, controller.run(), app._run_all(workers, (), app._begun(workers), site))
        tasks = [asyncio.create_task(one) for one in works]
        await app._begun(workers)
        await until(lambda: "reconcile" in controller.loops.loops and controller.is_ready)
        yield (api.loops, controller.loops, site), kube, listening.getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_every_loop_there_is_outlives_its_faults(tmp_path, monkeypatch):
    async with everything(tmp_path, monkeypatch) as (supervisors, kube, _):
        names = {name for one in supervisors for name in one.loops}
        assert names >= EXPECTED, EXPECTED - names
        for supervisor in supervisors:
            for name in sorted(supervisor.loops):
                await until(lambda loops=supervisor.loops, name=name: not loops[name].task.done())
                await until(broken_twice(supervisor.loops[name]))
        await until(lambda: not any(one.troubles() for one in supervisors))
        metadata = {"name": "late", "namespace": "default"}
        spec = app.base_deployment(0)["spec"]
        document = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        await kube.request("POST", "/apis/apps/v1/namespaces/default/deployments", body=document)
        while b'"late' not in await kube.request("GET", SETS):
            await asyncio.sleep(0.05)
        await kube.request("DELETE", "/apis/apps/v1/namespaces/default/deployments/late")
        while b'"late' in await kube.request("GET", SETS):
            await asyncio.sleep(0.05)


async def test_a_loop_that_does_not_run_is_told_in_readyz_and_counted(tmp_path, monkeypatch):
    async with everything(tmp_path, monkeypatch) as (supervisors, kube, port):
        api, controller, _ = supervisors
        for supervisor, name in ((api, "collector"), (controller, "watch Pod"), (controller, "signing keys")):
            loop = supervisor.loops[name]
            loop.run = failing
            loop.task.cancel()
            await until(lambda loop=loop: loop.error == "RuntimeError: injected")
        assert "[-] collector: RuntimeError: injected" in (await kube.request("GET", "/readyz")).decode()
        ready = await asked(port, "/readyz")
        assert ready.startswith("HTTP/1.1 503") and "[-] watch Pod: RuntimeError" in ready, "it is needed"
        assert "[-] signing keys: RuntimeError" in ready
        assert 'arkwright_loop_failures_total{loop="watch Pod"}' in await asked(port, "/metrics")


async def failing():
    raise RuntimeError("injected")


async def asked(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    found = (await reader.read()).decode()
    writer.close()
    return found


async def test_what_fails_again_and_again_is_named():
    loops = Supervisor()
    loops.name_failing("collector", lambda: [f"o{number}" for number in range(7)])
    [line] = loops.troubles()
    assert "o0, o1, o2, o3, o4 and 2 more" in line


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError("y"), asyncio.CancelledError(), ExceptionGroup("z", [KeyError()])]
)
async def test_however_a_loop_ends_it_is_begun_anew(error):
    counted, begun = [], asyncio.Queue()

    async def run():
        begun.put_nowait(1)
        raise error

    loops = Supervisor(counted.append)
    task = asyncio.create_task(loops.keep("part", run))
    for _ in range(3):
        await asyncio.wait_for(begun.get(), 5)
    assert counted == ["part"] * 2 or counted == ["part"] * 3
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_watch_that_a_mistake_ends_lists_anew():
    class Odd:
        async def list(self, resource, namespace):
            raise ValueError("a mistake of ours")

    watcher = Watcher(Odd(), None, app.Kind.POD)
    watcher._version = "7"
    with pytest.raises(AttributeError):
        await watcher.run()
    assert watcher._version == ""


async def test_a_site_whose_disk_is_full_goes_on_and_tells_later(tmp_path, monkeypatch):
    from arkwright.standalone.site import Ports, Site

    class FullAtTimes(Site):
        failures = 0

        def say_up(self, *about):
            FullAtTimes.failures -= 1
            if FullAtTimes.failures >= 0:
                raise OSError(28, "No space left on device")
            super().say_up(*about)

    monkeypatch.setattr(app, "TELL_SECONDS", 0.01)
    site, loops = FullAtTimes(tmp_path), Supervisor()
    telling = asyncio.create_task(app._say_up(site, ("https://a", Ports(1), loops), ()))
    await until(lambda: site.troubles() == (1, []))
    FullAtTimes.failures = 3
    keeping = asyncio.create_task(loops.keep("part", failing))
    await until(lambda: site.troubles()[1])
    assert FullAtTimes.failures < 0 and not telling.done()
    for task in (keeping, telling):
        task.cancel()


async def test_a_part_that_does_not_come_up_again_and_again_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FIRST_PAUSE_SECONDS", 0.01)
    part = parts.Part(["no-such-command"], tmp_path / "part.log", {})
    loops = app._supervisor((part,))
    task = asyncio.create_task(loops.keep(part.name, part.keep_running))
    await until(lambda: part.is_failing, seconds=60)
    assert loops.troubles() == ["[-] parts: set aside, for it fails again and again: no-such-command"]
    task.cancel()


def test_nobody_outlives_a_site_that_is_killed(tmp_path):
    words = [sys.executable, "-m", "arkwright", "up", "--foreground", "--bases", "1", "--port", "0"]
    site = subprocess.Popen([*words, "--data-dir", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "site.json").exists() or len(family(site.pid)) < 3:
            assert site.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        while not (tmp_path / "logs" / "controller.log").stat().st_size:  # what the controller says is kept
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = family(site.pid)
        site.send_signal(signal.SIGKILL)
        site.wait(10)
        _, alive = psutil.wait_procs(children, timeout=20)
        assert alive == [], [one.cmdline() for one in alive]
    finally:
        site.kill()


def test_who_would_not_end_with_a_site_that_was_killed_ends_before_it_is_up_again(tmp_path):
    words = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]
    stubborn, other = (
        subprocess.Popen(words, env=os.environ | mark_of(directory)) for directory in (tmp_path, tmp_path / "other")
    )
    try:
        assert end_strays(tmp_path) == [stubborn.pid]
        assert stubborn.wait(10) == -signal.SIGKILL and other.poll() is None
    finally:
        stubborn.kill()
        other.kill()


def family(pid):
    return psutil.Process(pid).children(recursive=True)


async def test_status_names_what_does_not_run_in_whichever_process(tmp_path, monkeypatch):
    from arkwright.cli.troubles import site_troubles
    from arkwright.standalone.site import Ports, Site

    async with everything(tmp_path, monkeypatch) as ((api, controller, own), kube, port):
        for supervisor, name in ((api, "collector"), (controller, "watch Pod"), (own, "Announcer")):
            loop = supervisor.loops[name]
            loop.run = failing
            loop.task.cancel()
            await until(lambda loop=loop: loop.error == "RuntimeError: injected")
        site = Site(tmp_path)
        site.say_up("https://127.0.0.1:1", Ports(port), own.troubles())
        found = [one.partition(";")[0] for one in await site_troubles(site, kube)]
        assert [
            f"{part}: RuntimeError: injected" for part in ("site: Announcer", "api: collector", "controller: watch Pod")
        ] == found
