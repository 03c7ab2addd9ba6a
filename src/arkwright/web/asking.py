"""Who asks. In: a request. Out: the viewer with their sight and session, or None. Raises ClientError if the API server does not say.

By cookie, or by the Authorization that a proxy in front sets; a header that anybody could set says nothing that the API server is not asked about.
"""

import sys
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from arkwright.callers import is_own_user
from arkwright.clients.credentials import Access
from arkwright.model.hosts import host_of
from arkwright.web.question import language_of
from arkwright.web.rights import Reviews, Viewer
from arkwright.web.sessions import Session, Sessions
from arkwright.web.sight import Sight

COOKIE = "arkwright-dashboard"
BEARER = "bearer "
SAME_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class Asker:
    viewer: Viewer
    session: Session
    sight: Sight


class Askers:
    """`own`: the access of the dashboard itself. `is_read_only`: nobody changes anything through it."""

    def __init__(self, reviews: Reviews, sessions: Sessions, own: Access, is_read_only: bool) -> None:
        self._reviews, self.sessions, self._own, self.is_read_only = reviews, sessions, own, is_read_only

    async def of(self, request: HTTPConnection) -> Asker | None:
        session = self._session(request)
        viewer = await self._viewer(session) if session else None
        if session is None or viewer is None:
            return None
        sight = await self._reviews.sight_of(viewer)
        return Asker(viewer, session, sight.only_reading() if self.is_read_only else sight)

    async def knows(self, token: str) -> bool:
        return await self._reviews.viewer_of(token) is not None

    def access_of(self, viewer: Viewer) -> Access:
        """The API server, as the viewer: never with rights of the dashboard's, unless it is theirs."""
        return self._own.of_bearer(viewer.token) if viewer.token else self._own

    async def _viewer(self, session: Session) -> Viewer | None:
        return await (self._reviews.owner() if session.is_own else self._reviews.viewer_of(session.token))

    def _session(self, request: HTTPConnection) -> Session | None:
        cookie = request.cookies.get(COOKIE, "")
        found = self.sessions.of(cookie) if cookie else None
        if found is not None:
            return found if not found.is_own or is_same_user(request) else None
        given = request.headers.get("authorization", "")
        if not given.lower().startswith(BEARER):
            return None
        token = given[len(BEARER) :].strip()
        return Session(token, False, f"proxy {token}") if token else None


def is_same_user(request: HTTPConnection) -> bool:
    """Whoever has started the dashboard is at the other end: cookies are sent to every port of a machine, whosever that is. Where a system
    does not tell, the key and the cookie have to be enough."""
    if not sys.platform.startswith("linux"):
        return True
    client, server = request.client, request.scope.get("server")
    return bool(client and server and is_own_user((client.host, client.port), (server[0], server[1])))


def is_from_here(request: HTTPConnection) -> bool:
    """Whether a form was sent by a page of our own, as browsers tell it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in SAME_SITE:
        return False
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    return origin is None or (origin != "null" and origin.partition("://")[2] == host and bool(host_of(host)))


def language(request: HTTPConnection) -> str:
    return language_of(request.headers.get("accept-language", ""))
