"""Finds an application by its name and makes ASGI of it. In: `package.module:attribute`. Out: an ASGI application.

WSGI applications are told by their two parameters, ASGI ones by their three; calls of a WSGI one run in threads.
"""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from a2wsgi import WSGIMiddleware

from arkwright.arklet.asgi.words import Application, StartFailure

WSGI_THREADS = 16


def application_named(target: str, load: Callable[[str], Any] = importlib.import_module) -> Application:
    """The application that `package.module:attribute` names ("app" if there is no attribute; dots in it are followed). Raises
    StartFailure, chained to what its import raised."""
    module_name, _, attribute = target.partition(":")
    try:
        found = load(module_name)
        for part in (attribute or "app").split("."):
            found = getattr(found, part)
    except Exception as error:
        raise StartFailure(f"{type(error).__name__}: {error}") from error
    except SystemExit as error:
        raise StartFailure(f"it exits while it is imported: SystemExit({error})") from error
    return as_asgi(found, target)


def as_asgi(found: Any, target: str) -> Application:
    """The application itself, or what makes ASGI of a WSGI one. Raises StartFailure; `target` is what it calls it."""
    if not callable(found):
        raise StartFailure(f"{target} is a {type(found).__name__}, not an ASGI or WSGI application")
    count = parameter_count(found)
    if count == 2:
        return WSGIMiddleware(found, workers=WSGI_THREADS)  # type: ignore[return-value]
    if count not in (3, None):
        raise StartFailure(f"{target} takes {count} arguments: ASGI applications take 3, WSGI ones 2")
    application: Application = found
    return application


def parameter_count(found: Any) -> int | None:
    """How many positional arguments it must be given; None if it does not say, or takes any number."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters):
        return None
    return sum(1 for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty)


def stop_threads(application: Application) -> None:
    """End the threads of a WSGI application; nothing to do for others."""
    if isinstance(application, WSGIMiddleware):
        application.executor.shutdown(wait=False)
