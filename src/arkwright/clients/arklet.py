"""Talks to agents. In: an address and a command. Out: an Outcome, always: a dead agent is an observation, no exception.

Answers of Java agents have no header at all and end with the connection, so every call reads to the end of the stream
and no connection is used twice. Not done here: limits per base, retries, decisions.
"""

import asyncio
import os
import re
import socket
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp
import msgspec
from msgspec.structs import replace

from arkwright.clients.agentaccess import AgentAccess
from arkwright.clients.errors import BadAccess
from arkwright.model.arklet import POD_HEADER, SIGNATURE_HEADER, Answer, BizInfo, Code, root_cause
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Command, Outcome, Reason, Verdict
from arkwright.model.signedcalls import Call
from arkwright.model.text import plain
from arkwright.model.urls import hide_secrets, without_secrets

ANSWER_BYTES = 512 << 10  # a thousand modules
REFUSAL_BYTES = 4096
MESSAGE_CHARACTERS = 2048
NO_HTTP = (aiohttp.http.HttpProcessingError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError)
NONSENSE = (*NO_HTTP, ValueError)
MODULES = 2000
PULL_WORDS = (
    "MalformedURLException",
    "FileNotFoundException",
    "UnknownHostException",
    "ConnectException",
    "SocketTimeoutException",
    "cannot fetch",
    "cannot read",
    "no protocol",
)
PLAIN_JSON = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
STRANGER = "e30.e30.e30"  # a token that nobody has signed
REDIRECTS = range(300, 400)
OWN_NUMBERS = (ssl.SSLError, socket.gaierror)  # errors whose numbers are not the system's
UNTRUE = {Command.INSTALL: Reason.INSTALL_FAILED, Command.UNINSTALL: Reason.UNINSTALL_FAILED}


@dataclass(frozen=True)
class Timeouts:
    """Seconds; `uninstall` must exceed what a base may drain and stay silent."""

    connect: float = 3.0
    install: float = 300.0
    uninstall: float = 60.0
    query: float = 5.0

    def of(self, command: Command) -> float:
        return {Command.INSTALL: self.install, Command.UNINSTALL: self.uninstall}.get(command, self.query)


class ArkletClient:
    """One for all bases, used as an async context manager; `address` is "ip:port" (an IPv6 address in brackets), with
    "https://" in front where an agent wants TLS and the access does not say so of all. `pod`: the uid of the base pod that is meant, if it
    is known; an agent that knows itself to be another refuses the call."""

    def __init__(self, timeouts: Timeouts | None = None, access: AgentAccess | None = None) -> None:
        """Raises BadAccess if a file of the access cannot be used."""
        self._timeouts = timeouts or Timeouts()
        self._access = access or AgentAccess()
        self._tls = self._access.tls()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> "ArkletClient":
        connector = aiohttp.TCPConnector(limit=0, force_close=True, ssl=self._tls)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def install(self, address: str, module: ModuleArchive, pod: str = "") -> Outcome:
        body = {"bizName": module.name, "bizUrl": module.url, "bizVersion": module.version}
        if module.md5:
            body["md5"] = module.md5
        return identified(await self._call(address, Command.INSTALL, body, pod), module)

    async def uninstall(self, address: str, name: str, version: str, pod: str = "") -> Outcome:
        return await self._call(address, Command.UNINSTALL, {"bizName": name, "bizVersion": version}, pod)

    async def switch(self, address: str, name: str, version: str, pod: str = "") -> Outcome:
        return await self._call(address, Command.SWITCH, {"bizName": name, "bizVersion": version}, pod)

    async def query(self, address: str, pod: str = "") -> Outcome:
        return await self._call(address, Command.QUERY, {}, pod)

    async def refuses_strangers(self, address: str) -> bool | None:
        """Whether a call is refused that nobody known has signed; None if it is not reached. One that has proven who it is counts, too."""
        url = self._access.url(address)
        timeout = aiohttp.ClientTimeout(total=self._timeouts.query, sock_connect=self._timeouts.connect)
        headers = PLAIN_JSON | {SIGNATURE_HEADER: STRANGER}
        try:
            async with self._session.post(
                f"{url}/{Command.QUERY}", data=b"{}", timeout=timeout, headers=headers, allow_redirects=False
            ) as response:
                return response.status in (401, 403) or (self._access.is_proven(url))
        except (aiohttp.ClientError, OSError, ValueError):
            return None

    async def health(self, address: str, pod: str = "") -> Outcome:
        return await self._call(address, Command.HEALTH, {}, pod)

    async def _call(self, address: str, command: Command, body: dict[str, str], pod: str = "") -> Outcome:
        seconds, url = self._timeouts.of(command), self._access.url(address)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=self._timeouts.connect)
        call = Call(command, msgspec.json.encode(body), url.partition("://")[2], pod)
        try:
            async with self._session.post(
                f"{url}/{command}",
                data=call.body,
                timeout=timeout,
                headers=PLAIN_JSON | self._access.headers(url, call) | ({POD_HEADER: pod} if pod else {}),
                allow_redirects=False,  # an agent decides for nobody else's address
            ) as response:
                if response.status in (401, 403):
                    return _unreached(command, await self._not_taken(address, url, response))
                if response.status == 421:
                    return _unreached(command, f"another base pod answers at {address}: {await _words(response)}")
                return read_answer(command, await _limited(response))
        except BadAccess as error:
            return _unreached(command, str(error))
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as error:
            return _unreached(command, f"the agent at {address} cannot be reached: {_plainly(error)}")
        except TimeoutError:
            reason = Reason.INSTALL_TIMED_OUT if command is Command.INSTALL else Reason.AGENT_UNREACHABLE
            said = f"the agent at {address} has not answered {command} after {seconds:g} s"
            return Outcome(command=command, verdict=Verdict.LOST, reason=reason, message=said)
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            said = f"the agent at {address} broke off during {command}: {_broken(error)}"
            return replace(_lost(command, said), is_nonsense=isinstance(error, NONSENSE))

    async def _not_taken(self, address: str, url: str, response: aiohttp.ClientResponse) -> str:
        if self._access.holds_back_token(url):
            return (
                f"the agent at {address} takes no call without a token, and ours is not sent in clear text:"
                " give the base a certificate, and us its authority (--agent-ca)"
            )
        return f"the agent at {address} takes no call of ours: {await _words(response)}"


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """Raises ValueError for what no agent answers."""
    if response.status in REDIRECTS:
        raise ValueError("it answers with a redirect, which is not followed")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise ValueError(f"its answer is larger than {ANSWER_BYTES >> 10} KiB")
    return bytes(body)


