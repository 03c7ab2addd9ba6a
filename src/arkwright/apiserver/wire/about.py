"""What the API answers about itself: versions, groups, kinds and their schemas, in the form that a client takes.

In: a path and an Accept header. Out: an answer, NotFound or NoSuchPath.
"""

from typing import Any

from starlette.responses import Response

from arkwright.apiserver.errors import NoSuchPath, NotFound
from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.wire import discovery, openapi
from arkwright.apiserver.wire.bodies import as_json
from arkwright.apiserver.wire.requests import NO_SUCH
from arkwright.apiserver.wire.swagger import SWAGGER_PROTOBUF, WANTS_PROTOBUF, swagger, swagger_in_protobuf

Document = dict[str, Any]


def about(registry: Registry, path: str, accept: str, package: str) -> Response:
    """`package`: our own version."""
    parts = path.strip("/").split("/")
    if parts == ["openapi", "v2"] and WANTS_PROTOBUF in accept:
        return Response(swagger_in_protobuf(registry), media_type=SWAGGER_PROTOBUF)
    version = discovery.wanted_version(accept)
    if parts in (["api"], ["apis"]) and version:
        kind = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        return as_json(discovery.aggregated(registry, version, is_core=parts == ["api"]), media_type=kind)
    found = _document(registry, parts, package)
    if found is None and len(parts) > 2 and (registry.has_group(parts[1]) or parts[1] in discovery.REVIEWS):
        raise NotFound(NO_SUCH, {})
    if found is None:
        raise NoSuchPath("404 page not found")
    return as_json(found)


def _document(registry: Registry, parts: list[str], package: str) -> Document | None:
    match parts:
        case ["version"]:
            return discovery.version(package)
        case ["openapi", "v2"]:
            return swagger(registry)
        case ["openapi", "v3"]:
            return openapi.openapi_index(registry)
        case ["openapi", "v3", *rest]:
            return openapi.openapi(registry, "/".join(rest))
        case ["api" | "apis", *_]:
            return discovery.about(registry, parts)
        case _:
            return None
