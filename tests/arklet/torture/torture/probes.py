"""Each returns what the test expects, or raises."""

import asyncio
import contextvars
import importlib
import importlib.resources
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from dataclasses import asdict, fields, replace
from importlib import import_module
from typing import get_type_hints

import torture.values
from torture import values as by_name
from torture.circle_a import both
from torture.shapes import Colour, Point, mix
from torture.starred import *  # noqa: F403

from . import values as relative
from .values import VERSION

request_id = contextvars.ContextVar("request_id", default="none")


def version():
    return VERSION


def dependency():
    import dependency

    return dependency.VERSION


def imports():
    import torture.values as lazy

    assert torture.values is by_name is relative is lazy
    return lazy.VERSION


def star_import():
    assert "HIDDEN" not in globals()
    return STARRED  # noqa: F405


def import_by_string():
    assert importlib.import_module("torture.values") is import_module("torture.values") is by_name
    assert import_module(".values", __package__) is by_name
    return "same"


def import_in_exec():
    scope = {"__builtins__": __builtins__}
    exec("from torture.values import VERSION", scope)
    return scope["VERSION"]


def own_name_in_sys_modules():
    assert sys.modules[__name__].version is version
    return "found"


def circular():
    import torture.circle_b

    assert torture.circle_b.both() == "ab"
    return both()


def namespace_package():
    import torture_parts.one

    return torture_parts.one.NAME


def data_file():
    by_string = importlib.resources.files("torture").joinpath("data/greeting.txt").read_text()
    assert by_string == (importlib.resources.files(__package__) / "data" / "greeting.txt").read_text()
    return by_string


def dataclass():
    assert [one.name for one in fields(Point)] == ["x", "y", "colour", "around"]
    assert Point(1) < Point(2) and replace(Point(1), y=3).y == 3
    return asdict(Point(1, 2, around=[Point(3)]))["around"][0]["x"]


def pickled():
    found = pickle.loads(pickle.dumps([Point(1, 2, Colour.BLUE), Colour.RED, version]))
    assert found[0] == Point(1, 2, Colour.BLUE) and found[1] is Colour.RED and found[2] is version
    return "same"


def type_hints():
    hints = get_type_hints(Point)
    assert hints["colour"] is Colour and hints["around"] == list[Point]
    return get_type_hints(mix)["return"].__name__


def logged():
    logging.getLogger(__name__).warning("said by %s", VERSION)
    logging.getLogger("a.library").warning("said for %s", VERSION)
    return "said"


async def context_variables():
    request_id.set(VERSION)
    in_thread = await asyncio.to_thread(request_id.get)
    in_task = await asyncio.create_task(asyncio.sleep(0, request_id.get()))
    assert in_thread == in_task == VERSION
    return in_task


def thread():
    seen = []
    worker = threading.Thread(target=lambda: seen.append(import_module("torture.values").VERSION))
    worker.start()
    worker.join()
    return seen[0]


def start_process():
    worker = multiprocessing.get_context("spawn").Process(target=os.getpid)
    worker.start()
    worker.join()
    return "started"


def fork():
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


def handle_signal():
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    return "handled"


async def handle_signal_by_loop():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, int)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
    return "handled"
