"""The base that `arkwright base` runs where no --app is given: it has nothing of its own, only modules."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def name(request: Request) -> PlainTextResponse:
    """Which pod answers."""
    return PlainTextResponse(f"base {os.environ.get('POD_NAME', 'without a pod')}\n")


app = Starlette(routes=[Route("/", name)])
