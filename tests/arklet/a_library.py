"""A library of the base, which keeps what is given to it."""

import functools
import threading

REGISTRY: dict = {}
KINDS: set = set()
HOOKS: list = ["of the base"]
LISTENERS: dict = {"all": ["of the base"]}
LOCAL = threading.local()


@functools.singledispatch
def shown(value):
    return "anything"


@functools.lru_cache
def cached(value):
    return [value]


def wrapped(function):
    return lambda: function()


def kept():
    return REGISTRY, KINDS, HOOKS, LISTENERS, complex in shown.registry, cached.cache_info().currsize
