"""Whether all is whole: every part ready, every release complete, agents and cluster of one mind. In: a site. Out: what is missing, in words; where modules serve."""

import asyncio

import aiohttp
from place import UNANSWERED, Refused
from wishes import BASE, BASES, DEPLOYMENTS, HOW, PODS, SERVED

GROUP = "/apis/serverless.alipay.com/v1alpha1/namespaces/default"
SERVES = "module.serverless.alipay.com/"
LOOK_SECONDS = 0.5
OFTEN_ENDED = "[-] parts:"  # said for a minute of one that was killed three times: whether it is up is asked of itself


class Looking:
    """`urls`: of what served at the last look, by "POD/MODULE"; a module alone by its Service."""

    def __init__(self, site, wishes):
        self._site, self._wishes = site, wishes
        self.urls, self.pods = {}, {}

    async def missing(self):
        """[] where all is whole."""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
                self._session = session
                return await self._missing()
        except (Refused, *UNANSWERED, ValueError, KeyError) as error:
            return [f"the API: {error!r}"]

    async def _missing(self):
        found = await self._parts()
        found += [line for name in HOW for line in await self._release(name)]
        pods = {
            one["metadata"]["name"]: one
            for one in (await self._site.ask("GET", "/api/v1/namespaces/default/pods"))["items"]
        }
        self.pods = {name: one["status"].get("podIP", "") for name, one in pods.items()}
        modules = (await self._site.ask("GET", f"{GROUP}/modules"))["items"]
        if found:
            return found
        found = [line for name in pods for line in await self._agreement(pods[name], modules)]
        return found or await self._serving(modules)

    async def _parts(self):
        state = self._site.state()
        troubles = state.get("troubles", ["it does not say that it is up"])
        found = [f"the site: {one}" for one in troubles if not one.startswith(OFTEN_ENDED)]
        ready = await self._site.ask("GET", "/readyz")
        found += [f"the API: {one}" for one in str(ready).splitlines() if "[-]" in one]
        async with self._session.get(f"http://127.0.0.1:{state.get('health', 1)}/readyz") as response:
            text = await response.text()
            found += [] if response.status == 200 and "[-]" not in text else [f"the controller: {text}"]
        status = (await self._site.ask("GET", f"{BASES}/{BASE}"))["status"]
        is_so = status.get("readyReplicas") == status.get("replicas") == status.get("updatedReplicas") == PODS
        return found + ([] if is_so else [f"the base: {status}"])

    async def _release(self, name):
        document = await self._site.ask("GET", f"{DEPLOYMENTS}/{name}")
        status, count = document.get("status", {}), HOW[name][1]
        wanted = PODS if count < 0 else count
        counts = [status.get(one) for one in ("replicas", "availableReplicas", "updatedAvailableReplicas")]
        is_observed = status.get("observedGeneration") == document["metadata"]["generation"]
        progress = status.get("releaseStatus", {}).get("progress")
        if is_observed and progress == "Completed" and counts == [wanted] * 3:
            return []
        messages = [one.get("message") for one in status.get("conditions", ()) if one.get("message")]
        return [f"{name}: {progress}, observed: {is_observed}, {counts} of {wanted}: {messages}"]

    async def _agreement(self, pod, modules):
        """What the agent says, what the Modules say, and what the pod's labels say."""
        name, address = pod["metadata"]["name"], pod["status"].get("podIP")
        async with self._session.post(f"http://{address}:1238/queryAllBiz", json={}) as response:
            said = (await response.json(content_type=None))["data"]
        there = sorted((one["bizName"], one["bizVersion"], one["bizState"]) for one in said)
        wished = sorted(
            (one["spec"]["module"]["name"], one["spec"]["module"]["version"], "activated")
            for one in modules
            if one["metadata"]["labels"].get("serverless.alipay.com/base-instance-name") == name
        )
        labels = sorted(key.removeprefix(SERVES) for key in pod["metadata"]["labels"] if key.startswith(SERVES))
        found = [] if there == wished else [f"{name}: its agent has {there}, its Modules are {wished}"]
        return found + (
            [] if labels == [one[0] for one in wished] else [f"{name}: its labels are {labels}, its Modules {wished}"]
        )

    async def _serving(self, modules):
        version = {
            name: (await self._site.ask("GET", f"{DEPLOYMENTS}/{name}"))["spec"]["template"]["spec"]["module"][
                "version"
            ]
            for name in HOW
        }
        urls, found = await self._urls(modules), []
        for name, url in urls.items():
            async with self._session.get(url) as response:
                text = await response.text()
                if (response.status, text) != (200, version[name.rpartition("/")[2]]):
                    found.append(f"{name}: {response.status} {text[:100]}")
        self.urls = self.urls if found else urls
        return found

    async def _urls(self, modules):
        """A module that leaves its pod under its policy is asked through its Service alone."""
        found = {}
        for one in modules:
            name, pod = (
                one["spec"]["module"]["name"],
                one["metadata"]["labels"]["serverless.alipay.com/base-instance-name"],
            )
            if name != SERVED:
                found[f"{pod}/{name}"] = f"http://{self.pods[pod]}:8080/{name}/"
        services = (await self._site.ask("GET", "/api/v1/namespaces/default/services"))["items"]
        ports = [one["spec"]["ports"][0].get("nodePort") for one in services if one["spec"].get("type") == "NodePort"]
        return found | ({SERVED: f"http://127.0.0.1:{ports[0]}/{SERVED}/"} if ports else {})

    async def until_whole(self, seconds):
        """(whether it was in time, what is missing)."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while True:
            missing = await self.missing()
            if not missing or clock() > end:
                return not missing, missing
            self._site.look_after(is_excused=False)
            await asyncio.sleep(LOOK_SECONDS)
