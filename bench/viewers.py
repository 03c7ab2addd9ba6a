"""A hundred viewers of the dashboard on ten thousand Modules: how long a page takes, how soon a change is on the screen, what the process needs.

    python bench/viewers.py [--modules 10000] [--viewers 100] [--seconds 20]

In: an embedded API with that fleet, and a dashboard process. Out: a line for each figure with its bound. Viewers hold a live stream each and load pages all the time; meanwhile releases change.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kubernetes")]
import embedded  # noqa: E402

from arkwright.model.resources import RESOURCES, Kind  # noqa: E402
from web.conftest import client_of, dashboard_on, install_kinds  # noqa: E402
from web.stage import Stage  # noqa: E402

PODS, BASES = 50, 20
PAGE_MS, CHANGE_MS, MEMORY_MB = 300, 500, 300
CHANGES_A_SECOND, THINKING_SECONDS = 4, 3.0
AT_ONCE = 32


async def fill(kube, modules):
    """`modules` Modules of releases on 50 pods each, in 20 bases; the releases."""
    stage, slots = Stage(kube), asyncio.Semaphore(AT_ONCE)
    await stage.namespace("shop")
    bases = [await stage.base("shop", f"base-{number}", pods=PODS) for number in range(BASES)]

    async def release(number):
        async with slots:
            story = {"base": f"base-{number % BASES}", "desired": PODS, "message": "all is well"}
            one = await stage.release("shop", f"release-{number:04}", f"module-{number:04}", ["1.0"], **story)
            for pod in bases[number % BASES]:
                await stage.module(one, 1, pod)
            return one

    return await asyncio.gather(*map(release, range(modules // PODS)))


class Viewer:
    """`pages`: seconds that each took; `seen`: when which change came, by its mark."""

    def __init__(self, session, address, path):
        self._session, self._address, self._path = session, address, path
        self.pages, self.seen = [], {}

    async def follow(self):
        query = {"at": self._path, "stamp": ""}
        endless = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self._address}/live", params=query, timeout=endless) as answer:
            rest = b""
            async for chunk in answer.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n\n")
                now = time.perf_counter()
                for mark in (each for one in whole for each in marks_in(one)):
                    self.seen.setdefault(mark, now)

    async def look(self, until, paths):
        await asyncio.sleep(random.random() * THINKING_SECONDS)
        while time.perf_counter() < until:
            began = time.perf_counter()
            async with self._session.get(self._address + random.choice(paths)) as answer:
                assert answer.status == 200 and b"</html>" in await answer.read()
            self.pages.append(time.perf_counter() - began)
            await asyncio.sleep(random.uniform(0.5, 1.5) * THINKING_SECONDS)


def marks_in(event):
    return [word for word in event.decode(errors="replace").split() if word.startswith("change-")]


async def change(kube, releases, until):
    """Releases begin to fail, one after another, so that they are on everybody's first page; when the API server told of each."""
    sent, numbers = {}, iter(range(10**6))
    while time.perf_counter() < until:
        mark = f"change-{next(numbers)}"
        name = releases[int(mark.partition("-")[2]) % 20]["metadata"]["name"]
        failure = {"type": "ReplicaFailure", "status": "True", "reason": "PullFailed", "message": f"x {mark} x"}
        path = RESOURCES[Kind.MODULE_DEPLOYMENT].path("shop", name, "status")
        sent[mark] = time.perf_counter()
        await kube.request("PATCH", path, body={"status": {"conditions": [failure]}})
        await asyncio.sleep(1 / CHANGES_A_SECOND)
    return sent


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measured(kube, directory, releases, wish):
    """The figures, in milliseconds and megabytes."""
    token = (directory / "admin.token").read_text().strip()
    paths = ["/", "/?state=complete&page=2", "/bases", *(f"/bases/shop/base-{n}" for n in range(BASES))]
    paths += [f"/releases/shop/{one['metadata']['name']}" for one in releases]
    with dashboard_on(directory / "kubeconfig", "--token-only") as address:
        address = address.rstrip("/")
        process = psutil.Process(child_named("dashboard"))
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as session:
            async with session.post(f"{address}/enter", data={"token": token}) as answer:
                assert answer.status == 200
            viewers = [Viewer(session, address, "/") for _ in range(wish.viewers)]
            following = [asyncio.create_task(one.follow()) for one in viewers]
            await asyncio.sleep(3)
            until = time.perf_counter() + wish.seconds
            used = process.cpu_times()
            looking = [asyncio.create_task(one.look(until, paths)) for one in viewers]
            sent = await change(kube, releases, until)
            await asyncio.gather(*looking)
            spent = sum(process.cpu_times()[:2]) - sum(used[:2])
            for one in following:
                one.cancel()
        memory = process.memory_info().rss / 2**20
        watches = len(
            {
                (c.raddr.port, c.laddr.port)
                for c in process.net_connections("tcp")
                if c.raddr and f":{c.raddr.port}" in server_of(directory)
            }
        )
    late = [one.seen[mark] - at for one in viewers for mark, at in sent.items() if mark in one.seen]
    pages = [seconds for one in viewers for seconds in one.pages]
    return {
        "late": late,
        "pages": pages,
        "memory": memory,
        "cpu": spent / wish.seconds,
        "connections": watches,
        "sent": len(sent),
    }


def child_named(word):
    return next(one.pid for one in psutil.Process().children() if word in one.cmdline())


def server_of(directory):
    return json.loads((directory / "kubeconfig").read_text())["clusters"][0]["cluster"]["server"]


def tell(found, wish):
    rows = [
        ("page, p95", 1000 * percentile(found["pages"], 0.95), "ms", PAGE_MS),
        ("page, median", 1000 * statistics.median(found["pages"]), "ms", None),
        ("change on screen, p95", 1000 * percentile(found["late"], 0.95), "ms", CHANGE_MS),
        ("change on screen, median", 1000 * statistics.median(found["late"]), "ms", None),
        ("memory", found["memory"], "MB", MEMORY_MB),
        ("CPU", 100 * found["cpu"], "%", None),
        ("connections to the API server", found["connections"], "", None),
    ]
    print(f"{wish.modules} Modules, {wish.viewers} viewers, {len(found['pages'])} pages, {found['sent']} changes")
    for name, value, unit, most in rows:
        print(f"  {name:32}{value:10.0f} {unit:3}" + (f" (at most {most})" if most else ""))
    return all(most is None or value <= most for _, value, _, most in rows)


async def run(wish):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "site"
        with embedded.alone(directory) as kubeconfig:
            install_kinds(kubeconfig)
            async with client_of(kubeconfig) as kube:
                began = time.perf_counter()
                releases = await fill(kube, wish.modules)
                print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
                return tell(await measured(kube, directory, releases, wish), wish)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=10_000)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
