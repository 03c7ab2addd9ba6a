"""What goes round every answer: headers that keep a page to itself, and where it lies. In: HTML. Out: responses.

No script, style, picture or connection but our own; shown in no frame; kept nowhere.
"""

import structlog
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arkwright.model.text import plain

log = structlog.get_logger()
LONGEST_PATH = 200
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
NOT_KEPT = (b"cache-control", b"no-store")


class Guarded:
    """Every answer of an application, with these headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *HEADERS]
                is_said = any(name == b"cache-control" for name, _ in headers)
                message = {**message, "headers": headers if is_said else [*headers, NOT_KEPT]}
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception:  # whoever asked has been told that it failed; why, is told here
            log.exception("no page came of it", path=plain(str(scope.get("path", "")), LONGEST_PATH))
            raise


def html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers={"vary": "accept-language, cookie"})


def elsewhere(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


def is_our_path(path: str) -> bool:
    r"""Whether it leads to a page of ours and nowhere else.

    >>> [is_our_path(one) for one in ("/bases?q=1", "//evil", "/\\evil", "https://evil", "", "/a\nb")]
    [True, False, False, False, False, False]
    """
    return path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and "\\" not in path
