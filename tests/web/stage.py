"""A fleet to look at: releases in every state, put on an API server where nobody acts. In: a client. Out: objects, with the statuses a controller would write."""

from datetime import UTC, datetime, timedelta

from arkwright.clients.errors import Conflict
from arkwright.model.codec import stamp
from arkwright.model.names import label_value, short_hash
from arkwright.model.resources import RESOURCES, Kind

GROUP = "serverless.alipay.com"
PULL = "cannot read https://archives.example/rates-4.2.0.whl: 404 Not Found"


class Stage:
    """`now`: when the story is told."""

    def __init__(self, kube, now=None):
        self._kube, self.now = kube, now or datetime.now(UTC)
        self.pods, self.held = {}, {}  # by uid: the pod; identities of what is on it

    def ago(self, seconds):
        return stamp(self.now - timedelta(seconds=seconds))

    async def namespace(self, name):
        try:
            await self._kube.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
        except Conflict:
            pass

    async def base(self, namespace, name, pods=4, cap=None, silent=()):
        """A Deployment with pods that run; those of `silent` say that they are not ready."""
        labels = {"app": name}
        meta = {"name": name, "namespace": namespace, "labels": {f"{GROUP}/max-module-count": str(cap)} if cap else {}}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "base", "image": "x"}]}}
        spec = {"replicas": pods, "selector": {"matchLabels": labels}, "template": template}
        made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
        await self._create(Kind.DEPLOYMENT, made)
        return [await self._pod(namespace, name, number, number in silent) for number in range(pods)]

    async def _pod(self, namespace, base, number, is_silent):
        name = f"{base}-7d9c4b-{short_hash(f'{base}{number}')[:5]}"
        container = {"name": "base", "image": "x", "ports": [{"containerPort": 1238}]}
        meta = {"name": name, "namespace": namespace, "labels": {"app": base}}
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        found = await self._create(Kind.POD, made)
        ready = {"type": "Ready", "status": "False" if is_silent else "True"}
        ip = f"10.4.{sum(map(ord, base)) % 200}.{number + 10}"
        await self._status(Kind.POD, found, {"phase": "Running", "podIP": ip, "conditions": [ready]})
        self.pods[found["metadata"]["uid"]] = found
        return found

    async def lease(self, url):
        """Of a controller that answers at that url, and is renewed for a day."""
        meta = {"name": "arkwright", "namespace": "default", "annotations": {"arkwright.dev/answers-at": url}}
        spec = {"holderIdentity": "stage", "leaseDurationSeconds": 86400}
        spec["renewTime"] = self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        await self._create(
            Kind.LEASE, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        )

    async def release(self, namespace, name, module, versions, **story):
        """`versions`: the oldest first; the last one is asked for. `story`: as in `Story`."""
        told = Story(**story)
        spec = told.spec(module, versions[-1])
        meta = {"name": name, "namespace": namespace, "annotations": told.annotations}
        made = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ModuleDeployment", "metadata": meta, "spec": spec}
        found = await self._create(Kind.MODULE_DEPLOYMENT, made)
        await self._status(Kind.MODULE_DEPLOYMENT, found, told.status(name, self, len(versions)))
        for number, version in enumerate(versions, start=1):
            serving = told.updated if number == len(versions) else told.desired - told.updated
            await self._revision(found, number, (module, version), (told, serving))
        return found

    async def _revision(self, deployment, number, what, story):
        told, serving = story
        name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
        owner = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ModuleDeployment", "name": name}
        labels = {
            f"{GROUP}/module-deployment": label_value(name),
            f"{GROUP}/module-replicaset-revision": str(number),
            f"{GROUP}/deployment-name": label_value(told.base),
        }
        meta = {
            "name": f"{name}-replicas-{number}",
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner | {"uid": deployment["metadata"]["uid"], "controller": True}],
        }
        spec = {"replicas": serving, "template": {"spec": {"module": _module(*what)}}}
        spec["operationStrategy"] = {"batchCount": told.batches, "needConfirm": told.asks and number > 1}
        made = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ModuleReplicaSet", "metadata": meta, "spec": spec}
        await self._status(
            Kind.MODULE_REPLICASET, await self._create(Kind.MODULE_REPLICASET, made), {"availableReplicas": serving}
        )

    async def module(self, deployment, number, pod, phase="Available", **status):
        """One Module of a revision on a pod."""
        name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
        replicas, spec = f"{name}-replicas-{number}", deployment["spec"]
        version = status.pop("version", spec["template"]["spec"]["module"]["version"])
        wanted = spec["template"]["spec"]["module"]["name"]
        labels = {
            f"{GROUP}/module-deployment": label_value(name),
            f"{GROUP}/module-replicaset": label_value(replicas),
            f"{GROUP}/deployment-name": label_value(spec["baseDeploymentName"]),
        }
        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        meta = {
            "name": f"{replicas}-{wanted}-{short_hash(pod['metadata']['uid'])}",
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner],
        }
        if phase == "Available":
            self.held.setdefault(pod["metadata"]["uid"], set()).add(f"{wanted}:{version}")
        made = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Module", "metadata": meta}
        found = await self._create(Kind.MODULE, made | {"spec": {"module": _module(wanted, version)}})
        since = {"status": phase, "last_transition_time": self.ago(status.pop("since", 900))}
        await self._status(Kind.MODULE, found, since | status)
        return found

    async def event(self, about, reason, message, *, seconds=60, count=1, warning=False):
        meta = about["metadata"]
        name = f"{meta['name']}.{short_hash(reason + message)}"
        involved = {"kind": about["kind"], "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}
        made = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "count": count,
            "source": {"component": "arkwright"},
            "firstTimestamp": self.ago(seconds),
            "lastTimestamp": self.ago(seconds),
        }
        await self._create(Kind.EVENT, made)

    async def _create(self, kind, document):
        import json

        path = RESOURCES[kind].path(document["metadata"]["namespace"])
        return json.loads(await self._kube.request("POST", path, body=document)) | {"kind": kind.value}

    async def _status(self, kind, found, status):
        path = RESOURCES[kind].path(found["metadata"]["namespace"], found["metadata"]["name"], "status")
        await self._kube.request("PATCH", path, body={"status": status})


