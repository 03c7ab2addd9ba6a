"""The agent's interface without a socket: a command and the bytes of its body in, the answer out."""

import json

from arkwright.arklet.door.router import ModuleRouter
from arkwright.arklet.settings import ArchiveSettings, Settings
from arkwright.arklet.wire.operations import Operations
from arkwright.arklet.wire.routes import Routes

LIMITS = ArchiveSettings(archive_mb=1, unpacked_mb=5, files=50)


class Interface:
    """Of an agent of its own, with nothing installed."""

    def __init__(self):
        self._app = Routes(Operations(ModuleRouter(None), Settings(archives=LIMITS)), "127.0.0.1").app()

    async def ask(self, name, body):
        """The decoded answer, which came with status 200."""
        said = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            said.append(message)

        scope = {"type": "http", "method": "POST", "path": f"/{name}", "raw_path": b"/", "query_string": b""}
        more = {"headers": [], "root_path": "", "client": ("127.0.0.1", 1), "scheme": "http"}
        await self._app({**scope, **more}, receive, send)
        assert said[0]["status"] == 200, said
        return json.loads(b"".join(one.get("body", b"") for one in said))