async def _words(response: aiohttp.ClientResponse) -> str:
    """Of an answer that is none to the command; what it says else is nobody's to show."""
    try:
        return plain(_decode(await response.content.read(REFUSAL_BYTES)).message, MESSAGE_CHARACTERS)
    except ValueError:
        return "it does not say why"


def _broken(error: Exception) -> str:
    """Of our own words, or those of a library about a connection; never what came over it."""
    if isinstance(error, NO_HTTP):
        return "what it sends is not HTTP"
    return str(error) or type(error).__name__


def _decode(body: bytes) -> Answer:
    """Raises ValueError, which quotes nothing of it: what answers may be no agent, and its words a secret."""
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{error}") from error


def _plainly(error: Exception) -> str:
    """ "Connection refused" and the like, without the address that stands in front already."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, OWN_NUMBERS):
        return str(cause.strerror or cause)
    number = getattr(cause, "errno", None)
    return os.strerror(number) if number else str(error) or type(error).__name__


def _unreached(command: Command, message: str) -> Outcome:
    return Outcome(command=command, verdict=Verdict.UNREACHED, reason=Reason.AGENT_UNREACHABLE, message=message)


def read_answer(command: Command, body: bytes) -> Outcome:
    """The table of outcomes: bytes from an agent to an Outcome. A body that cannot be read counts as a lost answer."""
    try:
        answer = _decode(body)
    except ValueError as error:
        return _unreadable(command, error)
    if answer.code == Code.SUCCESS:
        return _done(command, answer)
    return _refused(command, answer)


def identified(outcome: Outcome, asked: ModuleArchive) -> Outcome:
    """An install that brought, or found, another identity than the one asked for, if one was, is refused (semantics 2)."""
    if not asked.name:
        return outcome
    wanted, came = f"{asked.name}:{asked.version}", ", ".join(one.identity for one in outcome.modules)
    if outcome.verdict is Verdict.REPEATED:
        came = (re.findall(r"Biz: (\S+:\S+) has been installed", outcome.message) or [wanted])[0]
    is_known = outcome.verdict in (Verdict.DONE, Verdict.REPEATED) and came
    if not is_known or wanted in came.split(", "):
        return outcome
    said = (
        f"asked for {wanted}, but the archive at {without_secrets(asked.url)} is {came}; correct the url or the version"
    )
    return replace(outcome, verdict=Verdict.REFUSED, reason=Reason.IDENTITY_MISMATCH, message=said)


def _done(command: Command, answer: Answer) -> Outcome:
    listed = answer.data if command is Command.QUERY else None
    health: Any = {}
    if isinstance(answer.data, dict):
        listed, health = answer.data.get("bizInfos"), answer.data.get("healthData", {})
    if isinstance(listed, list) and len(listed) > MODULES:  # before they are read, which takes longer than all the rest
        return _unreadable(command, ValueError(f"it lists {len(listed)} modules, and no base has more than {MODULES}"))
    try:
        modules = msgspec.convert(listed or (), type=tuple[BizInfo, ...])
    except msgspec.ValidationError as error:
        return _unreadable(command, error)
    said = _words_of(answer.data_message)
    return Outcome(command=command, verdict=Verdict.DONE, modules=modules, message=said, health=health)


def _words_of(text: str) -> str:
    """An agent's, fit to be kept and shown: it may quote the url that it was given."""
    return plain(hide_secrets(text), MESSAGE_CHARACTERS)


def _unreadable(command: Command, error: Exception) -> Outcome:
    return replace(_lost(command, f"the agent's answer to {command} cannot be read: {error}"), is_nonsense=True)


def _lost(command: Command, message: str) -> Outcome:
    return Outcome(command=command, verdict=Verdict.LOST, reason=Reason.AGENT_UNREACHABLE, message=message)


def _refused(command: Command, answer: Answer) -> Outcome:
    message = _words_of(root_cause(answer))
    if answer.data_code == Code.REPEAT_BIZ:
        return Outcome(command=command, verdict=Verdict.REPEATED, message=message)
    if answer.data_code == Code.NOT_FOUND_BIZ:
        return Outcome(command=command, verdict=Verdict.ABSENT, message=message)
    if "exist unfinished command" in answer.message or answer.message == "Internal Error: null":
        return Outcome(command=command, verdict=Verdict.BUSY, message=message)
    return Outcome(command=command, verdict=Verdict.REFUSED, reason=_reason(command, message), message=message)


def _reason(command: Command, message: str) -> Reason:
    if command is not Command.INSTALL:
        return UNTRUE.get(command, Reason.INSTALL_FAILED)
    is_of_java = "Child name [" in message and "is not unique" in message
    if is_of_java or ("web path /" in message and "another module's" in message):
        return Reason.WEB_PATH_CONFLICT
    return Reason.PULL_FAILED if any(word in message for word in PULL_WORDS) else Reason.INSTALL_FAILED
