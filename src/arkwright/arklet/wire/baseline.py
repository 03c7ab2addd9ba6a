"""Brings a base to what it should hold before it is ready. In: a url that is asked. Out: installed modules.

`POST <url>/queryBaseline` with the base's address in the body answers a JSON list of `bizName`, `bizVersion`, `bizUrl` and,
maybe, `md5`. Asked again until everything in it is here: a base that serves half of its modules loses requests, one that is
not ready yet loses none.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from arkwright.arklet.settings import AgentSettings, BaselineSettings
from arkwright.arklet.wire.access import Tokens
from arkwright.arklet.wire.operations import Operations, internal_error
from arkwright.model.arklet import Answer, BaseAddress, BizState, Code, InstallRequest

log = logging.getLogger(__name__)
ASK_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
LOOK_SECONDS = 0.1


class BaselineUnknown(Exception):
    """Whoever should know the baseline does not tell it; the message says why."""


class Baseline:
    """What one base should hold. `is_ending`: whether the base has been told to end meanwhile."""

    def __init__(self, settings: BaselineSettings, agent: AgentSettings, is_ending: Callable[[], bool]) -> None:
        self._settings, self._is_ending = settings, is_ending
        self._address = BaseAddress(local_ip=settings.address or agent.host, port=agent.port)

    async def fill(self, operations: Operations) -> bool:
        """Until every module is in (True), or the base is told to end (False)."""
        pause = FIRST_PAUSE_SECONDS
        while not self._is_ending():
            try:
                missing = await _install(operations, await self._ask())
            except BaselineUnknown as error:
                missing = [str(error)]
            if not missing:
                return True
            log.warning("not ready, asked again in %g s: %s", pause, "; ".join(missing))
            await self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return False

    async def _sleep(self, seconds: float) -> None:
        while seconds > 0 and not self._is_ending():  # noqa: ASYNC110 (the server sets a flag, no Event)
            await asyncio.sleep(min(LOOK_SECONDS, seconds))
            seconds -= LOOK_SECONDS

    async def _ask(self) -> tuple[InstallRequest, ...]:
        url = self._settings.url.rstrip("/") + "/queryBaseline"
        timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
        try:
            # from the address that it is about: so the other side knows that it is the base's own question
            connector = aiohttp.TCPConnector(local_addr=(self._address.local_ip, 0), ssl=self._ssl())
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, headers=self._headers()) as session,
                session.post(url, data=msgspec.json.encode(self._address)) as response,
            ):
                body = await response.read()
                if response.status != 200:
                    raise BaselineUnknown(
                        f"{url} answered {response.status}: {body[:200].decode(errors='replace').strip()}"
                    )
                return msgspec.json.decode(body, type=tuple[InstallRequest, ...])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, msgspec.DecodeError) as error:
            raise BaselineUnknown(f"{url}: {error or type(error).__name__}") from error

    def _headers(self) -> dict[str, str]:
        if not self._settings.token_file:
            return {}
        return {"Authorization": f"Bearer {Tokens(Path(self._settings.token_file)).current()[-1].decode()}"}

    def _ssl(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=self._settings.ca) if self._settings.ca else True


async def _install(operations: Operations, wanted: tuple[InstallRequest, ...]) -> list[str]:
    """Those of one name one after the other, for the first becomes the active one. Returns what is not in, and why."""
    by_name: dict[str, list[InstallRequest]] = {}
    for one in wanted:
        by_name.setdefault(one.biz_name, []).append(one)
    found = await asyncio.gather(*(_install_in_turn(operations, ones) for ones in by_name.values()))
    return [said for ones in found for said in ones]


async def _install_in_turn(operations: Operations, wanted: list[InstallRequest]) -> list[str]:
    said = [await _installed(operations, one) for one in wanted if not _is_in(operations, one)]
    return [one for one in said if one]


async def _installed(operations: Operations, request: InstallRequest) -> str:
    """ "" once it is in. Someone else may be installing it, or have done so."""
    try:
        answer = await operations.install(request)
    except Exception as error:
        answer = internal_error(error)
    return "" if answer.code == Code.SUCCESS or _is_in(operations, request) else f"{request.identity}: {_said(answer)}"


def _is_in(operations: Operations, request: InstallRequest) -> bool:
    found = operations.installed.get(request.identity)
    return found is not None and found.state in (BizState.ACTIVATED, BizState.DEACTIVATED)


def _said(answer: Answer) -> str:
    return answer.data_message or answer.message
