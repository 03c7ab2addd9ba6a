"""Upgrades under load: how many requests fail while a module is released again and again, by each upgrade policy.

    python bench/upgrades.py [--upgrades 100] [--rate 40] [--clients 4] [--isolation process]

One machine: `arkwright up` with three base processes and the module's Service on a nodePort. Clients ask all along, each request over a
connection of its own: closed-loop ones, each of which asks again once it is answered; an open-loop one, which asks at a fixed rate, however long
answers take; ones whose requests take a second, read a stream of a second, or talk on a WebSocket for two. A WebSocket that is told
that its service restarts (1012) has not failed. Ends with status 1 if a request failed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]
from arklet.wheels import entry, write_wheel  # noqa: E402

MODULE = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

async def answer(request):
    await asyncio.sleep(float(request.query_params.get("sleep", 0)))
    return PlainTextResponse("VERSION")

async def stream(request):
    async def pieces():
        for number in range(10):
            yield f"{number}\\n"
            await asyncio.sleep(0.1)
    return StreamingResponse(pieces())

async def talk(socket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)

app = Starlette(routes=[Route("/", answer), Route("/stream", stream), WebSocketRoute("/talk", talk)])
"""
SERVICE_RESTART = 1012
POLICIES = ("install_then_uninstall", "uninstall_then_install", "scaleup_then_scaledown")
BASES = 3


