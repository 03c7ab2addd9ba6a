"""Raw requests to a Kubernetes API, and answers made comparable. In: Asks. Out: (status, document)."""

import base64
import http.client
import json
import re
import ssl
import tempfile
import time
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import yaml

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Ask:
    """One request. NS stands for the case's namespace, RV0 for the version in the case's first answer, and so on.

    `until`: asked again until the answer has this status.
    """

    method: str
    path: str
    body: object = None
    kind: str = "application/json"
    accept: str = "application/json"
    query: dict = field(default_factory=dict)
    until: int = 0
    is_shown: bool = True


class Api:
    """A client of one API server, with keep-alive."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._token = config["users"][0]["user"]["token"]
        self._address = urlsplit(cluster["server"])
        self._tls = ssl.create_default_context(cafile=_authority(cluster))
        self._connection = None

    def connection(self):
        return http.client.HTTPSConnection(self._address.hostname, self._address.port, context=self._tls, timeout=30)

    def raw(self, method, path, body=None, **headers):
        """(status, headers, bytes)"""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        said = {"Authorization": f"Bearer {self._token}", "User-Agent": "case/1"} | headers
        try:
            return self._exchanged(method, path, data, said)
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
            return self._exchanged(
                method, path, data, said
            )  # a server may end a connection: after a refusal, or a pause

    def _exchanged(self, *request):
        """On the connection that is there; none is kept that an exchange has failed on."""
        connection, self._connection = self._connection or self.connection(), None
        connection.request(*request)
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        self._connection = connection
        return found

    def ask(self, one, namespace, versions=()):
        """(status, document, warnings) as they came; `versions`: what stands for RV0, RV1…"""
        path = one.path.replace("NS", namespace)
        query = "&".join(
            f"{name}={quote(_filled(str(value), namespace, versions))}" for name, value in one.query.items()
        )
        body = (
            json.loads(json.dumps(one.body).replace('"NS"', f'"{namespace}"'))
            if not isinstance(one.body, bytes)
            else one.body
        )
        deadline = time.monotonic() + 40
        while True:
            headers = {"Content-Type": one.kind, "Accept": one.accept}
            data = None if body is None else body
            status, said, content = self.raw(one.method, path + (f"?{query}" if query else ""), data, **headers)
            if status == 429 or (one.until and status != one.until):
                assert time.monotonic() < deadline, f"{one.method} {path}: still {status}: {content[:300]}"
                time.sleep(0.05)
                continue
            return status, _document(content), sorted(said.get_all("Warning") or ())

    def create_definition(self, text):
        definition = yaml.safe_load(text)
        self.raw("POST", DEFINITIONS, definition, **{"Content-Type": "application/json"})
        spec = definition["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        deadline = time.monotonic() + 30
        while self.raw("GET", path)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _filled(text, namespace, versions):
    for number, version in enumerate(versions):
        text = text.replace(f"RV{number}", version)
    return text.replace("NS", namespace)


def _authority(cluster):
    if "certificate-authority" in cluster:
        return cluster["certificate-authority"]
    with tempfile.NamedTemporaryFile(delete=False, suffix=".crt") as file:
        file.write(base64.b64decode(cluster["certificate-authority-data"]))
    return file.name


def _in_order(message):
    """What is wrong is told in the order of a Go map: in none."""
    found = re.fullmatch(r"(.* is invalid: )\[(.*)\]", message, re.DOTALL)
    return found[1] + "\n".join(sorted(re.split(r", (?=[a-z<][\w.\[\]>]*: )", found[2]))) if found else message


def _document(content):
    """JSON, the events of a watch, or text."""
    try:
        found = [json.loads(line) for line in content.splitlines() if line]
    except ValueError:
        return {"text": content.decode(errors="replace").strip()}
    return found[0] if len(found) == 1 and "type" not in found[0] else found


MADE_UP = {"uid", "resourceVersion", "continue", "clusterIP", "storageVersionHash"}
TIMES = {"creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime", "lastUpdateTime"}


def comparable(value, namespace, key=""):
    """Without what no two servers have in common: what they make up, times, the order of keys."""
    if isinstance(value, dict):
        return {name: comparable(one, namespace, name) for name, one in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(one, namespace) for one in _sorted(value, key) if not _is_due_at_any_time(one)]
    if (key in MADE_UP and value not in ("", "None")) or key in TIMES:
        return key.upper()
    return _text(value, namespace) if isinstance(value, str) else value


def _is_due_at_any_time(event):
    """A bookmark that only says how far a watch has come: a real server sends one when its clock says so."""
    is_bookmark = isinstance(event, dict) and event.get("type") == "BOOKMARK"
    return is_bookmark and "annotations" not in event["object"]["metadata"]


def _sorted(items, key):
    """Lists that have no order; addresses that are made up."""
    if key == "clusterIPs":
        return ["CLUSTERIP" if one != "None" else one for one in items]
    if key == "verbs":
        return sorted(items)
    return sorted(items, key=lambda one: one.get("field", "")) if key == "causes" else items


def _text(value, namespace):
    value = value.replace(namespace, "NS")
    value = re.sub(r"^(\d+[smh]){1,2}$", "AGE", value)
    value = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", value)
    value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", value)
    value = re.sub(r"(in record) \(\d+\)", r"\1 (RESOURCEVERSION)", value)
    value = re.sub(r"(version: \d+, current:) \d+", r"\1 RESOURCEVERSION", value)
    return re.sub(r"(made-)[a-z0-9]{5}\b", r"\1SUFFIX", _in_order(value))
