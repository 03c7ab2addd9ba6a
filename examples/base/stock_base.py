"""A base: an ordinary ASGI application. `arkwright base --app stock_base:app` puts the agent beside it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def name(request: Request) -> PlainTextResponse:
    return PlainTextResponse("base")


app = Starlette(routes=[Route("/", name)])
