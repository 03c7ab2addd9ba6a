"""Answers with the module's own version, after `?sleep=seconds` if asked to."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from provider.identity import VERSION


async def version(request: Request) -> PlainTextResponse:
    await asyncio.sleep(float(request.query_params.get("sleep", 0)))
    return PlainTextResponse(VERSION)


app = Starlette(routes=[Route("/", version)])
