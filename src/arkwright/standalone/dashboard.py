"""The site's dashboard: a process of its own on loopback. In: the site, a wish. Out: the part that runs it, and its port.

Whoever can read the site's files can make links to it (`arkwright dashboard --link`); nobody else gets in, and nothing of the site waits for it.
"""

import asyncio
import contextlib

from cryptography.fernet import Fernet

from arkwright.private import write_private
from arkwright.standalone.addresses import port_like
from arkwright.standalone.parts import Part
from arkwright.standalone.process import is_listening
from arkwright.standalone.site import Site, Wish

LOOPBACK = "127.0.0.1"
OPEN_SECONDS, ASK_SECONDS = 10.0, 0.05


def dashboard_part(site: Site, wish: Wish, environment: dict[str, str]) -> tuple[Part | None, int]:
    """(None, 0) where none is wanted."""
    if wish.dashboard_port is None:
        return None, 0
    write_private(site.dashboard_key, Fernet.generate_key())
    port = port_like(LOOPBACK, wish.dashboard_port)
    words = ["dashboard", "--data-dir", str(site.directory), "--host", LOOPBACK, "--port", str(port)]
    return Part(words, site.logs / "dashboard.log", environment), port


async def is_open(dashboard: Part, port: int) -> None:
    """A link to it leads somewhere; but a site without its dashboard is up all the same."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPEN_SECONDS):
            while not await is_listening(LOOPBACK, port):
                if dashboard.has_ended.is_set():
                    return
                await asyncio.sleep(ASK_SECONDS)
