"""Servers run on the interpreter's own event loop and on the one that our commands choose."""

import asyncio

import uvloop

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_asyncio_loop_factories(item):
    return LOOPS if item.path.stem == "test_entrance" else {"asyncio": LOOPS["asyncio"]}
