"""Finds an application by its name and makes ASGI of it. In: `package.module:attribute`. Out: an ASGI application.

ASGI applications are told by their three parameters, WSGI ones by their two, those of ASGI 2 by their one; a function that needs
none is a factory, and what it returns is the application. Calls of a WSGI one run in threads (`wsgi`).
"""

import contextlib
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from arkwright.arklet.asgi.words import Application, Receive, Scope, Send, StartFailure
from arkwright.arklet.asgi.wsgi import THREADS, WsgiAsAsgi

CALL = "()"  # behind an attribute: it is a factory, whatever it looks like
FACTORY_NAME = re.compile(r"(create|make|build)_.*|get_.*app.*|.*factory")
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
EXPECTED = "an ASGI application takes scope, receive, send, a WSGI one environ, start_response, and a factory nothing that it must be given"


def application_named(
    target: str, load: Callable[[str], Any] = importlib.import_module, threads: int = THREADS
) -> Application:
    """The application that `package.module:attribute` names ("app" if there is no attribute; dots in it are followed), or that the
    factory makes that it names, also as `package.module:attribute()`. Raises StartFailure, chained to what its import raised."""
    module_name, _, attribute = target.partition(":")
    path = attribute.removesuffix(CALL) or "app"
    if not all(map(str.isidentifier, path.split("."))):
        raise StartFailure(
            f"{target} is no name: write package.module:attribute, or package.module:attribute() for a factory"
        )
    with _as_start_failures("it exits while it is imported"):
        found = load(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    if attribute.endswith(CALL):
        found, target = _made_by(found, target.removesuffix(CALL)), f"what {target} returns"
    return as_asgi(found, target, threads)


def as_asgi(found: Any, target: str, threads: int = THREADS) -> Application:
    """The application itself, what makes ASGI of another kind of one, or of what a factory returns. Raises StartFailure; `target` is
    what it calls it. `threads`: how many a WSGI application has."""
    if is_factory(found):
        made = _made_by(found, target)
        return _adapted(made, f"what {target}() returns", threads)
    return _adapted(found, target, threads)


def is_factory(found: Any) -> bool:
    """Whether it is a function that can be called without arguments. One that takes any is, if it is named like one."""
    if not inspect.isroutine(inspect.unwrap(found) if callable(found) else found):
        return False
    count = parameter_count(found)
    if count is None:
        return not inspect.iscoroutinefunction(found) and bool(FACTORY_NAME.fullmatch(found.__name__))
    return count == 0 and not _required_by_name(found)


def parameter_count(found: Any) -> int | None:
    """How many positional arguments it must be given; None if it does not say, or takes any number."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return None
    required = sum(1 for one in parameters if one.kind in POSITIONAL and one.default is inspect.Parameter.empty)
    takes_any = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
    return None if takes_any and required <= 1 else required


def stop_threads(application: Application) -> None:
    """End the threads of a WSGI application; nothing to do for others."""
    if isinstance(application, WsgiAsAsgi):
        application.end()


def _made_by(factory: Any, target: str) -> Any:
    """What the factory returns. Raises StartFailure."""
    if not callable(factory):
        raise StartFailure(f"{target} is a {_kind(factory)}: it cannot be called for an application")
    with _as_start_failures(f"{target}() exits"):
        made = factory()
    if inspect.iscoroutine(made):
        made.close()
        raise StartFailure(
            f"{target} is async: let it be a plain function, and open what must be awaited in the lifespan"
        )
    if made is None:
        raise StartFailure(f"{target}() returns None: let it return the application")
    return made


def _adapted(found: Any, target: str, threads: int) -> Application:
    if not callable(found):
        raise StartFailure(f"{target} is a {_kind(found)}, not an ASGI or WSGI application")
    count = parameter_count(found)
    if count == 2:
        return WsgiAsAsgi(found, threads)
    if count == 1 and _is_of_asgi_2(found):
        return _of_asgi_2(found)
    if count not in (3, None) or _required_by_name(found):
        raise StartFailure(f"{target} is a {_kind(found)} that takes {_parameters(found)}: {EXPECTED}")
    application: Application = found
    return application


def _is_of_asgi_2(found: Any) -> bool:
    """Called with a scope, it gives what is called with receive and send."""
    return _parameters(found) == "scope" and not inspect.iscoroutinefunction(found)


def _of_asgi_2(found: Any) -> Application:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await found(scope)(receive, send)

    return application


def _parameters(found: Any) -> str:
    """Those it must be given, by their names."""
    required = [
        one.name
        for one in inspect.signature(found).parameters.values()
        if one.default is inspect.Parameter.empty and one.kind in (*POSITIONAL, inspect.Parameter.KEYWORD_ONLY)
    ]
    return ", ".join(required) or "no arguments"


def _required_by_name(found: Any) -> bool:
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in parameters)


def _kind(found: Any) -> str:
    if isinstance(found, type):
        return "class"
    kind = type(found)
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "functools") else f"{kind.__module__}.{kind.__qualname__}"
    )


@contextlib.contextmanager
def _as_start_failures(exits: str) -> Iterator[None]:
    """What a module's own code raises. `exits`: what is said where that ends the process."""
    try:
        yield
    except Exception as error:
        raise StartFailure(f"{type(error).__name__}: {error}") from error
    except SystemExit as error:
        raise StartFailure(f"{exits}: SystemExit({error})") from error