def arkwright(*words: str) -> str:
    known = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    done = subprocess.run([sys.executable, "-m", "arkwright", *words], env=known, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


class Site:
    def __init__(self, directory: Path) -> None:
        self._kubeconfig = directory / "site" / "kubeconfig"

    async def kubectl(self, *words: str, text: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            *("--kubeconfig", str(self._kubeconfig), *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate(text.encode())
        if process.returncode:
            raise SystemExit(complained.decode())
        return said.decode()

    async def release(self, policy: str, version: str, url: str) -> None:
        """One version to two replicas, one after the other; until it is there and the old one has gone."""
        spec = {
            "baseDeploymentName": "base",
            "replicas": 2,
            "template": {"spec": {"module": {"name": "provider", "version": version, "url": url}}},
            "operationStrategy": {
                "upgradePolicy": policy,
                "batchCount": 2,
                "maxUnavailable": 1,
                "needConfirm": False,
                "serviceStrategy": {
                    "enableModuleService": True,
                    "port": 80,
                    "targetPort": 8080,
                    "drainSeconds": 1,
                },
            },
        }
        kind = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment"}
        await self.kubectl(
            "apply", "-f", "-", text=json.dumps({**kind, "metadata": {"name": policy.replace("_", "-")}, "spec": spec})
        )
        end = time.monotonic() + 120
        while not await self._is_complete(policy, version):
            if time.monotonic() > end:
                raise SystemExit(
                    f"{policy}: {version} has not come after two minutes\n" + await self.kubectl("get", "module")
                )
            await asyncio.sleep(0.1)

    async def _is_complete(self, policy: str, version: str) -> bool:
        modules = json.loads(await self.kubectl("get", "module", "-o", "json"))["items"]
        states = [(one["spec"]["module"]["version"], one.get("status", {}).get("status")) for one in modules]
        return states == [(version, "Available")] * 2

    async def node_port(self) -> int:
        while True:
            services = json.loads(await self.kubectl("get", "service", "-o", "json"))["items"]
            ports = [
                one["spec"]["ports"][0].get("nodePort") for one in services if one["spec"].get("type") == "NodePort"
            ]
            if ports and ports[0]:
                return int(ports[0])
            await asyncio.sleep(0.1)

    async def end_release(self, policy: str) -> None:
        await self.kubectl(
            "delete", "moduledeployment", policy.replace("_", "-"), "--cascade=foreground", "--wait=true"
        )


class Load:
    """All kinds of client on one url; `outcomes` by kind: what came, and how often; "200" is as it should be."""

    KINDS = ("closed-loop", "open-loop", "long", "stream", "websocket")

    def __init__(self, url: str, clients: int, rate: float) -> None:
        self._url, self._clients, self._rate = url, clients, rate
        self.outcomes = {kind: Counter[str]() for kind in self.KINDS}
        self.seconds: dict[str, list[float]] = {kind: [] for kind in self.KINDS}

    async def __aenter__(self) -> "Load":
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10))
        self._asking = [asyncio.create_task(self._closed()) for _ in range(self._clients)]
        more = (
            self._open(),
            self._again("long", self._long),
            self._again("stream", self._stream),
            self._again("websocket", self._talk),
        )
        self._asking += [asyncio.create_task(one) for one in more]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._session.close()

    async def _ask(self, kind: str, do: Callable[[], Awaitable[str]] | None = None) -> None:
        began = time.perf_counter()
        try:
            outcome = await (do or self._short)()
        except (aiohttp.ClientError, TimeoutError) as error:
            outcome = repr(error)
        self.outcomes[kind][outcome] += 1
        self.seconds[kind].append(time.perf_counter() - began)

    async def _short(self, path: str = "") -> str:
        async with self._session.get(self._url + path) as response:
            await response.read()
            return str(response.status)

    async def _long(self) -> str:
        return await self._short("?sleep=1")

    async def _stream(self) -> str:
        async with self._session.get(f"{self._url}stream") as response:
            whole = await response.read() == b"".join(b"%d\n" % number for number in range(10))
            return str(response.status) if whole else "cut"

    async def _talk(self) -> str:
        async with self._session.ws_connect(f"{self._url}talk") as socket:
            for _ in range(20):
                await socket.send_str("x")
                if (await socket.receive()).type is not aiohttp.WSMsgType.TEXT:
                    return "200" if socket.close_code == SERVICE_RESTART else f"closed with {socket.close_code}"
                await asyncio.sleep(0.1)
        return "200"

    async def _again(self, kind: str, do: Callable[[], Awaitable[str]]) -> None:
        while True:
            await self._ask(kind, do)

    async def _closed(self) -> None:
        while True:
            await self._ask("closed-loop")
            await asyncio.sleep(0.01)

    async def _open(self) -> None:
        async with asyncio.TaskGroup() as asked:
            while True:
                asked.create_task(self._ask("open-loop"))
                await asyncio.sleep(1 / self._rate)

    def tell(self, policy: str, upgrades: int, seconds: float) -> int:
        failures = 0
        for kind, outcomes in self.outcomes.items():
            failed = {what: count for what, count in outcomes.items() if what != "200"}
            failures += sum(failed.values())
            ordered = sorted(self.seconds[kind])
            p99 = ordered[int(len(ordered) * 0.99)] * 1000
            print(
                f"{policy}, {kind}: {sum(failed.values())} of {sum(outcomes.values())} requests failed {failed or ''}, "
                f"p99 {p99:.0f} ms, {upgrades} upgrades in {seconds:.0f} s",
                flush=True,
            )
        return failures


async def main(chosen: argparse.Namespace, directory: Path) -> int:
    points = entry("provider", "provider.web:app", chosen.isolation)
    urls = {}
    for version in ("1.0.2", "2.0.0"):
        files = {"provider/__init__.py": "", "provider/web.py": MODULE.replace("VERSION", version)}
        urls[version] = write_wheel(directory, "provider", version, files, points, ("starlette",)).as_uri()
    site, failures = Site(directory), 0
    for policy in chosen.policies:
        await site.release(policy, "1.0.2", urls["1.0.2"])
        url = f"http://127.0.0.1:{await site.node_port()}/provider/"
        await asyncio.sleep(1)
        began = time.monotonic()
        async with Load(url, chosen.clients, chosen.rate) as load:
            for number in range(chosen.upgrades):
                version = ("2.0.0", "1.0.2")[number % 2]
                await site.release(policy, version, urls[version])
        failures += load.tell(policy, chosen.upgrades, time.monotonic() - began)
        await site.end_release(policy)
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--upgrades", type=int, default=100)
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second of the open-loop client")
    parser.add_argument("--clients", type=int, default=4, help="closed-loop clients")
    parser.add_argument("--isolation", choices=("process", "shared"), default="process")
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=POLICIES)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        site_words = ["--data-dir", f"{scratch}/site", "--port", "0", "--addresses", "127.61.0.0/24"]
        arkwright("up", "--bases", str(BASES), *site_words)
        try:
            failed = asyncio.run(main(chosen, Path(scratch)))
        finally:
            arkwright("down", "--data-dir", f"{scratch}/site")
    sys.exit(1 if failed else 0)
