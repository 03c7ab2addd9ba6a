"""Builds the node of base processes, owns its clock, and runs it until it is told to stop."""

import asyncio
import contextlib
import signal
from datetime import UTC, datetime

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.standalone.bases import Node, Place


async def run_node(place: Place) -> None:
    """Until SIGTERM or SIGINT. Raises BadCredentials if there is no API server to talk to."""
    async with KubeClient(await find_access()) as kube:
        running = asyncio.create_task(Node(kube, place, lambda: datetime.now(UTC)).run())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running
