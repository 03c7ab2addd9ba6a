"""What holds up the loop of the embedded API where it has thousands of Modules: the longest turn of its loop in each kind of work.

    python bench/blocked.py [--modules 5000] [--watchers 20]

The API is a process of its own that counts the CPU time of each turn of its loop: what other processes do on the same core holds it up,
too, and is not its doing. Its loop is Python's own here, whose turns can be counted, and not the faster one that it has otherwise. Modules
are written, listed in all forms, watched, all changed, and go with their namespace, held until the last moment, one by one.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from asyncio import events
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kubernetes"), str(ROOT / "bench")]
from fleet import IN_FLIGHT, about, apply_our_kinds, module  # noqa: E402

from arkwright.apiserver.app import run_api  # noqa: E402
from arkwright.clients.credentials import find_access  # noqa: E402
from arkwright.clients.errors import NotFound  # noqa: E402
from arkwright.clients.kube import KubeClient  # noqa: E402
from arkwright.model.resources import RESOURCES, Kind  # noqa: E402
from scenarios.kubectl import kubectl  # noqa: E402

FORMS = {
    "listed": "application/json",
    "listed as a table": "application/json;as=Table;v=v1;g=meta.k8s.io",
    "listed by metadata": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
}
HELD = "bench.example/held"


# ── the API, in a process of its own ──


class Longest:
    """Milliseconds of CPU that the longest turn took since it was last asked, by a signal; answers in a file."""

    def __init__(self, answers):
        self._answers, self._longest, self._run = answers, 0.0, events.Handle._run
        signal.signal(signal.SIGUSR1, self._tell)

    def timed(self, handle):
        began = time.thread_time()
        self._run(handle)
        self._longest = max(self._longest, time.thread_time() - began)

    def _tell(self, *_):
        with self._answers.open("a") as file:
            file.write(f"{1000 * self._longest}\n")
        self._longest = 0.0


def serve(directory):
    longest = Longest(directory / "answers")
    events.Handle._run = lambda handle: longest.timed(handle)
    asyncio.run(run_api(directory, "127.0.0.1", 0, lambda said: None))


class Served:
    def __init__(self, directory):
        self._answers = directory / "answers"
        self._answers.touch()
        self._process = subprocess.Popen([sys.executable, __file__, "--serve", str(directory)])
        while not (directory / "reader.kubeconfig").exists():
            time.sleep(0.02)

    def longest(self):
        before = len(self._answers.read_text().splitlines())
        self._process.send_signal(signal.SIGUSR1)
        while len(lines := self._answers.read_text().splitlines()) == before:
            time.sleep(0.01)
        return float(lines[-1])

    def end(self):
        self._process.terminate()
        self._process.wait(30)


# ── the story ──


class Story:
    def __init__(self, kube, served, asked):
        self.kube, self.served, self.asked = kube, served, asked
        self.slots = asyncio.Semaphore(IN_FLIGHT)

    def path(self, name="", namespace="many"):
        return RESOURCES[Kind.MODULE].path(namespace, name)

    @contextlib.asynccontextmanager
    async def told(self, what):
        self.served.longest()
        began = time.monotonic()
        yield
        print(f"{what:44}{time.monotonic() - began:8.1f} s{self.served.longest():10.0f} ms", flush=True)

    async def for_all(self, method, body, *, is_new=False):
        async def one(number):
            async with self.slots:
                await self.kube.request(method, self.path("" if is_new else f"m-{number}"), body=body(number))

        await asyncio.gather(*(one(number) for number in range(self.asked.modules)))

    async def tell(self):
        await self.kube.request("POST", "/api/v1/namespaces", body={"metadata": {"name": "many"}})
        print(f"{self.asked.modules} Modules{'':34}took    longest turn")
        async with self.told("written"):
            await self.for_all("POST", made, is_new=True)
        for what, form in FORMS.items():
            async with self.told(what):
                await self.ask("", form)
        async with self.told("listed by a label"):
            await self.ask("?labelSelector=half%3D1")
        async with self.told("kubectl get"):
            await asyncio.to_thread(kubectl, "get", "modules", "-n", "many")
        async with self.watched():
            async with self.told(f"all changed, {self.asked.watchers} watch"):
                await self.for_all("PATCH", lambda _: {"metadata": {"annotations": {"at": str(time.time())}}})
        await self.go()

    async def ask(self, query, form="application/json"):
        headers = await self.kube.access.headers() | {"Accept": form}
        url = self.kube.access.server + self.path() + query
        async with self.kube._session.get(url, headers=headers) as response:
            assert response.status == 200
            await response.read()

    @contextlib.asynccontextmanager
    async def watched(self):
        async def watch():
            async for _ in self.kube.watch(RESOURCES[Kind.MODULE], "many", "0"):
                pass

        async with self.told(f"{self.asked.watchers} begin to watch"):
            watchers = [asyncio.create_task(watch()) for _ in range(self.asked.watchers)]
            await asyncio.sleep(3)
        yield
        for one in watchers:
            one.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)

    async def go(self):
        async with self.told("the namespace is deleted, all are held"):
            await self.kube.request("DELETE", "/api/v1/namespaces/many")
            while await self.is_one_unmarked():
                await asyncio.sleep(0.2)
        async with self.told("let go of one by one, the namespace goes"):
            await self.for_all("PATCH", lambda _: {"metadata": {"finalizers": None}})
            with contextlib.suppress(NotFound):
                while True:
                    await self.kube.request("GET", "/api/v1/namespaces/many")
                    await asyncio.sleep(0.1)

    async def is_one_unmarked(self):
        found = await self.kube.list(RESOURCES[Kind.MODULE], "many")
        return any(b'"deletionTimestamp"' not in bytes(one) for one in found.objects)


def made(number):
    metadata = {"name": f"m-{number}", "labels": {"half": str(number % 2)}, "finalizers": [HELD]}
    spec = module(f"module-{number % 25}", "1")["spec"] | {"baseDeploymentName": "stock"}
    return about("serverless.alipay.com/v1alpha1", "Module") | {"metadata": metadata, "spec": spec}


async def run(served, asked):
    async with KubeClient(await find_access()) as kube:
        await Story(kube, served, asked).tell()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", type=int, default=5000)
    parser.add_argument("--watchers", type=int, default=20)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="arkwright-blocked-") as work:
        served = Served(Path(work))
        try:
            os.environ["KUBECONFIG"] = str(Path(work) / "kubeconfig")
            apply_our_kinds()
            asyncio.run(run(served, asked))
        finally:
            served.end()


if __name__ == "__main__":
    main()
