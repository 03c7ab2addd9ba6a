"""A module `served` in the base's process, as an author writes one. In: its code. Out: what it answers, and what its end leaves."""

from arklet.wheels import entry, write_wheel

TAIL = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse(str(SAYS()))
app = Starlette(routes=[Route("/", hello)])
"""


class Served:
    def __init__(self, base, directory):
        self.base, self._directory = base, directory

    def url(self, web, version="1.0", name="served", **files):
        """`files`: more of its package, by their names without `.py`."""
        contents = {f"{name}/{one}.py": text for one, text in {"__init__": '"""x"""', "web": web, **files}.items()}
        return write_wheel(self._directory, name, version, contents, entry(name, f"{name}.web:app", "shared")).as_uri()

    async def try_to_install(self, web, version="1.0", name="served", **files):
        url = self.url(web, version, name, **files)
        return await self.base.command("installBiz", bizName=name, bizVersion=version, bizUrl=url)

    async def install(self, web, version="1.0", name="served", **files):
        answer = await self.try_to_install(web, version, name, **files)
        assert answer["code"] == "SUCCESS", answer

    async def switch(self, version):
        assert (await self.base.command("switchBiz", bizName="served", bizVersion=version))["code"] == "SUCCESS"

    async def uninstall(self, version="1.0", name="served"):
        """What is left, in words."""
        answer = await self.base.command("uninstallBiz", bizName=name, bizVersion=version)
        assert answer["code"] == "SUCCESS", answer
        return answer["data"].get("residue", [])

    async def says(self, path="/served/"):
        status, text = await self.base.get(path)
        assert status == 200, text
        return text

    async def changed(self):
        """What it has changed in the base, as the agent tells it."""
        (told,) = (await self.base.command("queryAllBiz"))["data"]
        return told.get("patched", [])
