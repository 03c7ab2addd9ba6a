"""What of a site does not run as it should. In: a site, its API. Out: a line for each loop that has ended, from whichever process it is in."""

import asyncio
import http.client

from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.model.text import plain
from arkwright.standalone.site import Site

ASK_SECONDS, MOST_BYTES = 2.0, 1 << 16


async def site_troubles(site: Site, kube: KubeClient) -> list[str]:
    """Of its own process, its API and its controller, each under its name."""
    health, own = site.troubles()
    found = {"site": own, "api": await _of_api(kube), "controller": await asyncio.to_thread(_of_controller, health)}
    return [f"{name}: {plain(one).removeprefix('[-] ')}" for name, lines in found.items() for one in lines]


async def _of_api(kube: KubeClient) -> list[str]:
    try:
        return _lines((await kube.request("GET", "/readyz")).decode(errors="replace"))
    except ClientError:
        return []  # whoever asked for anything else has been told


def _of_controller(port: int) -> list[str]:
    if not port:
        return []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return _lines(connection.getresponse().read(MOST_BYTES).decode(errors="replace"))
    except (OSError, http.client.HTTPException):
        return []  # that no controller acts is said by its Lease
    finally:
        connection.close()


def _lines(text: str) -> list[str]:
    return [one for one in text.splitlines() if one.startswith("[-] ")]
