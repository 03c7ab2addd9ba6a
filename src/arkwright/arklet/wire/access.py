"""Who may call the agent, and whom a call is for. In: HTTP requests. Out: the same, or a 401 or 421.

Without a token file everyone who reaches the port may: then a mesh or the loopback address is the guard. The file is read again
when it changes, so that a token can be replaced: add the new one, give it to the callers, take the old one out.
"""

import hmac
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from arkwright.arklet.asgi.words import Application, Receive, Scope, Send
from arkwright.model.arklet import POD_HEADER, Code

UID_CHARACTERS = 64
REFUSAL = {
    "code": Code.FAILED,
    "message": "this agent takes no call without a token: send it as `Authorization: Bearer <token>`",
}


class Tokens:
    """The tokens of one file, one a line. Raises OSError if it cannot be read, ValueError if there is none in it."""

    def __init__(self, path: Path) -> None:
        self._path, self._changed = path, 0.0
        self._tokens: tuple[bytes, ...] = ()
        if not self.current():
            raise ValueError(f"{path} holds no token")

    def current(self) -> tuple[bytes, ...]:
        if (changed := self._path.stat().st_mtime) != self._changed:
            self._tokens = tuple(line.strip() for line in self._path.read_bytes().splitlines() if line.strip())
            self._changed = changed
        return self._tokens

    def allow(self, authorization: str) -> bool:
        """Compared in constant time; a file that has gone allows nobody."""
        scheme, _, given = authorization.partition(" ")
        try:
            known = self.current()
        except OSError:
            return False
        return scheme.lower() == "bearer" and any(hmac.compare_digest(given.strip().encode(), one) for one in known)


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


class RequireToken:
    """ASGI: in front of the agent's interface."""

    def __init__(self, app: Application, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._tokens.allow(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
        else:
            await JSONResponse(REFUSAL, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
