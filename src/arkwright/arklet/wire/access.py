"""Who may call the agent, and whom a call is for. In: HTTP requests. Out: the same, or a 401, 403, 413 or 421.

A caller proves itself by a signature over the call (the controller, whose public keys a file has), by a token (one of a file), by a
certificate (which TLS has seen to), or, on loopback, by being the same user. Where nothing of that is set up, the last is what is left.
A web page proves nothing: what a browser sends of itself is refused even where everyone may call.
"""

import hmac
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from arkwright.arklet.asgi.words import Application, Message, Receive, Scope, Send
from arkwright.arklet.settings import AgentSettings
from arkwright.callers import is_own_user
from arkwright.listening import whole_body
from arkwright.model.arklet import POD_HEADER, SIGNATURE_HEADER, Code
from arkwright.model.hosts import host_of, is_loopback, joined
from arkwright.private import ReadAgain

UID_CHARACTERS = 64
BODY_LIMIT_BYTES = 1024 * 1024
OF_FORMS = ("text/plain", "multipart/")  # what a web page may send anywhere unasked
WAYS = (
    "a signature of the controller's, a token (`token-file`), a certificate (`client-ca`), or on loopback the same user"
)
TOO_LARGE = f"the body is larger than {BODY_LIMIT_BYTES} bytes"
NO_TOKEN = "this agent takes no call without a token: send it as `Authorization: Bearer <token>`"
NOBODY = f"this agent takes no call from just anybody; it takes {WAYS}"
Refusal = tuple[int, str]


class Tokens:
    """The tokens of one file, one a line. Raises OSError if it cannot be read, ValueError if there is none in it."""

    def __init__(self, path: Path) -> None:
        self._file = ReadAgain(path, _lines)
        if not self.current():
            raise ValueError(f"{path} holds no token")

    def current(self) -> tuple[bytes, ...]:
        return self._file.current()

    def allow(self, authorization: str) -> bool:
        """Compared in constant time; a file that has gone allows nobody."""
        scheme, _, given = authorization.partition(" ")
        try:
            known = self.current()
        except OSError:
            return False
        return scheme.lower() == "bearer" and any(hmac.compare_digest(given.strip().encode(), one) for one in known)


def _lines(content: bytes) -> tuple[bytes, ...]:
    return tuple(line.strip() for line in content.splitlines() if line.strip())


class Guard:
    """ASGI: in front of the agent's interface."""

    def __init__(self, app: Application, agent: AgentSettings) -> None:
        """Raises OSError, ValueError or BadSigningKey where a file of `agent` cannot be used."""
        self._app, self._agent = OnlyForPod(app, agent.pod) if agent.pod else app, agent
        self._tokens = Tokens(Path(agent.token_file)) if agent.token_file else None
        self._take = _taker(agent.controller_keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        token = headers.get(SIGNATURE_HEADER)
        if token is not None and self._take is not None:
            body = await whole_body(receive, BODY_LIMIT_BYTES)
            refusal = (413, TOO_LARGE) if body is None else self._take(token, scope, body, self._agent.pod)
            receive = _again(body or b"")
        else:
            refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, receive, send, refusal)

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Of a call that is not signed, or whose signature nobody here can check."""
        if self._tokens:
            return None if self._tokens.allow(headers.get("authorization", "")) else (401, NO_TOKEN)
        if self._agent.client_ca:
            return None
        if page := _of_a_page(headers, self._agent.host):
            return 403, page
        if self._agent.insecure or is_own_user(scope["client"], scope["server"]):
            return None
        return 401, NOBODY


def _taker(file: str) -> Callable[[str, Scope, bytes, str], Refusal | None] | None:
    if not file:
        return None
    from arkwright.arklet.wire.signatures import Signatures  # a base without keys need not load them
    from arkwright.model.signedcalls import BadSignature, Call

    known = Signatures(Path(file))

    def take(token: str, scope: Scope, body: bytes, pod: str) -> Refusal | None:
        try:
            known.take(token, Call(scope["path"].removeprefix("/"), body, joined(*scope["server"]), pod))
        except BadSignature as error:
            return 401, f"this call is not taken: {error}"
        return None

    return take


def _of_a_page(headers: Headers, host: str) -> str:
    """Why it looks like a web page's doing; "" if it does not."""
    kind = headers.get("content-type", "").strip().lower()
    if "origin" in headers or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "a web page has no business here"
    if kind.startswith(OF_FORMS):
        return f"send the body as application/json, not as {kind.partition(';')[0][:UID_CHARACTERS]}"
    named = host_of(headers.get("host", host))
    if is_loopback(host) and not (is_loopback(named) or named == host):
        return "the Host of this request is not this agent: on loopback it has no other name than its address"
    return ""


def _again(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    status, words = refusal
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    await JSONResponse({"code": Code.FAILED, "message": words}, status, headers)(scope, receive, send)


class OnlyForPod:
    """ASGI: takes calls for this base pod, and those that name none. Addresses are used again, and two clusters may share some."""

    def __init__(self, app: Application, pod: str) -> None:
        """`pod`: its uid."""
        self._app, self._pod = app, pod

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        meant = Headers(scope=scope).get(POD_HEADER, self._pod)
        if meant == self._pod:
            await self._app(scope, receive, send)
        else:
            said = f"this is base pod {self._pod}, and the call is for {meant[:UID_CHARACTERS]}"
            await JSONResponse({"code": Code.FAILED, "message": said}, 421)(scope, receive, send)
