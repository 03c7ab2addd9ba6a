"""A module's own logging. In: what its code asks of `logging`. Out: loggers, levels and handlers that the base's log does not feel.

A module has a tree of loggers of its own, whose root hands on to the base's: two versions have the same names there and not the
same loggers. What it sets for the root (dictConfig, fileConfig, basicConfig, disable) it sets for its own. Loggers that the base
or a library has made are theirs: it gets them when it asks, and is told that a configuration does not reach them. Not done here:
how the base's log looks.
"""

import functools
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from arkwright.arklet.owners import running
from arkwright.arklet.shared import facades
from arkwright.arklet.shared.ownership import Maker, maker, someone, whose

log = logging.getLogger(__name__)
SPEAKING = ("debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log")
CONFIGURING = ((logging.config, "dictConfig"), (logging.config, "fileConfig"), (logging, "basicConfig"))


class Root(logging.RootLogger):
    """The root of a module's loggers. Hands its lines on to the base's, unless they are on the console already."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.parent = logging.root
        self.manager = logging.Manager(self)

    @property
    def propagate(self) -> bool:
        return not any(map(_is_console, self.handlers))

    @propagate.setter
    def propagate(self, value: bool) -> None:
        """The handlers say."""


class Loggers:
    """One module's: the root, and what `logging` keeps for the whole process otherwise."""

    def __init__(self) -> None:
        self.root = Root()
        self.handlers: WeakValueDictionary[str, logging.Handler] = WeakValueDictionary()
        self.handler_list: list[Any] = []

    def named(self, name: str | None) -> logging.Logger:
        return self.root.manager.getLogger(name) if name and name != self.root.name else self.root

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """`logging` itself works on these. Loggers that exist go on as they are meanwhile."""
        places: list[tuple[Any, str, Any]] = [
            (logging, "root", self.root),
            (logging.Logger, "root", self.root),
            (logging.Logger, "manager", self.root.manager),
            (logging, "_handlers", self.handlers),
            (logging, "_handlerList", self.handler_list),
        ]
        with logging._lock:  # type: ignore[attr-defined]
            before = [getattr(holder, name) for holder, name, _ in places]
            try:
                for holder, name, own in places:
                    setattr(holder, name, own)
                yield
            finally:
                for (holder, name, _), value in zip(places, before, strict=True):
                    setattr(holder, name, value)


_loggers: WeakKeyDictionary[Maker, Loggers] = WeakKeyDictionary()


def loggers_of(owner: Maker) -> Loggers:
    return _loggers.setdefault(owner, Loggers())


def forget(owner: Maker) -> None:
    """Its handlers are flushed and closed."""
    if found := _loggers.pop(owner, None):
        logging.shutdown(found.handler_list)


def own_logging() -> None:
    """Once a process."""
    for holder, name in CONFIGURING:
        _configures(holder, name)
    for name in SPEAKING:
        _speaks(name)
    _gets_loggers()
    _wraps(logging, "disable", lambda owner, level=logging.CRITICAL: _disable(owner, level))
    _wraps(logging, "setLoggerClass", lambda owner, kind: loggers_of(owner).root.manager.setLoggerClass(kind))
    _name_log_records()


def _wraps(holder: Any, name: str, instead: Callable[..., Any]) -> None:
    """What is called instead where a module's code calls."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def chosen(*args: Any, **more: Any) -> Any:
        owner = maker()
        return instead(owner, *args, **more) if owner else original(*args, **more)

    setattr(holder, name, chosen)


def _configures(holder: Any, name: str) -> None:
    """Also where a library does it for a module at work, as frameworks do."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def configuring(*args: Any, **more: Any) -> Any:
        if not (owner := someone()):
            return original(*args, **more)
        own = loggers_of(owner)
        with own.in_place():
            done = original(*args, **more)
        _tell(owner, own, name)
        return done

    setattr(holder, name, configuring)


def _tell(owner: Maker, own: Loggers, name: str) -> None:
    """In words, what the configuration has not reached."""
    made = [one for one, logger in own.root.manager.loggerDict.items() if isinstance(logger, logging.Logger)]
    if beyond := [one for one in made if _is_the_bases(owner, one)]:
        log.warning(
            "%s configures loggers of the base by %s: %s. They stay as they are, its own are as it says",
            owner.identity,
            name,
            ", ".join(sorted(beyond)),
        )
        for one in beyond:
            del own.root.manager.loggerDict[one]


def _speaks(name: str) -> None:
    """`logging.info` and the like; the stack is a frame deeper for it."""

    def speak(owner: Maker, *args: Any, **more: Any) -> None:
        root = loggers_of(owner).root
        if not root.handlers and not logging.root.handlers:
            logging.basicConfig()
        getattr(root, name)(*args, **{**more, "stacklevel": more.get("stacklevel", 1) + 2})

    _wraps(logging, name, speak)


def _gets_loggers() -> None:
    original = logging.getLogger

    @functools.wraps(original)
    def get_logger(name: str | None = None) -> logging.Logger:
        owner = maker()
        if owner is None:
            owner = whose(name) if name else None
        elif name and _is_the_bases(owner, name) and loggers_of(owner).root is not logging.root:
            owner = None
        return loggers_of(owner).named(name) if owner else original(name)

    logging.getLogger = get_logger


def _is_the_bases(owner: Maker, name: str) -> bool:
    """Whether a logger is of the base, or of a library there."""
    top = name.partition(".")[0]
    if top in owner.top_level:
        return False
    known = log.manager.loggerDict
    return name in known or top in known or (top in sys.modules and not facades.is_facade(sys.modules[top]))


def _disable(owner: Maker, level: int) -> None:
    loggers_of(owner).root.manager.disable = level


def _is_console(handler: logging.Handler) -> bool:
    stream = getattr(handler, "stream", None)
    return stream is not None and stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _name_log_records() -> None:
    """A record that a module causes says so: `arkwright_module` is its identity ("" for the base's own)."""
    before = logging.getLogRecordFactory()

    def record(*args: Any, **more: Any) -> logging.LogRecord:
        made = before(*args, **more)
        owner = running() or maker()
        made.arkwright_module = owner.identity if owner else ""
        return made

    logging.setLogRecordFactory(record)
