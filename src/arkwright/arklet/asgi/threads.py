"""The threads of one application. In: calls. Out: each is made in a thread of its own, or waits for one.

No results, no exceptions: whoever gives a call says in it what is to come of it.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], object]


class Threads:
    """Started as they are needed. Daemons: one that hangs in a request must not hold up the end of the process."""

    def __init__(self, limit: int) -> None:
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._limit, self._count, self._unfinished = limit, 0, 0
        self._lock = threading.Lock()

    def do(self, work: Work) -> None:
        with self._lock:
            self._unfinished += 1
            is_new = self._count < min(self._unfinished, self._limit)
            self._count += is_new
        self._work.put(work)
        if is_new:
            threading.Thread(target=self._run, name=f"wsgi-{self._count}", daemon=True).start()

    def end(self) -> None:
        with self._lock:
            count, self._count = self._count, 0
        for _ in range(count):
            self._work.put(None)

    def _run(self) -> None:
        while work := self._work.get():
            work()
            del work  # an idle thread holds on to nothing of a module
            with self._lock:
                self._unfinished -= 1
