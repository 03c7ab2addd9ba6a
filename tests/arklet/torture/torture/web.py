"""GET /torture/<probe> calls it."""

import inspect
import traceback

from torture import probes


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("only http")
    status = 200
    try:
        said = getattr(probes, scope["path"].rpartition("/")[2])()
        said = str(await said if inspect.isawaitable(said) else said)
    except Exception as error:
        traceback.print_exc()
        status, said = 500, f"{type(error).__name__}: {error}"
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": said.encode()})
