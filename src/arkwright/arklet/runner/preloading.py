"""Finds what the warm process may import. In: names. Out: those whose import starts no thread, in the same order.

A process with threads must not be forked. Which package starts some is seen in forks, which import one name after the other; a package that
does is left out, and the rest is looked at again without it, until nothing is left that does.
"""

import contextlib
import importlib
import json
import os
from collections.abc import Sequence

ROUNDS = 20


class Probe:
    """A look at names that is under way in another process; can be waited for by `select`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._result, telling = os.pipe()
        if os.fork():
            os.close(telling)
            return
        os.close(self._result)
        with os.fdopen(telling, "w") as file:
            json.dump(unsafe_packages(self._names), file)
        os._exit(0)

    def fileno(self) -> int:
        return self._result

    def forget(self) -> None:
        os.close(self._result)

    def found(self) -> tuple[list[str], list[str]]:
        """What may be imported, and the packages that may not. Nothing may where the look has failed."""
        with os.fdopen(self._result) as file:
            said = file.read()
        if not said:
            return [], sorted({top(one) for one in self._names})
        unsafe = json.loads(said)
        return [one for one in self._names if top(one) not in unsafe], unsafe


def unsafe_packages(names: Sequence[str]) -> list[str]:
    """Top-level packages among them that start threads; all of them if that cannot be found out."""
    unsafe: list[str] = []
    for _ in range(ROUNDS):
        left = [one for one in names if top(one) not in unsafe]
        first = _first_with_threads(left)
        if first is None:
            return unsafe
        unsafe.append(top(left[first]))
    return sorted({top(one) for one in names})


def _first_with_threads(names: Sequence[str]) -> int | None:
    """Imports them in a fork; the index of the first that starts a thread, or ends the process."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        for name in names:
            os.write(writing, b".")
            import_quietly(name)
            if thread_count() > 1:
                os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        begun = len(file.read())
    _, status = os.waitpid(pid, 0)
    return begun - 1 if status else None


def import_all(names: Sequence[str]) -> None:
    for name in names:
        import_quietly(name)


def import_quietly(name: str) -> None:
    """What cannot be imported here is the module's to find out, and to tell."""
    with contextlib.suppress(BaseException):
        importlib.import_module(name)


def thread_count() -> int:
    """As the system counts; 1 where it does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def top(name: str) -> str:
    return name.partition(".")[0]
