"""Where a module is not what it is alone, on purpose: (case, isolation) -> what differs, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """The install is refused, in these words of the agent's."""

    words: str
    why: str


@dataclass(frozen=True)
class Told:
    """It is otherwise equal; the uninstalls say these words. What they name may be in the base's health."""

    words: str
    why: str


@dataclass(frozen=True)
class Different:
    """These parts of what is compared differ, and no others. The module's side has `words`. A part is named as a failing test does, or
    without the moment: `1: GET /` for both."""

    parts: tuple[str, ...]
    words: str
    why: str


NO_PACKAGES = (
    "a module in the base's process has the base's packages, and no others: two versions of one would meet in it"
)
ONE_INTERPRETER = "signals, forks and children are the base's in its process"
WAITS_FOR_EVER = "a thread that waits in C code cannot be ended from outside, nor can what it holds be let go"
EXITS = "who exits in the startup has not started; uvicorn takes it for an application without a lifespan and serves"
EXIT_OF_ONE = "the request fails, the others go on; gunicorn's worker ends, and with it all requests that it has"
DIFFERENCES = {
    **{
        (f"requirements: {name}", "shared"): Refused(
            "Install what is missing into the base, or let the module have its own", NO_PACKAGES
        )
        for name in (
            "one beside that needs what the base has in C",
            "a company's package that needs what the base has",
            "one that would do with an older framework than the base's",
            "a response class of a package beside and the base's framework",
        )
    },
    ("metadata: of a package beside it, and its plugins", "shared"): Refused("the base has no plugdep", NO_PACKAGES),
    ("lifespan: a startup that exits", "process"): Refused("SystemExit: 3", EXITS),
    ("lifespan: a startup that exits", "shared"): Refused("SystemExit: 3", EXITS),
    ("flask: an exit in a request ends the request alone", "process"): Different(
        ("1: GET /exit", "2: GET /"), "Internal Server Error", EXIT_OF_ONE
    ),
    ("flask: an exit in a request ends the request alone", "shared"): Different(
        ("1: GET /exit", "2: GET /"), "Internal Server Error", EXIT_OF_ONE
    ),
    ("output: the last words of a crash", "process"): Different(
        ("1: GET /kill",), "its process has ended", "the base answers in the place of a process that has ended"
    ),
    ("fastapi: a shutdown that raises is told", "process"): Told("cannot flush", "it is said to who uninstalls, too"),
    ("fastapi: a shutdown that raises is told", "shared"): Told("cannot flush", "it is said to who uninstalls, too"),
    ("signals: a handler of its own is called", "shared"): Refused("must not set a signal handler", ONE_INTERPRETER),
    ("signals: an alarm interrupts", "shared"): Different(("1: GET /",), "Internal Server Error", ONE_INTERPRETER),
    ("processes: a child by fork", "shared"): Different(("1: GET /",), "Internal Server Error", ONE_INTERPRETER),
    ("processes: multiprocessing with a queue, spawned", "shared"): Different(
        ("1: GET /", "left"),
        "Internal Server Error",
        f"{ONE_INTERPRETER}; `multiprocessing` starts the tracker of its queues once an interpreter, and keeps it",
    ),
    ("processes: modules that are run by their name", "shared"): Different(
        ("1: GET /",),
        '""',
        "a child of the base finds what is installed into the base; the module's files are not: isolation process hands them on",
    ),
    **{
        (f"django: settings, migrations, static files and sessions of its own, {kind}", "shared"): Refused(
            "must not have settings of Django", "settings, models and applications of Django are there once a process"
        )
        for kind in ("wsgi", "asgi")
    },
    ("processes: a pool of them computes", "shared"): Different(
        ("1: GET /", "line 'must not'"), "Internal Server Error", ONE_INTERPRETER
    ),
    ("threads: one that works beside the requests, a daemon", "shared"): Told("thread worker goes on", WAITS_FOR_EVER),
    ("numpy: what it computes, how it prints and what it warns of", "shared"): Different(
        ("left",), "warnings", "a library that is imported for the first time stays, with the filters that it sets"
    ),
    ("import: it is the main thread", "shared"): Different(
        ("1: GET /",), "import of", "the base goes on answering in its main thread while a module is imported"
    ),
    ("names: of modules, classes, loggers and files, and what finds them", "shared"): Different(
        ("1: GET /",),
        "false",
        "`sys.modules` has the name once, and two versions may be there: imports tell them apart",
    ),
}


def unexplained(found, listed):
    """What is wrong about `found`, in a sentence; "" if it is what is listed."""
    if listed is None:
        return f"{len(found)} differences, none of them listed" if found else ""
    if not found:
        return f"no difference any more: {listed.why!r} can go from the list"
    told = "\n".join(str(module) for _, module in found.values())
    if listed.words not in told:
        return f"{listed.words!r} is nowhere to be read"
    parts = _parts(listed)
    if more := [what for what in found if not any(_is(what, part) for part in parts)]:
        return f"more differs than is listed: {', '.join(more)}"
    less = [part for part in parts if not any(_is(what, part) for what in found)]
    return f"listed, and not different: {', '.join(less)}" if isinstance(listed, Different) and less else ""


def _parts(listed):
    match listed:
        case Refused():
            return ("install",)
        case Told():
            return ("uninstall 1.0", "uninstall 2.0", "left")
        case Different(parts=parts):
            return parts


def _is(what, part):
    """`1: GET /` is what was answered to it, first or after the upgrade."""
    return what == part or what.endswith(f" {part}")
