"""An application by its name: ASGI, WSGI, factories of either, and what is none of them."""

import functools
import types

import bottle
import falcon
import falcon.asgi
import litestar
import pytest
import quart
from aiohttp import web
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

from arkwright.arklet.asgi.applications import application_named, as_asgi
from arkwright.arklet.asgi.words import StartFailure
from arkwright.arklet.asgi.wsgi import WsgiAsAsgi


async def asgi(scope, receive, send):
    raise LookupError("it was called")


def wsgi(environ, start_response):
    raise LookupError("it was called")


class AsgiClass:
    def __init__(self, scope, receive, send):
        pass


class OfAsgi2:
    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await send({"type": self.scope["type"]})


def loosely(function):
    @functools.wraps(function)
    def wrapped(*args, **more):
        return function(*args, **more)

    return wrapped


class Wrapped:
    @loosely
    async def __call__(self, scope, receive, send):
        pass


class Loose:
    async def __call__(self, *args, **more):
        pass


@pytest.mark.parametrize(
    "application",
    [
        FastAPI(),
        Starlette(),
        quart.Quart("x"),
        litestar.Litestar(),
        falcon.asgi.App(),
        asgi,
        Wrapped(),
        Loose(),
        AsgiClass,
    ],
    ids=lambda one: getattr(one, "__name__", type(one).__name__),
)
def test_an_asgi_application_is_taken_as_it_is(application):
    assert as_asgi(application, "served.web:app") is application


@pytest.mark.parametrize(
    "application",
    [Flask("x"), bottle.Bottle(), falcon.App(), wsgi, loosely(wsgi), functools.partial(lambda more, e, s: [], 1)],
    ids=["flask", "bottle", "falcon", "function", "wrapped function", "partial"],
)
def test_a_wsgi_application_is_called_in_threads(application):
    assert isinstance(as_asgi(application, "served.web:app"), WsgiAsAsgi)


def test_django_is_served_either_way():
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.handlers.asgi import ASGIHandler
    from django.core.wsgi import get_wsgi_application

    if not settings.configured:
        settings.configure()
    assert isinstance(as_asgi(get_wsgi_application(), "x"), WsgiAsAsgi)
    assert isinstance(as_asgi(get_asgi_application(), "x"), ASGIHandler)


async def test_an_application_of_asgi_2_is_called_twice():
    sent = []

    async def send(message):
        sent.append(message)

    await as_asgi(OfAsgi2, "served.web:app")({"type": "http"}, None, send)
    assert sent == [{"type": "http"}]


def loaded(**attributes):
    """application_named of what a module has."""
    return lambda target: application_named(target, lambda name: types.SimpleNamespace(**attributes))


def create_anything(*args, **more):
    return asgi


async def takes_anything(*args, **more):
    pass


@pytest.mark.parametrize(
    "factory",
    [lambda: asgi, lambda config=None: asgi, lambda **config: asgi, functools.cache(lambda: asgi), create_anything],
    ids=["no parameters", "an optional one", "any by name", "cached", "any, and named like a factory"],
)
def test_what_a_factory_returns_is_the_application(factory):
    assert loaded(make=factory)("served.web:make") is asgi
    assert loaded(make=factory)("served.web:make()") is asgi


def test_a_factory_of_a_wsgi_application_has_as_many_threads_as_are_asked_for():
    application = application_named("x:make", lambda name: types.SimpleNamespace(make=lambda: wsgi), threads=3)
    assert isinstance(application, WsgiAsAsgi) and application._threads._limit == 3


def test_what_takes_anything_and_is_not_named_like_a_factory_is_asgi():
    assert as_asgi(takes_anything, "served.web:app") is takes_anything


def test_a_class_is_called_where_the_name_says_so():
    assert isinstance(loaded(App=Loose)("served.web:App()"), Loose)


async def create_later():
    return asgi


def create_and_forget():
    pass


def create_wrongly():
    raise LookupError("no database")


def create_and_exit():
    raise SystemExit(2)


def create_of(config):
    return asgi


def create_by_name(*, config):
    return asgi


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (3, "served.web:it is a int, not an ASGI or WSGI application"),
        (
            create_later,
            "served.web:it is async: let it be a plain function, and open what must be awaited in the lifespan",
        ),
        (create_and_forget, "served.web:it() returns None: let it return the application"),
        (lambda: 3, "what served.web:it() returns is a int, not an ASGI or WSGI application"),
        (lambda: create_and_forget, "what served.web:it() returns is a function that takes no arguments: an ASGI"),
        (create_wrongly, "LookupError: no database"),
        (create_and_exit, "served.web:it() exits: SystemExit(2)"),
        (create_of, "served.web:it is a function that takes config: an ASGI application takes scope, receive, send"),
        (create_by_name, "served.web:it is a function that takes config: an ASGI application takes scope, receive"),
        (lambda a, b, c, d: None, "served.web:it is a function that takes a, b, c, d: an ASGI application takes"),
        (Loose, "served.web:it is a class that takes no arguments: an ASGI application takes"),
        (web.Application(), "is a aiohttp.web_app.Application that takes no arguments: an ASGI application takes"),
    ],
    ids=[
        "a number",
        "an async factory",
        "a factory of nothing",
        "of a number",
        "of a factory",
        "that fails",
        "that exits",
    ]
    + ["that must be given something", "also by name", "four arguments", "a class", "an aiohttp server"],
)
def test_what_is_no_application_is_refused_and_what_would_be_one_is_said(found, said):
    with pytest.raises(StartFailure) as failure:
        loaded(it=found)("served.web:it")
    assert said in str(failure.value)


@pytest.mark.parametrize("attribute", ["make('prod')", "a b", "make()()"])
def test_only_a_name_and_an_empty_call_are_followed(attribute):
    with pytest.raises(StartFailure, match="write package.module:attribute"):
        loaded()(f"served.web:{attribute}")
