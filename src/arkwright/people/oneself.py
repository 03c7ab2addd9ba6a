"""Whose rights a client has. In: a client. Out: the name that the API server knows its owner by."""

import msgspec

from arkwright.clients.errors import ApiRefused
from arkwright.clients.kube import KubeClient

VERSION = "authentication.k8s.io/v1"
SELF_REVIEWS = f"/apis/{VERSION}/selfsubjectreviews"
NOBODY_KNOWN = "somebody"  # an API server that does not answer such questions, or not to them


async def own_name(kube: KubeClient) -> str:
    """Raises ClientError where the API server cannot be reached."""
    body = {"apiVersion": VERSION, "kind": "SelfSubjectReview"}
    try:
        answer = msgspec.json.decode(await kube.request("POST", SELF_REVIEWS, body=body))
    except ApiRefused:
        return NOBODY_KNOWN
    user = (answer.get("status") or {}).get("userInfo") or {}
    return str(user.get("username") or NOBODY_KNOWN)
