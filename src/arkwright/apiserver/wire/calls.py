"""One HTTP request as the routes need it: no more is taken apart than is looked at, since every write pays for it."""

import functools

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from arkwright.apiserver.bounds import LARGEST_BODY_BYTES
from arkwright.apiserver.errors import TooLarge


class Call:
    """`headers`: by their names in lower case; of one that comes twice the last."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: str = scope["query_string"].decode("latin-1")
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }

    @functools.cached_property
    def query(self) -> QueryParams:
        return QueryParams(self.query_string)

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")

    async def body(self) -> bytes:
        """All of it. Raises TooLarge, ClientDisconnect."""
        body, is_over = bytearray(), False
        while not is_over:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY_BYTES:
                raise TooLarge(f"Request entity too large: limit is {LARGEST_BODY_BYTES}")
            is_over = not message.get("more_body", False)
        return bytes(body)
