"""What clients ask before they do something: who am I, may I, who is that. Nothing of it is stored.

In: the kind of review, its document, who asks. Out: the same with a status. Pure.
"""

from collections.abc import Callable
from typing import Any

from arkwright.apiserver.errors import INVALID, ApiError, BadRequest, FieldError, invalid
from arkwright.apiserver.kinds import as_go_writes_it
from arkwright.apiserver.wire.access import ADMIN, MASTERS, READER, READING, Access, User
from arkwright.apiserver.wire.discovery import REVIEWS

Document = dict[str, Any]
Answer = Callable[[Document, User, Access], Document]
AUDIENCE = "https://kubernetes.default.svc"
WHO = "this API has two users, admin and reader; roles are stored and not enforced"
OPEN_PATHS = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
]


def plural_of(path: str) -> str:
    """Which review a path asks for; "" for none."""
    parts = path.strip("/").split("/")
    if len(parts) not in (4, 6) or parts[0] != "apis" or parts[2] != "v1":
        return ""
    is_there = parts[-1] in REVIEWS.get(parts[1], {})
    return parts[-1] if is_there and (len(parts) == 6) == parts[-1].startswith("local") else ""


def reviewed(plural: str, document: Document, asks: User, access: Access) -> Document:
    """Raises Invalid, BadRequest."""
    group = next(name for name, kinds in REVIEWS.items() if plural in kinds)
    kind = REVIEWS[group][plural]
    spec = _object(_object(document, kind).get("spec"), f"the spec of {kind}")
    for name in ("resourceAttributes", "nonResourceAttributes"):
        _object(spec.get(name), f"{name} of {kind}")
    about = {"kind": REVIEWS[group][plural], "apiVersion": f"{group}/v1", "metadata": document.get("metadata") or {}}
    return about | ({"spec": spec} if spec else {}) | {"status": ANSWERS[plural](spec, asks, access)}


def _object(value: Any, what: str) -> Document:
    """Raises BadRequest for what has no fields; {} for nothing."""
    if not isinstance(value, dict | None):
        raise BadRequest(f"json: cannot unmarshal {what}: it is no object")
    return value or {}


def _may_i(spec: Document, asks: User, access: Access) -> Document:
    return _verdict(spec, asks)


def _may_they(spec: Document, asks: User, access: Access) -> Document:
    name, groups = spec.get("user") or "", spec.get("groups") or []
    if not isinstance(groups, list):
        raise BadRequest("json: cannot unmarshal spec.groups: it is no list")
    if not name and not groups:
        raise _wrong("spec.user", '""', "at least one of user or group must be specified")
    found = ADMIN if MASTERS in groups else next((one for one in (ADMIN, READER) if one.name == name), User(name))
    return _verdict(spec, found)


def _verdict(spec: Document, user: User) -> Document:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        given = as_go_writes_it({"Path": path.get("path", ""), "Verb": path.get("verb", "")})
        raise _wrong("spec.nonResourceAttributes", given, "cannot be specified in combination with resourceAttributes")
    if resource is None and path is None:
        said = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _wrong("spec.resourceAttributes", "null", said)
    verb = str((resource or path or {}).get("verb") or "")
    return {"allowed": True} if user.may(verb) else {"allowed": False, "reason": WHO}


def _my_rules(spec: Document, asks: User, access: Access) -> Document:
    if not spec.get("namespace"):
        raise BadRequest("no namespace on request")
    verbs = ["*"] if asks == ADMIN else list(READING)
    own = [
        {"verbs": ["create"], "apiGroups": [group], "resources": [one for one in kinds if one.startswith("self")]}
        for group, kinds in REVIEWS.items()
    ]
    paths = [{"verbs": ["get"], "nonResourceURLs": ["*"] if asks == ADMIN else OPEN_PATHS}]
    everything = {"verbs": verbs, "apiGroups": ["*"], "resources": ["*"]}
    return {"resourceRules": [*own, everything], "nonResourceRules": paths, "incomplete": False}


def _who_am_i(spec: Document, asks: User, access: Access) -> Document:
    return {"userInfo": asks.document()}


def _whose(spec: Document, asks: User, access: Access) -> Document:
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    user = access.user_of(str(spec["token"]))
    if user is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": user.document(), "audiences": [AUDIENCE]}


def _wrong(path: str, value: str, said: str) -> ApiError:
    return invalid("authorization.k8s.io", "", "", [FieldError(path, INVALID, f"Invalid value: {value}: {said}")])


ANSWERS: dict[str, Answer] = {
    "selfsubjectaccessreviews": _may_i,
    "subjectaccessreviews": _may_they,
    "localsubjectaccessreviews": _may_they,
    "selfsubjectrulesreviews": _my_rules,
    "selfsubjectreviews": _who_am_i,
    "tokenreviews": _whose,
}
