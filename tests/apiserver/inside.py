"""The embedded API without a socket: its ASGI endpoint, over a store in a directory. In: requests as bytes. Out: status and body."""

import itertools
from datetime import UTC, datetime

from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.objects import Objects
from arkwright.apiserver.store import Store, Watches
from arkwright.apiserver.wire import Access, Api, Surroundings

NAMES = itertools.count(1)


class Inside:
    """To be made inside of a loop. `MISTAKE`: how an answer begins that nobody should get."""

    MISTAKE = b"Internal error occurred: see the server's log"

    def __init__(self, directory):
        self.watches = watches = Watches()
        self.store = Store(directory / "store.db", watches.publish)
        self.objects = Objects(self.store, Registry(), now)
        self._api = Api(self.objects, watches, Access("admin", "reader"), Surroundings(now, "1"))

    async def ask(self, method, path, body=b"", kind="application/json", query="", accept="*/*"):
        """(status, body)"""
        given = iter([{"type": "http.request", "body": body}])
        said = []

        async def receive():
            return next(given, {"type": "http.disconnect"})

        async def send(message):
            said.append(message)

        headers = [(b"authorization", b"Bearer admin"), (b"content-type", kind.encode("latin-1"))]
        headers.append((b"accept", accept.encode()))
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
        scope["asgi"] = {"version": "3.0", "spec_version": "2.4"}
        await self._api(scope, receive, send)
        return said[0]["status"], b"".join(one.get("body", b"") for one in said)

    async def define(self, definition):
        """A CRD, served at once."""
        kind = self.objects.registry.named("customresourcedefinitions.apiextensions.k8s.io")
        from arkwright.apiserver.objects import Options

        await self.objects.create(kind, "", definition, Options())
        self.objects.registry.define(definition)


def now():
    return datetime.now(UTC)