class Story:
    """How a release stands. `failure`: (reason, message) or None."""

    def __init__(self, progress="Completed", *, base="shop-base", desired=4, updated=None, available=None, **more):
        self.progress, self.base, self.desired = progress, base, desired
        self.updated = desired if updated is None else updated
        self.available = desired if available is None else available
        self.batch, self.batches = more.get("batch", 1), more.get("batches", 1)
        self.asks, self.beta, self.gray = more.get("asks", False), more.get("beta", False), more.get("gray", 0)
        self.is_batch_done = more.get("is_batch_done", progress == "Completed")
        self.since, self.failure = more.get("since", 600), more.get("failure")
        self.message, self.until = more.get("message", ""), more.get("until")
        self.annotations, self.pause = more.get("annotations", {}), more.get("pause", False)

    def spec(self, module, version):
        strategy = {"batchCount": self.batches, "useBeta": self.beta, "needConfirm": self.asks}
        strategy |= {"grayTimeBetweenBatchSeconds": self.gray, "upgradePolicy": "install_then_uninstall"}
        spec = {"baseDeploymentName": self.base, "replicas": self.desired, "operationStrategy": strategy}
        template = {"spec": {"module": _module(module, version)}}
        return spec | {"template": template, "pause": self.pause}

    def status(self, name, stage, revision):
        release = {
            "updateRevision": f"{name}-replicas-{revision}",
            "currentBatch": self.batch,
            "realBatchCount": self.batches,
            "originalDeltaReplicas": self.desired,
            "progress": self.progress,
            "batchProgress": "Completed" if self.is_batch_done else "Executing",
            "lastTransitionTime": stage.ago(self.since),
        }
        if self.until:
            release["nextReconcileTime"] = stage.ago(-self.until)
        return {
            "replicas": self.desired,
            "updatedReplicas": self.updated,
            "updatedAvailableReplicas": self.updated,
            "availableReplicas": self.available,
            "unavailableReplicas": self.desired - self.available,
            "observedGeneration": 1,
            "conditions": list(self._conditions(stage)),
            "releaseStatus": release,
        }

    def _conditions(self, stage):
        at = {"lastTransitionTime": stage.ago(self.since)}
        yield {"type": "Progressing", "status": "True", "message": self.message or "all is well"} | at
        if self.failure:
            reason, message = self.failure
            yield {"type": "ReplicaFailure", "status": "True", "reason": reason, "message": message} | at


def _module(name, version):
    return {"name": name, "version": version, "url": f"https://archives.example/{name}-{version}.whl"}


def waits(batch, count):
    ask = "set spec.pause to false, or spec.confirmBatchNum to"
    return f"batch {batch}/{count} is complete and waits for a person; to go on: {ask} {batch}"


async def play(kube, now=None):
    """Two namespaces with all that a fleet has on a busy afternoon."""
    stage = Stage(kube, now)
    await stage.namespace("shop")
    await stage.namespace("bank")
    shop = await stage.base("shop", "shop-base", pods=8, cap=6)
    bank = await stage.base("bank", "bank-base", pods=4, cap=5, silent=(3,))
    await _asking(stage, shop)
    await _failing(stage, bank)
    await _moving(stage, shop)
    await _others(stage, shop, bank)
    return stage


