"""What the site is asked to run: a base of three pods, and modules of each kind, made anew again and again. In: a site. Out: objects in its API."""

import asyncio
import json
import random
import sys
from pathlib import Path

from place import UNANSWERED, Refused

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from arklet.wheels import entry, write_wheel  # noqa: E402

MODULE = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def answer(request):
    print("asked for", request.url.path)
    await asyncio.sleep(float(request.query_params.get("sleep", 0)))
    return PlainTextResponse("VERSION")

app = Starlette(routes=[Route("/", answer)])
"""
BASE, PODS = "stock", 3
VERSIONS = ("1.0.0", "2.0.0")
DEPLOYMENTS = "/apis/serverless.alipay.com/v1alpha1/namespaces/default/moduledeployments"
BASES = "/apis/apps/v1/namespaces/default/deployments"
SERVED = "served"  # by a Service
HOW = {
    "everywhere": ("process", -1, {"upgradePolicy": "install_then_uninstall"}),
    "shared": ("shared", 2, {"upgradePolicy": "install_then_uninstall", "batchCount": 2}),
    SERVED: ("process", 2, {"upgradePolicy": "uninstall_then_install", "maxUnavailable": 1, "batchCount": 2}),
}
SERVICE = {"enableModuleService": True, "port": 80, "targetPort": 8080, "drainSeconds": 1}
RELEASE_SECONDS = (2, 8)


def base(variables):
    fields = {"POD_IP": "status.podIP", "POD_NAME": "metadata.name", "POD_UID": "metadata.uid"}
    env = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    ours = {"PYTHONPATH": str(ROOT / "src")}  # this checkout, whatever is installed
    env += [{"name": name, "value": value} for name, value in (variables | ours).items()]
    container = {
        "name": "base",
        "image": "process",
        "command": [sys.executable, "-m", "arkwright", "base", "--host", "$(POD_IP)"],
        "env": env,
        "ports": [{"containerPort": 8080}, {"containerPort": 1238}],
    }
    labels = {"app": BASE}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": BASE}, "spec": spec}


class Wishes:
    """`acknowledged`: the version that the API has taken for each; `doubtful`: those of which nobody knows."""

    def __init__(self, site, scratch, seed):
        self._site, self._random = site, random.Random(seed)
        self.acknowledged, self.doubtful = {}, {name: set() for name in HOW}
        self.releases, self.lost = 0, []
        self.is_held = False
        self._urls = {
            (name, version): self._wheel(scratch, name, version, isolation)
            for name, (isolation, _, _) in HOW.items()
            for version in VERSIONS
        }

    def _wheel(self, directory, name, version, isolation):
        files = {f"{name}/__init__.py": "", f"{name}/web.py": MODULE.replace("VERSION", version)}
        points = entry(name, f"{name}.web:app", isolation)
        return write_wheel(directory, name, version, files, points, ("starlette",)).as_uri()

    async def make(self):
        await self._site.ask("POST", BASES, base(self._site.clock_variables()))
        for name, (_, replicas, strategy) in HOW.items():
            service = {"serviceStrategy": SERVICE} if name == SERVED else {}
            spec = {"baseDeploymentName": BASE, "replicas": replicas, "template": self._template(name, VERSIONS[0])}
            spec |= {"operationStrategy": {"needConfirm": False, **strategy, **service}}
            if "maxUnavailable" in strategy:
                spec["maxUnavailable"] = spec["operationStrategy"].pop("maxUnavailable")
            kind = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment"}
            await self._site.ask("POST", DEPLOYMENTS, kind | {"metadata": {"name": name}, "spec": spec})
            self.acknowledged[name] = VERSIONS[0]

    def _template(self, name, version):
        return {"spec": {"module": {"name": name, "version": version, "url": self._urls[name, version]}}}

    async def go_on(self):
        """Release after release, until cancelled; none while they are held."""
        while True:
            await asyncio.sleep(self._random.uniform(*RELEASE_SECONDS))
            if not self.is_held:
                name = self._random.choice(sorted(HOW))
                await self._release(name, self._random.choice(VERSIONS))

    async def _release(self, name, version):
        """It says which version of the object it changes: one that nobody answered, and which arrives later, must not undo the next."""
        self.doubtful[name].add(version)
        try:
            known = (await self._site.ask("GET", f"{DEPLOYMENTS}/{name}"))["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": known}, "spec": {"template": self._template(name, version)}}
            await self._site.ask("PATCH", f"{DEPLOYMENTS}/{name}", patch)
        except (Refused, *UNANSWERED, json.JSONDecodeError):
            return
        self.acknowledged[name], self.doubtful[name] = version, set()
        self.releases += 1

    async def check(self):
        """Whatever was acknowledged is there still. Not while a release is on its way to the API."""
        for name, version in list(self.acknowledged.items()):
            found = (await self._site.ask("GET", f"{DEPLOYMENTS}/{name}"))["spec"]["template"]["spec"]["module"][
                "version"
            ]
            if found != version and found not in self.doubtful[name]:
                self.lost.append(f"{name} was acknowledged to be {version}, and is {found}")
            self.acknowledged[name], self.doubtful[name] = found, set()
