"""In and out: by a Kubernetes token, or by a key that was printed for whoever has started this. In: forms. Out: a cookie, or a page that asks."""

from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from arkwright.clients.errors import ClientError
from arkwright.web.answers import elsewhere, html, is_our_path
from arkwright.web.asking import COOKIE, Askers, is_from_here, is_same_user, language
from arkwright.web.forms import form_of
from arkwright.web.rendering import template_html
from arkwright.web.sessions import Entrance, TokenTooLong

log = structlog.get_logger()


@dataclass(frozen=True)
class Login:
    """`entrance`: None where nobody gets in by a key. `is_tls`: whether this process itself speaks TLS."""

    askers: Askers
    entrance: Entrance | None
    is_tls: bool

    async def enter(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._by_token(request)
        path = request.query_params.get("next", "/")
        if key := request.query_params.get("key", ""):
            return self._by_key(request, key, path)
        return self._ask(request, path)

    async def leave(self, request: Request) -> Response:
        session = self.askers.sessions.of(request.cookies.get(COOKIE, ""))
        key = (await form_of(request)).get("key")
        if session and is_from_here(request) and self.askers.sessions.is_form_key(session, key):
            self.askers.sessions.end(session)
        answer = elsewhere("/enter")
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    async def _by_token(self, request: Request) -> Response:
        if not is_from_here(request):
            return self._ask(request, "/", "This form was sent by another page.", status=403)
        form = await form_of(request)
        token, path = form.get("token").strip(), form.get("next")
        try:
            if not token or not await self.askers.knows(token):
                return self._ask(request, path, "The API server knows nobody by this token.", status=401)
            _, cookie = self.askers.sessions.begin(token)
        except TokenTooLong:
            return self._ask(request, path, "This token is too long for a cookie; ask for a shorter one.", status=400)
        except ClientError as error:
            return self._ask(request, path, str(error), status=502)
        answer = elsewhere(path if is_our_path(path) else "/")
        return self._with_cookie(request, answer, cookie)

    def _by_key(self, request: Request, key: str, path: str) -> Response:
        """The page that follows comes from here, so that the cookie is sent along."""
        if self.entrance is None or not is_same_user(request) or not self.entrance.take(key):
            said = "This link was used already, or is too old. For another: arkwright dashboard --link"
            return self._ask(request, path, said, status=401)
        _, cookie = self.askers.sessions.begin("", is_own=True)
        log.info("signed in by key")
        answer = html(template_html("entered", language(request), path=path if is_our_path(path) else "/"))
        return self._with_cookie(request, answer, cookie)

    def _with_cookie(self, request: Request, answer: Response, cookie: str) -> Response:
        is_secure = self.is_tls or request.headers.get("x-forwarded-proto") == "https"
        more: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "strict", "secure": is_secure}
        answer.set_cookie(COOKIE, cookie, max_age=self.askers.sessions.seconds, **more)
        return answer

    def _ask(self, request: Request, path: str, wrong: str = "", status: int = 200) -> Response:
        path = path if is_our_path(path) else "/"
        has_key = self.entrance is not None
        return html(template_html("enter", language(request), path=path, wrong=wrong, has_key=has_key), status)
