"""What a module costs: its install, its memory beside a process of its own, its requests beside the same application alone.

    python bench/agent.py [--installs 200] [--modules 5] [--rounds 60] [--seconds 0.3]

Everything on loopback; the base, the applications alone and the client are processes of their own. Two applications: `hello` (Starlette) does as
little as one can, so that what a module costs shows the most; `order` (FastAPI) checks a JSON body and answers with JSON, as services
do. nginx in front of uvicorn on a unix socket is what people would take instead; it is left out where it is not installed, as is what wrk asks. Ratios are of
figures taken in turn in one run, a moment apart, for a machine's speed drifts; they are comparable between machines, times are not.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
from serving import (
    ALONE,
    BODY,
    CLIENT,
    HELLO,
    HOST,
    NGINX,
    ORDER,
    ORDER_ALONE,
    SERVERS,
    Agent,
    Load,
    Place,
    Running,
    Wrk,
    cpu_seconds,
    family,
    own_megabytes,
    servers,
    wheel,
)

APPLICATIONS = {"starlette": HELLO, "fastapi": ORDER}


async def installs(agent: Agent, directory: Path, count: int) -> None:
    for isolation in ("shared", "process"):
        for framework, application in APPLICATIONS.items():
            name = f"small_{isolation}_{framework}"
            url, seconds = wheel(directory, name, isolation, application, framework), []
            for number in range(-3, count):
                began = time.perf_counter()
                await agent("installBiz", bizName=name, bizVersion="1.0", bizUrl=url)
                if number >= 0:  # the first ones teach the base what to load beforehand
                    seconds.append(time.perf_counter() - began)
                await agent("uninstallBiz", bizName=name, bizVersion="1.0")
                await asyncio.sleep(1 if number < 0 else 0)
            ordered = sorted(seconds)
            p50, p99 = ordered[count // 2] * 1000, ordered[int(count * 0.99)] * 1000
            print(f"install, {isolation}, {framework}: p50 {p50:.1f} ms, p99 {p99:.1f} ms ({count} installs)")


async def memory(agent: Agent, base: Running, alone: dict[str, Running], directory: Path, count: int) -> None:
    for isolation in ("shared", "process"):
        for framework, application in APPLICATIONS.items():
            whole = own_megabytes(alone[framework].about)
            each = await _megabytes_each(agent, base, directory, (isolation, framework, application), count)
            print(
                f"memory of a further module, {isolation}, {framework}: {each:.2f} MB, to a process of its own ({whole:.1f} MB): {each / whole:.3f}"
            )


async def _megabytes_each(
    agent: Agent, base: Running, directory: Path, what: tuple[str, str, str], count: int
) -> float:
    isolation, framework, application = what
    names = [f"more_{isolation}_{framework}_{number}" for number in range(count + 1)]
    before = 0.0
    for name in names:
        await agent("installBiz", bizUrl=wheel(directory, name, isolation, application, framework))
        await agent.ask_once(f"/{name}/", BODY if framework == "fastapi" else "")
        if not before:
            before = sum(map(own_megabytes, family(base)))
    each = (sum(map(own_megabytes, family(base))) - before) / count
    for name in names:
        await agent("uninstallBiz", bizName=name, bizVersion="1.0")
    return each


def pairs(has_nginx: bool) -> Iterator[tuple[str, str]]:
    yield from (("shared", "alone"), ("process", "alone"), ("base", "alone"))
    if has_nginx:
        yield from (("nginx", "alone"), ("process", "nginx"))


async def throughput(
    places: dict[str, tuple[Place, list[psutil.Process]]],
    name: str,
    other: str,
    chosen: argparse.Namespace,
    loads: dict[str, Load] | dict[str, Wrk] | None = None,
) -> None:
    """Requests a second and CPU time a request of two places, in turn."""
    loads = loads or {one: await Load.to(places[one][0]) for one in (name, other)}
    rates: dict[str, list[float]] = {name: [], other: []}
    spent, answered = dict.fromkeys(rates, 0.0), dict.fromkeys(rates, 0)
    for number in range(-3, chosen.rounds):
        for one in (name, other) if number % 2 else (other, name):
            before = cpu_seconds(places[one][1])
            count, rate = await loads[one].requests_for(chosen.seconds)
            if number >= 0:
                rates[one].append(rate)
                spent[one] += cpu_seconds(places[one][1]) - before
                answered[one] += count
    for load in loads.values():
        load.close()
    ratios = [one / two for one, two in zip(rates[name], rates[other], strict=True)]
    quarters = statistics.quantiles(ratios, n=4)
    cost = {one: spent[one] / answered[one] * 1e6 for one in rates}
    print(
        f"requests/s, {name} to {other}: {statistics.median(ratios):.3f} (quarters {quarters[0]:.3f}, {quarters[2]:.3f}; "
        + ", ".join(f"{one} {statistics.median(rates[one]):.0f}/s" for one in rates)
        + f"); CPU a request {cost[name]:.1f} to {cost[other]:.1f} us: {cost[name] / cost[other]:.2f}"
    )


async def websockets(session: aiohttp.ClientSession, urls: dict[str, str], count: int = 3000) -> None:
    """Messages there and back, ten connections at once."""

    async def talk(url: str) -> None:
        async with session.ws_connect(url) as socket:
            for _ in range(count // 10):
                await socket.send_str("hello")
                await socket.receive()

    rates: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(5):
        for name, url in urls.items():
            began = time.perf_counter()
            await asyncio.gather(*(talk(url) for _ in range(10)))
            rates[name].append(count / (time.perf_counter() - began))
    said = ", ".join(f"{name} {statistics.median(found):.0f}/s" for name, found in rates.items())
    alone = statistics.median(rates["alone"])
    ratios = ", ".join(f"{name} {statistics.median(found) / alone:.3f}" for name, found in rates.items())
    print(f"WebSocket messages there and back: {said}; to alone: {ratios}")


async def bodies(
    session: aiohttp.ClientSession, urls: dict[str, str], watched: dict[str, list[psutil.Process]]
) -> None:
    """100 MB up, and down; what the memory of those that carry it grew by at most."""

    async def up(url: str) -> None:
        async def pieces():  # type: ignore[no-untyped-def]
            for _ in range(1600):
                yield b"x" * 65_536

        async with session.post(f"{url}count", data=pieces()) as response:
            assert int(await response.text()) == 1600 * 65_536

    async def down(url: str) -> None:
        async with session.get(f"{url}much") as response:
            assert sum([len(piece) async for piece in response.content.iter_any()]) == 1600 * 65_536

    for way in (up, down):
        for name, url in urls.items():
            await way(url)  # so that what is kept for the next is there
            before, began = [one.memory_info().rss for one in watched[name]], time.perf_counter()
            await way(url)
            seconds = time.perf_counter() - began
            grew = max(one.memory_info().rss - size for one, size in zip(watched[name], before, strict=True))
            print(f"100 MB {way.__name__}, {name}: {105 / seconds:.0f} MB/s, memory +{max(grew, 0) / 1e6:.1f} MB")


async def serving(
    agent: Agent,
    base: Running,
    alone: dict[str, Running],
    nginx: list[psutil.Process],
    directory: Path,
    chosen: argparse.Namespace,
) -> None:
    before = set(family(base))
    for isolation in ("shared", "process"):
        await agent("installBiz", bizUrl=wheel(directory, f"hello_{isolation}", isolation, HELLO, "starlette"))
    hello = [one for one in family(base) if one not in before]
    for isolation in ("shared", "process"):
        await agent("installBiz", bizUrl=wheel(directory, f"order_{isolation}", isolation, ORDER, "fastapi"))
    order = [one for one in family(base) if one not in {*before, *hello}]
    places = {
        "alone": (Place(ALONE), [alone["starlette"].about]),
        "base": (Place(HOST), [base.about]),
        "shared": (Place(HOST, "/hello_shared/"), [base.about]),
        "process": (Place(HOST, "/hello_process/"), [base.about, *hello]),
        "nginx": (Place(NGINX), nginx),
        "order alone": (Place.order(ORDER_ALONE), [alone["fastapi"].about]),
        "order shared": (Place.order(HOST, "/order_shared/"), [base.about]),
        "order process": (Place.order(HOST, "/order_process/"), [base.about, *order]),
    }
    for one in (*hello, *order):
        one.cpu_affinity([SERVERS])
    for name, other in pairs(bool(nginx)):
        await throughput(places, name, other, chosen)
    await throughput(places, "order shared", "order alone", chosen)
    if Wrk.is_there():  # a processor for the module, another for its base, which shares it with the client
        base.about.cpu_affinity([CLIENT])
        pair = ("order process", "order alone")
        few = argparse.Namespace(rounds=max(chosen.rounds // 3, 1), seconds=1)
        await throughput(places, *pair, few, {one: Wrk(directory, places[one][0]) for one in pair})
        base.about.cpu_affinity([SERVERS])
    else:
        print("wrk is not installed: a base and its module with a processor each are left out")
    async with aiohttp.ClientSession() as session:
        roots = {
            "alone": f"{ALONE}:8080/",
            "shared": f"{HOST}:8080/hello_shared/",
            "process": f"{HOST}:8080/hello_process/",
        }
        await websockets(session, {name: f"ws://{root}" for name, root in roots.items()})
        urls = {name: f"http://{root}" for name, root in roots.items()}
        await bodies(session, urls, {name: places[name][1] for name in urls})


async def main(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        with servers(directory) as (base, alone, nginx):
            async with aiohttp.ClientSession() as session:
                agent = Agent(session, HOST)
                await agent.until_up()
                await installs(agent, directory, chosen.installs)
                await memory(agent, base, alone, directory, chosen.modules)
                await serving(agent, base, alone, nginx, directory, chosen)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--installs", type=int, default=200)
    parser.add_argument("--modules", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.3)
    os.sched_setaffinity(0, {CLIENT})
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    asyncio.run(main(parser.parse_args()))
