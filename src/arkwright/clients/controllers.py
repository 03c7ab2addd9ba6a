"""Asks controllers what an agent tells of its base. In: the url that a Lease says, a pod. Out: an AgentView, within bounds.

Whoever may write a Lease says that url: it has to lead to an IP, nothing is sent there but the pod's name, and nothing of the answer is believed but what a view can say.
"""

import ipaddress
from types import TracebackType
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from arkwright.clients.errors import NoAnswer
from arkwright.model.agentview import BYTES, AgentView

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0


class ControllerClient:
    """One for all controllers, used as an async context manager."""

    async def __aenter__(self) -> "ControllerClient":
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def view(self, url: str, namespace: str, pod: str) -> AgentView | None:
        """None if that controller has released nothing into such a pod. Raises NoAnswer."""
        if not leads_to_an_ip(url):
            raise NoAnswer("its Lease says no url that could be asked")
        path = f"/agents/{quote(namespace, safe='')}/{quote(pod, safe='')}"
        try:
            async with self._session.get(
                url.rstrip("/") + path, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise NoAnswer(f"it answers with {response.status}")
                return msgspec.json.decode(await _limited(response), type=AgentView)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """Raises ValueError."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BYTES:
            raise ValueError("its answer is too large")
    return bytes(body)


def leads_to_an_ip(url: str) -> bool:
    """
    >>> leads_to_an_ip("http://127.0.0.1:8081"), leads_to_an_ip("http://[fd00::1]:8081")
    (True, True)
    >>> [leads_to_an_ip(f"http://{one}") for one in ("kubernetes", "me@10.0.0.1", "10.0.0.1/x", "10.0.0.1?x", "169.254.169.254")]
    [False, False, False, False, False]
    """
    try:
        parts = urlsplit(url)
        address = ipaddress.ip_address(parts.hostname or "")
        is_bare = url in (f"http://{parts.netloc}", f"http://{parts.netloc}/") and "@" not in parts.netloc
        return is_bare and (parts.port or 0) > 0 and not (address.is_link_local or address.is_multicast)
    except ValueError:
        return False
