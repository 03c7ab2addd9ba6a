"""Who asks, and who may do what. In: a call. Out: a User, or Unauthorized, Forbidden. Roles are stored, and not looked at."""

import hmac
from dataclasses import dataclass
from typing import Any

from arkwright.apiserver.errors import Forbidden, Unauthorized
from arkwright.apiserver.wire.calls import Call
from arkwright.apiserver.wire.discovery import OWN_REVIEWS

Document = dict[str, Any]
READING = ("get", "list", "watch")
EVERYBODY, MASTERS = "system:authenticated", "system:masters"


@dataclass(frozen=True)
class User:
    """`name`: admin, who may do all, or reader, who may read."""

    name: str

    @property
    def groups(self) -> list[str]:
        return [MASTERS, EVERYBODY] if self.name == ADMIN.name else [EVERYBODY]

    def document(self) -> Document:
        """As reviews tell it."""
        return {"username": self.name, "uid": self.name, "groups": self.groups}

    def may(self, verb: str) -> bool:
        """Whether it may do that, to whatever."""
        return self.name == ADMIN.name or (self.name == READER.name and verb.lower() in READING)


ADMIN, READER = User("admin"), User("reader")


@dataclass(frozen=True)
class Access:
    """Two tokens: one may do all, one may read. "" for the latter: there is no such."""

    admin: str
    reader: str = ""

    def user_of(self, token: str) -> User | None:
        """None if nobody has it."""
        given = token.encode()
        if hmac.compare_digest(given, self.admin.encode()):
            return ADMIN
        return READER if self.reader and hmac.compare_digest(given, self.reader.encode()) else None

    def check(self, call: Call) -> User:
        """Raises Unauthorized or Forbidden. To ask what oneself may do is no writing."""
        user = self.user_of(call.headers.get("authorization", "").removeprefix("Bearer "))
        if user is None:
            raise Unauthorized("Unauthorized")
        if name := call.headers.get("impersonate-user"):
            user = _in_the_name_of(name, user, call.headers.get("impersonate-group", ""))
        is_reading = call.method in ("GET", "HEAD") and not call.path.endswith(("/exec", "/attach", "/portforward"))
        is_own = call.path.rpartition("/")[2] in OWN_REVIEWS
        if not is_own and not user.may("get" if is_reading else "create"):
            may = "may only read" if user == READER else "may do nothing here"
            raise Forbidden(f'User "{user.name}" {may}: {call.method} {call.path} is forbidden')
        return user


def _in_the_name_of(name: str, user: User, group: str) -> User:
    if user != ADMIN:
        raise Forbidden(f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users"')
    return ADMIN if group == MASTERS else User(name)