async def _asking(stage, pods):
    by = {"arkwright.dev/confirmed-by": f"ines {stage.ago(640)}"}
    story = {"progress": "Paused", "batch": 2, "batches": 4, "asks": True, "beta": True, "is_batch_done": True}
    story |= {"desired": 8, "updated": 4, "available": 8, "since": 410, "pause": True, "message": waits(2, 4)}
    one = await stage.release("shop", "checkout", "checkout", ["3.0.9", "3.1.0"], annotations=by, **story)
    for number, pod in enumerate(pods):
        is_new = number < 4
        await stage.module(one, 2 if is_new else 1, pod, version="3.1.0" if is_new else "3.0.9")
    await stage.event(
        one, "BatchAwaitingConfirmation", "batch 2/4 waits for a person: set spec.pause to false", seconds=410
    )
    await stage.event(one, "AskedFor", "ines confirms batch 1/4, by the dashboard", seconds=640)
    await stage.event(one, "BatchCompleted", "batch 2/4 is complete", seconds=412)
    await stage.event(one, "BatchStarted", "batch 2/4 begins", seconds=639)
    await stage.event(one, "BatchCompleted", "batch 1/4 is complete", seconds=1500)
    await stage.event(
        one, "ReleaseStarted", "checkout-replicas-2: checkout:3.1.0 goes to 8 base pods in 4 batches", seconds=1510
    )


async def _failing(stage, pods):
    failure = ("PullFailed", f"rates-replicas-2-rates-1f on {pods[0]['metadata']['name']}: {PULL}")
    story = {"progress": "Executing", "batch": 1, "batches": 2, "desired": 4, "updated": 0, "available": 4}
    one = await stage.release(
        "bank", "rates", "rates", ["4.1.7", "4.2.0"], base="bank-base", failure=failure, since=190, **story
    )
    for number, pod in enumerate(pods):
        await stage.module(one, 1, pod, version="4.1.7")
        if number < 2:
            tries = {"attempts": 4, "nextAttemptTime": stage.ago(-25), "reason": "PullFailed", "message": PULL}
            await stage.module(one, 2, pod, "Failed", since=190, **tries)
    await stage.event(one, "ModuleInstallFailed", failure[1], seconds=40, count=4, warning=True)
    await stage.event(
        one, "ReleaseStarted", "rates-replicas-2: rates:4.2.0 goes to 4 base pods in 2 batches", seconds=200
    )


async def _moving(stage, pods):
    story = {"progress": "Executing", "batch": 2, "batches": 3, "desired": 6, "updated": 3, "available": 6, "since": 14}
    said = "batch 2/3: 3 out of 6 new replicas are available"
    one = await stage.release("shop", "search", "search", ["7.4.0", "7.5.0"], message=said, **story)
    for number, pod in enumerate(pods[:6]):
        version, phase = ("7.5.0", "Available") if number < 3 else ("7.4.0", "Available")
        await stage.module(one, 2 if number < 3 else 1, pod, phase, version=version)
    await stage.module(one, 2, pods[3], "Upgrading", since=6)
    gray = {"progress": "Executing", "batch": 1, "batches": 2, "desired": 4, "updated": 2, "gray": 900, "until": 610}
    said = "batch 1/2 is complete; gray time until 14:10:00 UTC"
    one = await stage.release("shop", "basket", "basket", ["1.8.2", "1.9.0"], message=said, is_batch_done=True, **gray)
    for number, pod in enumerate(pods[4:8]):
        await stage.module(one, 2 if number < 2 else 1, pod, version="1.9.0" if number < 2 else "1.8.2")


async def _others(stage, shop, bank):
    one = await stage.release("shop", "catalog", "catalog", ["5.0.1"], desired=8)
    for pod in shop:
        await stage.module(one, 1, pod)
    given_up = {f"{GROUP}/abort": "ledger-replicas-2"}
    said = "ledger-replicas-2 was aborted, 2.2.0 serves; to go on: set another version"
    one = await stage.release(
        "bank",
        "ledger",
        "ledger",
        ["2.2.0", "2.3.0"],
        base="bank-base",
        progress="Aborted",
        message=said,
        annotations=given_up,
    )
    for pod in bank:
        await stage.module(one, 1, pod, version="2.2.0")
    paused = {"progress": "Paused", "batch": 1, "batches": 2, "updated": 1, "pause": True, "since": 5400}
    await stage.release(
        "bank",
        "payments",
        "payments",
        ["8.0.0", "8.0.1"],
        base="bank-base",
        message="batch 1/2 is paused; to go on: set spec.pause to false",
        **paused,
    )
    for name, version in (("mails", "1.2.0"), ("offers", "0.9.4"), ("stock-levels", "12.0.3"), ("reviews", "2.0.0")):
        await stage.release("shop", name, name, [version], desired=8, since=86400)
    await stage.event(
        bank[1],
        "ModuleDrifted",
        f"base pod {bank[1]['metadata']['name']} holds debug-shell:0.1, which no Module here declares; left alone",
        warning=True,
    )
