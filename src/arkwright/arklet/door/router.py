"""Tells requests apart. In: the scopes of the base's HTTP and WebSocket traffic. Out: the active module of a web path answers below
`/<web path>/`, the base everything else.
"""

from arkwright.arklet.asgi.words import Application, Scope


class ModuleRouter:
    """In front of the base's own application."""

    def __init__(self, base: Application) -> None:
        self._base = base
        self._active: dict[str, Application] = {}

    def route(self, web_path: str, module: Application) -> None:
        """From the next request on, `module` answers below `/<web_path>`; requests under way stay where they are."""
        self._active[web_path] = module

    def unroute(self, module: Application) -> None:
        self._active = {path: active for path, active in self._active.items() if active is not module}

    def find(self, scope: Scope) -> Application:
        """Who answers a request or WebSocket. A module's prefix is put into the scope, as Starlette does it for what is mounted."""
        path = scope["path"]
        if root := scope.get("root_path", ""):
            path = path.removeprefix(root)
        web_path = path[1:].partition("/")[0]
        if web_path in self._active:
            scope["root_path"] = f"{root}/{web_path}"
            return self._active[web_path]
        return self._base
