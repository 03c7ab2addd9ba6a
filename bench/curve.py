"""How time, CPU, writes and memory grow with the number of modules, on a real Kubernetes API server, all on this machine.

    python bench/curve.py [--sizes 100x1 1000x1 1000x10 1000x30]

A size is base pods times ModuleDeployments with a module on each pod. Each has a namespace, agents and a controller of its own; all have the API server
in common, whose rate of plain writes is measured after each. Prints a table and a chart in the form that Markdown shows; ratios are comparable
between machines, times are not.
"""

import argparse
import asyncio

from fleet import Fleet, agents, api_with_our_kinds, crowd

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient

COLUMNS = ("modules", "seconds", "ms CPU a module", "writes a module", "of the server's rate", "MB")


async def online(pods, deployments, calls):
    async with KubeClient(await find_access()) as kube:
        fleet = Fleet(kube, f"curve-{pods}-{deployments}", calls)
        await fleet.begin(pods)
        fleet.start()
        try:
            return await crowd(fleet, pods, deployments)
        finally:
            await fleet.stop()
            await kube.request("DELETE", f"/api/v1/namespaces/{fleet.namespace}")


def row(one):
    share = one.writes / one.seconds / one.rate
    cells = (
        f"{one.modules:,}",
        f"{one.seconds:.1f}",
        f"{one.cpu_ms / one.modules:.2f}",
        f"{one.writes / one.modules:.2f}",
    )
    return "| " + " | ".join((*cells, f"{share:.0%}", str(one.memory_mb))) + " |"


def chart(title, unit, ones, values):
    names = ", ".join(f'"{one.modules:,}"' for one in ones)
    lines = [
        "xychart-beta",
        f'    title "{title}"',
        f"    x-axis [{names}]",
        f'    y-axis "{unit}" 0 --> {max(values) * 1.1:.0f}',
    ]
    return "\n".join(["```mermaid", *lines, f"    line [{', '.join(f'{one:.2f}' for one in values)}]", "```"])


def size(text):
    pods, _, deployments = text.partition("x")
    return int(pods), int(deployments)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=size, nargs="+", default=[(100, 1), (1000, 1), (1000, 10), (1000, 30)])
    asked, ones = parser.parse_args(), []
    with api_with_our_kinds():
        for pods, deployments in asked.sizes:
            with agents(pods) as calls:
                ones.append(asyncio.run(online(pods, deployments, calls)))
            print(ones[-1], flush=True)
    print("\n| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    print("\n".join(map(row, ones)))
    print(
        "\n"
        + chart("ms of CPU a module, by the number of modules", "ms", ones, [one.cpu_ms / one.modules for one in ones])
    )
    print("\n" + chart("MB of the controller, by the number of modules", "MB", ones, [one.memory_mb for one in ones]))


if __name__ == "__main__":
    main()
