"""The pages' addresses. In: requests. Out: pages, parts of pages, and what differs from them as it changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from arkwright import __version__
from arkwright.clients.errors import ClientError
from arkwright.web.actions import Actions, Asked, Shown, asked_of
from arkwright.web.answers import Guarded, elsewhere, html
from arkwright.web.asking import Asker, Askers, is_from_here, language
from arkwright.web.forms import BadForm, Form, form_of
from arkwright.web.live import Live, stamp_of
from arkwright.web.login import Login
from arkwright.web.question import Question, question_of
from arkwright.web.rendering import difference_document, page_html, template_html
from arkwright.web.sight import Sight

STATIC = Path(__file__).parent / "static"
BEAT_SECONDS = 20.0
WISHES = ("replicas", "revision", "version", "url")
Answer = Callable[[Request, Asker], Awaitable[Response]]


@dataclass(frozen=True)
class Parts:
    """`is_ready`: whether all watches have been filled; `troubles`: a line for each loop that does not run."""

    askers: Askers
    login: Login
    live: Live
    actions: Actions
    is_ready: Callable[[], bool]
    troubles: Callable[[], list[str]]


def application(parts: Parts) -> ASGIApp:
    pages = Pages(parts)
    routes = [
        Route("/", pages.guarded(pages.page)),
        Route("/releases/{namespace}/{name}", pages.guarded(pages.page)),
        Route("/bases", pages.guarded(pages.page)),
        Route("/bases/{namespace}/{name}", pages.guarded(pages.page)),
        Route("/live", pages.follow),
        Route("/ask", pages.guarded(pages.ask)),
        Route("/do", pages.guarded(pages.carry_out), methods=["POST"]),
        Route("/enter", parts.login.enter, methods=["GET", "POST"]),
        Route("/leave", parts.login.leave, methods=["POST"]),
        Route("/healthz", pages.health),
        Route("/readyz", pages.readiness),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Guarded(Starlette(routes=routes, exception_handlers={404: pages.missing, BadForm: pages.unread}))


class Pages:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def guarded(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Only for who is signed in."""

        async def answered(request: Request) -> Response:
            try:
                asker = await self._parts.askers.of(request)
                if asker is None:
                    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                    return elsewhere(
                        f"/enter?next={quote(path)}" if request.method == "GET" and path != "/" else "/enter"
                    )
                return await answer(request, asker)
            except ClientError as error:
                return self._said(request, "The API server does not answer", str(error), 502)

        return answered

    async def page(self, request: Request, asker: Asker) -> Response:
        question = question_of(request.url.path, request.query_params, language(request))
        page = self._parts.live.page(question, asker.sight)
        if page is None:
            return await self.missing(request)
        around = self._around(asker) | {
            "question": question,
            "stamp": stamp_of(page),
            "is_read_only": self._parts.askers.is_read_only,
        }
        return html(page_html(page, question.language, **around))

    async def follow(self, request: Request) -> Response:
        """What differs, as events; ends with one that says so once the viewer is signed out."""
        try:
            asker = await self._parts.askers.of(request)
        except ClientError as error:
            return PlainTextResponse(str(error), 502)
        if asker is None:
            return PlainTextResponse("sign in first", 401)
        at = urlsplit(request.query_params.get("at", "/"))
        question = question_of(at.path, dict(parse_qsl(at.query)), language(request))
        events = self._events(request, question, request.query_params.get("stamp", ""))
        return StreamingResponse(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def _events(self, request: Request, question: Question, has: str) -> AsyncIterator[bytes]:
        is_silent = False

        async def sight() -> Sight | None:
            nonlocal is_silent
            try:
                asker = await self._parts.askers.of(request)
            except ClientError:
                is_silent = True  # what they may see is not known: the stream ends, and is begun anew once it is
                return None
            return asker.sight if asker else None

        yield b"retry: 2000\n\n"
        clock = asyncio.get_running_loop().time
        beaten = clock()
        async for found in self._parts.live.differences(question, sight, has):
            if found is not None:
                document = msgspec.json.encode(difference_document(found, question.language))
                yield b"data: " + document + b"\n\n"
            elif clock() - beaten > BEAT_SECONDS:
                beaten = clock()
                yield b": still here\n\n"
        if not is_silent:
            yield b"event: over\ndata: {}\n\n"

    async def ask(self, request: Request, asker: Asker) -> Response:
        """What it would do, and the button that does it."""
        query = request.query_params
        try:
            asked = asked_of(query.get("verb", ""), query.getlist("on"), {name: query.get(name, "") for name in WISHES})
        except ValueError as reason:
            return self._said(request, "This cannot be asked", str(reason), 400)
        shown = [] if asked.needs_more else await self._parts.actions.preview(asker, asked)
        return html(self._sheet(request, asker, asked, shown, is_done=False))

    async def carry_out(self, request: Request, asker: Asker) -> Response:
        form = await form_of(request)
        is_ours = is_from_here(request) and self._parts.askers.sessions.is_form_key(asker.session, form.get("key"))
        if not is_ours:
            return self._said(request, "Nothing was done", "This form was not sent by this page; open it again.", 403)
        if self._parts.askers.is_read_only:
            return self._said(request, "Nothing was done", "This dashboard is read-only.", 403)
        try:
            asked, expected = _asked(form)
        except ValueError as reason:
            return self._said(request, "Nothing was done", str(reason), 400)
        shown = await self._parts.actions.carry_out(asker, asked, expected)
        return html(self._sheet(request, asker, asked, shown, is_done=True))

    def _sheet(self, request: Request, asker: Asker, asked: Asked, shown: list[Shown], *, is_done: bool) -> str:
        around = self._around(asker) | {"asked": asked, "shown": shown, "is_done": is_done}
        is_part = request.headers.get("x-part") == "sheet"
        return template_html("sheet_part" if is_part else "sheet", language(request), **around)

    def _around(self, asker: Asker) -> dict[str, object]:
        key = self._parts.askers.sessions.form_key(asker.session)
        return {"viewer": asker.viewer.name, "key": key, "version": __version__}

    async def missing(self, request: Request, _: Exception | None = None) -> Response:
        return self._said(request, "There is nothing here", "Or nothing that you may see.", 404)

    async def unread(self, request: Request, error: Exception) -> Response:
        answer = self._said(request, "Nothing was done", str(error), 400)
        answer.headers["connection"] = "close"  # what is left of it is not read
        return answer

    def _said(self, request: Request, title: str, words: str, status: int) -> Response:
        return html(template_html("said", language(request), title=title, words=words), status)

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readiness(self, request: Request) -> Response:
        is_ready, troubles = self._parts.is_ready(), self._parts.troubles()
        lines = troubles or (["ok"] if is_ready else ["[-] watches: not filled yet"])
        return PlainTextResponse("\n".join(lines) + "\n", 200 if is_ready else 503)


def _asked(form: Form) -> tuple[Asked, dict[str, str]]:
    """What is asked for, and what was shown of each. Raises ValueError."""
    on, promises = form.all("on"), form.all("promise")
    if len(on) != len(promises):
        raise ValueError("this form is not whole")
    said = {name: form.get(name) for name in WISHES}
    return asked_of(form.get("verb"), on, said), dict(zip(on, promises, strict=True))
