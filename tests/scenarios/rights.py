"""What the controller may do, and what it does. In: its requests while scenarios run, the roles in deploy/. Out: rights, as "group resource verb".

On a real API server it runs as its service account, with the roles of deploy/ and nothing else: a right that is missing fails a scenario. With
`--record-rights` what it asks for is written down, and test_packages compares: a right that nobody needs fails that.

    pytest tests/scenarios -n 2 --api kubernetes --record-rights tests/scenarios/rights.txt
"""

import asyncio
import contextlib
import json
import re
from pathlib import Path

import yaml

from arkwright.clients.errors import ApiRefused, Conflict, Forbidden, NotFound
from arkwright.clients.kube import KubeClient

DEPLOY = Path(__file__).parents[2] / "deploy"
RECORD = Path(__file__).with_name("rights.txt")
PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/v[^/]+(?:/namespaces/[^/]+)?/(?P<rest>[a-z].*)")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
USED = set()


def right_of(method, path, query):
    """
    >>> right_of("PATCH", "/apis/apps/v1/namespaces/default/deployments/stock/status", None)
    'apps deployments/status patch'
    """
    if path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
        return " namespaces get"
    found = PATH.fullmatch(path)
    plural, _, name = found["rest"].partition("/")
    name, _, part = name.partition("/")
    resource = f"{plural}/{part}" if part else plural
    verb = VERBS.get(method) or ("get" if name else "watch" if query and "watch" in query else "list")
    return f"{found['group'] or ''} {resource} {verb}"


class ActingClient(KubeClient):
    """The controller's: each of its requests is noted."""

    def _exchange(self, method, path, *, query=None, **more):
        USED.add(right_of(method, path, query))
        return super()._exchange(method, path, query=query, **more)


class AsServiceAccount:
    """An Access with the token of a service account."""

    def __init__(self, access, token):
        self.server, self.tls, self.namespace, self._token = access.server, access.tls, access.namespace, token

    async def headers(self):
        return {"Authorization": f"Bearer {self._token}"}


@contextlib.asynccontextmanager
async def acting(kube, namespace, is_real):
    """A client as the controller in `namespace` has it; all rights where the API server knows no roles."""
    access = AsServiceAccount(kube.access, await _account(kube, namespace)) if is_real else kube.access
    async with ActingClient(access) as client:
        if is_real:
            await _until_it_may(client, namespace)
        yield client
    if is_real:
        await kube.request("DELETE", f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/arkwright-{namespace}")


async def _account(kube, namespace):
    """A token of the account that deploy/ makes, with the roles that deploy/ gives it."""
    for document in roles(namespace):
        group = "/apis/rbac.authorization.k8s.io/v1" if document["apiVersion"] != "v1" else "/api/v1"
        place = "" if document["kind"].startswith("Cluster") else f"/namespaces/{namespace}"
        with contextlib.suppress(Conflict):
            await kube.request("POST", f"{group}{place}/{document['kind'].lower()}s", body=document)
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/arkwright/token"
    return json.loads(await kube.request("POST", path, body=wanted))["status"]["token"]


async def _until_it_may(client, namespace):
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(Forbidden, NotFound, ApiRefused):
                await client.request("GET", f"/api/v1/namespaces/{namespace}")
                return
            await asyncio.sleep(0.02)


def roles(namespace):
    text = "\n---\n".join(
        (DEPLOY / name).read_text() for name in ("05-role.yaml", "06-role-binding.yaml", "07-service-account.yaml")
    )
    for document in yaml.safe_load_all(text.replace("namespace: default", f"namespace: {namespace}")):
        if document["kind"] == "ClusterRole":
            document["metadata"]["name"] = "scenarios"  # `arkwright` is whoever's who applies deploy/
        if document["kind"] == "ClusterRoleBinding":
            document["metadata"]["name"] = f"arkwright-{namespace}"
            document["roleRef"]["name"] = "scenarios"
        yield document


def granted():
    """All rights of the roles in deploy/."""
    rules = [rule for one in roles("default") for rule in one.get("rules", [])]
    return {
        f"{group} {resource} {verb}"
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def record(file):
    """What was used here, besides what the file has."""
    known = set(file.read_text().splitlines()) if file.exists() else set()
    file.write_text("\n".join(sorted(known | USED)) + "\n")
